//! Programs that print a figure: makers' tools by their stubs, and scripts that a file of meters declares.

use crate::Check;
use crate::fakes::tool;
use crate::machine::{Machine, QUICK, failed, measured, measured_by_program, unavailable};
use crate::motion::{Motion, Text, power, still, until};
use accelbench_reports::ResultRow;
use accelbench_tests::chip;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// What the device draws.
const WATTS: f64 = 93.0;

pub(crate) fn checks() -> Vec<Check> {
    let check = |name, run| Check { name, effort: QUICK, run };
    vec![
        check("command::a_maker_s_tool_that_lists_devices", hl_smi),
        check("command::the_machine_s_controller", ipmi),
        check("command::a_declared_counter", |effort| {
            measured_by_program(|| prints(effort, joules(900.0)), "own", WATTS);
        }),
        check("command::a_tool_of_another_locale_is_asked_in_c", |effort| {
            measured_by_program(|| locale(effort), "own", WATTS);
        }),
        check("command::a_tool_that_hangs", |effort| {
            unavailable(prints(effort, still("hang\n")), &["command", "no answer within 1 s"]);
        }),
        check("command::a_tool_that_starts_to_hang", |effort| {
            failed(prints(effort, until(4.0, joules(900.0), still("hang\n"))), "no answer within 1 s");
        }),
        check("command::garbage", |effort| {
            unavailable(prints(effort, still("Segmentation fault\n")), &["command", "no figure in"]);
        }),
        check("command::what_becomes_garbage", |effort| {
            failed(prints(effort, until(4.0, joules(900.0), still("N/A J\n"))), "`N/A` is no number");
        }),
        check("command::another_locale", |effort| {
            unavailable(prints(effort, still("1234,5 J\n")), &["command", "another locale"]);
        }),
        check("command::what_turns_to_another_locale", |effort| {
            failed(prints(effort, until(4.0, joules(900.0), still("1234,5 J\n"))), "another locale");
        }),
        check("command::a_counter_that_is_frozen", |effort| failed(prints(effort, still("900 J\n")), "frozen")),
        check("command::a_counter_that_goes_backward", |effort| {
            let falling: Text = Box::new(|t| format!("{:.3} J\n", 900.0 + WATTS * t.rem_euclid(0.7)));
            failed(prints(effort, falling), "the counter went back from");
        }),
        check("command::a_missing_permission", denied),
    ]
}

fn joules(start_j: f64) -> Text {
    let truth = power(WATTS, 0.05);
    Box::new(move |t| format!("{:.3} J\n", start_j + truth.joules(0.0, t)))
}

/// A machine with these of the system's programs.
fn machine(programs: &[&str]) -> Machine {
    let machine = Machine::new();
    let folders: Vec<_> = std::env::split_paths(&std::env::var_os("PATH").expect("a search path")).collect();
    for name in programs {
        let found = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
        symlink(found.unwrap_or_else(|| panic!("the stubs need `{name}`")), machine.programs().join(name)).unwrap();
    }
    machine
}

/// A counter of the machine by a shell's script.
fn declared(script: &str, rest: &str) -> String {
    let meter = "[[command]]\nid = 'own'\nscope = 'node'\nserves = 'machine'\ninterval_s = 0.05\nlimit_s = 1\n";
    format!("{meter}argv = ['sh', '-c', '''{script}''']\npattern = '(?<value>\\S+) J'\nunit = 'J'\n{rest}\n")
}

/// A run on a machine whose tool prints this file, and hangs where it says so.
fn prints(effort: &str, text: Text) -> ResultRow {
    let machine = machine(&["sh"]);
    let file = machine.folder("tool").join("figure");
    let _motion = Motion::start(vec![(file.clone(), text)]);
    let script = "read -r line < \"$0\"; [ \"$line\" != hang ] || sleep 60; echo \"$line\"";
    machine.meters(&[], &declared(script, "").replace("''']", &format!("''', '{}']", file.display())));
    machine.row(effort)
}

/// A tool that writes numbers as its user's language does: the program asks it in none.
fn locale(effort: &str) -> ResultRow {
    let machine = machine(&["sh"]).with("LC_ALL", "de_DE.UTF-8").with("LANGUAGE", "de");
    let file = machine.folder("tool").join("figure");
    let _motion = Motion::start(vec![(file.clone(), joules(900.0))]);
    let script = "read -r line < \"$0\"; [ \"$LC_ALL$LANGUAGE\" = C ] || line=${line%.*},${line#*.}; echo \"$line\"";
    machine.meters(&[], &declared(script, "").replace("''']", &format!("''', '{}']", file.display())));
    machine.row(effort)
}

/// A run on a machine with a maker's tool, which prints this.
fn with_tool(effort: &str, name: &str, text: Text) -> ResultRow {
    let machine = Machine::new();
    tool(&machine.programs(), name);
    let output: PathBuf = machine.programs().join(format!("{name}.txt"));
    let _motion = Motion::start(vec![(output, text)]);
    machine.meters(&[], "");
    machine.row(effort)
}

/// Such tools are asked once a second and print few digits: what they print lies near the mean.
fn nearly(watts: f64, t: f64) -> f64 {
    watts + 0.1 * f64::from(u8::from(t.rem_euclid(0.23) < 0.115)) - 0.05
}

/// The second device has the chip's address.
fn hl_smi(effort: &str) {
    let address = chip::ADDRESS;
    let text: Text = Box::new(move |t| format!("0, 0000:19:00.0, 200 W\n1, {address}, {:.2} W\n", nearly(WATTS, t)));
    measured(with_tool(effort, "hl-smi", text), "hl-smi:1", WATTS);
}

fn ipmi(effort: &str) {
    let text: Text = Box::new(|t| {
        let power = nearly(640.0, t);
        format!("\n    Instantaneous power reading:              {power:.2} Watts\n    Minimum: 100 Watts\n")
    });
    measured(with_tool(effort, "ipmitool", text), "ipmi-dcmi", 640.0);
}

/// A tool that says itself what it may not do.
fn denied(effort: &str) {
    let machine = machine(&["sh"]);
    let script = "echo cannot open /dev/ipmi0: Permission denied >&2; exit 1";
    machine.meters(&[], &declared(script, "privilege = 'root'"));
    unavailable(machine.row(effort), &["command", "cannot open /dev/ipmi0: Permission denied", "it needs root"]);
}
