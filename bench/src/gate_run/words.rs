//! What is said of cases and suites, in sentences.

use crate::gate::{Doubt, Estimate, Options, Verdict};
use accelbench_reports::gate::{GateCase, GateFile, Metric, Outcome, Severity, Verdict as Word};

/// A share as a percentage: `2.0%`.
pub fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

/// A change as a percentage with its sign: `+2.0%`.
pub fn share(change: f64) -> String {
    format!("{:+.1}%", change * 100.0)
}

/// Why a verdict was given, with its figures. None of a plain pass.
pub(super) fn reason(
    verdict: &Verdict,
    estimate: Option<&Estimate>,
    metric: Metric,
    options: &Options,
    thrown_out: (usize, Option<&str>),
) -> Option<String> {
    let (worse, better) = match metric {
        Metric::Time => ("slower", "faster"),
        Metric::Energy => ("more energy", "less energy"),
    };
    let interval = |estimate: &Estimate| format!("{} to {}", share(estimate.low), share(estimate.high));
    Some(match (verdict, estimate) {
        (Verdict::Regressed(cause), Some(estimate)) => {
            let cause = match cause {
                crate::gate::Cause::Cycles => "; it takes more cycles",
                crate::gate::Cause::Clock => {
                    "; a clock effect: it takes no more cycles, and the device's clock was lower"
                }
                crate::gate::Cause::Unknown => "",
            };
            format!(
                "{} {worse} ({}), and up to {} is no regression{cause}",
                percent(estimate.effect),
                interval(estimate),
                percent(estimate.margin)
            )
        }
        (Verdict::Improved, Some(estimate)) => {
            format!("{} {better} ({})", percent(-estimate.effect), interval(estimate))
        }
        (Verdict::Inconclusive(Doubt::Allowed), Some(estimate)) => format!(
            "it may be {} {worse}, and a pass takes proof of less than {}",
            percent(estimate.ceiling),
            percent(options.allowed)
        ),
        (Verdict::Inconclusive(Doubt::Detectable), Some(estimate)) => format!(
            "a change for the worse below {} may have gone unnoticed, and {} must not",
            percent(estimate.detectable),
            percent(options.detectable)
        ),
        (Verdict::Inconclusive(Doubt::ThrownOut), _) => {
            let why = thrown_out.1.map_or(String::new(), |reason| format!(", the last one since: {reason}"));
            format!("too many pairs were thrown out: {}{why}", thrown_out.0)
        }
        (Verdict::Missing { arm }, _) => format!("a block of the {} did not come to this case", name(*arm)),
        (
            Verdict::Failed { arm, reason } | Verdict::Wrong { arm, reason } | Verdict::Incomparable { arm, reason },
            _,
        ) => format!("the {}: {reason}", name(*arm)),
        // A pass; any other verdict of statistics has an estimate.
        _ => return None,
    })
}

const fn name(arm: crate::gate::Arm) -> &'static str {
    match arm {
        crate::gate::Arm::Base => "base",
        crate::gate::Arm::Candidate => "candidate",
    }
}

/// A whole gate in one sentence.
pub(super) fn summary(file: &GateFile) -> String {
    let counts: Vec<String> = {
        let counts = file.counts();
        Word::ALL.iter().filter_map(|word| Some(format!("{} {word}", counts.get(word)?))).collect()
    };
    let counts = if counts.is_empty() { "no case was compared".to_owned() } else { counts.join(", ") };
    let spared = file.cases.iter().filter(|case| case.severity == Severity::Warn && !is_good(case)).count();
    let spared = if spared > 0 { format!("; {spared} of them only warn") } else { String::new() };
    let said = match file.outcome {
        Outcome::Pass => "nothing is worse",
        Outcome::Regression => "the candidate is worse",
        Outcome::Inconclusive => "not everything is known well enough",
        Outcome::Incomparable => "base and candidate can't be compared",
        Outcome::Missing => "a case exists on one side only",
        Outcome::Failed => "a case failed or is wrong",
        Outcome::Harness => "the gate could not go on",
        Outcome::Interrupted => "the gate was stopped",
    };
    format!("{said}: {counts}{spared}")
}

fn is_good(case: &GateCase) -> bool {
    matches!(case.verdict, Word::Pass | Word::Improved)
}
