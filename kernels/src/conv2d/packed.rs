//! Packed convolution for CPUs: an implicit GEMM for each group on GEMM's panels.
//!
//! The filters are packed once a run. The matrix of all pixels' windows is never stored: a work-group packs a block of
//! it, small enough for the second-level cache, into a slot of its own, multiplies it, and goes on to the next.

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
    include_str!("packed.cl")
);

/// A packed convolution, by the sizes of its tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PackedPlan(pub Tile);

impl PackedPlan {
    /// The valid plans of tiles that fit a CPU's registers, the fastest ones first.
    pub fn candidates(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        Tile::tiles(problem.precision, caps).into_iter().map(Self).filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// All valid plans.
    pub(super) fn space(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        let plans = Tile::all(problem.precision, caps).into_iter().map(Self);
        plans.filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// Products of elements that are computed, those beyond the tensors' edges too, and elements that are copied.
    pub(super) fn work(&self, problem: &ConvProblem, caps: &Caps) -> [f64; 2] {
        let panels = self.panels(problem, caps);
        let pixels = self.pixel_panels(problem) * u64::from(self.pixels_side(problem.layout));
        let filters = panels.split.filters * self.filters_side(problem.layout);
        let copied = if in_place(problem) {
            // Only where one image ends in a panel.
            let area = problem.out()[0] * problem.out()[1];
            let ends = if area.is_multiple_of(self.pixels_side(problem.layout)) { 0 } else { problem.n };
            u64::from(problem.groups) * self.pixel_panels(problem).min(ends.into())
        } else {
            panels.split.jobs * panels.split.block
        };
        [
            filters as f64 * pixels as f64 * f64::from(problem.depth()) * f64::from(problem.groups),
            copied as f64 * self.pixels_panel(problem) as f64,
        ]
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        self.0.name()
    }

    fn pixels_side(&self, layout: Layout) -> u32 {
        match layout {
            Layout::Nchw => self.0.columns(),
            Layout::Nhwc => self.0.rows,
        }
    }

    fn filters_side(&self, layout: Layout) -> u64 {
        match layout {
            Layout::Nchw => self.0.rows.into(),
            Layout::Nhwc => self.0.columns().into(),
        }
    }

    fn pixel_panels(&self, problem: &ConvProblem) -> u64 {
        problem.pixels().div_ceil(self.pixels_side(problem.layout)).into()
    }

    fn pixels_panel(&self, problem: &ConvProblem) -> u64 {
        match problem.layout {
            Layout::Nchw => self.0.panel_b(problem.depth()),
            Layout::Nhwc => self.0.panel_a(problem.depth()),
        }
    }

    fn panels(&self, problem: &ConvProblem, caps: &Caps) -> Panels<'_> {
        let panel = self.pixels_panel(problem);
        let most = BLOCK_BYTES / (panel * problem.precision.accumulate().bytes());
        let split = Split::new(&self.0, problem, caps, self.pixel_panels(problem), most);
        // Behind the windows there is a line for one of them, or a tile of Y.
        let line = u64::from(problem.depth()) + 2 * u64::from(self.0.width);
        let tile = u64::from(self.0.rows * self.0.columns());
        let slot = (split.block * panel + line.max(tile)).next_multiple_of(u64::from(self.0.width));
        let params = [split.block, split.chunk, slot, 0].map(|value| value as u32).to_vec();
        Panels { tile: &self.0, split, slot, source: OPENCL, entry: "conv2d_packed", params }
    }

    fn valid(&self, problem: &ConvProblem, caps: &Caps) -> bool {
        self.panels(problem, caps).valid(problem, caps)
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `single::params`, then, for the second kernel, the panels of pixels and of filters that a
    /// work-group multiplies at a time, the elements of its slot, and a 0. Buffers: X, W, Y, the filters' panels, the slots.
    pub fn program(&self, problem: &ConvProblem, caps: &Caps) -> Program {
        let problem = &flattened(problem);
        self.panels(problem, caps).program(problem, caps)
    }
}

/// Whether planes of X are the rows of a panel already: see `packed.cl`.
fn in_place(problem: &ConvProblem) -> bool {
    let precision = problem.precision;
    problem.is_pointwise() && problem.layout == Layout::Nchw && precision.storage() == precision.accumulate()
}

/// The same convolution with images of one row where filters are single elements at every place: its runs are longer.
fn flattened(problem: &ConvProblem) -> ConvProblem {
    match problem.h.checked_mul(problem.w).filter(|&area| i32::try_from(area).is_ok()) {
        Some(area) if problem.is_pointwise() => ConvProblem { h: 1, w: area, ..*problem },
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
