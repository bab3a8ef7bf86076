//! From figures to a verdict.

use super::estimate::Estimate;
use super::options::Options;
use super::pairs::{Pair, Rules, differences};
use super::reading::{Arm, Case, Measured, Reading};
use super::verdict::{Cause, Doubt, Verdict};

/// What two readings say before any statistics: figures of both arms, or a verdict.
pub(super) fn before_statistics(base: Reading, candidate: Reading) -> Result<Pair, Verdict> {
    match (figures(Arm::Base, base), figures(Arm::Candidate, candidate)) {
        (Ok(base), Ok(candidate)) => Ok(Pair { base, candidate }),
        (Err(verdict), Ok(_)) | (Ok(_), Err(verdict)) => Err(verdict),
        (Err(base), Err(candidate)) => Err(if base.exit() > candidate.exit() { base } else { candidate }),
    }
}

fn figures(arm: Arm, reading: Reading) -> Result<Measured, Verdict> {
    match reading {
        Reading::Measured(measured) if measured.median().is_some() => Ok(measured),
        Reading::Measured(_) => Err(Verdict::Failed { arm, reason: "its figures are no measurement".to_owned() }),
        Reading::Missing => Err(Verdict::Missing { arm }),
        Reading::Failed(reason) => Err(Verdict::Failed { arm, reason }),
        Reading::Wrong(reason) => Err(Verdict::Wrong { arm, reason }),
        Reading::Incomparable(reason) => Err(Verdict::Incomparable { arm, reason }),
    }
}

/// What a stage's pairs say at a level.
pub(super) fn judge(
    pairs: &[Pair],
    case: &Case,
    level: f64,
    options: &Options,
    rules: Rules,
) -> (Verdict, Option<Estimate>) {
    let found = differences(pairs, case.direction, rules);
    let options = &Options {
        margin: options.margin + case.slack,
        allowed: options.allowed + case.slack,
        detectable: options.detectable + case.slack,
        ..*options
    };
    let margin = options.margin.max(case.noise).max(found.resolution);
    let Some(estimate) = Estimate::of(&found.worse, margin, level, options) else {
        return (Verdict::Inconclusive(Doubt::ThrownOut), None);
    };
    let mut verdict = decide(&estimate, options);
    if let Verdict::Regressed(cause) = &mut verdict {
        let cycles = found.in_cycles.and_then(|cycles| Estimate::of(&cycles, margin, level, options));
        *cause = match cycles.map(|cycles| decide(&cycles, options)) {
            Some(Verdict::Regressed(_)) => Cause::Cycles,
            Some(Verdict::Pass | Verdict::Improved) => Cause::Clock,
            _ => Cause::Unknown,
        };
    }
    (verdict, Some(estimate))
}

