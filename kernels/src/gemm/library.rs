//! GEMM by a library of the device: prepared with all sizes, so that a launch needs no parameter.

use super::GemmProblem;
use crate::{BufferRole, BufferSpec, LaunchSpec, Program};
use accelbench_backends::{Access, Caps, KernelSpec, LibraryCall, Source};
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
    let [a, b, c] = problem.bytes();
    Program {
        buffers: vec![
            BufferSpec { role: BufferRole::Input(0), bytes: a },
            BufferSpec { role: BufferRole::Input(1), bytes: b },
            BufferSpec { role: BufferRole::Output, bytes: c },
        ],
        kernels: vec![KernelSpec {
            source: Source::Library(LibraryCall {
                library: name.to_owned(),
                function: "gemm".to_owned(),
                arguments: arguments.as_object().cloned().unwrap_or_default(),
            }),
            entry: "gemm".to_owned(),
            defines: Vec::new(),
            group: [1, 1, 1],
            shared_bytes: 0,
            bindings: vec![Access::Read, Access::Read, Access::Write],
            params_bytes: 0,
        }],
        launches: vec![LaunchSpec { kernel: 0, buffers: vec![0, 1, 2], grid: [1, 1, 1], params: Vec::new() }],
    }
}
