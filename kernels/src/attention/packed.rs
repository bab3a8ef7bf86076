//! Packed attention for CPUs: one work-item a work-group, a register tile of vectors for either product. See `packed.cl`.

use super::AttentionProblem;
use super::split::{KernelSource, Split, compiled_head};
use crate::demand::reuse;
use crate::gemm::{has_32_registers, precision_define, preferred_first, takes_vectors, vector_width};
use crate::program::{self, fold_grid};
use crate::space::grid;
use crate::{Demand, Precision, Program};
use accelbench_backends::{Caps, Source};

const OPENCL: &str = concat!(
    include_str!("../types.cl"),
    include_str!("../tile.cl"),
    include_str!("rows.cl"),
    include_str!("packed.cl")
);

/// Keys of a block.
const KEYS: u32 = 64;
/// Keys that are worth a chunk of their own.
const LEAST_CHUNK: u32 = 4 * KEYS;
/// Panels of queries that a block of keys is copied for, at most.
const MOST_PANELS: u32 = 4;

/// The sizes of a packed attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PackedPlan {
    /// Rows of a tile: keys, or elements of a head.
    rows: u32,
    /// Vectors of a tile's row: queries of a panel.
    vectors: u32,
    /// Elements of a vector.
    width: u32,
    /// Panels of a work-group.
    panels: u32,
    split: Split,
}

impl PackedPlan {
    /// The valid plans, the preferred one first: the widest panel that queries fill.
    pub fn candidates(problem: &AttentionProblem, caps: &Caps) -> Vec<Self> {
        if !takes_vectors(problem.precision, caps) {
            return Vec::new();
        }
        let Some(dim) = compiled_head(problem.head_dim) else { return Vec::new() };
        let sum = problem.precision.accumulate();
        let width = vector_width(sum, caps);
        let rows = if has_32_registers(width, sum) { 8 } else { 4 };
        let units = 2 * u64::from(caps.compute_units.unwrap_or(16));
        let mut plans = Vec::new();
        for vectors in [3, 2, 1] {
            let one = Self { rows, vectors, width, panels: 1, split: Split::none(problem) };
            let with = |panels| Self { panels, ..one };
            let fits = |&panels: &u32| with(panels).local_bytes(problem.precision, dim) <= caps.local_bytes;
            // Few sizes, so that few kernels are compiled.
            let Some(most) = (1..=MOST_PANELS).rev().find(fits) else { continue };
            let panels = if with(most).tiles(problem) >= 4 * units { most } else { 1 };
            let split = Split::of(problem, caps, units.div_ceil(with(panels).tiles(problem)), LEAST_CHUNK, KEYS);
            plans.push(Self { panels, split, ..one });
            if split.splits > 1 {
                plans.push(Self { panels, ..one });
            }
        }
        plans.retain(|plan| plan.fits_grid(problem, caps));
        // What is computed for no query is wasted, and a narrower tile computes more slowly.
        preferred_first(plans, |plan| plan.vectors == 1 || plan.waste(problem) < 0.2)
    }

    /// All valid plans.
    pub(super) fn space(problem: &AttentionProblem, caps: &Caps) -> Vec<Self> {
        // What compiles and has types has candidates.
        let Some(Self { width, .. }) = Self::candidates(problem, caps).first().copied() else { return Vec::new() };
        let Some(dim) = compiled_head(problem.head_dim) else { return Vec::new() };
        let splits = Split::all(problem, caps, LEAST_CHUNK, KEYS);
        let sizes = grid([&[4, 8], &[1, 2, 3], &[1, 2, 3, 4]]);
        let plans = sizes.flat_map(|[rows, vectors, panels]| {
            splits.iter().map(move |&split| Self { rows, vectors, width, panels, split })
        });
        plans
            .filter(|plan| plan.local_bytes(problem.precision, dim) <= caps.local_bytes)
            .filter(|plan| plan.fits_grid(problem, caps))
            .collect()
    }

    fn fits_grid(&self, problem: &AttentionProblem, caps: &Caps) -> bool {
        fold_grid(self.tiles(problem) * u64::from(self.split.splits), caps.max_grid[0])[1] <= caps.max_grid[1]
    }

    /// The sizes in the order of the name.
    pub(super) fn sizes(&self) -> Vec<u32> {
        vec![self.rows, self.vectors, self.width, self.panels, self.split.splits]
    }

    /// What it asks of a device.
    pub(super) fn demand(&self, problem: &AttentionProblem) -> Demand {
        let queries = self.panels * self.vectors * self.width;
        self.split.demand(problem, self.tiles(problem), queries, reuse(self.rows, self.vectors))
    }

    /// The part of the computed rows that is no query's.
    fn waste(&self, problem: &AttentionProblem) -> f64 {
        1.0 - f64::from(problem.rows()) / f64::from(problem.rows().next_multiple_of(self.vectors * self.width))
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        let Self { rows, vectors, width, panels, split } = self;
        format!("packed-{rows}x{vectors}x{width}x{panels}{}", split.suffix())
    }

    fn tiles(&self, problem: &AttentionProblem) -> u64 {
        u64::from(problem.rows().div_ceil(self.panels * self.vectors * self.width)) * u64::from(problem.key_heads())
    }

    /// Local memory of a work-group.
    fn local_bytes(&self, precision: Precision, dim: u32) -> u64 {
        let queries = self.vectors * self.width;
        // Queries and sums; each query's highest score, total and end.
        let panel = queries * (2 * dim + 3);
        // Keys and values; weights and what sums shrink by.
        let block = 2 * KEYS * (dim + self.width) + (KEYS + 1) * queries;
        u64::from(self.panels * panel + block) * precision.accumulate().bytes()
    }

    /// The program for `problem` on a device with these capabilities.
    pub fn program(&self, problem: &AttentionProblem, caps: &Caps) -> Program {
        let defines = [
            ("ROWS", self.rows),
            ("VECTORS", self.vectors),
            ("WIDTH", self.width),
            ("PANELS", self.panels),
            ("KEYS", KEYS),
            ("DIM", compiled_head(problem.head_dim).unwrap_or(problem.head_dim)),
            ("SPLIT", (self.split.splits > 1).into()),
            (precision_define(problem.precision), 1),
        ];
        let kernel = KernelSource {
            source: Source::OpenClC(OPENCL.into()),
            entry: "attention_packed".to_owned(),
            defines: program::defines(defines),
            group: [1, 1, 1],
            shared_bytes: 0,
        };
        self.split.program(problem, caps, &kernel, self.tiles(problem) * u64::from(self.split.splits))
    }
}