fn decide(estimate: &Estimate, options: &Options) -> Verdict {
    // As many times faster as the margin is slower.
    let improved = 1.0 / (1.0 + estimate.margin) - 1.0;
    if estimate.low > estimate.margin {
        Verdict::Regressed(Cause::Unknown)
    } else if estimate.high < improved {
        Verdict::Improved
    } else if estimate.ceiling >= options.allowed {
        Verdict::Inconclusive(Doubt::Allowed)
    } else if estimate.detectable > options.detectable {
        Verdict::Inconclusive(Doubt::Detectable)
    } else {
        Verdict::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::reading::Direction;

    const CASE: Case = Case { direction: Direction::LowerIsBetter, noise: 0.0, slack: 0.0 };

    fn measured(ns: f64, clock_mhz: Option<f64>) -> Measured {
        Measured { samples: vec![ns], resolution: 0.0, clock_mhz, throttled: false }
    }

    /// Pairs whose candidates take so many percent longer.
    fn slower(percent: [f64; 8]) -> Vec<Pair> {
        percent.map(|p| Pair { base: measured(1e6, None), candidate: measured(1e6 + 1e4 * p, None) }).to_vec()
    }

    fn verdict(percent: [f64; 8], case: &Case) -> Verdict {
        judge(&slower(percent), case, 0.05, &Options::default(), Rules::SOUND).0
    }

    #[test]
    fn each_limit_decides() {
        let spread = [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4];
        let around = |percent: f64| verdict(spread.map(|s| s + percent), &CASE);
        assert_eq!(around(0.0), Verdict::Pass);
        assert_eq!(around(1.5), Verdict::Pass);
        assert_eq!(around(2.5), Verdict::Regressed(Cause::Unknown));
        assert_eq!(around(-2.5), Verdict::Improved);
        let wide = |percent: f64| verdict(spread.map(|s| 10.0 * s + percent), &CASE);
        assert_eq!(wide(0.0), Verdict::Pass);
        assert_eq!(wide(3.5), Verdict::Inconclusive(Doubt::Allowed));
        assert_eq!(verdict(spread.map(|s| 30.0 * s - 6.0), &CASE), Verdict::Inconclusive(Doubt::Detectable));
    }

    #[test]
    fn the_noise_of_identical_builds_and_the_clock_widen_the_margin() {
        assert_eq!(verdict([3.0; 8], &CASE), Verdict::Regressed(Cause::Unknown));
        assert_eq!(verdict([3.0; 8], &Case { noise: 0.031, ..CASE }), Verdict::Pass);
        let mut coarse = slower([3.0; 8]);
        // Each arm may be off by a step: two steps of 1.6% explain 3%.
        for pair in &mut coarse {
            (pair.base.resolution, pair.candidate.resolution) = (1.6e4, 1.6e4);
        }
        let (verdict, estimate) = judge(&coarse, &CASE, 0.05, &Options::default(), Rules::SOUND);
        assert_eq!(verdict, Verdict::Pass);
        assert!(estimate.unwrap().margin > 0.031);
    }

    #[test]
    fn a_tolerated_case_is_allowed_more_and_a_strict_one_less() {
        let with = |slack| Case { slack, ..CASE };
        assert_eq!(verdict([5.5; 8], &with(0.04)), Verdict::Pass);
        assert_eq!(verdict([6.5; 8], &with(0.04)), Verdict::Regressed(Cause::Unknown));
        assert_eq!(verdict([1.5; 8], &with(-0.01)), Verdict::Regressed(Cause::Unknown));
    }

    #[test]
    fn cycles_tell_a_clock_effect() {
        let cause = |clock_mhz: f64| {
            let pair = Pair { base: measured(1e6, Some(1000.0)), candidate: measured(1.1e6, Some(clock_mhz)) };
            judge(&vec![pair; 8], &CASE, 0.05, &Options::default(), Rules::SOUND).0
        };
        assert_eq!(cause(1000.0), Verdict::Regressed(Cause::Cycles));
        assert_eq!(cause(1000.0 / 1.1), Verdict::Regressed(Cause::Clock));
        assert_eq!(verdict([10.0; 8], &CASE), Verdict::Regressed(Cause::Unknown));
    }

    #[test]
    fn what_is_no_measurement_is_a_failure() {
        let good = || Reading::Measured(measured(1.0, None));
        for bad in [measured(0.0, None), measured(f64::NAN, None), measured(f64::INFINITY, None), measured(-1.0, None)]
        {
            let verdict = before_statistics(good(), Reading::Measured(bad)).unwrap_err();
            assert!(matches!(verdict, Verdict::Failed { arm: Arm::Candidate, .. }));
        }
        let none = Measured { samples: Vec::new(), ..measured(1.0, None) };
        assert!(before_statistics(Reading::Measured(none), good()).is_err());
        assert!(before_statistics(good(), Reading::Measured(measured(1.0, Some(0.0)))).is_err());
    }

    #[test]
    fn what_matters_more_is_said() {
        let verdict = |base, candidate| before_statistics(base, candidate).unwrap_err();
        let wrong = || Reading::Wrong("NaN".to_owned());
        let said = Verdict::Wrong { arm: Arm::Base, reason: "NaN".to_owned() };
        assert_eq!(verdict(wrong(), Reading::Missing), said);
        let said = Verdict::Wrong { arm: Arm::Candidate, reason: "NaN".to_owned() };
        assert_eq!(verdict(Reading::Missing, wrong()), said);
        assert_eq!(verdict(wrong(), wrong()), said);
    }
}
