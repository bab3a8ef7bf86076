//! Direct GEMM: no local memory and no barrier, a register tile a work-item. For WGSL on CPUs.
//!
//! A software driver runs work-items as the lanes of a vector. To it, local memory is a detour, a barrier a switch of
//! coroutines, and a load one scalar load a lane, whereas a broadcast within a sub-group is one instruction. So a
//! work-group is one sub-group, whose lanes load different rows of A, broadcast them, and keep different columns of C.

use super::GemmProblem;
use super::plan::preferred_first;
use super::single::{BINDINGS, PARAMS_BYTES, single};
use super::tiled::Products;
use crate::demand::reuse;
use crate::program::fold_grid;
use crate::space::grid;
use crate::{Demand, Program, wgsl};
use accelbench_backends::{Caps, DeviceKind, KernelSpec, Language, Source};

const WGSL: &str = concat!(include_str!("direct_operands.wgsl.j2"), include_str!("direct.wgsl.j2"));

/// A round takes 4 steps of k.
const LONGEST_K: u32 = 4 * wgsl::MOST_ROUNDS;

/// The sizes of a direct GEMM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DirectPlan {
    /// Rows of C for a work-group: a multiple of its work-items.
    pub rows: u32,
    /// Columns of C for a work-item: a multiple of 4.
    pub columns: u32,
    /// Work-items of a work-group: the device's sub-group.
    pub group: u32,
}

impl DirectPlan {
    /// Sub-groups of rows and runs of 4 columns, the fastest on large matrices first.
    pub(crate) const LADDER: [(u32, u32); 4] = [(4, 1), (2, 2), (2, 1), (1, 1)];

    /// The valid plans, the preferred one first: the largest tile that wastes little.
    pub fn candidates(problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        Self::fitting(&problem.into(), caps)
    }

    /// The valid plans for such products, the preferred one first.
    pub(crate) fn fitting(problem: &Products, caps: &Caps) -> Vec<Self> {
        let plans = Self::of_sizes(Self::LADDER.into_iter(), problem, caps);
        // A CPU has few cores, so what counts on small matrices are rows that are computed and not stored.
        preferred_first(plans, |plan| plan.rows <= problem.m.next_multiple_of(plan.group) && plan.tiles(problem) >= 16)
    }

    /// All valid plans for such products, but for those with so many sums that they take long to compile.
    pub(crate) fn space(problem: &Products, caps: &Caps) -> Vec<Self> {
        let sizes = grid([&[1, 2, 3, 4, 5, 6], &[1, 2, 3, 4]]).filter(|[rows, columns]| rows * columns <= 6);
        Self::of_sizes(sizes.map(|[rows, columns]| (rows, columns)), problem, caps)
    }

    /// The valid ones of these sizes: sub-groups of rows and runs of 4 columns.
    fn of_sizes(sizes: impl Iterator<Item = (u32, u32)>, problem: &Products, caps: &Caps) -> Vec<Self> {
        let fits = caps.kind == DeviceKind::Cpu
            && caps.speaks(Language::Wgsl)
            && problem.precision.missing(caps).is_none()
            && problem.k <= LONGEST_K
            && problem.elements.iter().all(|&elements| elements < 1 << 32);
        // Where the size of a sub-group may vary, one sub-group is no fixed part of the work.
        let Some((group, _)) = caps.subgroup.filter(|(smallest, largest)| fits && smallest == largest) else {
            return Vec::new();
        };
        sizes
            .map(|(rows, columns)| Self { rows: rows * group, columns: columns * 4, group })
            .filter(|plan| fold_grid(plan.tiles(problem), caps.max_grid[0])[1] <= caps.max_grid[1])
            .collect()
    }

    /// The sizes in the order of the name.
    pub(crate) fn sizes(&self) -> Vec<u32> {
        vec![self.rows, self.columns, self.group]
    }

    /// What it asks of a device for such products.
    pub(crate) fn demand(&self, problem: &Products) -> Demand {
        // A vector is a run of 4 columns of all lanes; an element of A comes by a broadcast.
        let reuse = reuse(self.rows, self.columns);
        Demand::of_tiles(problem, self.rows, self.columns * self.group, reuse)
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        format!("direct-{}x{}x{}", self.rows, self.columns, self.group)
    }

    /// Tiles of all products.
    pub(crate) fn tiles(&self, problem: &Products) -> u64 {
        let tiles = u64::from(problem.m.div_ceil(self.rows)) * u64::from(problem.n.div_ceil(self.columns * self.group));
        u64::from(problem.batch).saturating_mul(tiles)
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `m`, `n`, `k` and a 0, each 32 bits. Buffers: A, B, C.
    pub fn program(&self, problem: &GemmProblem, caps: &Caps) -> Program {
        let kernel = KernelSpec {
            source: Source::Wgsl(self.wgsl(problem).into()),
            entry: "gemm_direct".to_owned(),
            defines: Vec::new(),
            group: [self.group, 1, 1],
            shared_bytes: 0,
            bindings: BINDINGS.to_vec(),
            params_bytes: PARAMS_BYTES,
        };
        single(problem, kernel, fold_grid(self.tiles(&problem.into()), caps.max_grid[0]))
    }

    fn wgsl(&self, problem: &GemmProblem) -> String {
        let values = minijinja::context! {
            rows => self.rows, columns => self.columns, group => self.group,
            ragged_n => !problem.n.is_multiple_of(4), ragged_k => !problem.k.is_multiple_of(4),
            trans_a => problem.trans_a, trans_b => problem.trans_b,
            storage => problem.precision.storage().name(),
            accumulate => problem.precision.accumulate().name(),
        };
        wgsl::render("direct.wgsl.j2", WGSL, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Precision;

    #[test]
    fn the_template_renders_for_every_precision_layout_and_remainder() {
        for precision in Precision::ALL.into_iter().filter(|precision| precision.is_common()) {
            for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
                for (n, k) in [(64, 64), (64, 63), (63, 64), (63, 63)] {
                    let problem = GemmProblem { precision, m: 64, n, k, trans_a, trans_b };
                    for (rows, columns) in DirectPlan::LADDER {
                        let source = DirectPlan { rows: rows * 8, columns: columns * 4, group: 8 }.wgsl(&problem);
                        assert!(source.contains("fn gemm_direct") && !source.contains("{{"));
                        assert_eq!(source.contains("enable f16"), problem.precision.storage().bytes() == 2);
                    }
                }
            }
        }
    }
}
