//! Which blocks to run, and when it is known enough.

use super::decision::{before_statistics, judge};
use super::options::{Invalid, Options};
use super::pairs::{Pair, Rules, sound};
use super::reading::{Arm, Case, Reading};
use super::verdict::{Doubt, Finding, Stage, Verdict};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::iter::repeat;

/// A stage gives up after this many times its pairs.
const ATTEMPTS: usize = 2;

/// Two blocks to be run, one of each arm, one right after the other.
#[derive(Debug, PartialEq, Eq)]
pub struct Task {
    /// The stage that it belongs to.
    pub stage: Stage,
    /// Its number in the stage, from 0. There are [`Options::pairs`] of them, and more where some are thrown out.
    pub round: usize,
    /// The arm that runs first.
    pub first: Arm,
    /// What both measure, by index, in this order.
    pub cases: Vec<usize>,
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Run these blocks and [`record`](Gate::record) them.
    Measure(Task),
    /// All is known, case by case.
    Done(Vec<Finding>),
}

/// A comparison of two builds, which says what to measure and takes the readings.
///
/// The options' seed gives the order of the arms: another run with the same seed has the same order.
pub struct Gate {
    options: Options,
    rules: Rules,
    cases: Vec<State>,
    stage: Stage,
    /// The error of each case's interval in this stage.
    level: f64,
    rounds: usize,
    order: ChaCha8Rng,
}

struct State {
    case: Case,
    pairs: Vec<Pair>,
    thrown_out: usize,
    finding: Option<Finding>,
}

impl State {
    fn sound(&self, rules: Rules) -> usize {
        sound(&self.pairs, rules).len()
    }

    fn settle(&mut self, verdict: Verdict, estimate: Option<super::Estimate>, stage: Stage) {
        self.finding = Some(Finding { verdict, estimate, stage, thrown_out: self.thrown_out });
    }
}

impl Gate {
    /// A comparison of these cases, which go by their index.
    ///
    /// # Errors
    /// Options that can't be kept for so many cases.
    pub fn new(options: Options, cases: &[Case]) -> Result<Self, Invalid> {
        Self::with_rules(options, cases, Rules::SOUND)
    }

    pub(super) fn with_rules(options: Options, cases: &[Case], rules: Rules) -> Result<Self, Invalid> {
        options.check(cases.len())?;
        let state = |case: &Case| State { case: *case, pairs: Vec::new(), thrown_out: 0, finding: None };
        Ok(Self {
            options,
            rules,
            cases: cases.iter().map(state).collect(),
            stage: Stage::Screen,
            level: options.pass_level,
            rounds: 0,
            order: ChaCha8Rng::seed_from_u64(options.seed),
        })
    }

    /// What to do next.
    pub fn step(&mut self) -> Step {
        loop {
            if let Some(task) = self.task() {
                return Step::Measure(task);
            }
            self.judge();
            let findings: Option<Vec<_>> = self.cases.iter().map(|state| state.finding.clone()).collect();
            match findings {
                Some(findings) => return Step::Done(findings),
                None => self.confirm(),
            }
        }
    }

    /// Takes what the blocks of a task found, in the order of its cases. Cases that a block does not come to are
    /// missing in it.
    pub fn record(&mut self, task: Task, base: Vec<Reading>, candidate: Vec<Reading>) {
        self.rounds += 1;
        let all = |readings: Vec<Reading>| readings.into_iter().chain(repeat(Reading::Missing));
        for ((index, base), candidate) in task.cases.into_iter().zip(all(base)).zip(all(candidate)) {
            let Some(state) = self.cases.get_mut(index) else { continue };
            match before_statistics(base, candidate) {
                Ok(pair) => {
                    state.thrown_out += usize::from(pair.base.throttled || pair.candidate.throttled);
                    state.pairs.push(pair);
                }
                Err(verdict) => state.settle(verdict, None, self.stage),
            }
        }
    }

