//! Packed convolution for CPUs: an implicit GEMM for each group on GEMM's panels.
//!
//! The filters are packed once a run. The matrix of all pixels' windows is never stored: a work-group packs a part of
//! it, small enough for the second-level cache, into a slot of its own, multiplies it, and goes on to the next.

use super::panels::{BLOCK_BYTES, Panels, Split};
use super::{ConvProblem, Layout};
use crate::Program;
use crate::gemm::PackedPlan as Tile;
use accelbench_backends::Caps;

macro_rules! source {
    ($own:literal) => {
        concat!(
            include_str!("../types.cl"),
            include_str!("../vectors.cl"),
            include_str!("../tile.cl"),
            include_str!("../gemm/panels.cl"),
            include_str!("params.cl"),
            include_str!("filters.cl"),
            include_str!("pixels.cl"),
            include_str!($own)
        )
    };
}
const NCHW: &str = source!("packed_nchw.cl");
const NHWC: &str = source!("packed_nhwc.cl");

/// Bytes of Y that caches don't hold: written past them, it isn't fetched first.
const STREAM_BYTES: u64 = 4 << 20;

/// An element that is copied takes about as long as so many products of elements: by sampling the kernel.
const COPY: f64 = 20.0;

/// A packed convolution, by the sizes of its tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PackedPlan(pub Tile);

impl PackedPlan {
    /// The valid plans of tiles that fit a CPU's registers, the fastest ones first.
    pub fn candidates(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        let plans = Tile::tiles(problem.precision, caps).into_iter().map(Self);
        let mut plans: Vec<_> = plans.filter(|plan| plan.valid(problem, caps)).collect();
        plans.sort_by(|one, other| one.cost(problem, caps).total_cmp(&other.cost(problem, caps)));
        plans
    }

    /// All valid plans.
    pub(super) fn space(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        let plans = Tile::all(problem.precision, caps).into_iter().map(Self);
        plans.filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// The time that it takes, in products of elements: those that are computed, also beyond the tensors' edges, and those
    /// of copying pixels.
    fn cost(&self, problem: &ConvProblem, caps: &Caps) -> f64 {
        let Panels { split, .. } = self.panels(problem, caps);
        let (panels, groups) = (self.pixel_panels(problem), u64::from(problem.groups));
        let pixels = panels * u64::from(self.pixels_side(problem.layout));
        let filters = split.filters * self.filters_side(problem.layout);
        let copied = if in_place(problem) {
            // Only where one image ends in a panel.
            let area = problem.out()[0] * problem.out()[1];
            let ends = if area.is_multiple_of(self.pixels_side(problem.layout)) { 0 } else { problem.n };
            groups * panels.min(ends.into())
        } else {
            split.brought * split.block
        };
        (groups * filters * pixels) as f64 * f64::from(problem.depth())
            + COPY * copied as f64 * self.pixels_panel(problem) as f64
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
        let (panel, width) = (self.pixels_panel(problem), u64::from(self.0.width));
        let split = |most| Split::new(&self.0, problem, caps, self.pixel_panels(problem), most);
        let (split, slot, source, params) = match problem.layout {
            Layout::Nchw => {
                // One panel, which all filters pass; behind it a vector and a tile of Y.
                let split = split(1);
                let slot = (panel + width + u64::from(self.0.rows * self.0.columns())).next_multiple_of(width);
                let streams = problem.elements()[2] * problem.precision.storage().bytes() >= STREAM_BYTES;
                (split, slot, NCHW, [split.chunk, slot, u64::from(streams), 0])
            }
            Layout::Nhwc => {
                // A block, which a panel of filters passes; behind it a line for one window.
                let split = split(BLOCK_BYTES / (panel * problem.precision.accumulate().bytes()));
                let line = u64::from(problem.depth()) + 2 * width;
                let slot = (split.block * panel + line).next_multiple_of(width);
                (split, slot, NHWC, [split.block, split.chunk, slot, 0])
            }
        };
        let params = params.map(|value| value as u32).to_vec();
        Panels { tile: &self.0, split, slot, source, params }
    }

    fn valid(&self, problem: &ConvProblem, caps: &Caps) -> bool {
        self.panels(problem, caps).valid(problem, caps)
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `single::params`, then, for the second kernel, what `packed_t` of its source says. Buffers: X, W, Y,
    /// the filters' panels, the slots.
    pub fn program(&self, problem: &ConvProblem, caps: &Caps) -> Program {
        let problem = &flattened(problem);
        self.panels(problem, caps).program(problem, caps)
    }
}

/// Whether planes of X are the rows of a panel already: see `packed_nchw.cl`.
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
