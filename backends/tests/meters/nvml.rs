//! The NVML meter over a stand-in that is built here, in several variants.

use crate::fakes::library::{WATTS, built};
use crate::found;
use accelbench_backends::PhysicalId;
use accelbench_backends::meters::{Meter, MeterConfig, MeterError, MeterKind, Scope, Serves};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How much the stand-in's counter advances at once.
const TICK_J: f64 = WATTS * 0.02;

/// The meters over a variant, and the reasons of those that are not there.
fn over(options: &[&str]) -> (Vec<Box<dyn Meter>>, Vec<MeterError>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let library = built(folder.path(), options);
    let (meters, reasons) = through(&library, folder.path());
    (meters, reasons, folder)
}

fn through(library: &Path, nothing: &Path) -> (Vec<Box<dyn Meter>>, Vec<MeterError>) {
    let mut config: MeterConfig = crate::only(nothing, "places.limit_s = 10");
    config.places.nvml = Some(library.to_owned());
    config.places.programs.clear();
    let (meters, absences) = found(&config);
    // NVML's come first; each of the three other kinds has one, since it has nothing here.
    let count = absences.len() - 3;
    let reasons = absences.into_iter().take(count).map(|(reason, _)| reason).collect();
    (meters, reasons)
}

#[test]
fn a_device_tells_all_it_knows() {
    let (mut meters, reasons, _folder) = over(&["-DOTHER=1"]);
    assert_eq!((meters.len(), reasons), (2, vec![]));
    let info = meters[1].info().clone();
    assert_eq!((info.id.as_str(), info.kind, info.scope), ("nvml:1", MeterKind::Counter, Scope::Module));
    let chip = PhysicalId {
        pci: Some("0000:1c:00.0".to_owned()),
        uuid: Some("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f1".to_owned()),
    };
    assert_eq!((info.serves, info.resolution_j), (Serves::Chip(chip), Some(1e-3)));
    assert!(info.source.contains("libnvidia-ml.so.1") && info.source.contains("field 186"), "{}", info.source);
    let reading = meters[1].read().unwrap();
    assert_eq!(
        (reading.watts, reading.clock_mhz, reading.temperature_c, reading.power_limit_w),
        (Some(WATTS + 50.0), Some(1755.0), Some(61.0), Some(700.0))
    );
    assert_eq!(reading.throttle, ["sw_power_cap"]);
    // The first process is everybody's ancestor; where it started this test it is part of the family.
    let others = u32::from(std::os::unix::process::parent_id() != 1);
    assert_eq!(reading.other_users, Some(others));
    assert!(reading.cost_s > 0.0 && reading.cost_s < 1.0);
}

#[test]
fn the_counter_shows_the_joules_that_were_drawn() {
    let (mut meters, _, _folder) = over(&[]);
    let first = meters[0].read().unwrap();
    thread::sleep(Duration::from_millis(500));
    let second = meters[0].read().unwrap();
    let joules = second.joules.unwrap() - first.joules.unwrap();
    let drawn = WATTS * (second.at_s - first.at_s);
    // A tick at each end, and half of what each call took.
    let slack = 2.0 * TICK_J + WATTS * (first.cost_s + second.cost_s);
    assert!((joules - drawn).abs() <= slack, "{joules} J counted, {drawn} J drawn, {slack} J of slack");
    assert!(joules > 0.5 * drawn);
}

#[test]
fn a_missing_function_costs_its_figure_alone() {
    let (mut meters, _, _folder) = over(&["-DNO_ASIDE"]);
    let reading = meters[0].read().unwrap();
    assert!(reading.joules.is_some() && reading.watts == Some(WATTS));
    assert_eq!(
        (reading.clock_mhz, reading.temperature_c, reading.power_limit_w, reading.other_users, reading.throttle.len()),
        (None, None, None, None, 0)
    );
}

#[test]
fn without_a_counter_power_is_what_the_library_says_it_is() {
    let averaged = MeterKind::AveragedPower { window_s: 1.0 };
    for (options, kind) in [
        (&["-DNO_COUNTER"][..], MeterKind::InstantPower),
        (&["-DNO_COUNTER", "-DNO_FIELDS"], averaged),
        (&["-DNO_COUNTER", "-DNO_FIELDS", "-DARCH=7"], averaged),
        (&["-DNO_COUNTER", "-DNO_FIELDS", "-DARCH=7", "-DNAME=\"NVIDIA A100-SXM4-80GB\""], MeterKind::InstantPower),
        (&["-DNO_COUNTER", "-DNO_FIELDS", "-DARCH=5"], MeterKind::InstantPower),
    ] {
        let (mut meters, reasons, _folder) = over(options);
        assert_eq!(meters.len(), 2, "{options:?}: {reasons:?}");
        assert_eq!(meters[0].info().kind, kind, "{options:?}");
        let reading = meters[0].read().unwrap();
        assert_eq!((reading.joules, reading.watts), (None, Some(WATTS)), "{options:?}");
    }
}

#[test]
fn a_device_that_tells_nothing_is_absent_with_its_reason() {
    let (meters, reasons, _folder) = over(&["-DNO_COUNTER", "-DNO_FIELDS", "-DNO_USAGE", "-DDEVICES=1"]);
    assert_eq!(meters.len(), 0);
    assert!(matches!(&reasons[..], [MeterError::Refused { .. }]), "{reasons:?}");
    let (meters, reasons, _folder) = over(&["-DDENIED", "-DDEVICES=1"]);
    assert_eq!(meters.len(), 0);
    assert!(matches!(&reasons[..], [MeterError::Permission { .. }]), "{reasons:?}");
    let (_, reasons, _folder) = over(&["-DDEVICES=0"]);
    assert!(matches!(&reasons[..], [MeterError::Absent { .. }]), "{reasons:?}");
    let (mut meters, _, _folder) = over(&["-DWATTS=0", "-DDEVICES=1"]);
    assert_eq!(meters[0].read().unwrap().watts, None, "0 W is no power");
}

#[test]
fn a_library_is_missing_or_broken() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("libnvidia-ml.so.1");
    assert!(matches!(through(&library, folder.path()).1[..], [MeterError::Absent { .. }]));
    std::fs::write(&library, "no library").unwrap();
    assert!(matches!(through(&library, folder.path()).1[..], [MeterError::Refused { .. }]));
}

#[test]
fn a_library_that_hangs_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = crate::only(folder.path(), "places.limit_s = 0.5");
    config.places.nvml = Some(built(folder.path(), &["-DHANGS"]));
    config.places.programs.clear();
    let start = Instant::now();
    let (meters, absences) = found(&config);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(meters.len(), 0);
    assert!(matches!(absences[0].0, MeterError::Timeout { seconds: 1, .. }), "{absences:?}");
}
