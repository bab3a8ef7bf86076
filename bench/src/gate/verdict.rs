//! What the gate says, and how the program ends.

use super::estimate::Estimate;
use super::reading::Arm;

/// What is said of a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is proven to be less than the allowed share slower.
    Pass,
    /// It is proven to be faster by more than the margin.
    Improved,
    /// It is proven to be slower by more than the margin.
    Regressed(Cause),
    /// Neither is proven.
    Inconclusive(Doubt),
    /// What the arms measured can't be set against each other.
    Incomparable {
        /// Where that showed.
        arm: Arm,
        /// What differs.
        reason: String,
    },
    /// One build doesn't have the case. Who means that leaves the case out.
    Missing {
        /// Which build.
        arm: Arm,
    },
    /// It failed in a block.
    Failed {
        /// In which build.
        arm: Arm,
        /// Why.
        reason: String,
    },
    /// Its output was wrong in a block.
    Wrong {
        /// In which build.
        arm: Arm,
        /// How.
        reason: String,
    },
}

/// Where a slowdown comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It takes more cycles.
    Cycles,
    /// A clock effect: it takes no more cycles, and the device runs it at a lower clock.
    Clock,
    /// The clock is not known, or the cycles prove neither.
    Unknown,
}

/// Why nothing is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The slowdown may be as large as what is allowed.
    Allowed,
    /// The smallest detectable slowdown is too large.
    Detectable,
    /// Too many pairs were thrown out.
    ThrownOut,
}

/// Where a case was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// In the first stage, of all cases.
    Screen,
    /// In the second, of those that the first did not let pass.
    Confirm,
}

/// What was found of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What is said of it.
    pub verdict: Verdict,
    /// The figures behind it; none where it never came to them.
    pub estimate: Option<Estimate>,
    /// Where it was settled.
    pub stage: Stage,
    /// Pairs thrown out because a block of them was throttled.
    pub thrown_out: usize,
}

/// How the program ends, from what matters least to what matters most: the worst of all cases decides. A wrong result
/// voids every figure of its build; a case that is missing or incomparable says that the suite is not the one that was
/// asked for; what is proven comes before what is not. Codes say what, never how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Nothing is worse.
    Pass,
    /// Something is not known well enough; also a suite without cases, of which nothing is known.
    Inconclusive,
    /// Something is slower.
    Regression,
    /// Something can't be compared.
    Incomparable,
    /// Something is missing.
    Missing,
    /// Something failed or is wrong.
    Failed,
}

impl Exit {
    /// How a suite ends.
    pub fn of_suite<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        findings.into_iter().map(|finding| finding.verdict.exit()).max().unwrap_or(Self::Inconclusive)
    }

    /// The exit code. 2 is the command line's own: a mistake in the command, or of the program.
    pub const fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Regression => 1,
            Self::Inconclusive => 3,
            Self::Incomparable => 4,
            Self::Missing => 5,
            Self::Failed => 6,
        }
    }
}

impl Verdict {
    /// How a suite of this case alone ends.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Pass | Self::Improved => Exit::Pass,
            Self::Regressed(_) => Exit::Regression,
            Self::Inconclusive(_) => Exit::Inconclusive,
            Self::Incomparable { .. } => Exit::Incomparable,
            Self::Missing { .. } => Exit::Missing,
            Self::Failed { .. } | Self::Wrong { .. } => Exit::Failed,
        }
    }

    /// The word for tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Improved => "IMPROVED",
            Self::Regressed(_) => "REGRESSED",
            Self::Inconclusive(_) => "INCONCLUSIVE",
            Self::Incomparable { .. } => "INCOMPARABLE",
            Self::Missing { .. } => "MISSING",
            Self::Failed { .. } => "FAILED",
            Self::Wrong { .. } => "WRONG",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(verdict: Verdict) -> Finding {
        Finding { verdict, estimate: None, stage: Stage::Screen, thrown_out: 0 }
    }

    #[test]
    fn the_worst_case_decides() {
        let arm = Arm::Candidate;
        let rising = [
            (Verdict::Pass, 0),
            (Verdict::Inconclusive(Doubt::Allowed), 3),
            (Verdict::Regressed(Cause::Unknown), 1),
            (Verdict::Incomparable { arm, reason: "driver".to_owned() }, 4),
            (Verdict::Missing { arm }, 5),
            (Verdict::Failed { arm, reason: "crash".to_owned() }, 6),
        ]
        .map(|(verdict, code)| (finding(verdict), code));
        for end in 1..=rising.len() {
            let suite = rising[..end].iter().rev().map(|(finding, _)| finding);
            assert_eq!(Exit::of_suite(suite).code(), rising[end - 1].1);
        }
        let wrong = finding(Verdict::Wrong { arm, reason: "NaN".to_owned() });
        assert_eq!(Exit::of_suite([&wrong, &finding(Verdict::Improved)]).code(), 6);
        assert_eq!(Exit::of_suite([&finding(Verdict::Improved)]).code(), 0);
    }

    #[test]
    fn codes_do_not_count() {
        // A process's exit code is taken modulo 256.
        for count in [255, 256, 257, 512] {
            let regressed = vec![finding(Verdict::Regressed(Cause::Cycles)); count];
            assert_eq!(Exit::of_suite(&regressed).code(), 1, "{count}");
        }
    }

    #[test]
    fn nothing_compared_is_no_pass() {
        assert_eq!(Exit::of_suite([]).code(), 3);
    }
}
