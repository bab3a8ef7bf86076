//! Panels of a packed convolution: how they are shared out, and the programs that multiply them.

use super::single::params;
use super::tiled::layout_define;
use super::{ConvProblem, Layout};
use crate::gemm::PackedPlan as Tile;
use crate::program::{self, fold_grid, operands};
use crate::{BufferRole, BufferSpec, LaunchSpec, Program};
use accelbench_backends::{Access, Caps, KernelSpec, Source};

/// Bytes of pixels that a work-group has before it at a time: half of a usual second-level cache.
pub(super) const BLOCK_BYTES: u64 = 512 << 10;
/// Work-groups for each compute unit, so that one that is slowed down leaves its share to others.
const GROUPS_PER_UNIT: u64 = 8;

/// Panels of filters and of pixels of a group, shared out in jobs.
#[derive(Clone, Copy)]
pub(super) struct Split {
    /// Panels of filters of a group, and the elements of one.
    pub(super) filters: u64,
    pub(super) filters_panel: u64,
    /// Panels of pixels and of filters that a work-group multiplies at a time.
    pub(super) block: u64,
    pub(super) chunk: u64,
    /// Times that a block of pixels is brought, at most.
    pub(super) brought: u64,
    /// Work-groups, which take turns at the jobs and have a slot of memory each.
    pub(super) slots: u64,
}

impl Split {
    /// Of so many panels of pixels, of which a block holds no more than `most`.
    pub(super) fn new(tile: &Tile, problem: &ConvProblem, caps: &Caps, pixels: u64, most: u64) -> Self {
        let k = problem.depth();
        let (filters_side, filters_panel) = match problem.layout {
            Layout::Nchw => (tile.rows, tile.panel_a(k)),
            Layout::Nhwc => (tile.columns(), tile.panel_b(k)),
        };
        let filters = u64::from(problem.group_k().div_ceil(filters_side));
        // Enough jobs for all, by smaller blocks and, where these are the smallest already, by a part of the filters each.
        let groups = u64::from(problem.groups);
        let units = u64::from(caps.compute_units.unwrap_or(1));
        let enough = GROUPS_PER_UNIT * units;
        let block = most.min((pixels * groups).div_ceil(enough)).clamp(1, pixels);
        let block = pixels.div_ceil(pixels.div_ceil(block));
        let blocks = groups * pixels.div_ceil(block);
        let chunk = filters.div_ceil(enough.div_ceil(blocks).min(filters));
        let jobs = blocks * filters.div_ceil(chunk);
        // A work-group brings a block once for all chunks that it multiplies, so few of them bring it seldom: two a unit, for
        // a runtime may leave as many as units to one thread.
        let (slots, again) = if chunk < filters { (2 * units, 2 * units) } else { (enough, 0) };
        Self { filters, filters_panel, block, chunk, brought: blocks + again, slots: jobs.min(slots) }
    }

    /// Work-groups that pack the filters.
    fn packers(&self, problem: &ConvProblem) -> u64 {
        let of_a_group = match problem.layout {
            Layout::Nchw => self.filters,
            Layout::Nhwc => Tile::packers_b(self.filters, problem.depth()),
        };
        u64::from(problem.groups) * of_a_group
    }
}

/// A kernel that multiplies panels of filters, with all that it needs to be launched.
pub(super) struct Panels<'a> {
    pub(super) tile: &'a Tile,
    pub(super) split: Split,
    /// Elements of a slot.
    pub(super) slot: u64,
    pub(super) source: &'static str,
    /// What follows `single::params` in its parameter block.
    pub(super) params: Vec<u32>,
}

impl Panels<'_> {
    /// Bytes of the filters' panels and of the slots.
    fn scratch(&self, problem: &ConvProblem) -> [u64; 2] {
        let Split { filters, filters_panel, slots, .. } = self.split;
        let filters = u128::from(filters) * u128::from(problem.groups) * u128::from(filters_panel);
        let element = u128::from(problem.precision.accumulate().bytes());
        let slots = u128::from(slots) * u128::from(self.slot);
        [filters, slots].map(|elements| u64::try_from(elements * element).unwrap_or(u64::MAX))
    }

    pub(super) fn valid(&self, problem: &ConvProblem, caps: &Caps) -> bool {
        self.scratch(problem).iter().all(|&bytes| bytes <= caps.max_buffer_bytes)
            && self.slot <= u32::MAX.into()
            && fold_grid(self.split.packers(problem), caps.max_grid[0])[1] <= caps.max_grid[1]
            && self.split.slots <= caps.max_grid[0].into()
    }

    /// Buffers: X, W, Y, the filters' panels, the slots.
    pub(super) fn program(&self, problem: &ConvProblem, caps: &Caps) -> Program {
        let scratch = self.scratch(problem).map(|bytes| BufferSpec { role: BufferRole::Scratch, bytes });
        let mut whole = params(problem);
        whole.extend_from_slice(bytemuck::cast_slice(&self.params));
        let kernel = |entry: &str, bindings: &[Access], params: &[u8]| {
            // Filters are the rows of W: those of a product, or its columns.
            let mut defines = self.tile.defines(problem.precision, false, problem.layout == Layout::Nhwc);
            defines.extend(program::defines([layout_define(problem)]));
            KernelSpec {
                source: Source::OpenClC(self.source.into()),
                entry: entry.to_owned(),
                defines,
                group: [1, 1, 1],
                shared_bytes: 0,
                bindings: bindings.to_vec(),
                params_bytes: params.len() as u32,
            }
        };
        let launch = |kernel, buffers: &[usize], grid, params: &[u8]| LaunchSpec {
            kernel,
            buffers: buffers.to_vec(),
            grid,
            params: params.to_vec(),
        };
        let sizes = params(problem);
        let packers = fold_grid(self.split.packers(problem), caps.max_grid[0]);
        Program {
            buffers: operands(problem).into_iter().chain(scratch).collect(),
            kernels: vec![
                kernel("pack_filters", &[Access::Read, Access::Write], &sizes),
                kernel("conv2d_packed", &[Access::Read, Access::Read, Access::Write, Access::Write], &whole),
            ],
            launches: vec![
                launch(0, &[1, 3], packers, &sizes),
                launch(1, &[0, 3, 2, 4], [self.split.slots as u32, 1, 1], &whole),
            ],
        }
    }
}

/// The bytes that packing the filters reads and writes.
pub(super) fn packing_bytes(problem: &ConvProblem) -> f64 {
    let precision = problem.precision;
    problem.elements()[1] as f64 * (precision.storage().bytes() + precision.accumulate().bytes()) as f64
}
