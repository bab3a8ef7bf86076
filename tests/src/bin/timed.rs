//! The program with a backend whose times are made up.

use accelbench::App;
use accelbench_tests::timed;
use std::process::ExitCode;

fn main() -> ExitCode {
    accelbench::main_with(App { registry: timed::registry, meters: timed::meters, ..App::builtin() })
}
