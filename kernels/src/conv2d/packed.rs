//! Packed convolution for CPUs: an implicit GEMM for each group on GEMM's panels.
//!
//! The filters are packed once a run. The matrix of all pixels' windows is never stored: a work-group packs a block of
//! it, small enough for the second-level cache, into a slot of its own, multiplies it, and goes on to the next.

use super::single::{PARAMS_BYTES, params};
use super::tiled::layout_define;
use super::{ConvProblem, Layout};
use crate::gemm::PackedPlan as Tile;
use crate::program::{self, fold_grid, operands};
use crate::{BufferRole, BufferSpec, LaunchSpec, Program};
use accelbench_backends::{Access, Caps, KernelSpec, Source};

const OPENCL: &str = concat!(
    include_str!("../types.cl"),
    include_str!("../vectors.cl"),
    include_str!("../tile.cl"),
    include_str!("../gemm/panels.cl"),
    include_str!("params.cl"),
    include_str!("packed.cl")
);

/// Bytes of windows that a work-group packs at a time: half of a usual second-level cache.
const BLOCK_BYTES: u64 = 512 << 10;
/// Work-groups for each compute unit, so that one that is slowed down leaves its share to others.
const GROUPS_PER_UNIT: u64 = 8;

/// A packed convolution, by the sizes of its tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PackedPlan(pub Tile);

/// How a problem falls into panels, and these into the jobs of work-groups.
struct Jobs {
    /// Panels of filters of a group, and the elements of one.
    filters: u64,
    filters_panel: u64,
    /// Panels of pixels and of filters that a work-group multiplies at a time.
    block: u64,
    chunk: u64,
    /// Work-groups, and the elements of the slot of each.
    slots: u64,
    slot: u64,
}

impl PackedPlan {
    /// The valid plans, the preferred one first: the one that computes the least beyond the tensors' edges.
    pub fn candidates(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        if !Tile::is_for(problem.precision, caps) {
            return Vec::new();
        }
        let plans = Tile::tiles(problem.precision, caps).into_iter().map(Self);
        let mut plans: Vec<Self> = plans.filter(|plan| plan.valid(problem, caps)).collect();
        plans.sort_by_key(|plan| {
            let (filters, pixels) = plan.sides(problem.layout);
            u64::from(problem.group_k().next_multiple_of(filters))
                * u64::from(problem.pixels().div_ceil(pixels) * pixels)
        });
        plans
    }

