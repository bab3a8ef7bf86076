//! The meters against what stands for the machine: a library, programs and a management controller.
#![cfg(unix)]

mod command;
#[path = "../fakes/mod.rs"]
mod fakes;
#[cfg(feature = "nvml")]
mod nvml;
mod redfish;

use accelbench_backends::meters::{self, Finding, Meter, MeterConfig, MeterError};
use std::path::Path;
use std::time::{Duration, Instant};

/// Why a meter is not there, and what would help.
type Absence = (MeterError, String);

/// Meters that were found, and reasons of those that were not.
fn found(config: &MeterConfig) -> (Vec<Box<dyn Meter>>, Vec<Absence>) {
    let (mut meters, mut absences) = (Vec::new(), Vec::new());
    for finding in meters::find(config) {
        match finding {
            Finding::Found(meter) => meters.push(meter),
            Finding::Absent { reason, hint, .. } => absences.push((reason, hint)),
        }
    }
    (meters, absences)
}

/// Declarations of meters on a machine that has none of its own.
fn only(nothing: &Path, text: &str) -> MeterConfig {
    let mut config = MeterConfig::parse(text).unwrap();
    config.places.powercap = nothing.join("powercap");
    config.places.hwmon = nothing.join("hwmon");
    config.places.nvml.get_or_insert(nothing.join("libnvidia-ml.so"));
    config
}

#[test]
fn a_machine_without_meters_says_so_at_once() {
    let nothing = tempfile::tempdir().unwrap();
    let mut config = only(nothing.path(), "");
    config.places.programs.clear();
    let start = Instant::now();
    let (meters, absences) = found(&config);
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert_eq!((meters.len(), absences.len()), (0, 4));
    for (reason, hint) in absences {
        assert!(matches!(reason, MeterError::Absent { .. }) && !hint.is_empty(), "{reason}: {hint}");
    }
}

#[test]
fn this_machine_is_looked_at_without_harm() {
    let start = Instant::now();
    let (meters, absences) = found(&MeterConfig::default());
    println!("{} meters, {} absences in {:?}", meters.len(), absences.len(), start.elapsed());
    for meter in meters {
        println!("{:?}", meter.info());
    }
    for (reason, hint) in absences {
        println!("{reason}: {hint}");
        assert!(!hint.is_empty(), "{reason}");
    }
}
