//! GEMM by dot products for CPUs: few rows of A by a transposed B, as a linear layer has them that makes one token at a time.
//!
//! To copy B into panels would take longer than so few products: its rows are read once, as they lie, and the device's memory
//! bounds the rate. One work-item a work-group, as in `packed`.

use super::GemmProblem;
use super::packed::{GROUPS_PER_UNIT, has_32_registers, takes_vectors, vector_width, vector_widths};
use super::single::{BINDINGS, PARAMS_BYTES, single};
use super::tiled::precision_define;
use crate::demand::reuse;
use crate::program::{defines, fold_grid};
use crate::space::grid;
use crate::{Demand, Program};
use accelbench_backends::{Caps, KernelSpec, Source};
use std::cmp::Reverse;

const OPENCL: &str = concat!(
    include_str!("../types.cl"),
    include_str!("../vectors.cl"),
    include_str!("../tile.cl"),
    include_str!("dots.cl")
);

/// Rows of A up to which they are few: from there on panels, which are read faster, are worth their copies.
const FEW_ROWS: u32 = 192;
/// Elements along k for each row of A, at least: else sums of vectors' elements take longer than copies do.
const DEPTH_A_ROW: u32 = 8;

/// The sizes of a GEMM by dot products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DotsPlan {
    /// Rows of A for a tile.
    pub rows: u32,
    /// Rows of B, which are columns of C, for a tile.
    pub columns: u32,
    /// Elements of a vector along k.
    pub width: u32,
}

impl DotsPlan {
    /// Whether this is faster than copies into panels.
    pub(super) fn suits(problem: &GemmProblem) -> bool {
        problem.m <= FEW_ROWS && problem.m * DEPTH_A_ROW <= problem.k
    }

    /// The valid plans, the preferred one first.
    pub fn candidates(problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        let sum = problem.precision.accumulate();
        let native = vector_width(sum, caps);
        let tiles: &[(u32, u32)] =
            if has_32_registers(native, sum) { &[(4, 6), (3, 8), (2, 12), (1, 8)] } else { &[(2, 6), (1, 8)] };
        let mut plans = Self::all(problem, caps);
        plans.retain(|plan| plan.width == native && tiles.contains(&(plan.rows, plan.columns)));
        // Rows that are computed, there or not, and how often B is read.
        let m = problem.m;
        plans.sort_by_key(|plan| (m.next_multiple_of(plan.rows) + m.div_ceil(plan.rows), Reverse(plan.rows)));
        plans
    }

    /// All valid plans: tiles that 32 registers hold beside what is multiplied.
    pub(super) fn all(problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        if problem.trans_a || !problem.trans_b || !takes_vectors(problem.precision, caps) {
            return Vec::new();
        }
        let native = vector_width(problem.precision.accumulate(), caps);
        let widths = vector_widths(native);
        let plans = grid([&[1, 2, 3, 4], &[4, 6, 8, 12], &widths]);
        let plans = plans.map(|[rows, columns, width]| Self { rows, columns, width });
        plans
            .filter(|plan| (plan.rows * (plan.columns + 1) + 1) * plan.width.div_ceil(native) <= 32)
            .filter(|plan| fold_grid(plan.tiles(problem), caps.max_grid[0])[1] <= caps.max_grid[1])
            .collect()
    }

    /// The sizes in the order of the name.
    pub(super) fn sizes(&self) -> Vec<u32> {
        vec![self.rows, self.columns, self.width]
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        format!("dots-{}x{}x{}", self.rows, self.columns, self.width)
    }

    fn tiles(&self, problem: &GemmProblem) -> u64 {
        u64::from(problem.m.div_ceil(self.rows)) * u64::from(problem.n.div_ceil(self.columns))
    }

    /// What it asks of a device.
    pub(super) fn demand(&self, problem: &GemmProblem) -> Demand {
        Demand::of_tiles(&problem.into(), self.rows, self.columns, reuse(self.rows, self.columns))
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `m`, `n`, `k` and a 0, each 32 bits. Buffers: A, B, C.
    pub fn program(&self, problem: &GemmProblem, caps: &Caps) -> Program {
        let kernel = KernelSpec {
            source: Source::OpenClC(OPENCL.into()),
            entry: "gemm_dots".to_owned(),
            defines: defines([
                ("ROWS", self.columns),
                ("VECTORS", self.rows),
                ("WIDTH", self.width),
                (precision_define(problem.precision), 1),
            ]),
            group: [1, 1, 1],
            shared_bytes: 0,
            bindings: BINDINGS.to_vec(),
            params_bytes: PARAMS_BYTES,
        };
        let groups = GROUPS_PER_UNIT * u64::from(caps.compute_units.unwrap_or(1));
        single(problem, kernel, fold_grid(self.tiles(problem).min(groups), caps.max_grid[0]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan;
    use super::*;
    use crate::bound::TypedPlan;
    use crate::{Precision, testing};
    use accelbench_backends::{DType, DeviceKind, Language};
    use std::collections::{BTreeMap, BTreeSet};

    fn cpu() -> Caps {
        Caps {
            compute: BTreeSet::from([DType::F32]),
            facts: BTreeMap::from([("native-vector-f32".to_owned(), "16".to_owned())]),
            ..testing::caps(DeviceKind::Cpu, Language::OpenClC)
        }
    }

    fn problem(m: u32, k: u32, trans: &str) -> GemmProblem {
        let (trans_a, trans_b) = (trans.starts_with('t'), trans.ends_with('t'));
        GemmProblem { precision: Precision::F32, m, n: 4096, k, trans_a, trans_b }
    }

    fn first(m: u32, k: u32, trans: &str) -> String {
        plan::candidates(&problem(m, k, trans), &cpu())[0].name()
    }

    #[test]
    fn few_rows_by_a_transposed_matrix_are_dot_products() {
        assert_eq!(first(1, 4096, "nt"), "dots-1x8x16");
        assert_eq!(first(192, 4096, "nt"), "dots-4x6x16");
        for (m, k, trans) in [(193, 4096, "nt"), (64, 256, "nt"), (1, 4096, "nn"), (1, 4096, "tt")] {
            assert_eq!(first(m, k, trans), "packed-6x4x16", "{m} {k} {trans}");
        }
    }

    #[test]
    fn tiles_fit_the_rows() {
        for (m, name) in [(2, "dots-2x12x16"), (3, "dots-3x8x16"), (5, "dots-3x8x16"), (7, "dots-4x6x16")] {
            assert_eq!(first(m, 4096, "nt"), name, "{m}");
        }
    }

    #[test]
    fn a_tile_and_what_is_multiplied_fit_32_registers() {
        let all = DotsPlan::all(&problem(8, 4096, "nt"), &cpu());
        assert!(all.iter().any(|plan| plan.name() == "dots-4x6x16"));
        assert!(all.iter().all(|plan| plan.name() != "dots-4x8x16" && plan.name() != "dots-3x12x16"));
        assert!(DotsPlan::all(&problem(8, 4096, "tt"), &cpu()).is_empty());
    }
}
