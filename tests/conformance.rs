//! The conformance suite over the program's own backends and operations.

use accelbench::App;
use accelbench_tests::conformance;
use libtest_mimic::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let trials = conformance::trials(App::builtin());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
