//! Convolution of planes for CPUs from shifted copies of the image: see `shifted.cl`.
//!
//! After M. Cho and D. Brand, "MEC: Memory-efficient Convolution for Deep Neural Network" (ICML 2017). Where a packed
//! convolution copies each element of X once for each place in a filter, this one copies it once for each column of a
//! filter, and has pixels between images, which it computes in vain: small images with large filters are not its thing.

use super::panels::{BLOCK_BYTES, Panels, Split};
use super::{ConvProblem, Layout};
use crate::Program;
use crate::gemm::PackedPlan as Tile;
use accelbench_backends::Caps;

const OPENCL: &str = concat!(
    include_str!("../types.cl"),
    include_str!("../vectors.cl"),
    include_str!("../tile.cl"),
    include_str!("../gemm/panels.cl"),
    include_str!("params.cl"),
    include_str!("filters.cl"),
    include_str!("shifted.cl")
);

/// A convolution from shifted copies, by the sizes of its tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShiftedPlan(pub Tile);

/// The copies of an image, in the terms of `shifted.cl`.
#[derive(Clone, Copy)]
struct Copies {
    /// Rows of an image in a copy.
    rows: u64,
    /// Kinds of rows of X that the stride tells apart.
    phases: u64,
    /// Rows of a copy that a filter reaches down.
    reach: u64,
    /// Pixels of all images, and between them.
    pixels: u64,
}

impl Copies {
    fn of(problem: &ConvProblem) -> Self {
        let [oh, ow] = problem.out().map(u64::from);
        let span = u64::from(problem.dilation[0]) * u64::from(problem.r - 1);
        let stride = u64::from(problem.stride[0]);
        let reach = span / stride;
        // The zeros below an image are those above the next one too.
        let shared = if stride == 1 { span.min(problem.pad[0].into()) } else { 0 };
        let rows = oh + reach - shared;
        let pixels = ((u64::from(problem.n) - 1) * rows + oh) * ow;
        Self { rows, phases: stride.min(span + 1), reach, pixels }
    }
}

impl ShiftedPlan {
    /// The valid plans of tiles that fit a CPU's registers, the fastest ones first.
    pub fn candidates(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        Tile::tiles(problem.precision, caps).into_iter().map(Self).filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// All valid plans.
    pub(super) fn space(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        let plans = Tile::all(problem.precision, caps).into_iter().map(Self);
        plans.filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// Products of elements that are computed, those of no image too, and elements that are copied.
    pub(super) fn work(&self, problem: &ConvProblem, caps: &Caps) -> [f64; 2] {
        let copies = Copies::of(problem);
        let split = self.panels(problem, caps).split;
        let filters = split.filters * u64::from(self.0.rows);
        let pixels = copies.pixels.next_multiple_of(self.0.columns().into());
        [
            filters as f64 * pixels as f64 * f64::from(problem.depth()) * f64::from(problem.groups),
            (split.jobs * planes(problem, copies) * self.length(problem, copies, split.block)) as f64,
        ]
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        let Tile { rows, vectors, width } = self.0;
        format!("shifted-{rows}x{vectors}x{width}")
    }

    /// Elements of a copy that a block of panels needs.
    fn length(&self, problem: &ConvProblem, copies: Copies, block: u64) -> u64 {
        block * u64::from(self.0.columns()) + copies.reach * u64::from(problem.out()[1])
    }

    /// Elements from one copy to the next: a vector more than it has, and an odd number of them, so that not all copies
    /// fall into the same lines of a cache.
    fn plane(&self, problem: &ConvProblem, copies: Copies, block: u64) -> u64 {
        let width = u64::from(self.0.width);
        ((self.length(problem, copies, block).div_ceil(width) + 1) | 1) * width
    }

    fn panels(&self, problem: &ConvProblem, caps: &Caps) -> Panels<'_> {
        let (copies, columns) = (Copies::of(problem), u64::from(self.0.columns()));
        let planes = planes(problem, copies);
        let room = BLOCK_BYTES / problem.precision.accumulate().bytes() / planes;
        let most = room.saturating_sub(self.plane(problem, copies, 0)) / columns;
        let split = Split::new(&self.0, problem, caps, copies.pixels.div_ceil(columns), most);
        let plane = self.plane(problem, copies, split.block);
        // Behind the copies there are a tile of Y and the places of a panel's rows, 32 bits each.
        let tile = u64::from(self.0.rows) * columns;
        let places = (u64::from(problem.depth()) * 4).div_ceil(problem.precision.accumulate().bytes());
        let slot = (planes * plane + tile + places).next_multiple_of(self.0.width.into());
        let params = [split.block, split.chunk, slot, plane, copies.rows, copies.phases, copies.reach, 0];
        let params = params.map(|value| value as u32).to_vec();
        Panels { tile: &self.0, split, slot, source: OPENCL, entry: "conv2d_shifted", params }
    }

    fn valid(&self, problem: &ConvProblem, caps: &Caps) -> bool {
        // Filters of one row have nothing to share.
        problem.layout == Layout::Nchw
            && problem.r > 1
            && i32::try_from(Copies::of(problem).pixels).is_ok()
            && self.panels(problem, caps).valid(problem, caps)
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `single::params`, then, for the second kernel, the panels of pixels and of filters that a
    /// work-group multiplies at a time, the elements of its slot and of a copy, the rows of an image in a copy, how many
    /// kinds of rows a stride tells apart, the rows that a filter reaches down, and a 0. Buffers: X, W, Y, the filters'
    /// panels, the slots.
    pub fn program(&self, problem: &ConvProblem, caps: &Caps) -> Program {
        self.panels(problem, caps).program(problem, caps)
    }
}

/// Copies of a group's channels.
fn planes(problem: &ConvProblem, copies: Copies) -> u64 {
    u64::from(problem.group_c()) * copies.phases * u64::from(problem.s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Operation, Precision, conv2d::Conv2d};

    fn problem(text: &str) -> ConvProblem {
        ConvProblem::from_fields(Precision::F32, &Conv2d.parse_shape_text(text).unwrap()).unwrap()
    }

    #[test]
    fn images_share_the_zeros_between_them() {
        for (text, rows, phases, reach, pixels) in [
            // Eight rows of a copy for seven of Y.
            ("16x512x7x7-512x3x3-p1-nchw", 8, 1, 2, (15 * 8 + 7) * 7),
            // Without padding nothing is shared: two rows of X more than Y has.
            ("2x4x9x9-4x3x3-nchw", 9, 1, 2, (9 + 7) * 7),
            ("2x4x9x9-4x3x3-s2-p1-nchw", 6, 2, 1, (6 + 5) * 5),
            ("1x4x9x9-4x3x3-s1-p2-d2-nchw", 11, 1, 4, 81),
        ] {
            let copies = Copies::of(&problem(text));
            assert_eq!(
                (copies.rows, copies.phases, copies.reach, copies.pixels),
                (rows, phases, reach, pixels),
                "{text}"
            );
        }
    }
}
