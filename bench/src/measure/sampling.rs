//! Warm-up until times settle, then batches long enough for the clock.

use super::{Effort, Loaded, Session};
use accelbench_backends::{Clock, Error, Result, Span};
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

/// A program that is warmed up.
pub(super) struct Warm {
    /// Runs of a batch that is long enough.
    pub(super) batch: u64,
    /// Nanoseconds of a run in the last batch.
    pub(super) run_ns: f64,
    /// Runs so far.
    pub(super) runs: u64,
    /// Whether times have settled.
    pub(super) steady: bool,
}

/// Warms up until times settle.
///
/// # Errors
/// The device's.
pub(super) fn warm_up(session: &Session, loaded: &Loaded, effort: &Effort) -> Result<Warm> {
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
    let mut runs = 1;
    let mut batch = 1;
    let mut recent: Vec<f64> = Vec::new();
    loop {
        let span = session.run_batch(loaded, batch)?;
        runs += batch;
        let run_ns = span.ns / batch as f64;
        batch = batch_for(run_ns);
        recent.push(run_ns);
        let elapsed = start.elapsed().as_secs_f64();
        let steady = elapsed >= effort.warmup_min_s && settled(&recent);
        if steady || elapsed >= effort.warmup_max_s {
            return Ok(Warm { batch, run_ns, runs, steady });
        }
    }
}

/// Warms up and samples.
///
/// # Errors
/// The device's, and `InvalidArgument` for a clock that stands still.
pub(super) fn sample(session: &Session, loaded: &Loaded, effort: &Effort) -> Result<Samples> {
    let Warm { batch, runs: warmup_runs, steady, .. } = warm_up(session, loaded, effort)?;
    let start = Instant::now();
    let mut ns = Vec::new();
    let mut clock = Clock::HostWall;
    while ns.len() < effort.samples_min
        || (ns.len() < effort.samples_max && start.elapsed().as_secs_f64() < effort.sample_s)
    {
        let span = session.run_batch(loaded, batch)?;
        clock = span.clock;
        ns.push(checked(span, batch)?);
    }
    Ok(Samples { ns, clock, batch, warmup_runs, steady })
}

/// Nanoseconds of a run in the span of a batch.
///
/// # Errors
/// `InvalidArgument` for a clock that stands still.
pub(super) fn checked(span: Span, batch: u64) -> Result<f64> {
    if span.ns.is_finite() && span.ns > 0.0 {
        return Ok(span.ns / batch as f64);
    }
    Err(Error::invalid(format!("the device's clock says that {batch} runs took {} ns", span.ns)))
}

fn settled(recent: &[f64]) -> bool {
    let Some(last) = recent.len().checked_sub(3).map(|from| &recent[from..]) else { return false };
    let longest = last.iter().copied().fold(0.0, f64::max);
    let shortest = last.iter().copied().fold(f64::INFINITY, f64::min);
    longest > 0.0 && longest <= SETTLED * shortest
}
