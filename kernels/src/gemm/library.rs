//! GEMM by a library of the device: prepared with all sizes, so that a launch needs no parameter.

use super::GemmProblem;
use super::single::{BINDINGS, single};
use crate::Program;
use accelbench_backends::{Caps, KernelSpec, LibraryCall, Source};
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
    let kernel = KernelSpec {
        source: Source::Library(LibraryCall {
            library: name.to_owned(),
            function: "gemm".to_owned(),
            arguments: arguments.as_object().cloned().unwrap_or_default(),
        }),
        entry: "gemm".to_owned(),
        defines: Vec::new(),
        group: [1, 1, 1],
        shared_bytes: 0,
        bindings: BINDINGS.to_vec(),
        params_bytes: 0,
    };
    single(problem, kernel, [1, 1, 1])
}