    /// All valid plans.
    pub(super) fn space(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        let plans = Tile::all(problem.precision, caps).into_iter().map(Self);
        plans.filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// The bytes that packing the filters reads and writes.
    pub(super) fn packing_bytes(problem: &ConvProblem) -> f64 {
        let precision = problem.precision;
        problem.elements()[1] as f64 * (precision.storage().bytes() + precision.accumulate().bytes()) as f64
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Filters and pixels of a tile.
    fn sides(&self, layout: Layout) -> (u32, u32) {
        match layout {
            Layout::Nchw => (self.0.rows, self.0.columns()),
            Layout::Nhwc => (self.0.columns(), self.0.rows),
        }
    }

    fn jobs(&self, problem: &ConvProblem, caps: &Caps) -> Jobs {
        let k = problem.depth();
        let (filters_side, pixels_side) = self.sides(problem.layout);
        let filters = u64::from(problem.group_k().div_ceil(filters_side));
        let pixels = u64::from(problem.pixels().div_ceil(pixels_side));
        let (filters_panel, pixels_panel) = match problem.layout {
            Layout::Nchw => (self.0.panel_a(k), self.0.panel_b(k)),
            Layout::Nhwc => (self.0.panel_b(k), self.0.panel_a(k)),
        };
        // Enough jobs for all, by smaller blocks and, where these are the smallest already, by a part of the filters each.
        let groups = u64::from(problem.groups);
        let enough = GROUPS_PER_UNIT * u64::from(caps.compute_units.unwrap_or(1));
        let element = problem.precision.accumulate().bytes();
        let block = (BLOCK_BYTES / (pixels_panel * element)).min(pixels * groups / enough).clamp(1, pixels);
        let block = pixels.div_ceil(pixels.div_ceil(block));
        let blocks = groups * pixels.div_ceil(block);
        let chunk = filters.div_ceil(enough.div_ceil(blocks).min(filters));
        let jobs = blocks * filters.div_ceil(chunk);
        // Behind the windows there is a line for one of them, or a tile of Y.
        let line = u64::from(k) + 2 * u64::from(self.0.width);
        let tile = u64::from(self.0.rows * self.0.columns());
        let slot = (block * pixels_panel + line.max(tile)).next_multiple_of(u64::from(self.0.width));
        Jobs { filters, filters_panel, block, chunk, slots: jobs.min(enough), slot }
    }

    /// Bytes of the filters' panels and of the slots.
    fn scratch(&self, problem: &ConvProblem, caps: &Caps) -> [u64; 2] {
        let jobs = self.jobs(problem, caps);
        let filters = u128::from(jobs.filters) * u128::from(problem.groups) * u128::from(jobs.filters_panel);
        let slots = u128::from(jobs.slots) * u128::from(jobs.slot);
        let element = u128::from(problem.precision.accumulate().bytes());
        [filters, slots].map(|elements| u64::try_from(elements * element).unwrap_or(u64::MAX))
    }

    fn valid(&self, problem: &ConvProblem, caps: &Caps) -> bool {
        let jobs = self.jobs(problem, caps);
        self.scratch(problem, caps).iter().all(|&bytes| bytes <= caps.max_buffer_bytes)
            && jobs.slot <= u32::MAX.into()
            && fold_grid(packers(problem, &jobs), caps.max_grid[0])[1] <= caps.max_grid[1]
            && jobs.slots <= caps.max_grid[0].into()
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block of each kernel: `single::params`, then the panels of pixels and of filters that a work-group
    /// multiplies at a time, the elements of its slot, and a 0. Buffers: X, W, Y, the filters' panels, the slots.
    pub fn program(&self, problem: &ConvProblem, caps: &Caps) -> Program {
        let problem = &flattened(problem);
        let jobs = self.jobs(problem, caps);
        let scratch = self.scratch(problem, caps).map(|bytes| BufferSpec { role: BufferRole::Scratch, bytes });
        let mut params = params(problem);
        params.extend_from_slice(bytemuck::bytes_of(&[jobs.block, jobs.chunk, jobs.slot, 0].map(|value| value as u32)));
        let launch = |kernel, buffers: &[usize], grid| LaunchSpec {
            kernel,
            buffers: buffers.to_vec(),
            grid,
            params: params.clone(),
        };
        Program {
            buffers: operands(problem).into_iter().chain(scratch).collect(),
            kernels: vec![
                self.kernel(problem, "pack_filters", &[Access::Read, Access::Write]),
                self.kernel(problem, "conv2d_packed", &[Access::Read, Access::Read, Access::Write, Access::Write]),
            ],
            launches: vec![
                launch(0, &[1, 3], fold_grid(packers(problem, &jobs), caps.max_grid[0])),
                launch(1, &[0, 3, 2, 4], [jobs.slots as u32, 1, 1]),
            ],
        }
    }

    fn kernel(&self, problem: &ConvProblem, entry: &str, bindings: &[Access]) -> KernelSpec {
        // Filters are the rows of W: those of a product, or its columns.
        let mut defines = self.0.defines(problem.precision, false, problem.layout == Layout::Nhwc);
        defines.extend(program::defines([layout_define(problem)]));
        KernelSpec {
            source: Source::OpenClC(OPENCL.into()),
            entry: entry.to_owned(),
            defines,
            group: [1, 1, 1],
            shared_bytes: 0,
            bindings: bindings.to_vec(),
            params_bytes: PARAMS_BYTES + 16,
        }
    }
}

/// Work-groups that pack the filters.
fn packers(problem: &ConvProblem, jobs: &Jobs) -> u64 {
    let of_a_group = match problem.layout {
        Layout::Nchw => jobs.filters,
        Layout::Nhwc => Tile::packers_b(jobs.filters, problem.depth()),
    };
    u64::from(problem.groups) * of_a_group
}

/// The same convolution with images of one row where filters are single elements at every place: its runs are longer.
fn flattened(problem: &ConvProblem) -> ConvProblem {
    let &ConvProblem { h, w, r, s, stride, pad, .. } = problem;
    match h.checked_mul(w).filter(|&area| i32::try_from(area).is_ok()) {
        Some(area) if [r, s] == [1, 1] && stride == [1, 1] && pad == [0, 0] => {
            ConvProblem { h: 1, w: area, ..*problem }
        }
        _ => *problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Operation, Precision, conv2d::Conv2d};

    fn problem(text: &str) -> ConvProblem {
        ConvProblem::from_fields(Precision::F32, &Conv2d.parse_shape_text(text).unwrap()).unwrap()
    }

    #[test]
    fn only_single_elements_at_every_place_are_flattened() {
        let flat = flattened(&problem("2x8x7x5-4x1x1-nchw"));
        assert_eq!((flat.h, flat.w, flat.out()), (1, 35, [1, 35]));
        for text in ["2x8x7x5-4x3x1-nchw", "2x8x7x5-4x1x1-s2-nchw", "2x8x7x5-4x1x1-p1-nchw"] {
            assert_eq!(flattened(&problem(text)), problem(text));
        }
    }
}
