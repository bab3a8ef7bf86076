//! Joules through the program, `accelbench run … --json`, from meters whose truth is known: a library, trees of files, tools
//! and a controller that stand for a machine's. Each tells the joules that the stand-in defines; whatever is wrong with one
//! gives a status with its reason, and costs neither the run nor anybody a wrong joule.
//!
//! The trials wait most of the time, so many run at once. Where windows are to hold a fault that comes but once, they are
//! those of the full effort, and such a trial takes more than a minute.

#[cfg(unix)]
mod command;
#[cfg(unix)]
#[path = "../../backends/tests/fakes/mod.rs"]
mod fakes;
#[cfg(unix)]
mod hwmon;
#[cfg(unix)]
mod machine;
#[cfg(unix)]
mod motion;
#[cfg(unix)]
mod nvml;
#[cfg(unix)]
mod rapl;
#[cfg(unix)]
mod redfish;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

/// How many trials run at once. Each keeps a core busy for a tenth of its time.
const AT_ONCE: usize = 16;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    libtest_mimic::run(&arguments, trials()).exit_code()
}

/// Those of the full effort come first, since they last longest.
#[cfg(unix)]
fn trials() -> Vec<Trial> {
    let mut checks = [nvml::checks(), rapl::checks(), hwmon::checks(), command::checks(), redfish::checks()].concat();
    checks.sort_by_key(|check| check.effort == machine::QUICK);
    let trial = |check: Check| {
        Trial::test(check.name, move || {
            (check.run)(check.effort);
            Ok(())
        })
    };
    checks.into_iter().map(trial).collect()
}

/// The stand-ins are programs, links and libraries of Unix.
#[cfg(not(unix))]
fn trials() -> Vec<Trial> {
    Vec::new()
}

/// A trial: its name, how much time it gives to energy, and what fails by a panic.
#[cfg(unix)]
#[derive(Clone, Copy)]
struct Check {
    name: &'static str,
    effort: &'static str,
    run: fn(&'static str),
}
