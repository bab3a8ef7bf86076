//! What the plans of one kernel and one launch have in common.

use super::GemmProblem;
use crate::{Program, program};
use accelbench_backends::{Access, KernelSpec};

/// A, B and C.
pub(super) const BINDINGS: [Access; 3] = [Access::Read, Access::Read, Access::Write];

/// Bytes of [`params`].
pub(super) const PARAMS_BYTES: u32 = 16;

/// The parameter block of every GEMM kernel: `m`, `n`, `k` and a 0, each 32 bits.
pub(super) fn params(problem: &GemmProblem) -> Vec<u8> {
    bytemuck::bytes_of(&[problem.m, problem.n, problem.k, 0]).to_vec()
}

/// The program that launches one kernel once over A, B and C.
pub(super) fn single(problem: &GemmProblem, kernel: KernelSpec, grid: [u32; 3]) -> Program {
    program::single(problem, kernel, grid, params(problem))
}
