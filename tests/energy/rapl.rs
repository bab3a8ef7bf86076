//! RAPL, by a tree of powercap zones.

use crate::Check;
use crate::machine::{EARLY_S, FULL, LATE_S, Machine, QUICK, failed, measured, measured_but, unavailable};
use crate::motion::{Motion, Text, microjoules, power, still, until};
use accelbench_reports::ResultRow;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const METER: &str = "rapl:package";

/// Where a package's counter starts again from 0: soon enough for windows to hold that several times.
const RANGE_J: f64 = 700.0;

/// Where a real one does: never within a test.
const FAR_J: f64 = 262_143.328_85;

/// What a package, its memory and the platform around it draw.
const PACKAGE_W: f64 = 80.0;
const DRAM_W: f64 = 11.0;
const PLATFORM_W: f64 = 130.0;

pub(crate) fn checks() -> Vec<Check> {
    vec![
        Check { name: "rapl::a_package_s_joules_over_its_wraps", effort: FULL, run: one_package },
        Check { name: "rapl::packages_are_summed_over_the_wraps_of_each", effort: FULL, run: two_packages },
        Check { name: "rapl::a_package_of_two_that_goes_backward", effort: FULL, run: one_of_two_goes_back },
        Check { name: "rapl::a_counter_that_jumps_and_goes_backward", effort: FULL, run: jumps_and_goes_back },
        Check { name: "rapl::a_counter_that_is_frozen", effort: QUICK, run: frozen },
        Check { name: "rapl::a_counter_that_becomes_garbage", effort: QUICK, run: becomes_garbage },
        Check { name: "rapl::a_missing_permission", effort: QUICK, run: denied },
    ]
}

/// A zone's folder, without its counter, whose path it returns.
fn zone(root: &Path, folder: &str, name: &str, range_j: f64) -> PathBuf {
    let zone = root.join(folder);
    fs::create_dir_all(&zone).unwrap();
    fs::write(zone.join("name"), format!("{name}\n")).unwrap();
    fs::write(zone.join("max_energy_range_uj"), format!("{:.0}\n", 1e6 * range_j)).unwrap();
    zone.join("energy_uj")
}

/// What no device's energy is made of: the package by its other name, its cores, its memory, and the platform.
fn others(root: &Path) -> Vec<(PathBuf, Text)> {
    [
        ("intel-rapl-mmio:0", "package-0", PACKAGE_W),
        ("intel-rapl:0:0", "core", 0.8 * PACKAGE_W),
        ("intel-rapl:0:1", "dram", DRAM_W),
        ("intel-rapl:7", "psys", PLATFORM_W),
    ]
    .map(|(folder, name, watts)| (zone(root, folder, name, FAR_J), microjoules(power(watts, 0.05), 77.0, FAR_J)))
    .into()
}

/// A run on a machine with these packages.
fn row(effort: &str, packages: Vec<(f64, Text)>) -> ResultRow {
    let machine = Machine::new();
    let root = machine.folder("powercap");
    let mut files = others(&root);
    for (index, (range_j, text)) in packages.into_iter().enumerate() {
        let path = zone(&root, &format!("intel-rapl:{index}"), &format!("package-{index}"), range_j);
        files.push((path, text));
    }
    let _motion = Motion::start(files);
    machine.meters(&[("powercap", &root)], "");
    machine.row(effort)
}

fn package(watts: f64, start_j: f64, range_j: f64) -> (f64, Text) {
    (range_j, microjoules(power(watts, 0.05), start_j, range_j))
}

fn one_package(effort: &str) {
    measured(row(effort, vec![package(PACKAGE_W, 123.0, RANGE_J)]), METER, PACKAGE_W);
}

fn two_packages(effort: &str) {
    let packages = vec![package(PACKAGE_W, 123.0, RANGE_J), package(45.0, 500.0, 0.9 * RANGE_J)];
    measured(row(effort, packages), METER, PACKAGE_W + 45.0);
}

/// The counter of such a package, from which `less_j` is missing from a time on.
fn falling(watts: f64, at_s: f64, less_j: f64) -> Text {
    let counter = |start_j| microjoules(power(watts, 0.05), start_j, FAR_J);
    until(at_s, counter(10_000.0), counter(10_000.0 - less_j))
}

fn one_of_two_goes_back(effort: &str) {
    let packages = || vec![(FAR_J, falling(PACKAGE_W, EARLY_S, 50.0)), package(45.0, 500.0, RANGE_J)];
    let faults = ["intel-rapl:0/energy_uj: the counter went back from"];
    measured_but(|| row(effort, packages()), METER, PACKAGE_W + 45.0, &faults);
}

fn jumps_and_goes_back(effort: &str) {
    let up = || falling(PACKAGE_W, EARLY_S, -3000.0);
    let down = || falling(PACKAGE_W, 0.0, 4000.0);
    let faults = ["the counter jumped by", "the counter went back from"];
    measured_but(|| row(effort, vec![(FAR_J, until(LATE_S, up(), down()))]), METER, PACKAGE_W, &faults);
}

fn frozen(effort: &str) {
    failed(row(effort, vec![(FAR_J, still("123456789\n"))]), "frozen");
}

fn becomes_garbage(effort: &str) {
    let (range_j, sound) = package(PACKAGE_W, 123.0, FAR_J);
    failed(row(effort, vec![(range_j, until(4.0, sound, still("12,5\n")))]), "`12,5` is no number");
}

fn denied(effort: &str) {
    let machine = Machine::new();
    let root = machine.folder("powercap");
    let path = zone(&root, "intel-rapl:0", "package-0", FAR_J);
    fs::write(&path, "1\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    machine.meters(&[("powercap", &root)], "");
    unavailable(machine.row_without_rights(effort), &["rapl", "energy_uj: permission denied", "chmod a+r"]);
}
