//! The kernels in WGSL, see `coop.wgsl.j2`: blocks of A and B lie in local memory in the order of memory, for the loads of
//! matrices are told how lines run.

use super::CoopPlan;
use crate::gemm::GemmProblem;
use crate::gemm::blocks::Block;
use crate::gemm::single::{BINDINGS, PARAMS_BYTES};
use crate::gemm::tiled::Layout;
use crate::wgsl;
use accelbench_backends::{KernelSpec, Source};
use minijinja::context;

const WGSL: &str = concat!(
    "enable wgpu_cooperative_matrix;\n",
    include_str!("../operands.wgsl.j2"),
    include_str!("../blocks.wgsl.j2"),
    include_str!("../coop.wgsl.j2")
);

/// Elements of a load, of a store, and of a vector in local memory.
const QUAD: u32 = 4;

/// Quads of padding after a line of a block: 16 bytes, which keep the rows of a matrix in different banks and aligned
/// as the extension wants them.
const PADDING: u32 = 2;

/// The blocks of A and B: in local memory they lie as in memory, line by line.
fn staged(plan: &CoopPlan, problem: &GemmProblem) -> [Block; 2] {
    let Layout { along_side, wide } = problem.into();
    let block = |matrix, along_side, wide, side| {
        let (slot, run) = if along_side { (QUAD, 1) } else { (1, QUAD) };
        Block { matrix, along_side, wide, side, depth: plan.tile_k, slot, neighbours: true, run }
    };
    [block("a", along_side[0], wide[0], plan.tile_m), block("b", along_side[1], wide[1], plan.tile_n)]
}

/// The blocks, and a matrix of results for every sub-group.
pub(super) fn local_bytes(plan: &CoopPlan, problem: &GemmProblem) -> u64 {
    let precision = problem.precision;
    let quads = staged(plan, problem).map(|block| block.pieces() / block.line() * (block.line() + PADDING));
    let blocks = u64::from(plan.blocks * (quads[0] + quads[1]) * QUAD) * precision.storage().bytes();
    let results = u64::from(plan.threads() / plan.instruction.subgroup * plan.instruction.m * plan.instruction.n);
    blocks + results * precision.accumulate().bytes()
}

/// Whether the work-items share the blocks evenly, and places in memory are numbers of 32 bits.
pub(super) fn takes(plan: &CoopPlan, problem: &GemmProblem) -> bool {
    staged(plan, problem).iter().all(|block| block.is_shared_by(plan.threads()))
        && problem.elements().iter().all(|&elements| elements < 1 << 32)
}

pub(super) fn kernel(plan: &CoopPlan, problem: &GemmProblem) -> KernelSpec {
    KernelSpec {
        source: Source::Wgsl(text(plan, problem).into()),
        entry: "gemm_coop".to_owned(),
        defines: Vec::new(),
        group: [plan.threads(), 1, 1],
        shared_bytes: 0,
        bindings: BINDINGS.to_vec(),
        params_bytes: PARAMS_BYTES,
    }
}

fn text(plan: &CoopPlan, problem: &GemmProblem) -> String {
    let [block_a, block_b] = staged(plan, problem).map(|block| block.terms());
    let [wide_a, wide_b, wide_c] = Layout::from(problem).wide;
    let storage = problem.precision.storage().name();
    let values = context! {
        tile_m => plan.tile_m, tile_n => plan.tile_n, tile_k => plan.tile_k,
        part_m => plan.part_m, part_n => plan.part_n, blocks => plan.blocks,
        side => plan.instruction.m, subgroup => plan.instruction.subgroup, threads => plan.threads(), padding => PADDING,
        trans_a => problem.trans_a, trans_b => problem.trans_b,
        block_a, block_b, wide_a, wide_b, wide_c,
        storage, staged => storage, vector => format!("vec4<{storage}>"),
        accumulate => problem.precision.accumulate().name(),
    };
    wgsl::render("coop.wgsl.j2", WGSL, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Precision;
    use crate::testing::{self, MULTIPLY_MATRICES};

    const FORMS: &str = "16x16x16 f16 f32, 16x16x16 f16 f16";

    fn problem(precision: Precision, [m, n, k]: [u32; 3], trans_a: bool, trans_b: bool) -> GemmProblem {
        GemmProblem { precision, m, n, k, trans_a, trans_b }
    }

    /// Every layout, with rows that start at multiples of 4 elements and with others.
    fn problems() -> impl Iterator<Item = GemmProblem> {
        let trans = [(false, false), (false, true), (true, false), (true, true)];
        trans.into_iter().flat_map(|(trans_a, trans_b)| {
            [[512; 3], [509; 3]].map(|sizes| problem(Precision::F16, sizes, trans_a, trans_b))
        })
    }

    /// Checks a plan's source as a driver gets it; each round along k multiplies every pair of matrices once.
    fn check(plan: &CoopPlan, problem: &GemmProblem) {
        let source = text(plan, problem);
        assert!(!source.contains("{{") && source == text(plan, problem));
        let words = testing::spirv(&source);
        let side = plan.instruction.m;
        let products = plan.part_m / side * (plan.part_n / side) * (plan.tile_k / side);
        let what = format!("{} {problem:?}", plan.name());
        assert_eq!(testing::count_instructions(&words, MULTIPLY_MATRICES), products as usize, "{what}");
    }

    #[test]
    fn the_ladder_translates_for_every_layout() {
        for forms in [FORMS, "8x8x8 f16 f32"] {
            let caps = testing::cooperative(forms);
            for problem in problems() {
                let plans = CoopPlan::candidates(&problem, &caps);
                assert_eq!(plans.len(), CoopPlan::LADDER.len(), "{problem:?}");
                for plan in &plans {
                    check(plan, &problem);
                }
            }
        }
    }

    #[test]
    fn sums_in_halves_translate() {
        let problem = problem(Precision::F16Acc16, [512; 3], false, false);
        let plans = CoopPlan::candidates(&problem, &testing::cooperative(FORMS));
        assert!(!plans.is_empty());
        for plan in &plans {
            check(plan, &problem);
        }
    }

    #[test]
    fn the_space_translates() {
        let caps = testing::cooperative(FORMS);
        for problem in [problem(Precision::F16, [512; 3], false, false), problem(Precision::F16, [509; 3], true, true)]
        {
            let space = CoopPlan::space(&problem, &caps);
            assert!(CoopPlan::candidates(&problem, &caps).iter().all(|plan| space.contains(plan)));
            // One in seven: all would take long.
            for plan in space.iter().step_by(7) {
                check(plan, &problem);
            }
        }
    }

    #[test]
    fn declared_local_memory_is_what_a_plan_counts_on() {
        for problem in problems() {
            for plan in CoopPlan::candidates(&problem, &testing::cooperative(FORMS)) {
                let source = text(&plan, &problem);
                let declared: u64 = source
                    .lines()
                    .filter_map(|line| line.strip_prefix("var<workgroup> ")?.split_once("array<vec4<"))
                    .map(|(_, array)| {
                        let (real, length) = array.trim_end_matches(">;").split_once(">, ").expect("an array");
                        let bytes = if real == "f16" { 2 } else { 4 };
                        length.parse::<u64>().expect("a length") * u64::from(QUAD) * bytes
                    })
                    .sum();
                assert_eq!(declared, local_bytes(&plan, &problem), "{} {problem:?}", plan.name());
            }
        }
    }
}
