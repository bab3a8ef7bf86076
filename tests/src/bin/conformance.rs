//! The same as the test `conformance`, as a program that can be carried to a machine without a toolchain.

use std::process::ExitCode;

fn main() -> ExitCode {
    accelbench_tests::conformance::builtin()
}
