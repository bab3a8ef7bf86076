//! NVML, by a shared object.

use crate::Check;
use crate::fakes::library::{WATTS, built};
use crate::machine::{EARLY_S, FULL, LATE_S, Machine, QUICK, failed, measured, measured_but, unavailable, without};
use accelbench_reports::{EnergyStatus, ResultRow};

pub(crate) fn checks() -> Vec<Check> {
    vec![
        // The second device has the chip's address, and draws more than the first one.
        Check {
            name: "nvml::the_counter_of_the_device_with_the_address",
            effort: FULL,
            run: |effort| measured(row(effort, &["-DPCI=\"00000000:1A:00.0\""]), "nvml:1", WATTS + 50.0),
        },
        Check {
            name: "nvml::a_counter_that_goes_backward_and_jumps",
            effort: FULL,
            run: |effort| {
                let faults = ["the counter went back from", "the counter jumped by"];
                let (back, jump) = (format!("-DBACK_AT_S={EARLY_S}"), format!("-DJUMP_AT_S={LATE_S}"));
                measured_but(|| row(effort, &[&back, &jump]), "nvml:0", WATTS, &faults);
            },
        },
        Check {
            name: "nvml::a_counter_that_freezes_within_a_window",
            effort: FULL,
            run: |effort| failed(row(effort, &[&format!("-DFROZEN_AT_S={EARLY_S}")]), "stood still"),
        },
        Check {
            name: "nvml::a_counter_that_is_frozen",
            effort: QUICK,
            run: |effort| failed(row(effort, &["-DFROZEN_AT_S=0"]), "frozen"),
        },
        Check {
            name: "nvml::a_device_that_is_lost",
            effort: QUICK,
            run: |effort| failed(row(effort, &["-DLOST_AT_S=4"]), "fell off the bus"),
        },
        Check {
            name: "nvml::a_call_that_hangs",
            effort: QUICK,
            run: |effort| failed(row(effort, &["-DSTUCK_AT_S=4"]), "the meter gave no reading for"),
        },
        Check {
            name: "nvml::a_library_that_hangs",
            effort: QUICK,
            run: |effort| unavailable(row(effort, &["-DHANGS"]), &["nvml", "no answer within 2 s"]),
        },
        Check {
            name: "nvml::a_missing_permission",
            effort: QUICK,
            run: |effort| unavailable(row(effort, &["-DDENIED"]), &["nvml", "permission denied", "run as root"]),
        },
        Check {
            name: "nvml::another_process",
            effort: QUICK,
            run: |effort| {
                without(row(effort, &["-DOTHER=1"]), EnergyStatus::Contended, "another process uses the device");
            },
        },
    ]
}

fn row(effort: &str, options: &[&str]) -> ResultRow {
    let machine = Machine::new();
    machine.meters(&[("nvml", &built(&machine.folder("library"), options))], "");
    machine.row(effort)
}
