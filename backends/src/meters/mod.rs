//! Energy meters behind one trait, and where they are looked for.
//!
//! Makers of devices are known here and nowhere above. A meter that is absent is an answer with a reason, never a 0.

pub mod command;
pub mod config;
mod counter;
mod figure;
mod hwmon;
mod meter;
#[cfg(feature = "nvml")]
mod nvml;
mod process;
mod rapl;
pub mod recording;
pub mod redfish;
mod tree;
pub mod virtual_meter;

pub use config::{METERS_VARIABLE, MeterConfig};
pub use counter::{Counter, CounterFault};
pub use meter::{Meter, MeterError, MeterInfo, MeterKind, Reading, Scope, Serves};
pub use recording::Recording;

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// When [`now`]'s clock stood at 0, on both clocks.
static START: LazyLock<(Instant, SystemTime)> = LazyLock::new(|| (Instant::now(), SystemTime::now()));

/// Seconds on the clock that all readings and completions share: this process's monotonic clock.
pub fn now() -> f64 {
    START.0.elapsed().as_secs_f64()
}

/// What the wall clock shows, in seconds since 1970, when [`now`] shows `at_s`. The wall clock as it was when this
/// process first asked: what is set or slewed later does not move it.
pub fn wall_s(at_s: f64) -> f64 {
    START.1.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()) + at_s
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

/// Looks for all meters of this machine, and reads each once.
///
/// Where nothing has to be asked over a network and no maker's tool is installed, that takes milliseconds. A program and
/// a controller each have a limit, all are asked at once, and so none makes it hang.
pub fn find(config: &MeterConfig) -> Vec<Finding> {
    let places = &config.places;
    let mut findings = Vec::new();
    #[cfg(feature = "nvml")]
    findings.extend(nvml::find(places.nvml.as_deref()));
    #[cfg(not(feature = "nvml"))]
    findings.push(Finding::Absent {
        meter: "nvml",
        reason: MeterError::Absent { what: "NVML in this build".to_owned() },
        hint: "build with `--features nvml`".to_owned(),
    });
    findings.extend(rapl::find(&places.powercap));
    findings.extend(hwmon::find(&places.hwmon));
    findings.extend(command::find(&config.command, places));
    findings.extend(redfish::find(&config.redfish, places));
    findings
}
