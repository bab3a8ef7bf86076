//! Direct convolution: an implicit GEMM for each group without local memory and barriers, for WGSL on CPUs.
//!
//! On GEMM's direct main loop, with operands of its own: see there for what a software driver is quick at.

use super::single::{BINDINGS, PARAMS_BYTES, single};
use super::tiled::products;
use super::{ConvProblem, Layout};
use crate::gemm::DirectPlan as Tile;
use crate::program::fold_grid;
use crate::{Program, wgsl};
use accelbench_backends::{Caps, KernelSpec, Source};

const WGSL: &str = concat!(
    include_str!("params.wgsl.j2"),
    include_str!("operands.wgsl.j2"),
    include_str!("direct.wgsl.j2"),
    include_str!("../gemm/direct.wgsl.j2")
);

/// A direct convolution, by the sizes of its tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DirectPlan(pub Tile);

impl DirectPlan {
    /// The valid plans, the preferred one first.
    pub fn candidates(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        Tile::fitting(&products(problem), caps).into_iter().map(Self).collect()
    }

    /// All valid plans.
    pub(super) fn space(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        Tile::space(&products(problem), caps).into_iter().map(Self).collect()
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `single::params`. Buffers: X, W, Y.
    pub fn program(&self, problem: &ConvProblem, caps: &Caps) -> Program {
        let kernel = KernelSpec {
            source: Source::Wgsl(self.wgsl(problem).into()),
            entry: "conv2d_direct".to_owned(),
            defines: Vec::new(),
            group: [self.0.group, 1, 1],
            shared_bytes: 0,
            bindings: BINDINGS.to_vec(),
            params_bytes: PARAMS_BYTES,
        };
        let tiles = self.0.tiles(&products(problem));
        single(problem, kernel, [0, 1, 2], fold_grid(tiles, caps.max_grid[0]))
    }

    fn wgsl(&self, problem: &ConvProblem) -> String {
        let nhwc = problem.layout == Layout::Nhwc;
        let ragged_k = !problem.depth().is_multiple_of(4);
        let values = minijinja::context! {
            rows => self.0.rows, columns => self.0.columns, group => self.0.group,
            nhwc, ragged_k, wide_w => !ragged_k, wide_x => nhwc && problem.group_c().is_multiple_of(4), wide_y => false,
            storage => problem.precision.storage().name(),
            accumulate => problem.precision.accumulate().name(),
        };
        wgsl::render("conv2d/direct.wgsl.j2", WGSL, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Operation, conv2d::Conv2d};

    #[test]
    fn the_template_renders_for_every_precision_layout_and_remainder() {
        for precision in Conv2d.precisions() {
            for text in ["1x4x8x8-8x3x3-nchw", "1x4x8x8-8x3x3-nhwc", "1x3x8x8-8x3x3-nchw", "1x3x8x8-8x3x3-nhwc"] {
                let fields = Conv2d.parse_shape_text(text).unwrap();
                let problem = ConvProblem::from_fields(*precision, &fields).unwrap();
                for (rows, columns) in Tile::LADDER {
                    let plan = DirectPlan(Tile { rows: rows * 8, columns: columns * 4, group: 8 });
                    let source = plan.wgsl(&problem);
                    assert!(source.contains("fn conv2d_direct") && !source.contains("{{"));
                    assert_eq!(source.contains("array<vec4"), text.contains("x4x8x8"));
                }
            }
        }
    }
}
