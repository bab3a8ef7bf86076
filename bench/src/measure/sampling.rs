//! Warm-up until times settle, then batches long enough for the clock.

use super::{Effort, Loaded, Session};
use accelbench_backends::{Clock, Error, Result};
use std::time::Instant;

/// A batch is at least so many of the clock's steps long: each sample is then exact to 0.1%.
const CLOCK_STEPS: f64 = 1000.0;
/// Times have settled when the last three batches lie this close together.
const SETTLED: f64 = 1.03;

/// The times of a case.
#[derive(Clone, Debug)]
pub struct Samples {
    /// Nanoseconds of one run, in order.
    pub ns: Vec<f64>,
    /// The clock that gave them.
    pub clock: Clock,
    /// Runs in a batch.
    pub batch: u64,
    /// Runs before the first sample.
    pub warmup_runs: u64,
    /// Whether times had settled before the first sample.
    pub steady: bool,
}

/// Warms up and samples.
///
/// # Errors
/// The device's, and `InvalidArgument` for a clock that stands still.
pub(super) fn sample(session: &Session, loaded: &Loaded, effort: &Effort) -> Result<Samples> {
    let resolution = session.device().caps().clock_resolution_ns;
    let batch_ns = (effort.batch_s * 1e9).max(CLOCK_STEPS * resolution);
    let batch_for = |run_ns: f64| {
        if session.one_run_a_batch(loaded) {
            1
        } else {
            // A run that the clock can't see yet counts as one of its steps.
            (batch_ns / run_ns.max(resolution).max(1.0)).ceil().clamp(1.0, 100_000.0) as u64
        }
    };

    let start = Instant::now();
    // The first run also pays for what drivers put off: paging in, compiling for good.
    session.run_batch(loaded, 1)?;
    let mut warmup_runs = 1;
    let mut batch = 1;
    let mut recent: Vec<f64> = Vec::new();
    let steady = loop {
        let span = session.run_batch(loaded, batch)?;
        warmup_runs += batch;
        let run_ns = span.ns / batch as f64;
        batch = batch_for(run_ns);
        recent.push(run_ns);
        let elapsed = start.elapsed().as_secs_f64();
        if elapsed >= effort.warmup_min_s && settled(&recent) {
            break true;
        }
        if elapsed >= effort.warmup_max_s {
            break false;
        }
    };

    let start = Instant::now();
    let mut ns = Vec::new();
    let mut clock = Clock::HostWall;
    while ns.len() < effort.samples_min
        || (ns.len() < effort.samples_max && start.elapsed().as_secs_f64() < effort.sample_s)
    {
        let span = session.run_batch(loaded, batch)?;
        if !(span.ns.is_finite() && span.ns > 0.0) {
            return Err(Error::invalid(format!("the device's clock says that {batch} runs took {} ns", span.ns)));
        }
        clock = span.clock;
        ns.push(span.ns / batch as f64);
    }
    Ok(Samples { ns, clock, batch, warmup_runs, steady })
}

fn settled(recent: &[f64]) -> bool {
    let Some(last) = recent.len().checked_sub(3).map(|from| &recent[from..]) else { return false };
    let longest = last.iter().copied().fold(0.0, f64::max);
    let shortest = last.iter().copied().fold(f64::INFINITY, f64::min);
    longest > 0.0 && longest <= SETTLED * shortest
}
