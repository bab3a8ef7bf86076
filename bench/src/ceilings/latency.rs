//! What small things cost: four bytes each way, and one launch of a kernel with next to nothing to do.

use crate::measure::{self, Session};
use crate::stats;
use accelbench_backends::Result;
use accelbench_kernels::Case;
use accelbench_reports::{Latency, Missing};
use std::time::{Duration, Instant};

/// Launches of one submission, for their rate.
const LAUNCHES: usize = 256;
/// At most so many samples.
const SAMPLES: usize = 2000;
/// What is timed.
const PARTS: f64 = 4.0;

/// What was timed, and what could not be. `smallest` is the case with the least to do.
pub(super) fn probe(session: &Session, smallest: Option<&dyn Case>, seconds: f64) -> (Latency, Vec<Missing>) {
    let window = Duration::from_secs_f64(seconds / PARTS);
    let device = session.device();
    let mut missing = Vec::new();
    let mut keep = |what: &str, timed: std::result::Result<f64, String>| match timed {
        Ok(ns) => Some(ns),
        Err(reason) => {
            missing.push(Missing { what: what.to_owned(), reason });
            None
        }
    };
    let word = device.alloc(4);
    let moved = |copy: &dyn Fn(&accelbench_backends::Buffer) -> Result<()>| {
        let buffer = word.as_ref().map_err(ToString::to_string)?;
        median(window, || copy(buffer)).map_err(|error| error.to_string())
    };
    let smallest_upload_ns = keep("smallest upload", moved(&|buffer| device.upload(buffer, 0, &[1, 2, 3, 4])));
    let smallest_download_ns = keep("smallest download", moved(&|buffer| device.download(buffer, 0, &mut [0; 4])));
    let launched = |runs: usize| {
        let case = smallest.ok_or_else(|| "no probe has a kernel for this device".to_owned())?;
        let plan = case.plans(device.caps()).into_iter().next();
        let program = plan.ok_or_else(|| case.unsupported(device.caps()).unwrap_or_default())?.program();
        let launches = (runs * program.launches.len()) as f64;
        let loaded = session.load(&program, &measure::inputs(case, 1), None).map_err(|error| error.to_string())?;
        let ns = median(window, || session.run_bare(&loaded, runs)).map_err(|error| error.to_string())?;
        Ok((ns, launches))
    };
    let launch_round_trip_ns = keep("launch round trip", launched(1).map(|(ns, _)| ns));
    let sustained_launches_per_s =
        keep("sustained launches", launched(LAUNCHES).map(|(ns, launches)| launches / (ns * 1e-9)));
    (Latency { smallest_upload_ns, smallest_download_ns, launch_round_trip_ns, sustained_launches_per_s }, missing)
}

/// The median time of a task in nanoseconds, by the host's clock.
fn median(window: Duration, task: impl Fn() -> Result<()>) -> Result<f64> {
    task()?;
    let begun = Instant::now();
    let mut samples = Vec::new();
    while samples.len() < 3 || (samples.len() < SAMPLES && begun.elapsed() < window) {
        let start = Instant::now();
        task()?;
        // The clock may not see so short a time.
        samples.push((start.elapsed().as_nanos() as f64).max(1.0));
    }
    Ok(stats::median(&samples).unwrap_or(f64::NAN))
}
