//! GEMM of halves on matrix units in WGSL: sub-groups multiply square matrices together, by the extension
//! `wgpu_cooperative_matrix`. Blocks of A and B are staged in local memory in the order of memory, see `coop.wgsl.j2`.

use super::GemmProblem;
use super::blocks::Block;
use super::plan::preferred_first;
use super::single::{BINDINGS, PARAMS_BYTES, single};
use super::tiled::{Layout, Products};
use crate::demand::reuse;
use crate::program::fold_grid;
use crate::space::grid;
use crate::wgsl::{self, Cooperative};
use crate::{Demand, Precision, Program};
use accelbench_backends::{Caps, KernelSpec, Source};
use minijinja::context;

const WGSL: &str = concat!(
    "enable wgpu_cooperative_matrix;\n",
    include_str!("operands.wgsl.j2"),
    include_str!("blocks.wgsl.j2"),
    include_str!("coop.wgsl.j2")
);

/// Elements of a load, of a store, and of a vector in local memory.
const QUAD: u32 = 4;

/// Quads of padding after a line of a block: 16 bytes, which keep the rows of a matrix in different banks and aligned
/// as the extension wants them.
const PADDING: u32 = 2;

/// Bytes of a work-item's sums, at most: half of the registers of most devices, and as much as others have.
const SUMS_BYTES: u32 = 512;

/// Compute units of a device that does not tell: those with matrix units are large.
const UNITS: u32 = 64;

/// The sizes of a GEMM by sub-groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CoopPlan {
    /// Rows of C for a work-group.
    pub tile_m: u32,
    /// Columns of C for a work-group.
    pub tile_n: u32,
    /// Length of the staged part of the sums.
    pub tile_k: u32,
    /// Rows of C for a sub-group.
    pub part_m: u32,
    /// Columns of C for a sub-group.
    pub part_n: u32,
    /// Blocks of A and of B in local memory: of two, one is written while the other one is read.
    pub blocks: u32,
    /// Rows and columns of the matrices that a sub-group multiplies.
    pub side: u32,
    /// Work-items of a sub-group.
    pub subgroup: u32,
}

impl CoopPlan {
    /// Tiles, parts and blocks, from large tiles to small.
    const LADDER: [[u32; 6]; 5] = [
        [128, 256, 32, 64, 64, 1],
        [128, 128, 32, 64, 64, 2],
        [128, 128, 32, 64, 32, 1],
        [64, 64, 32, 32, 32, 2],
        [32, 32, 32, 16, 16, 2],
    ];

    const fn new([tile_m, tile_n, tile_k, part_m, part_n, blocks]: [u32; 6], matrices: Cooperative) -> Self {
        let Cooperative { side, subgroup } = matrices;
        Self { tile_m, tile_n, tile_k, part_m, part_n, blocks, side, subgroup }
    }

    /// The valid plans, the preferred one first: the largest tile that still gives every compute unit one.
    pub fn candidates(problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        let valid = Self::of_sizes(Self::LADDER.into_iter(), problem, caps);
        let units = u64::from(caps.compute_units.unwrap_or(UNITS));
        preferred_first(valid, |plan| plan.tiles(problem) >= units)
    }

    /// All valid plans.
    pub(super) fn space(problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        let (tiles, parts) = ([32, 64, 128, 256], [16, 32, 64, 128]);
        Self::of_sizes(grid([&tiles, &tiles, &[16, 32, 64], &parts, &parts, &[1, 2]]), problem, caps)
    }

