//! What the plans of one kernel and one launch have in common.

use super::GemmProblem;
use crate::{BufferRole, BufferSpec, LaunchSpec, Program};
use accelbench_backends::{Access, KernelSpec};

/// A, B and C.
pub(super) const BINDINGS: [Access; 3] = [Access::Read, Access::Read, Access::Write];

/// Bytes of [`params`].
pub(super) const PARAMS_BYTES: u32 = 16;

/// The parameter block of every GEMM kernel: `m`, `n`, `k` and a 0, each 32 bits.
pub(super) fn params(problem: &GemmProblem) -> Vec<u8> {
    bytemuck::bytes_of(&[problem.m, problem.n, problem.k, 0]).to_vec()
}

/// The buffers of A, B and C.
pub(super) fn buffers(problem: &GemmProblem) -> Vec<BufferSpec> {
    let roles = [BufferRole::Input(0), BufferRole::Input(1), BufferRole::Output];
    roles.into_iter().zip(problem.bytes()).map(|(role, bytes)| BufferSpec { role, bytes }).collect()
}

/// The program that launches one kernel once over A, B and C.
pub(super) fn single(problem: &GemmProblem, kernel: KernelSpec, grid: [u32; 3]) -> Program {
    let params = if kernel.params_bytes == 0 { Vec::new() } else { params(problem) };
    Program {
        buffers: buffers(problem),
        kernels: vec![kernel],
        launches: vec![LaunchSpec { kernel: 0, buffers: vec![0, 1, 2], grid, params }],
    }
}
