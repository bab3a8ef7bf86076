//! The program with its own backends and operations, under a path that tests know.

use std::process::ExitCode;

fn main() -> ExitCode {
    accelbench::main_with(accelbench::App::builtin())
}
