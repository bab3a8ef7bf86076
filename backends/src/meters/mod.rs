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
mod settings;
mod tree;
pub mod virtual_meter;

pub use config::{METERS_VARIABLE, MeterConfig, Places};
pub use counter::{Counter, CounterFault};
pub use meter::{Meter, MeterError, MeterInfo, MeterKind, Reading, Scope, Serves};
pub use recording::Recording;
pub use settings::{Settings, settings};

use crate::PhysicalId;
use std::path::Path;
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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

impl Finding {
    /// A meter that is not there. A missing permission knows best what would help.
    fn absent(meter: &'static str, reason: MeterError, hint: &str) -> Self {
        let hint = match &reason {
            MeterError::Permission { hint, .. } => hint.clone(),
            _ => hint.to_owned(),
        };
        Self::Absent { meter, reason, hint }
    }
}

/// Looks for all meters of this machine, and reads each once.
///
/// Where nothing has to be asked over a network and no maker's tool is installed, that takes milliseconds. All are asked
/// at once, and each program, controller, library and tree has a limit, so that none makes it hang.
pub fn find(config: &MeterConfig) -> Vec<Finding> {
    let places = &config.places;
    let (nvml, powercap, hwmon) = (places.nvml.clone(), places.powercap.clone(), places.hwmon.clone());
    let sought = [
        start("nvml", move || find_nvml(nvml.as_deref())),
        start("rapl", move || rapl::find(&powercap)),
        start("hwmon", move || hwmon::find(&hwmon)),
    ];
    let deadline = Instant::now() + Duration::from_secs_f64(places.limit_s);
    let (commands, modules) = thread::scope(|scope| {
        let modules = scope.spawn(|| redfish::find(&config.redfish, places));
        (command::find(&config.command, places), modules.join().unwrap_or_default())
    });
    let found = sought.into_iter().flat_map(|(meter, findings)| {
        let left = deadline.saturating_duration_since(Instant::now());
        findings.recv_timeout(left).unwrap_or_else(|_| {
            let reason = MeterError::Timeout { what: meter.to_owned(), seconds: places.limit_s.ceil() as u64 };
            let hint = "raise limit_s of places in a file of meters, or see what its driver waits for";
            vec![Finding::absent(meter, reason, hint)]
        })
    });
    found.chain(commands).chain(modules).collect()
}

/// Looks for something on a thread of its own, which is left behind where it hangs.
fn start<T: Send + 'static>(
    meter: &'static str,
    find: impl FnOnce() -> T + Send + 'static,
) -> (&'static str, mpsc::Receiver<T>) {
    let (sender, findings) = mpsc::channel();
    // Nobody waits any more where it took too long.
    thread::spawn(move || sender.send(find()).ok());
    (meter, findings)
}

#[cfg(feature = "nvml")]
fn find_nvml(library: Option<&Path>) -> Vec<Finding> {
    nvml::find(library)
}

#[cfg(not(feature = "nvml"))]
fn find_nvml(_library: Option<&Path>) -> Vec<Finding> {
    let reason = MeterError::Absent { what: "NVML in this build".to_owned() };
    vec![Finding::absent("nvml", reason, "build with `--features nvml`")]
}

#[cfg(feature = "nvml")]
fn find_nvml_settings(library: Option<&Path>, chip: &PhysicalId) -> Option<Settings> {
    nvml::settings(library, chip)
}

#[cfg(not(feature = "nvml"))]
fn find_nvml_settings(_library: Option<&Path>, _chip: &PhysicalId) -> Option<Settings> {
    None
}
