//! A case's outcome. A number stands here only with the verification that it passed.

use super::{CacheMode, Ceiling, Energy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// A case's outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResultRow {
    /// `op/dtype/shape/variant@device`.
    pub case: String,
    /// The operation.
    pub op: String,
    /// The numeric types: storage, and accumulation where it is not the usual one.
    pub dtype: String,
    /// The shape's fields.
    pub shape: Map<String, Value>,
    /// The model and layer that the shape comes from; none for a shape of the user's.
    pub origin: Option<String>,
    /// What the model does there: `ladder`, `training`, `prefill` or `decode`.
    pub phase: Option<String>,
    /// The kernel family or library.
    pub variant: String,
    /// The device's id.
    pub device: String,
    /// What became of it.
    pub status: Status,
    /// Why it is not `ok`.
    pub reason: Option<String>,
    /// How the output was checked, where there was one.
    pub verify: Option<Verify>,
    /// The times; only where the status is `ok`.
    pub timing: Option<Timing>,
    /// What one run computes and moves.
    pub work: Option<Work>,
    /// The rates; only where the status is `ok`.
    pub rate: Option<Rate>,
    /// The rate held against the device's ceilings, where those that it takes are known.
    pub ceiling: Option<Ceiling>,
    /// What it took in energy; none where that was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<Energy>,
    /// What it takes to get this row again.
    pub provenance: Option<Provenance>,
}

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Measured, and the output is right.
    Ok,
    /// The device can't do it.
    Unsupported,
    /// It was left out: too large, or no time was left.
    Skipped,
    /// The driver or the program reported an error.
    Failed,
    /// The output is wrong.
    Wrong,
    /// The worker process died.
    Crashed,
    /// The worker process gave no answer in time.
    Timeout,
}

impl Status {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 7] =
        [Self::Ok, Self::Unsupported, Self::Skipped, Self::Failed, Self::Wrong, Self::Crashed, Self::Timeout];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unsupported => "unsupported",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Wrong => "wrong",
            Self::Crashed => "crashed",
            Self::Timeout => "timeout",
        }
    }

    /// Whether something went wrong that a user must hear of by the exit code.
    pub const fn is_fault(self) -> bool {
        matches!(self, Self::Failed | Self::Wrong | Self::Crashed | Self::Timeout)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How an output was held against the truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verify {
    /// `elementwise` or `sampled+freivalds`.
    pub method: String,
    /// Elements compared one by one.
    pub checked: u64,
    /// The error nearest to, or farthest beyond, its bound; none where the output was not a number.
    pub max_error: Option<f64>,
    /// That error's bound.
    pub bound: f64,
}

/// The times of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Timing {
    /// `device-event`, `device-timestamp` or `host-wall`.
    pub clock: String,
    /// What the caches held.
    pub cache: CacheMode,
    /// Nanoseconds of one run, in the order of measuring: each is a batch's time divided by its runs.
    pub samples_ns: Vec<f64>,
    /// Runs in a batch.
    pub batch: u64,
    /// Runs before the first sample.
    pub warmup_runs: u64,
    /// Whether times had settled before the first sample.
    pub steady: bool,
    /// The samples' median.
    pub median_ns: f64,
    /// A distribution-free 95% interval of the median, or the range where there are too few samples for one.
    pub ci95_ns: [f64; 2],
}

/// What one run computes and moves, by the operation's definition.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Work {
    /// Floating-point operations.
    pub flop: f64,
    /// Bytes: each input once, each output once.
    pub bytes: f64,
}

/// Work divided by the median time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    /// FLOP/s.
    pub flop_per_s: f64,
    /// Bytes/s.
    pub bytes_per_s: f64,
}

/// Where a plan was known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanSource {
    /// The kernel family's own choice by shape and device.
    Default,
    /// It won when kernels were tuned on this machine.
    UserCache,
    /// It won when kernels were tuned on a device of the family.
    BuiltInTable,
    /// The command named it.
    Command,
}

impl PlanSource {
    /// The name on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::UserCache => "user cache",
            Self::BuiltInTable => "built-in table",
            Self::Command => "command",
        }
    }
}

/// What it takes to get a row again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// SHA-256 over the kernels' sources and definitions.
    pub source_sha256: Option<String>,
    /// The plan in one word.
    pub plan: Option<String>,
    /// Where the plan was known from; none where no plan was run, and in files of older programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_source: Option<PlanSource>,
    /// What a library that had a choice computed with, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// Of the inputs.
    pub seed: u64,
    /// How the inputs are made.
    pub fill: String,
    /// The command line that gives this row.
    pub command: String,
}
