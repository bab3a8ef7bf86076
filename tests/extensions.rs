//! The examples of a backend and an operation from outside the project, through the conformance suite.

#[path = "examples/add_backend.rs"]
#[allow(dead_code)] // An example's own `main`.
mod add_backend;
#[path = "examples/add_operation.rs"]
#[allow(dead_code)]
mod add_operation;

use accelbench_tests::conformance::trials;
use libtest_mimic::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let trials = [add_backend::app(), add_operation::app()].into_iter().flat_map(trials).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
