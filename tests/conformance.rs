//! The conformance suite over the program's own backends and operations.

use std::process::ExitCode;

fn main() -> ExitCode {
    accelbench_tests::conformance::builtin()
}
