//! GEMM of halves on matrix units that a sub-group's work-items share: they multiply matrices together, in WGSL by the
//! extension `wgpu_cooperative_matrix`, in OpenCL C by the instruction that the device has. Blocks of A and B are staged in
//! local memory, where the next ones arrive while these are multiplied.

mod opencl;
mod wgsl;

use super::GemmProblem;
use super::plan::preferred_first;
use super::single::single;
use super::tiled::Products;
use crate::cooperative::Cooperative;
use crate::demand::reuse;
use crate::program::fold_grid;
use crate::space::grid;
use crate::{Demand, Precision, Program};
use accelbench_backends::cooperative::Instruction;
use accelbench_backends::{Caps, Language};

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
    /// The matrices that a sub-group multiplies, and its size.
    pub instruction: Instruction,
    language: Language,
}

impl CoopPlan {
    /// Tiles, parts and blocks in WGSL, from large tiles to small.
    const LADDER: [[u32; 6]; 5] = [
        [128, 256, 32, 64, 64, 1],
        [128, 128, 32, 64, 64, 2],
        [128, 128, 32, 64, 32, 1],
        [64, 64, 32, 32, 32, 2],
        [32, 32, 32, 16, 16, 2],
    ];

    /// The same in OpenCL C, where instructions differ in how large a part they have registers for.
    const LADDER_OF_INSTRUCTIONS: [[u32; 6]; 8] = [
        [128, 128, 32, 64, 64, 2],
        [128, 128, 32, 64, 32, 2],
        [128, 128, 32, 32, 32, 2],
        [128, 128, 32, 32, 16, 2],
        [64, 64, 32, 32, 32, 2],
        [64, 64, 16, 32, 16, 2],
        [32, 32, 32, 16, 16, 2],
        [32, 32, 16, 16, 16, 2],
    ];

    const fn new([tile_m, tile_n, tile_k, part_m, part_n, blocks]: [u32; 6], matrices: Cooperative) -> Self {
        let Cooperative { instruction, language } = matrices;
        Self { tile_m, tile_n, tile_k, part_m, part_n, blocks, instruction, language }
    }

    /// The valid plans, the preferred one first: the largest tile that still gives every compute unit one.
    pub fn candidates(problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        let ladder = if caps.speaks(Language::OpenClC) { &Self::LADDER_OF_INSTRUCTIONS[..] } else { &Self::LADDER };
        let valid = Self::of_sizes(ladder.iter().copied(), problem, caps);
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
        let Some(matrices) = Cooperative::of(problem.precision, caps).filter(|_| halves) else {
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
        self.tile_m / self.part_m * (self.tile_n / self.part_n) * self.instruction.subgroup
    }

    fn tiles(&self, problem: &GemmProblem) -> u64 {
        u64::from(problem.m.div_ceil(self.tile_m)) * u64::from(problem.n.div_ceil(self.tile_n))
    }

    /// Local memory of a work-group, in bytes.
    fn local_bytes(&self, problem: &GemmProblem) -> u64 {
        match self.language {
            Language::OpenClC => opencl::local_bytes(self),
            _ => wgsl::local_bytes(self, problem),
        }
    }

    fn valid(&self, problem: &GemmProblem, caps: &Caps) -> bool {
        let &Self { tile_m, tile_n, tile_k, part_m, part_n, instruction, .. } = self;
        let divides = |whole: u32, part: u32| whole.is_multiple_of(part);
        let fits_together = divides(tile_m, part_m)
            && divides(tile_n, part_n)
            && divides(part_m, instruction.m)
            && divides(part_n, instruction.n)
            && divides(tile_k, instruction.k);
        if !fits_together {
            return false;
        }
        let threads = self.threads();
        let sums = part_m * part_n / instruction.subgroup * problem.precision.accumulate().bytes() as u32;
        // What is under way to local memory is in registers, too.
        let fetched = (tile_m + tile_n) * tile_k / threads * problem.precision.storage().bytes() as u32;
        threads <= caps.max_group_items
            && threads <= caps.max_group[0]
            && sums <= instruction.sums_bytes
            && fetched <= instruction.sums_bytes / 4
            && (self.language == Language::OpenClC || wgsl::takes(self, problem))
            && self.local_bytes(problem) <= caps.local_bytes
            && fold_grid(self.tiles(problem), caps.max_grid[0])[1] <= caps.max_grid[1]
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `m`, `n`, `k` and a 0, each 32 bits. Buffers: A, B, C.
    pub fn program(&self, problem: &GemmProblem, caps: &Caps) -> Program {
        let kernel = match self.language {
            Language::OpenClC => opencl::kernel(self, problem),
            _ => wgsl::kernel(self, problem),
        };
        single(problem, kernel, fold_grid(self.tiles(problem), caps.max_grid[0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::plan;
    use crate::testing;
    use crate::{Unit, bound::TypedPlan};
    use accelbench_backends::cooperative::INSTRUCTIONS;

    fn problem(precision: Precision, [m, n, k]: [u32; 3]) -> GemmProblem {
        GemmProblem { precision, m, n, k, trans_a: false, trans_b: false }
    }

    #[test]
    fn large_products_prefer_matrix_units_and_others_have_none() {
        let caps = testing::cooperative("16x16x16 f16 f32, 16x16x16 f16 f16");
        let large = problem(Precision::F16, [4096; 3]);
        let plans = plan::candidates(&large, &caps);
        assert_eq!(plans[0].name(), "coop-128x256x32-64x64-1");
        assert_eq!(plans[0].unit(), Unit::Matrix);
        let single = GemmProblem { precision: Precision::F32, ..large };
        assert!(CoopPlan::candidates(&single, &caps).is_empty());
        assert!(CoopPlan::space(&large, &testing::cooperative("16x16x16 f16 f16")).is_empty());
        let small = CoopPlan::candidates(&problem(Precision::F16, [128; 3]), &caps);
        assert_eq!(small[0].name(), "coop-32x32x32-16x16-2");
    }

    #[test]
    fn every_instruction_of_opencl_has_plans_that_its_registers_hold() {
        for instruction in INSTRUCTIONS {
            let caps = testing::instructed(instruction);
            let large = problem(Precision::F16, [4096; 3]);
            let plans = CoopPlan::candidates(&large, &caps);
            let first = plans.first().unwrap_or_else(|| panic!("{instruction}"));
            let sums = first.part_m * first.part_n / instruction.subgroup * 4;
            assert!(first.tile_m == 128 && (256..=instruction.sums_bytes).contains(&sums), "{instruction}: {first:?}");
            assert!(CoopPlan::space(&large, &caps).len() > 3 * plans.len());
            assert!(CoopPlan::candidates(&problem(Precision::F16Acc16, [4096; 3]), &caps).is_empty());
        }
    }
}
