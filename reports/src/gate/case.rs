//! What is said of a case, and the figures behind it.

use super::{Metric, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A case by one of its metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateCase {
    /// `op/dtype/shape/variant@device`.
    pub case: String,
    /// What is compared.
    pub metric: Metric,
    /// What is said of it.
    pub verdict: Verdict,
    /// Whether that decides how the program ends.
    pub severity: Severity,
    /// Why, in one sentence with its figures; none where the verdict is a plain pass.
    pub reason: Option<String>,
    /// Which build a failure, a wrong result, a missing case or what can't be compared is of.
    pub arm: Option<Arm>,
    /// Of a regression: where the slowdown comes from.
    pub cause: Option<Cause>,
    /// Of what is inconclusive: what is not proven.
    pub doubt: Option<Doubt>,
    /// Where it was settled; none where no pair was measured.
    pub stage: Option<Stage>,
    /// The statistics; none where it never came to them.
    pub estimate: Option<Estimate>,
    /// The median of the base's blocks of the settling stage, in the metric's unit.
    pub base: Option<f64>,
    /// The median of the candidate's blocks of the settling stage, in the metric's unit.
    pub candidate: Option<f64>,
    /// Pairs thrown out because a block of them was throttled, over all stages.
    pub thrown_out: u64,
    /// What identical builds were found to differ by, as a share, where that was measured.
    pub noise: Option<f64>,
    /// Every pair that was measured, in order, those thrown out included.
    pub pairs: Vec<Pair>,
}

/// What is said of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is proven to be less than the allowed share worse.
    Pass,
    /// It is proven to be better by more than the margin.
    Improved,
    /// It is proven to be worse by more than the margin.
    Regressed,
    /// Neither is proven.
    Inconclusive,
    /// What the builds measured can't be set against each other.
    Incomparable,
    /// One build doesn't have the case.
    Missing,
    /// It failed, crashed or ran out of time.
    Failed,
    /// Its output is wrong.
    Wrong,
    /// The gate ended before.
    Unsettled,
}

impl Verdict {
    /// All of them, in the order of tables: what asks for action first.
    pub const ALL: [Self; 9] = [
        Self::Wrong,
        Self::Failed,
        Self::Missing,
        Self::Incomparable,
        Self::Regressed,
        Self::Inconclusive,
        Self::Unsettled,
        Self::Improved,
        Self::Pass,
    ];

    /// The word for tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Improved => "IMPROVED",
            Self::Regressed => "REGRESSED",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Incomparable => "INCOMPARABLE",
            Self::Missing => "MISSING",
            Self::Failed => "FAILED",
            Self::Wrong => "WRONG",
            Self::Unsettled => "UNSETTLED",
        }
    }

    /// Whether it is about speed, as against whether there is a right result to time at all.
    pub const fn is_of_speed(self) -> bool {
        matches!(self, Self::Pass | Self::Improved | Self::Regressed | Self::Inconclusive | Self::Unsettled)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a verdict about speed does to the program's end. A wrong, failed, missing or incomparable case always counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It decides.
    #[default]
    Fail,
    /// It is shown, and the gate passes all the same.
    Warn,
    /// The case is verified and not timed.
    Ignore,
}

/// One of the two builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// What is there.
    Base,
    /// What is to replace it.
    Candidate,
}

impl Arm {
    /// The name in files and sentences.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Candidate => "candidate",
        }
    }
}

/// Where a slowdown comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It takes more cycles.
    Cycles,
    /// A clock effect: it takes no more cycles, and the device runs it at a lower clock.
    Clock,
    /// The clock is not known, or the cycles prove neither.
    Unknown,
}

/// Why nothing is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The slowdown may be as large as what is allowed.
    Allowed,
    /// The smallest detectable slowdown is too large.
    Detectable,
    /// Too many pairs were thrown out.
    ThrownOut,
    /// It was left out already when outputs were verified, for want of memory or time.
    Skipped,
}

/// Where a case was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// In the first stage, of all cases.
    Screen,
    /// In the second, of those that the first did not let pass, on fresh pairs.
    Confirm,
}

/// What the pairs of the settling stage say. Shares of the base's figure by which the candidate is worse.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// Pairs that it rests on.
    pub pairs: u64,
    /// The effect.
    pub effect: f64,
    /// Its interval: each end is beyond the truth with a probability of `level`.
    pub interval: [f64; 2],
    /// The error of each end of the interval.
    pub level: f64,
    /// The true effect is larger than this with a probability of at most the options' `pass_level`.
    pub ceiling: f64,
    /// What is no regression: the largest of the option, the noise of identical builds and the clock's resolution.
    pub margin: f64,
    /// The probability of such pairs or worse ones, were the effect `margin`; none where no test was made.
    pub p: Option<f64>,
    /// The smallest effect that pairs so noisy show to be above `margin`, with the options' power; none where that
    /// was not computed.
    pub detectable: Option<f64>,
}

/// Two blocks that ran one right after the other: their medians.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// The stage that it belongs to.
    pub stage: Stage,
    /// Its number within the gate, from 1, the same for all cases of its blocks.
    pub round: u64,
    /// Which build ran first.
    pub first: Arm,
    /// The median of the base's samples, in the metric's unit; none where its block has no figure of the case.
    pub base: Option<f64>,
    /// The median of the candidate's samples, in the metric's unit; none where its block has no figure of the case.
    pub candidate: Option<f64>,
    /// The device's clock in the base's block, where it is known.
    pub base_clock_mhz: Option<f64>,
    /// The device's clock in the candidate's block, where it is known.
    pub candidate_clock_mhz: Option<f64>,
    /// Why it counts for nothing: a block of it was throttled, or left the case out; none where it counts.
    pub thrown_out: Option<String>,
}

impl GateCase {
    /// What this case alone says of a suite.
    pub const fn outcome(&self) -> Outcome {
        if self.verdict.is_of_speed() && !matches!(self.severity, Severity::Fail) {
            return Outcome::Pass;
        }
        match self.verdict {
            Verdict::Pass | Verdict::Improved => Outcome::Pass,
            Verdict::Inconclusive | Verdict::Unsettled => Outcome::Inconclusive,
            Verdict::Regressed => Outcome::Regression,
            Verdict::Incomparable => Outcome::Incomparable,
            Verdict::Missing => Outcome::Missing,
            Verdict::Failed | Verdict::Wrong => Outcome::Failed,
        }
    }

    /// What identical builds differ by, were this a case of such: the end of the interval that lies farther from 0.
    pub fn noise_of_identical_builds(&self) -> Option<f64> {
        self.estimate.map(|estimate| estimate.interval.into_iter().map(f64::abs).fold(0.0, f64::max))
    }
}
