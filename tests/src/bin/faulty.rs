//! The program with the faulty backends: a backend from outside has every command, its worker processes included.

use accelbench::App;
use std::process::ExitCode;

fn main() -> ExitCode {
    accelbench::main_with(App { registry: accelbench_tests::faulty::registry, ..App::builtin() })
}
