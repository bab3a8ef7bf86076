//! The gate's result document, version `accelbench.gate/1`: what was compared, what is said of each case, and every figure
//! that it rests on.
//!
//! Effects, margins and bounds are shares of the base's figure by which the candidate is worse, whatever the metric:
//! 0.05 is 5% worse, -0.05 is 5% better. What is not known is none, never 0.

mod case;
mod read;

pub use case::{Arm, Cause, Doubt, Estimate, GateCase, Pair, Severity, Stage, Verdict};

use crate::{DeviceRow, Host, Suite};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// This version's name, the `schema` field of every document.
pub const SCHEMA: &str = "accelbench.gate/1";

/// What a gate found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateFile {
    /// `accelbench.gate/1`.
    pub schema: String,
    /// A name that no other gate has.
    pub gate_id: String,
    /// When it started: RFC 3339, UTC.
    pub started: String,
    /// Seconds that it took.
    pub wall_s: f64,
    /// The command line.
    pub argv: Vec<String>,
    /// The program that ran the gate; the builds that it compared are `base` and `candidate`.
    pub suite: Suite,
    /// How the figures came about.
    pub mode: Mode,
    /// What was promised.
    pub options: GateOptions,
    /// What is there.
    pub base: Build,
    /// What is to replace it.
    pub candidate: Build,
    /// The machine.
    pub host: Host,
    /// The devices of the cases.
    pub devices: Vec<DeviceRow>,
    /// Every case by each of its metrics, in the order of the plan.
    pub cases: Vec<GateCase>,
    /// What is said of the whole.
    pub outcome: Outcome,
    /// The exit code: 0 pass; 1 regression; 2 usage or harness; 3 inconclusive; 4 incomparable; 5 a case is missing;
    /// 6 failed or wrong; 130 interrupted.
    pub exit_code: u8,
    /// The outcome in one sentence.
    pub summary: String,
    /// What a reader should know beside it: one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How a gate's figures came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Both builds ran in pairs of blocks, here and now.
    Paired,
    /// The base's figures come from a file of an earlier run: advisory, since machines drift.
    Stored,
}

/// What a gate measured, and what it promised of it. Shares: 0.05 is 5%.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateOptions {
    /// A slowdown up to this is no regression.
    pub margin: f64,
    /// A case passes only if its slowdown is proven to be smaller than this.
    pub allowed: f64,
    /// A case passes only if a slowdown of this size would have been found with probability `power`.
    pub detectable: f64,
    /// The probability that anything is called regressed in a suite where nothing is.
    pub alpha: f64,
    /// The probability with which a stage lets a case pass whose slowdown is `allowed`.
    pub pass_level: f64,
    /// The probability with which what is called detectable is detected.
    pub power: f64,
    /// Pairs of each case in the screen.
    pub screen_pairs: u64,
    /// Pairs of each flagged case afterwards.
    pub confirm_pairs: u64,
    /// Of the order of blocks.
    pub seed: u64,
    /// What was gated.
    pub metrics: Vec<Metric>,
    /// The configuration that tolerances come from; none without one.
    pub config: Option<String>,
    /// Where the noise of identical builds comes from: an earlier gate's document, or `measured`; none without it.
    pub noise: Option<String>,
}

/// What of a case is compared. Lower is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Nanoseconds of one run.
    Time,
    /// Joules of one run.
    Energy,
}

impl Metric {
    /// The name in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Energy => "energy",
        }
    }

    /// The unit of its figures.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Time => "ns",
            Self::Energy => "J",
        }
    }
}

/// One of the two builds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Build {
    /// As it was given: a path, a revision, or the file of an earlier run.
    pub given: String,
    /// The executable, or the file of an earlier run.
    pub path: String,
    /// SHA-256 of that file.
    pub sha256: String,
    /// The commit that it was built from, where that is known.
    pub revision: Option<String>,
    /// Whether its sources differed from that commit, where that is known.
    pub dirty: Option<bool>,
    /// The version of the program, where it was started far enough to tell.
    pub version: Option<String>,
}

/// What is said of a whole suite: what the worst of its cases says, or why there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing is worse.
    Pass,
    /// Something is not known well enough.
    Inconclusive,
    /// Something is worse.
    Regression,
    /// Something can't be compared.
    Incomparable,
    /// A case is missing on one side.
    Missing,
    /// A case failed or is wrong.
    Failed,
    /// The gate itself could not go on.
    Harness,
    /// It was stopped.
    Interrupted,
}

impl Outcome {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Regression => "regression",
            Self::Incomparable => "incomparable",
            Self::Missing => "missing",
            Self::Failed => "failed",
            Self::Harness => "harness",
            Self::Interrupted => "interrupted",
        }
    }

    /// The exit code: it says what, never how many.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Regression => 1,
            Self::Harness => 2,
            Self::Inconclusive => 3,
            Self::Incomparable => 4,
            Self::Missing => 5,
            Self::Failed => 6,
            Self::Interrupted => 130,
        }
    }
}

impl GateFile {
    /// Cases by verdict; a verdict without cases is left out.
    pub fn counts(&self) -> BTreeMap<Verdict, u64> {
        let mut counts = BTreeMap::new();
        for case in &self.cases {
            *counts.entry(case.verdict).or_insert(0) += 1;
        }
        counts
    }

    /// What the cases say together: the worst decides, and a suite without cases says nothing.
    pub fn outcome_of_cases(&self) -> Outcome {
        self.cases.iter().map(GateCase::outcome).max().unwrap_or(Outcome::Inconclusive)
    }
}

/// The JSON Schema of a document, as `schema/gate.v1.json` holds it.
pub fn json_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(GateFile)).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
pub(crate) mod tests;
