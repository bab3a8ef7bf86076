//! Convolution of halves on matrix units: an implicit GEMM for each group on the main loop of GEMM's `mma`, with windows as
//! an operand. CUDA C only, as GEMM's is.

use super::single::{BINDINGS, PARAMS_BYTES, single};
use super::tiled::{layout_define, products};
use super::{ConvProblem, Layout};
use crate::Program;
use crate::gemm::tiled::precision_define;
use crate::gemm::{MmaPlan as Tile, mma, preferred_first};
use crate::program::{self, fold_grid};
use accelbench_backends::{Caps, KernelSpec, Source};

const SOURCE: &str = concat!(
    include_str!("../ptx.cuh"),
    include_str!("../fragments.cuh"),
    include_str!("../gemm/tiles.cuh"),
    include_str!("../gemm/mma_loop.cuh"),
    include_str!("window.cuh"),
    include_str!("mma.cu")
);

/// From large tiles to small, those with a thin side for few filters or few pixels.
const LADDER: [Tile; 6] = [
    Tile::new(128, 256, 64, 64, 4),
    Tile::new(128, 256, 64, 64, 3),
    Tile::new(128, 128, 64, 64, 4),
    Tile::new(64, 128, 32, 64, 4),
    Tile::new(128, 64, 32, 64, 4),
    Tile::new(64, 64, 32, 32, 4),
];

/// A convolution on matrix units, by the sizes of its tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MmaPlan(pub Tile);

impl MmaPlan {
    /// The valid plans, the preferred one first: the largest tile that still gives every compute unit one.
    pub fn candidates(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        let valid = Self::of_tiles(LADDER.into_iter(), problem, caps);
        let units = u64::from(caps.compute_units.unwrap_or(16));
        preferred_first(valid, |plan| plan.tiles(problem) >= units)
    }

    /// All valid plans.
    pub(super) fn space(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        Self::of_tiles(Tile::all(problem.precision), problem, caps)
    }

    fn of_tiles(tiles: impl Iterator<Item = Tile>, problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        if !problem.precision.is_wide_half()
            || !mma::has_instructions(caps)
            || problem.precision.missing(caps).is_some()
        {
            return Vec::new();
        }
        tiles.map(Self).filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        self.0.name()
    }

    fn tiles(&self, problem: &ConvProblem) -> u64 {
        let products = products(problem);
        self.0.tiles(products.m, products.n).saturating_mul(products.batch.into())
    }

    fn shared_bytes(&self, problem: &ConvProblem) -> u32 {
        // Filters lie along k, and windows where channels are innermost; those are then A.
        self.0.shared_bytes(true, problem.layout == Layout::Nhwc, problem.precision)
    }

    fn valid(&self, problem: &ConvProblem, caps: &Caps) -> bool {
        // Tiles that a side of the product at most half fills are too large.
        let fits = |tile: u32, side: u32| tile <= side.next_power_of_two().max(64);
        let products = products(problem);
        fits(self.0.tile_m, products.m)
            && fits(self.0.tile_n, products.n)
            && self.0.threads() <= caps.max_group_items
            && u64::from(self.shared_bytes(problem)) <= caps.local_bytes
            && fold_grid(self.tiles(problem), caps.max_grid[0])[1] <= caps.max_grid[1]
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `single::params`, then `step` and a 0. Buffers: X, W, Y.
    pub fn program(&self, problem: &ConvProblem, caps: &Caps) -> Program {
        let [oh, ow] = problem.out();
        let (aligned_windows, aligned_filters) = match problem.layout {
            Layout::Nhwc => [problem.group_c().is_multiple_of(8); 2].into(),
            Layout::Nchw => {
                let points = [problem.r, problem.s, problem.stride[0], problem.stride[1]] == [1; 4];
                let aligned_points = points && problem.pad == [0; 2] && (oh * ow).is_multiple_of(8);
                (aligned_points, problem.depth().is_multiple_of(8))
            }
        };
        let mut defines = self.0.defines();
        defines.extend([
            layout_define(problem),
            ("ALIGNED_X", aligned_windows.into()),
            ("ALIGNED_W", aligned_filters.into()),
            (precision_define(problem.precision), 1),
        ]);
        let kernel = KernelSpec {
            source: Source::CudaC(SOURCE.into()),
            entry: "conv2d_mma".to_owned(),
            defines: program::defines(defines),
            group: [self.0.threads(), 1, 1],
            shared_bytes: self.shared_bytes(problem),
            bindings: BINDINGS.to_vec(),
            params_bytes: PARAMS_BYTES + 16,
        };
        let mut program = single(problem, kernel, [0, 1, 2], fold_grid(self.tiles(problem), caps.max_grid[0]));
        let [channel, i, j] = step(problem);
        program.launches[0].params.extend(bytemuck::bytes_of(&[channel, i, j, 0]));
        program
    }
}

/// The length of a block of the sums as channels, rows and columns of a filter: its digits in the order of memory.
fn step(problem: &ConvProblem) -> [u32; 3] {
    let (channels, r, s) = (problem.group_c(), problem.r, problem.s);
    match problem.layout {
        Layout::Nhwc => [mma::TILE_K % channels, mma::TILE_K / channels / s, mma::TILE_K / channels % s],
        Layout::Nchw => [mma::TILE_K / s / r, mma::TILE_K / s % r, mma::TILE_K % s],
    }
}
