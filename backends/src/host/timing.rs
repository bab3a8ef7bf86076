//! The host's clock.

use std::time::Instant;

/// The smallest step seen between two readings, in nanoseconds.
pub(super) fn resolution_ns() -> f64 {
    (0..100)
        .filter_map(|_| {
            let start = Instant::now();
            // Bounded, so that a stopped clock can't hang the probe.
            (0..1_000_000).map(|_| start.elapsed()).find(|step| !step.is_zero())
        })
        .map(|step| step.as_nanos() as f64)
        .fold(f64::INFINITY, f64::min)
        .clamp(1.0, 1e9)
}
