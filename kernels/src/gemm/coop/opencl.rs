//! The kernels in OpenCL C, see `coop.cl`: blocks are staged as the instructions of `accelbench_backends::cooperative` read
//! them.

use super::CoopPlan;
use crate::gemm::GemmProblem;
use crate::gemm::single::{BINDINGS, PARAMS_BYTES};
use crate::program;
use accelbench_backends::cooperative;
use accelbench_backends::{KernelSpec, Source};

const KERNEL: &str = concat!(include_str!("../bands.cl"), include_str!("../coop.cl"));

/// Halves behind a line of a block: 16 bytes.
const PADDING: u32 = 8;

/// The blocks: rows of A and columns of B.
pub(super) fn local_bytes(plan: &CoopPlan) -> u64 {
    u64::from(plan.blocks * (plan.tile_m + plan.tile_n) * (plan.tile_k + PADDING)) * 2
}

pub(super) fn kernel(plan: &CoopPlan, problem: &GemmProblem) -> KernelSpec {
    // Copies of 16 bytes need lines that start at multiples of them.
    let wide = |line: u32| u32::from(line.is_multiple_of(8));
    let defines = [
        ("TILE_M", plan.tile_m),
        ("TILE_N", plan.tile_n),
        ("TILE_K", plan.tile_k),
        ("PART_M", plan.part_m),
        ("PART_N", plan.part_n),
        ("BLOCKS", plan.blocks),
        ("PADDING", PADDING),
        ("TRANS_A", problem.trans_a.into()),
        ("TRANS_B", problem.trans_b.into()),
        ("WIDE_A", wide(if problem.trans_a { problem.m } else { problem.k })),
        ("WIDE_B", wide(if problem.trans_b { problem.k } else { problem.n })),
    ];
    KernelSpec {
        source: Source::OpenClC([cooperative::OPENCL, KERNEL].concat().into()),
        entry: "gemm_coop".to_owned(),
        defines: program::defines(defines.into_iter().chain(plan.instruction.defines())),
        group: [plan.threads(), 1, 1],
        shared_bytes: 0,
        bindings: BINDINGS.to_vec(),
        params_bytes: PARAMS_BYTES,
    }
}
