//! GEMM by a library of the device: prepared with all sizes, so that a launch needs no parameter.

use super::{GemmPlan, GemmProblem};
use crate::{Program, program};
use accelbench_backends::Caps;
use serde_json::{Value, json};

/// The plans by libraries of this program, and by those of the machine.
pub(super) fn candidates(problem: &GemmProblem, caps: &Caps) -> [Vec<GemmPlan>; 2] {
    program::libraries(problem, caps, &arguments(problem))
        .map(|names| names.into_iter().map(GemmPlan::Library).collect())
}

/// The program that calls the library `name`.
pub(super) fn program(name: &str, problem: &GemmProblem) -> Program {
    program::library(problem, name, arguments(problem))
}

fn arguments(problem: &GemmProblem) -> Value {
    json!({
        "m": problem.m, "n": problem.n, "k": problem.k,
        "trans_a": problem.trans_a, "trans_b": problem.trans_b,
        "storage": problem.precision.storage().name(),
        "accumulate": problem.precision.accumulate().name(),
    })
}
