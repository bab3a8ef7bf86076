//! The best of many ways: every plan runs briefly, and the two fastest then run for as long as is left.

use crate::measure::{self, Effort, Inputs, Outcome, Session, Settings};
use accelbench_kernels::fill::Fill;
use accelbench_kernels::{Case, Plan, Work};
use accelbench_reports::{CacheMode, Verify};
use std::time::Instant;

/// Of the time, for the brief runs. The first one always runs.
const RACE: f64 = 0.6;
/// How many run for longer.
const FINALISTS: usize = 2;
/// Seconds of a brief run's samples.
const BRIEF_S: f64 = 0.004;
/// A longer shape is of use where one run of it stays below this.
const LONGEST_RUN_NS: f64 = 30e6;
/// Of the inputs.
const SEED: u64 = 1;

/// The fastest run that was verified.
pub(super) struct Best {
    work: Work,
    /// Nanoseconds of the fastest sample: what the device can do, and not what it does on average.
    ns: f64,
    pub(super) plan: String,
    pub(super) verify: Verify,
}

impl Best {
    pub(super) fn flop_per_s(&self) -> f64 {
        self.work.flop / (self.ns * 1e-9)
    }

    pub(super) fn bytes_per_s(&self) -> f64 {
        self.work.bytes / (self.ns * 1e-9)
    }
}

/// Why there is no best.
pub(super) struct Trouble {
    pub(super) reason: String,
    /// Nothing more can be run on this device in this process.
    pub(super) device_lost: bool,
}

/// Races plans on one device.
pub(super) struct Racer<'a> {
    session: &'a Session,
    inputs: Inputs,
}

impl<'a> Racer<'a> {
    pub(super) fn new(session: &'a Session) -> Self {
        Self { session, inputs: Inputs::default() }
    }

    /// Races all plans of the first of these cases, and runs the finalists on the last that does not take too long. All
    /// are the same but for their length.
    pub(super) fn race(&mut self, cases: &[Box<dyn Case>], seconds: f64) -> Result<Best, Trouble> {
        let start = Instant::now();
        let caps = self.session.device().caps();
        let trouble = |reason: String| Trouble { reason, device_lost: false };
        let Some(first) = cases.first() else {
            return Err(trouble("no probe of it is written in a language of this device".to_owned()));
        };
        let mut failure: Option<String> = first.unsupported(caps);
        let mut finished: Vec<Best> = Vec::new();
        let mut each = 0.0_f64;
        for plan in first.plans(caps) {
            let begun = Instant::now();
            if !finished.is_empty() && start.elapsed().as_secs_f64() > RACE * seconds {
                break;
            }
            match self.run(&**first, &*plan, BRIEF_S)? {
                Ok(best) => finished.push(best),
                Err(reason) => failure = failure.or(Some(reason)),
            }
            each = each.max(begun.elapsed().as_secs_f64());
        }
        finished.sort_by(|one, other| one.ns.total_cmp(&other.ns));
        let Some(winner) = finished.first() else {
            return Err(trouble(failure.unwrap_or_else(|| "no plan could be run".to_owned())));
        };
        let fits = |work: Work| winner.ns * weight(work) / weight(first.work()) <= LONGEST_RUN_NS;
        let longest = cases.iter().rev().find(|case| fits(case.work())).unwrap_or(first);
        let names: Vec<String> = finished.iter().take(FINALISTS).map(|best| best.plan.clone()).collect();
        for (index, name) in names.iter().enumerate() {
            let left = (seconds - start.elapsed().as_secs_f64()) / (names.len() - index) as f64;
            // What surrounds the samples took so long before, and would again.
            let sample_s = left - each;
            if sample_s < BRIEF_S {
                continue;
            }
            let plan = longest.plans(caps).into_iter().find(|plan| plan.name() == *name);
            if let Some(plan) = plan
                && let Ok(best) = self.run(&**longest, &*plan, sample_s * 0.8)?
            {
                finished.push(best);
            }
        }
        finished
            .into_iter()
            .min_by(|one, other| (one.ns / weight(one.work)).total_cmp(&(other.ns / weight(other.work))))
            .ok_or_else(|| trouble("no plan could be run".to_owned()))
    }

    /// Runs one plan; an error is the end of the device, and an inner one only this plan's.
    fn run(&mut self, case: &dyn Case, plan: &dyn Plan, sample_s: f64) -> Result<Result<Best, String>, Trouble> {
        let effort = Effort {
            warmup_min_s: sample_s / 5.0,
            warmup_max_s: sample_s / 2.0,
            sample_s,
            samples_min: 4,
            samples_max: 1000,
            batch_s: 0.002,
        };
        let settings = Settings { seed: SEED, fill: Fill::Normal, cache: CacheMode::Warm, effort };
        let kept = &mut self.inputs;
        let outcome = measure::measure_on(self.session, case, plan, &settings, || kept.of(case, Fill::Normal, SEED));
        let Outcome { fault, verify, timing, plan, device_lost, .. } = outcome;
        if let Some((status, reason)) = fault {
            let reason = format!("{status}: {reason}");
            return if device_lost { Err(Trouble { reason, device_lost }) } else { Ok(Err(reason)) };
        }
        let fastest = timing.and_then(|timing| timing.samples_ns.into_iter().reduce(f64::min));
        Ok(match (fastest, verify) {
            (Some(ns), Some(verify)) => Ok(Best { work: case.work(), ns, plan: plan.unwrap_or_default(), verify }),
            _ => Err("it was not measured".to_owned()),
        })
    }
}

/// How much there is to do: a copy computes nothing.
fn weight(work: Work) -> f64 {
    work.flop.max(work.bytes)
}
