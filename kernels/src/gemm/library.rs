//! GEMM by a library of the device: prepared with all sizes, so that a launch needs no parameter.

use super::GemmProblem;
use crate::Program;
use accelbench_backends::Caps;
use serde_json::json;

/// The device's libraries for this problem.
pub(super) fn names(problem: &GemmProblem, caps: &Caps) -> Vec<String> {
    if problem.precision.missing(caps).is_some() { Vec::new() } else { caps.libraries("gemm").to_vec() }
}

/// The program that calls the library `name`.
pub(super) fn program(name: &str, problem: &GemmProblem) -> Program {
    let arguments = json!({
        "m": problem.m, "n": problem.n, "k": problem.k,
        "trans_a": problem.trans_a, "trans_b": problem.trans_b,
        "storage": problem.precision.storage().name(),
        "accumulate": problem.precision.accumulate().name(),
    });
    crate::program::library(problem, name, arguments)
}
