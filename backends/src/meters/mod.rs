//! Energy meters behind one trait, and where they are looked for.
//!
//! Makers of devices are known here and nowhere above. A meter that is absent is an answer with a reason, never a 0.

mod meter;

pub use meter::{Meter, MeterError, MeterInfo, MeterKind, Reading, Scope, Serves};

use std::sync::LazyLock;
use std::time::Instant;

/// Seconds on the clock that all readings and completions share: this process's monotonic clock.
pub fn now() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64()
}

/// A meter that is there, or why it is not.
pub enum Finding {
    /// It can be read.
    Found(Box<dyn Meter>),
    /// It can't.
    Absent {
        /// The kind of meter that was looked for, such as `rapl`.
        meter: &'static str,
        /// Why it is not there.
        reason: MeterError,
        /// What would help.
        hint: String,
    },
}