    /// The next pair of blocks of this stage, for the cases that still lack one.
    fn task(&mut self) -> Option<Task> {
        let pairs = self.options.pairs(self.stage);
        if self.rounds >= ATTEMPTS * pairs {
            return None;
        }
        let lacking = |state: &State| state.finding.is_none() && state.sound(self.rules) < pairs;
        let cases: Vec<usize> =
            self.cases.iter().enumerate().filter(|(_, state)| lacking(state)).map(|(index, _)| index).collect();
        if cases.is_empty() {
            return None;
        }
        // Every pair has its own coin: it makes what the order does symmetric, which is what the test rests on.
        let first = if self.order.next_u32() & 1 == 0 { Arm::Base } else { Arm::Candidate };
        Some(Task { stage: self.stage, round: self.rounds, first, cases })
    }

    /// At the end of a stage: settles what it can. The screen only lets pass; the rest needs fresh data.
    fn judge(&mut self) {
        for state in self.cases.iter_mut().filter(|state| state.finding.is_none()) {
            if state.sound(self.rules) < self.options.pairs(self.stage) {
                state.settle(Verdict::Inconclusive(Doubt::ThrownOut), None, self.stage);
                continue;
            }
            let (verdict, estimate) = judge(&state.pairs, &state.case, self.level, &self.options, self.rules);
            if self.stage == Stage::Confirm || verdict == Verdict::Pass {
                state.settle(verdict, estimate, self.stage);
            }
        }
    }

