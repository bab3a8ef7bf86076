//! The best of many ways: every plan runs briefly, and the two fastest then run for as long as is left.

use crate::measure::{self, Effort, Outcome, Session, Settings};
use accelbench_kernels::{Case, Plan, Work};
use accelbench_reports::{CacheMode, Verify};
use std::time::Instant;

/// Of the time, for the brief runs. The first one always runs.
const RACE: f64 = 0.5;
/// How many run for longer.
const FINALISTS: usize = 2;
/// A longer shape is of use where one run of it stays below this.
const LONGEST_RUN_NS: f64 = 30e6;

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

/// Races all plans of the first of these cases, and runs the finalists on the last that does not take too long. All are
/// the same but for their length.
pub(super) fn race(session: &Session, cases: &[Box<dyn Case>], seconds: f64) -> Result<Best, Trouble> {
    let start = Instant::now();
    let caps = session.device().caps();
    let trouble = |reason: String| Trouble { reason, device_lost: false };
    let Some(first) = cases.first() else {
        return Err(trouble("no probe of it is written in a language of this device".to_owned()));
    };
    let mut failure: Option<String> = first.unsupported(caps);
    let mut finished: Vec<Best> = Vec::new();
    for plan in first.plans(caps) {
        if !finished.is_empty() && start.elapsed().as_secs_f64() > RACE * seconds {
            break;
        }
        let t0=Instant::now(); let r=run(session, &**first, &*plan, 0.004)?; eprintln!("race {} {} {:?} {:?}", first.shape_text(), plan.name(), t0.elapsed(), r.as_ref().map(|b| (b.flop_per_s()*1e-9,b.bytes_per_s()*1e-9)));
        match r {
            Ok(best) => finished.push(best),
            Err(reason) => failure = failure.or(Some(reason)),
        }
    }
    finished.sort_by(|one, other| one.ns.total_cmp(&other.ns));
    let Some(winner) = finished.first() else {
        return Err(trouble(failure.unwrap_or_else(|| "no plan could be run".to_owned())));
    };
    let fits = |case: &&Box<dyn Case>| winner.ns * weight(case.work()) / weight(first.work()) <= LONGEST_RUN_NS;
    let longest = cases.iter().rev().find(fits).unwrap_or(first);
    for name in finished.iter().take(FINALISTS).map(|best| best.plan.clone()).collect::<Vec<_>>() {
        let Some(plan) = longest.plans(caps).into_iter().find(|plan| plan.name() == name) else { continue };
        let left = seconds - start.elapsed().as_secs_f64();
        // The rest is for what surrounds the samples.
        if let Ok(best) = run(session, &**longest, &*plan, (left / FINALISTS as f64 * 0.6).max(0.01))? {
            finished.push(best);
        }
    }
    finished
        .into_iter()
        .min_by(|one, other| (one.ns / weight(one.work)).total_cmp(&(other.ns / weight(other.work))))
        .ok_or_else(|| trouble("no plan could be run".to_owned()))
}

/// How much there is to do: a copy computes nothing.
fn weight(work: Work) -> f64 {
    work.flop.max(work.bytes)
}

/// Runs one plan; an error is the end of the device, and an inner one only this plan's.
fn run(session: &Session, case: &dyn Case, plan: &dyn Plan, sample_s: f64) -> Result<Result<Best, String>, Trouble> {
    let effort = Effort {
        warmup_min_s: sample_s / 5.0,
        warmup_max_s: sample_s / 2.0,
        sample_s,
        samples_min: 3,
        samples_max: 1000,
        batch_s: 0.002,
    };
    let settings = Settings { seed: 1, cache: CacheMode::Warm, effort };
    let Outcome { fault, verify, timing, plan, device_lost, .. } = measure::measure(session, case, plan, &settings);
    if let Some((status, reason)) = fault {
        let reason = format!("{status}: {reason}");
        return if device_lost { Err(Trouble { reason, device_lost }) } else { Ok(Err(reason)) };
    }
    let fastest = timing.and_then(|timing| timing.samples_ns.into_iter().reduce(f64::min));
    let work = case.work();
    Ok(match (fastest, verify) {
        (Some(ns), Some(verify)) => Ok(Best { work, ns, plan: plan.unwrap_or_default(), verify }),
        _ => Err("it was not measured".to_owned()),
    })
}
