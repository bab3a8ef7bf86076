//! Hardware monitors, by a tree of sysfs.

use crate::Check;
use crate::machine::{EARLY_S, FULL, LATE_S, Machine, QUICK, failed, measured, measured_but, unavailable};
use crate::motion::{Motion, Text, microjoules, microwatts, power, still, until};
use accelbench_reports::ResultRow;
use accelbench_tests::chip;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// What the card draws, and the chip on it.
const CARD_W: f64 = 150.0;
const CHIP_W: f64 = 120.0;

/// No counter here wraps.
const FAR_J: f64 = f64::INFINITY;

pub(crate) fn checks() -> Vec<Check> {
    let power_is = |name, run| Check { name, effort: QUICK, run };
    vec![
        Check {
            name: "hwmon::a_card_s_counter",
            effort: FULL,
            run: |effort| measured(counters(effort, counter(5000.0)), "hwmon:hwmon1:card", CARD_W),
        },
        Check {
            name: "hwmon::a_counter_that_goes_backward_and_jumps",
            effort: FULL,
            run: |effort| {
                let text = || until(EARLY_S, counter(5000.0), until(LATE_S, counter(4000.0), counter(7000.0)));
                let faults = ["the counter went back from", "the counter jumped by"];
                measured_but(|| counters(effort, text()), "hwmon:hwmon1:card", CARD_W, &faults);
            },
        },
        power_is("hwmon::a_counter_that_is_frozen", |effort| failed(counters(effort, still("5000000000\n")), "frozen")),
        power_is("hwmon::a_chip_s_power", |effort| {
            measured(powered(effort, sound()), "hwmon:hwmon1:amdgpu", CHIP_W);
        }),
        power_is("hwmon::power_that_is_frozen", |effort| failed(powered(effort, still("120000000\n")), "frozen")),
        power_is("hwmon::power_that_becomes_garbage", |effort| {
            failed(powered(effort, until(4.0, sound(), still("ERROR\n"))), "`ERROR` is no number");
        }),
        power_is("hwmon::power_that_becomes_0", |effort| {
            failed(powered(effort, until(4.0, sound(), still("0\n"))), "0 W can't be");
        }),
        power_is("hwmon::sockets_are_summed", sockets),
        power_is("hwmon::a_missing_permission", denied),
    ]
}

fn counter(start_j: f64) -> Text {
    microjoules(power(CARD_W, 0.05), start_j, FAR_J)
}

fn sound() -> Text {
    microwatts(power(CHIP_W, 0.02))
}

/// A monitor of the chip, and another one of a chip beside it that draws more.
fn monitors(root: &Path, name: &str) -> PathBuf {
    for (index, address) in ["0000:1a:00.0", chip::ADDRESS].into_iter().enumerate() {
        let device = root.join("devices").join(address);
        let monitor = root.join(format!("hwmon{index}"));
        fs::create_dir_all(&device).unwrap();
        fs::create_dir_all(&monitor).unwrap();
        symlink(device, monitor.join("device")).unwrap();
        fs::write(monitor.join("name"), format!("{name}\n")).unwrap();
    }
    root.join("hwmon1")
}

fn row(effort: &str, machine: &Machine, files: Vec<(PathBuf, Text)>) -> ResultRow {
    let _motion = Motion::start(files);
    machine.meters(&[("hwmon", &machine.folder("hwmon"))], "");
    machine.row(effort)
}

/// A run on a chip whose card counts its energy so.
fn counters(effort: &str, card: Text) -> ResultRow {
    let machine = Machine::new();
    let monitor = monitors(&machine.folder("hwmon"), "xe");
    fs::write(monitor.join("energy1_label"), "card\n").unwrap();
    fs::write(monitor.join("energy2_label"), "pkg\n").unwrap();
    let chip = microjoules(power(CHIP_W, 0.05), 1000.0, FAR_J);
    let other = microjoules(power(2.0 * CARD_W, 0.05), 1000.0, FAR_J);
    let files = [("energy1_input", card), ("energy2_input", chip), ("../hwmon0/energy1_input", other)];
    row(effort, &machine, files.map(|(name, text)| (monitor.join(name), text)).into())
}

/// A run on a chip that tells its power so.
fn powered(effort: &str, text: Text) -> ResultRow {
    let machine = Machine::new();
    let monitor = monitors(&machine.folder("hwmon"), "amdgpu");
    let other = microwatts(power(2.0 * CHIP_W, 0.02));
    let files = [("power1_average", text), ("../hwmon0/power1_average", other)];
    row(effort, &machine, files.map(|(name, text)| (monitor.join(name), text)).into())
}

/// Two sockets, each with a meter of its own and one of a part of it.
fn sockets(effort: &str) {
    let machine = Machine::new();
    let labels = [
        ("Grace Power Socket 0", 90.0),
        ("CPU Power Socket 0", 70.0),
        ("Grace Power Socket 1", 130.0),
        ("CPU Power Socket 1", 100.0),
    ];
    let files = labels.into_iter().enumerate().map(|(index, (label, watts))| {
        let monitor = machine.folder("hwmon").join(format!("hwmon{index}"));
        fs::create_dir_all(&monitor).unwrap();
        fs::write(monitor.join("name"), "power_meter\n").unwrap();
        fs::write(monitor.join("power1_oem_info"), format!("{label}\n")).unwrap();
        (monitor.join("power1_average"), microwatts(power(watts, 0.02)))
    });
    let files = files.collect();
    measured(row(effort, &machine, files), "hwmon:grace-power", 220.0);
}

fn denied(effort: &str) {
    let machine = Machine::new();
    let path = monitors(&machine.folder("hwmon"), "amdgpu").join("power1_average");
    fs::write(&path, "120000000\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    machine.meters(&[("hwmon", &machine.folder("hwmon"))], "");
    unavailable(machine.row_without_rights(effort), &["hwmon", "power1_average: permission denied", "chmod a+r"]);
}
