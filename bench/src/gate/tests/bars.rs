//! How often the gate is wrong, under each noise, against what it promises.

use super::binomial::Rate;
use super::noise::{Noise, TYPICAL, WORSE};
use super::simulation::{single, suite};
use crate::gate::pairs::Rules;
use crate::gate::{Estimate, Finding, Options, Stage, Verdict};
use std::thread;

/// Suites of each question.
const SUITES: u64 = 1000;
/// Sets of pairs by which the bare test is counted.
const SETS: u64 = 40_000;

/// Whether anything is called regressed.
pub(super) fn alarm(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| matches!(finding.verdict, Verdict::Regressed(_)))
}

fn inconclusive(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| matches!(finding.verdict, Verdict::Inconclusive(_)))
}

/// How often something holds of suites that are so much slower.
pub(super) fn suites(
    noise: Noise,
    rules: Rules,
    count: u64,
    factor: impl Fn(usize) -> f64,
    mut tell: impl FnMut(&[Finding]),
) {
    for seed in 0..count {
        tell(&suite(noise, rules, &factor, seed));
    }
}

/// How often the bare test of so many pairs rejects at its level where the slowdown is exactly the margin.
pub(super) fn size(noise: Noise, rules: Rules, pairs: usize, sets: u64) -> Rate {
    let options = Options::default();
    let mut rejected = Rate::default();
    for seed in 0..sets {
        let worse = single(noise, rules, 1.0 + options.margin, pairs, seed);
        let estimate = Estimate::of(&worse, options.margin, options.alpha, &options).unwrap();
        rejected.count(estimate.low > options.margin);
    }
    rejected
}

/// How often one case of a suite, so much slower, is found, and how often it is let pass.
pub(super) fn power(noise: Noise, rules: Rules, count: u64, slowdown: f64) -> [Rate; 2] {
    let (mut found, mut passed) = (Rate::default(), Rate::default());
    let slow = |case| if case == 7 { 1.0 + slowdown } else { 1.0 };
    suites(noise, rules, count, slow, |findings| {
        found.count(matches!(findings[7].verdict, Verdict::Regressed(_)));
        passed.count(findings[7].verdict.exit() == crate::gate::Exit::Pass);
    });
    [found, passed]
}

/// What one noise does.
struct Row {
    noise: Noise,
    /// The standard deviation of pairs' differences.
    deviation: f64,
    /// Suites without any slowdown in which something is called regressed.
    alarms: Rate,
    /// And those in which something is inconclusive.
    doubts: Rate,
    /// Cases that the screen did not settle, a suite.
    flagged: f64,
    /// Suites all of whose cases are slower by exactly the margin in which something is called regressed.
    at_margin: Rate,
    /// The bare test of each stage's pairs at exactly the margin.
    sizes: [Rate; 2],
    /// A case 5% slower is found.
    five: Rate,
    /// A case 10% slower is found.
    ten: Rate,
    /// A case 10% slower is let pass.
    ten_passed: Rate,
}

impl Row {
    fn of(noise: Noise) -> Self {
        let options = Options::default();
        let rules = Rules::SOUND;
        let (mut alarms, mut doubts, mut at_margin) = (Rate::default(), Rate::default(), Rate::default());
        let mut flagged = 0;
        suites(
            noise,
            rules,
            SUITES,
            |_| 1.0,
            |findings| {
                alarms.count(alarm(findings));
                doubts.count(inconclusive(findings));
                flagged += findings.iter().filter(|finding| finding.stage == Stage::Confirm).count();
            },
        );
        suites(noise, rules, SUITES, |_| 1.0 + options.margin, |findings| at_margin.count(alarm(findings)));
        let [five, _] = power(noise, rules, SUITES, 0.05);
        let [ten, ten_passed] = power(noise, rules, SUITES, 0.10);
        let squares: Vec<f64> =
            (0..500).flat_map(|seed| single(noise, rules, 1.0, 8, seed)).map(|worse| worse * worse).collect();
        Self {
            noise,
            deviation: (squares.iter().sum::<f64>() / squares.len() as f64).sqrt(),
            alarms,
            doubts,
            flagged: flagged as f64 / SUITES as f64,
            at_margin,
            sizes: [options.screen_pairs, options.confirm_pairs].map(|pairs| size(noise, rules, pairs, SETS)),
            five,
            ten,
            ten_passed,
        }
    }

    fn print(&self) {
        let share = |rate: Rate| format!("{:.2}", 100.0 * f64::from(rate.hits) / f64::from(rate.trials));
        let most = |rate: Rate| format!("{} (≤ {:.2})", share(rate), 100.0 * rate.at_most());
        let least = |rate: Rate| format!("{} (≥ {:.2})", share(rate), 100.0 * rate.at_least());
        println!(
            "| {} | {:.2} | {} | {} | {:.2} | {} | {} | {} | {} | {} | {} |",
            self.noise.name,
            100.0 * self.deviation,
            most(self.alarms),
            share(self.doubts),
            self.flagged,
            most(self.at_margin),
            most(self.sizes[0]),
            most(self.sizes[1]),
            least(self.five),
            least(self.ten),
            most(self.ten_passed),
        );
    }
}

/// Each bar against Clopper's and Pearson's bound on the side that is against us.
#[test]
fn the_promises_hold_under_every_noise() {
    let options = Options::default();
    let rows: Vec<Row> = thread::scope(|scope| {
        let running: Vec<_> =
            TYPICAL.into_iter().chain(WORSE).map(|noise| scope.spawn(move || Row::of(noise))).collect();
        running.into_iter().map(|row| row.join().unwrap()).collect()
    });
    println!(
        "All in %, with one-sided 95% bounds in brackets; {SUITES} suites a figure, {SETS} sets of pairs a size.\n"
    );
    println!(
        "| noise | pairs' deviation | false alarms of a suite | inconclusive suites | flagged cases (number) \
         | alarms, all cases at the margin | size, {} pairs | size, {} pairs | found at +5 % | found at +10 % \
         | passed at +10 % |",
        options.screen_pairs, options.confirm_pairs
    );
    println!("|---|{}", "---:|".repeat(10));
    rows.iter().for_each(Row::print);
    for (index, row) in rows.iter().enumerate() {
        let name = row.noise.name;
        assert!(row.alarms.at_most() <= options.alpha, "{name}: {:?}", row.alarms);
        assert!(row.at_margin.at_most() <= options.alpha, "{name}: {:?}", row.at_margin);
        for size in row.sizes {
            assert!(size.at_most() <= options.alpha, "{name}: {size:?}");
        }
        assert_eq!(row.ten_passed.hits, 0, "{name}");
        if index < TYPICAL.len() {
            assert!(row.five.at_least() >= 0.90, "{name}: {:?}", row.five);
            assert!(row.ten.at_least() >= 0.99, "{name}: {:?}", row.ten);
            assert!(row.doubts.at_most() <= 0.05, "{name}: {:?}", row.doubts);
        }
    }
}