    /// Starts the second stage.
    fn confirm(&mut self) {
        let mut flagged = 0;
        for state in self.cases.iter_mut().filter(|state| state.finding.is_none()) {
            flagged += 1;
            state.pairs.clear();
        }
        let claims = if self.rules.corrected { flagged } else { 1 };
        self.level = self.options.alpha / f64::from(claims);
        self.stage = Stage::Confirm;
        self.rounds = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::reading::{Direction, Measured};
    use crate::gate::verdict::{Cause, Exit};

    const CASE: Case = Case { direction: Direction::LowerIsBetter, noise: 0.0, slack: 0.0 };

    fn reading(ns: f64, throttled: bool) -> Reading {
        Reading::Measured(Measured { samples: vec![ns], resolution: 0.0, clock_mhz: None, throttled })
    }

    fn gate(cases: usize) -> Gate {
        Gate::new(Options::default(), &vec![CASE; cases]).unwrap()
    }

    /// Runs a gate to its end; `read` gives a reading of a case in a round.
    fn run(mut gate: Gate, read: impl Fn(Arm, usize, usize) -> Reading) -> (Vec<Finding>, Vec<Task>) {
        let mut tasks = Vec::new();
        loop {
            match gate.step() {
                Step::Done(findings) => return (findings, tasks),
                Step::Measure(task) => {
                    let block = |arm| task.cases.iter().map(|case| read(arm, *case, tasks.len())).collect();
                    let (base, candidate) = (block(Arm::Base), block(Arm::Candidate));
                    tasks.push(Task {
                        cases: task.cases.clone(),
                        stage: task.stage,
                        round: task.round,
                        first: task.first,
                    });
                    gate.record(task, base, candidate);
                }
            }
        }
    }

    #[test]
    fn the_screen_settles_what_is_sound_and_the_rest_is_measured_afresh() {
        let (findings, tasks) = run(gate(3), |arm, case, _| {
            let factor = [1.0, 1.1, 0.9][case];
            reading(if arm == Arm::Candidate { factor } else { 1.0 }, false)
        });
        let verdicts = findings.iter().map(|finding| finding.verdict.clone());
        assert_eq!(
            verdicts.collect::<Vec<_>>(),
            [Verdict::Pass, Verdict::Regressed(Cause::Unknown), Verdict::Improved]
        );
        let stages: Vec<_> = findings.iter().map(|finding| finding.stage).collect();
        assert_eq!(stages, [Stage::Screen, Stage::Confirm, Stage::Confirm]);
        let confirmed = findings[1].estimate.unwrap();
        assert_eq!(confirmed.pairs, 16);
        assert!((confirmed.level - 0.025).abs() < 1e-12, "two claims share the error");
        assert_eq!(tasks.len(), 24);
        assert!(tasks[..8].iter().all(|task| task.stage == Stage::Screen && task.cases == [0, 1, 2]));
        assert!(tasks[8..].iter().all(|task| task.stage == Stage::Confirm && task.cases == [1, 2]));
        assert!(tasks.iter().map(|task| task.round).eq((0..8).chain(0..16)));
    }

    #[test]
    fn the_screen_s_data_does_not_confirm() {
        // Slow in the screen only: the second stage must not remember.
        let (findings, _) =
            run(gate(1), |arm, _, round| reading(if arm == Arm::Candidate && round < 8 { 1.5 } else { 1.0 }, false));
        assert_eq!(findings[0].verdict, Verdict::Pass);
        assert_eq!(findings[0].stage, Stage::Confirm);
    }

    #[test]
    fn the_order_is_random_and_the_seed_s() {
        let order = |seed| {
            let gate = Gate::new(Options { seed, screen_pairs: 64, ..Options::default() }, &[CASE]).unwrap();
            run(gate, |_, _, _| reading(1.0, false)).1.into_iter().map(|task| task.first).collect::<Vec<_>>()
        };
        assert_eq!(order(7), order(7));
        assert_ne!(order(7), order(8));
        let base_first = order(7).iter().filter(|first| **first == Arm::Base).count();
        assert!((16..=48).contains(&base_first), "{base_first} of 64");
    }

    #[test]
    fn throttled_pairs_are_repeated_for_their_cases() {
        let (findings, tasks) =
            run(gate(2), |arm, case, round| reading(1.0, case == 1 && arm == Arm::Base && round < 3));
        assert!(findings.iter().all(|finding| finding.verdict == Verdict::Pass));
        assert_eq!([findings[0].thrown_out, findings[1].thrown_out], [0, 3]);
        assert_eq!(findings[1].estimate.unwrap().pairs, 8);
        assert_eq!(tasks.len(), 11);
        assert!(tasks[8..].iter().all(|task| task.cases == [1]));
    }

    #[test]
    fn too_many_of_them_are_inconclusive() {
        let (findings, tasks) = run(gate(1), |_, _, round| reading(1.0, round % 16 >= 7));
        assert_eq!(findings[0].verdict, Verdict::Inconclusive(Doubt::ThrownOut));
        assert_eq!((findings[0].thrown_out, tasks.len()), (9, 16));
        assert_eq!(Exit::of_suite(&findings).code(), 3);
    }

    #[test]
    fn a_case_that_one_side_lacks_is_missing_and_not_measured_on() {
        for lacking in [Arm::Base, Arm::Candidate] {
            let (findings, tasks) =
                run(
                    gate(2),
                    |arm, case, _| {
                        if case == 1 && arm == lacking { Reading::Missing } else { reading(1.0, false) }
                    },
                );
            assert_eq!(findings[1].verdict, Verdict::Missing { arm: lacking });
            assert_eq!(findings[0].verdict, Verdict::Pass);
            assert_eq!(Exit::of_suite(&findings).code(), 5);
            assert!(tasks[1..].iter().all(|task| task.cases == [0]));
        }
    }

    #[test]
    fn what_a_block_does_not_report_is_missing() {
        let mut gate = gate(2);
        let Step::Measure(task) = gate.step() else { unreachable!() };
        gate.record(task, vec![reading(1.0, false); 2], vec![reading(1.0, false)]);
        let (findings, _) = run(gate, |_, _, _| reading(1.0, false));
        assert_eq!(findings[1].verdict, Verdict::Missing { arm: Arm::Candidate });
    }

    #[test]
    fn one_wrong_block_decides() {
        let (findings, _) = run(gate(2), |arm, case, round| {
            if (arm, case, round) == (Arm::Candidate, 0, 5) {
                Reading::Wrong("off by 3".to_owned())
            } else {
                reading(1.0, false)
            }
        });
        assert!(matches!(findings[0].verdict, Verdict::Wrong { arm: Arm::Candidate, .. }));
        assert_eq!(Exit::of_suite(&findings).code(), 6);
    }

    #[test]
    fn no_cases_are_done_at_once() {
        let (findings, tasks) = run(gate(0), |_, _, _| Reading::Missing);
        assert!(findings.is_empty() && tasks.is_empty());
        assert_eq!(Exit::of_suite(&findings).code(), 3);
    }
}
