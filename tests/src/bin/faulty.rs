//! The program with the faulty backends and probes: what comes from outside has every command, its worker processes
//! included.

use accelbench::App;
use accelbench_tests::faulty;
use std::process::ExitCode;

fn main() -> ExitCode {
    accelbench::main_with(App { registry: faulty::registry, probes: faulty::probes, ..App::builtin() })
}
