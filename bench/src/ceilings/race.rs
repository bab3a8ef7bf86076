//! The best of many ways: every plan of every shape runs briefly, and the two best then run for as long as is left.

use crate::measure::{self, Effort, Outcome, Session, Settings};
use accelbench_kernels::{Case, Plan};
use accelbench_reports::{CacheMode, Verify};
use std::time::Instant;

/// Of the time, for the brief runs. The first one always runs.
const RACE: f64 = 0.6;
/// How many run for longer.
const FINALISTS: usize = 2;

/// The fastest run that was verified.
pub(super) struct Best {
    /// The case that it was of, by its place among those given.
    pub(super) case: usize,
    /// Nanoseconds of the fastest sample: what the device can do, and not what it does on average.
    pub(super) ns: f64,
    pub(super) plan: String,
    pub(super) verify: Verify,
}

/// What a race found.
pub(super) struct Race {
    /// The winner, or why there is none.
    pub(super) best: Result<Best, String>,
    /// Nothing more can be run on this device in this process.
    pub(super) device_lost: bool,
}

/// Races all plans of these cases; `rate` makes the rates of different cases comparable.
pub(super) fn race(session: &Session, cases: &[Box<dyn Case>], seconds: f64, rate: impl Fn(&dyn Case) -> f64) -> Race {
    let caps = session.device().caps();
    let start = Instant::now();
    let mut trouble: Option<String> = None;
    let mut times: Vec<(usize, Box<dyn Plan>, Best)> = Vec::new();
    let entrants: Vec<_> = cases
        .iter()
        .enumerate()
        .flat_map(|(index, case)| case.plans(caps).into_iter().map(move |plan| (index, plan)))
        .collect();
    if entrants.is_empty() {
        let reason = cases.iter().find_map(|case| case.unsupported(caps));
        let reason = reason.unwrap_or_else(|| "the device has no kernel language that this probe is written in".to_owned());
        return Race { best: Err(reason), device_lost: false };
    }
    for (index, plan) in entrants {
        if !times.is_empty() && start.elapsed().as_secs_f64() > RACE * seconds {
            break;
        }
        let outcome = run(session, &*cases[index], &*plan, 0.005);
        if outcome.device_lost {
            let reason = outcome.fault.map(|(_, reason)| reason).unwrap_or_default();
            return Race { best: Err(reason), device_lost: true };
        }
        match finished(index, outcome) {
            Ok(best) => times.push((index, plan, best)),
            Err(reason) => trouble = trouble.or(Some(reason)),
        }
    }
    let speed = |best: &Best| rate(&*cases[best.case]) / best.ns;
    times.sort_by(|one, other| speed(&other.2).total_cmp(&speed(&one.2)));
    times.truncate(FINALISTS);
    let sample_s = ((seconds - start.elapsed().as_secs_f64()) / FINALISTS as f64 * 0.7).max(0.01);
    let mut best: Option<Best> = None;
    for (index, plan, brief) in times {
        let outcome = run(session, &*cases[index], &*plan, sample_s);
        let device_lost = outcome.device_lost;
        for run in finished(index, outcome).into_iter().chain([brief]) {
            if best.as_ref().is_none_or(|known| speed(known) < speed(&run)) {
                best = Some(run);
            }
        }
        if device_lost {
            let best = best.ok_or_else(|| "the device was lost".to_owned());
            return Race { best, device_lost };
        }
    }
    let best = best.ok_or_else(|| trouble.unwrap_or_else(|| "no plan could be run".to_owned()));
    Race { best, device_lost: false }
}

fn run(session: &Session, case: &dyn Case, plan: &dyn Plan, sample_s: f64) -> Outcome {
    let effort = Effort {
        warmup_min_s: sample_s / 5.0,
        warmup_max_s: sample_s / 2.0,
        sample_s,
        samples_min: 3,
        samples_max: 1000,
        batch_s: 0.002,
    };
    measure::measure(session, case, plan, &Settings { seed: 1, cache: CacheMode::Warm, effort })
}

fn finished(case: usize, outcome: Outcome) -> Result<Best, String> {
    if let Some((status, reason)) = outcome.fault {
        return Err(format!("{status}: {reason}"));
    }
    let fastest = outcome.timing.and_then(|timing| timing.samples_ns.into_iter().reduce(f64::min));
    match (fastest, outcome.verify) {
        (Some(ns), Some(verify)) => Ok(Best { case, ns, plan: outcome.plan.unwrap_or_default(), verify }),
        _ => Err("it was not measured".to_owned()),
    }
}