    /// The valid ones of these sizes.
    fn of_sizes(sizes: impl Iterator<Item = [u32; 6]>, problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        // The matrices of A and B are halves wherever there are such units.
        let halves = matches!(problem.precision, Precision::F16 | Precision::F16Acc16);
        let Some(matrices) = wgsl::cooperative(problem.precision, caps).filter(|_| halves) else {
            return Vec::new();
        };
        sizes.map(|sizes| Self::new(sizes, matrices)).filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// The sizes in the order of the name.
    pub(crate) fn sizes(&self) -> Vec<u32> {
        vec![self.tile_m, self.tile_n, self.tile_k, self.part_m, self.part_n, self.blocks]
    }

    /// What it asks of a device for such a problem.
    pub(crate) fn demand(&self, problem: &GemmProblem) -> Demand {
        let products: Products = problem.into();
        let tiles = Demand::of_tiles(&products, self.tile_m, self.tile_n, reuse(self.part_m, self.part_n));
        Demand { local_bytes: self.local_bytes(problem), ..tiles }
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        let Self { tile_m, tile_n, tile_k, part_m, part_n, blocks, .. } = self;
        format!("coop-{tile_m}x{tile_n}x{tile_k}-{part_m}x{part_n}-{blocks}")
    }

    /// Work-items of a work-group.
    fn threads(&self) -> u32 {
        self.tile_m / self.part_m * (self.tile_n / self.part_n) * self.subgroup
    }

    fn tiles(&self, problem: &GemmProblem) -> u64 {
        u64::from(problem.m.div_ceil(self.tile_m)) * u64::from(problem.n.div_ceil(self.tile_n))
    }

    /// The blocks of A and B: in local memory they lie as in memory, line by line.
    fn staged(&self, problem: &GemmProblem) -> [Block; 2] {
        let Layout { along_side, wide } = problem.into();
        let block = |matrix, along_side, wide, side| {
            let (slot, run) = if along_side { (QUAD, 1) } else { (1, QUAD) };
            Block { matrix, along_side, wide, side, depth: self.tile_k, slot, neighbours: true, run }
        };
        [block("a", along_side[0], wide[0], self.tile_m), block("b", along_side[1], wide[1], self.tile_n)]
    }

    /// Local memory of a work-group, in bytes: the blocks, and a matrix of results for every sub-group.
    fn local_bytes(&self, problem: &GemmProblem) -> u64 {
        let precision = problem.precision;
        let quads = self.staged(problem).map(|block| block.pieces() / block.line() * (block.line() + PADDING));
        let blocks = u64::from(self.blocks * (quads[0] + quads[1]) * QUAD) * precision.storage().bytes();
        let results = u64::from(self.threads() / self.subgroup * self.side * self.side);
        blocks + results * precision.accumulate().bytes()
    }

    fn valid(&self, problem: &GemmProblem, caps: &Caps) -> bool {
        let &Self { tile_m, tile_n, tile_k, part_m, part_n, side, subgroup, .. } = self;
        let divides = |whole: u32, part: u32| whole.is_multiple_of(part);
        let fits_together = divides(tile_m, part_m)
            && divides(tile_n, part_n)
            && [part_m, part_n, tile_k].into_iter().all(|length| divides(length, side));
        if !fits_together {
            return false;
        }
        let threads = self.threads();
        let sums = part_m * part_n / subgroup * problem.precision.accumulate().bytes() as u32;
        // What is under way to local memory is in registers, too.
        let fetched = (tile_m + tile_n) * tile_k / threads * problem.precision.storage().bytes() as u32;
        threads <= caps.max_group_items
            && threads <= caps.max_group[0]
            && sums <= SUMS_BYTES
            && fetched <= SUMS_BYTES / 4
            && self.staged(problem).iter().all(|block| block.is_shared_by(threads))
            && self.local_bytes(problem) <= caps.local_bytes
            && fold_grid(self.tiles(problem), caps.max_grid[0])[1] <= caps.max_grid[1]
            && problem.elements().iter().all(|&elements| elements < 1 << 32)
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `m`, `n`, `k` and a 0, each 32 bits. Buffers: A, B, C.
    pub fn program(&self, problem: &GemmProblem, caps: &Caps) -> Program {
        let kernel = KernelSpec {
            source: Source::Wgsl(self.wgsl(problem).into()),
            entry: "gemm_coop".to_owned(),
            defines: Vec::new(),
            group: [self.threads(), 1, 1],
            shared_bytes: 0,
            bindings: BINDINGS.to_vec(),
            params_bytes: PARAMS_BYTES,
        };
        single(problem, kernel, fold_grid(self.tiles(problem), caps.max_grid[0]))
    }

    fn wgsl(&self, problem: &GemmProblem) -> String {
        let [block_a, block_b] = self.staged(problem).map(|block| block.terms());
        let [wide_a, wide_b, wide_c] = Layout::from(problem).wide;
        let storage = problem.precision.storage().name();
        let values = context! {
            tile_m => self.tile_m, tile_n => self.tile_n, tile_k => self.tile_k,
            part_m => self.part_m, part_n => self.part_n, blocks => self.blocks,
            side => self.side, subgroup => self.subgroup, threads => self.threads(), padding => PADDING,
            trans_a => problem.trans_a, trans_b => problem.trans_b,
            block_a, block_b, wide_a, wide_b, wide_c,
            storage, staged => storage, vector => format!("vec4<{storage}>"),
            accumulate => problem.precision.accumulate().name(),
        };
        wgsl::render("coop.wgsl.j2", WGSL, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::plan;
    use crate::testing::{self, MULTIPLY_MATRICES};
    use crate::{Unit, bound::TypedPlan};

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
        let source = plan.wgsl(problem);
        assert!(!source.contains("{{") && source == plan.wgsl(problem));
        let words = testing::spirv(&source);
        let products = plan.part_m / plan.side * (plan.part_n / plan.side) * (plan.tile_k / plan.side);
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
                let source = plan.wgsl(&problem);
                let declared: u64 = source
                    .lines()
                    .filter_map(|line| line.strip_prefix("var<workgroup> ")?.split_once("array<vec4<"))
                    .map(|(_, array)| {
                        let (real, length) = array.trim_end_matches(">;").split_once(">, ").expect("an array");
                        let bytes = if real == "f16" { 2 } else { 4 };
                        length.parse::<u64>().expect("a length") * u64::from(QUAD) * bytes
                    })
                    .sum();
                assert_eq!(declared, plan.local_bytes(&problem), "{} {problem:?}", plan.name());
            }
        }
    }

    #[test]
    fn large_products_prefer_matrix_units_and_others_have_none() {
        let caps = testing::cooperative(FORMS);
        let large = problem(Precision::F16, [4096; 3], false, false);
        let plans = plan::candidates(&large, &caps);
        assert_eq!(plans[0].name(), "coop-128x256x32-64x64-1");
        assert_eq!(plans[0].unit(), Unit::Matrix);
        let single = GemmProblem { precision: Precision::F32, ..large };
        assert!(CoopPlan::candidates(&single, &caps).is_empty());
        assert!(CoopPlan::space(&large, &testing::cooperative("16x16x16 f16 f16")).is_empty());
        let small = CoopPlan::candidates(&problem(Precision::F16, [128; 3], false, false), &caps);
        assert_eq!(small[0].name(), "coop-32x32x32-16x16-2");
    }
}
