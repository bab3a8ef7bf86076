//! How often the gate is right and wrong, counted.

use super::binomial::Rate;
use super::noise::Noise;
use super::simulation::{single, suite};
use crate::gate::pairs::Rules;
use crate::gate::{Estimate, Exit, Finding, Options, Stage, Verdict};

/// Suites of each figure.
const SUITES: u64 = 1000;
/// Sets of pairs by which the bare test is counted.
const SETS: u64 = 60_000;
/// The case of a suite that is slower.
const SLOW: usize = 7;

/// Suites in which cases take so many times as long.
fn suites(noise: Noise, rules: Rules, count: u64, factor: impl Fn(usize) -> f64) -> impl Iterator<Item = Vec<Finding>> {
    (0..count).map(move |seed| suite(noise, rules, &factor, seed))
}

fn any(findings: &[Finding], exit: Exit) -> bool {
    findings.iter().any(|finding| finding.verdict.exit() == exit)
}

/// How often anything is called regressed in a suite all of whose cases are slower by exactly the margin.
pub(super) fn alarms_at_margin(noise: Noise, rules: Rules, count: u64) -> Rate {
    let factor = 1.0 + Options::default().margin;
    Rate::of(suites(noise, rules, count, |_| factor).map(|findings| any(&findings, Exit::Regression)))
}

/// How often the bare test of so many pairs rejects where the slowdown is exactly the margin.
pub(super) fn size(noise: Noise, rules: Rules, pairs: usize, sets: u64) -> Rate {
    let options = Options::default();
    Rate::of((0..sets).map(|seed| {
        let worse = single(noise, rules, 1.0 + options.margin, pairs, seed);
        Estimate::of(&worse, options.margin, options.alpha, &options).unwrap().low > options.margin
    }))
}

/// Of one case that is slower in a suite of others.
pub(super) struct Slow {
    /// It is called regressed.
    pub(super) found: Rate,
    /// It is let pass.
    pub(super) passed: Rate,
}

impl Slow {
    pub(super) fn by(slowdown: f64, noise: Noise, rules: Rules, count: u64) -> Self {
        Self::among(0.0, slowdown, noise, rules, count)
    }

    /// The others are slower too, by a share of their own.
    pub(super) fn among(others: f64, slowdown: f64, noise: Noise, rules: Rules, count: u64) -> Self {
        let factor = |case| 1.0 + if case == SLOW { slowdown } else { others };
        let verdicts: Vec<_> =
            suites(noise, rules, count, factor).map(|findings| findings[SLOW].verdict.clone()).collect();
        Self {
            found: Rate::of(verdicts.iter().map(|verdict| matches!(verdict, Verdict::Regressed(_)))),
            passed: Rate::of(verdicts.iter().map(|verdict| verdict.exit() == Exit::Pass)),
        }
    }
}

/// What one noise does.
pub(super) struct Row {
    pub(super) noise: Noise,
    /// The standard deviation of pairs' differences.
    deviation: f64,
    /// Suites without any slowdown in which something is called regressed.
    pub(super) alarms: Rate,
    /// And those in which something is inconclusive.
    pub(super) doubts: Rate,
    /// Cases a suite that the screen does not settle.
    flagged: f64,
    /// Suites all of whose cases are slower by exactly the margin in which something is called regressed.
    pub(super) at_margin: Rate,
    /// The bare test at exactly the margin, with each stage's pairs.
    pub(super) sizes: [Rate; 2],
    pub(super) five: Slow,
    pub(super) ten: Slow,
}

impl Row {
    pub(super) fn of(noise: Noise) -> Self {
        let options = Options::default();
        let rules = Rules::SOUND;
        let same: Vec<_> = suites(noise, rules, SUITES, |_| 1.0).collect();
        let flagged = same.iter().flatten().filter(|finding| finding.stage == Stage::Confirm).count();
        let squares: Vec<f64> =
            (0..500).flat_map(|seed| single(noise, rules, 1.0, 8, seed)).map(|worse| worse * worse).collect();
        Self {
            noise,
            deviation: (squares.iter().sum::<f64>() / squares.len() as f64).sqrt(),
            alarms: Rate::of(same.iter().map(|findings| any(findings, Exit::Regression))),
            doubts: Rate::of(same.iter().map(|findings| any(findings, Exit::Inconclusive))),
            flagged: flagged as f64 / SUITES as f64,
            at_margin: alarms_at_margin(noise, rules, SUITES),
            sizes: [options.screen_pairs, options.confirm_pairs].map(|pairs| size(noise, rules, pairs, SETS)),
            five: Slow::by(0.05, noise, rules, SUITES),
            ten: Slow::by(0.10, noise, rules, SUITES),
        }
    }

    /// A table in Markdown.
    pub(super) fn table(rows: &[Self]) -> String {
        let Options { screen_pairs, confirm_pairs, .. } = Options::default();
        let mut text = format!(
            "In %, with one-sided 95% bounds in brackets. {SUITES} suites a figure; of sizes, {SETS} sets of pairs.\n\n\
             | noise | deviation of pairs | false alarms of a suite | inconclusive suites | flagged cases (number) \
             | alarms, all cases at the margin | size, {screen_pairs} pairs | size, {confirm_pairs} pairs \
             | +5% found | +5% passed | +10% found | +10% passed |\n|---|{}\n",
            "---:|".repeat(11)
        );
        for row in rows {
            text += &row.line();
        }
        text
    }

    fn line(&self) -> String {
        let share = |rate: Rate| format!("{:.2}", 100.0 * f64::from(rate.hits) / f64::from(rate.trials));
        let most = |rate: Rate| format!("{} (≤ {:.2})", share(rate), 100.0 * rate.at_most());
        let least = |rate: Rate| format!("{} (≥ {:.2})", share(rate), 100.0 * rate.at_least());
        let cells = [
            self.noise.name.to_owned(),
            format!("{:.2}", 100.0 * self.deviation),
            most(self.alarms),
            share(self.doubts),
            format!("{:.2}", self.flagged),
            share(self.at_margin),
            most(self.sizes[0]),
            most(self.sizes[1]),
            least(self.five.found),
            most(self.five.passed),
            least(self.ten.found),
            most(self.ten.passed),
        ];
        format!("| {} |\n", cells.join(" | "))
    }
}
