//! The program `accelbench`: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    accelbench::main_with(accelbench::App::builtin())
}
