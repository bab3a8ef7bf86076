//! Tiled convolution: an implicit GEMM for each group on GEMM's tiled main loop, with operands of its own.
//!
//! The matrix of all pixels' windows is never stored: a work-group picks its block's elements from X. See
//! `operands.cl` for what are rows and what are columns.

use super::single::{BINDINGS, PARAMS_BYTES, single};
use super::{ConvProblem, Layout};
use crate::gemm::TiledPlan as Tile;
use crate::gemm::tiled::{Layout as Lines, Products, fetches_ahead, language};
use crate::program::fold_grid;
use crate::{Program, wgsl};
use accelbench_backends::{Caps, KernelSpec, Language, Source};

const OPENCL: &str = concat!(
    include_str!("../types.cl"),
    include_str!("params.cl"),
    include_str!("operands.cl"),
    include_str!("../gemm/staging.cl"),
    include_str!("../gemm/tiled.cl")
);
const OPENCL_AHEAD: &str = concat!(
    include_str!("../types.cl"),
    include_str!("params.cl"),
    include_str!("operands.cl"),
    include_str!("../gemm/staging.cl"),
    include_str!("../gemm/bands.cl"),
    include_str!("../gemm/tiled_ahead.cl")
);
const CUDA: &str = concat!(
    include_str!("../ptx.cuh"),
    include_str!("../types.cuh"),
    include_str!("../gemm/tiles.cuh"),
    include_str!("../gemm/tiled_loop.cuh"),
    include_str!("window.cuh"),
    include_str!("tiled.cu")
);
const WGSL: &str = concat!(
    // X, W and Y, in the order of A, B and C.
    "{%- set wide_x, wide_w, wide_y = (wide_a, wide_b, wide_c) if nhwc else (wide_b, wide_a, wide_c) -%}",
    include_str!("params.wgsl.j2"),
    include_str!("operands.wgsl.j2"),
    include_str!("tiled.wgsl.j2"),
    include_str!("../gemm/blocks.wgsl.j2"),
    include_str!("../gemm/tiled.wgsl.j2")
);

/// A tiled convolution, by the sizes of its tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TiledPlan(pub Tile);

/// The product of each group, whose columns are neighbours in Y.
pub(super) fn products(problem: &ConvProblem) -> Products {
    let (m, n) = match problem.layout {
        Layout::Nchw => (problem.group_k(), problem.pixels()),
        Layout::Nhwc => (problem.pixels(), problem.group_k()),
    };
    let elements = problem.elements();
    Products { precision: problem.precision, m, n, k: problem.depth(), batch: problem.groups, elements }
}

/// X, W and Y in the order of A, B and C.
pub(super) fn order(problem: &ConvProblem) -> [usize; 3] {
    match problem.layout {
        Layout::Nchw => [1, 0, 2],
        Layout::Nhwc => [0, 1, 2],
    }
}

/// The definition by which a source learns the layout.
pub(super) fn layout_define(problem: &ConvProblem) -> (&'static str, u32) {
    ("NHWC", (problem.layout == Layout::Nhwc).into())
}

impl TiledPlan {
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
    /// Parameter block: `single::params`. Buffers: in OpenCL C those of A, B and C, else X, W and Y.
    pub fn program(&self, problem: &ConvProblem, caps: &Caps) -> Program {
        let defines = || self.0.defines(problem.precision, &[layout_define(problem)]);
        let (source, defines, order) = match language(caps) {
            Some(Language::CudaC) => (Source::CudaC(CUDA.into()), defines(), [0, 1, 2]),
            Some(Language::Wgsl) => (Source::Wgsl(self.wgsl(problem, caps).into()), Vec::new(), [0, 1, 2]),
            _ if fetches_ahead(caps) => (Source::OpenClC(OPENCL_AHEAD.into()), defines(), order(problem)),
            _ => (Source::OpenClC(OPENCL.into()), defines(), order(problem)),
        };
        let kernel = KernelSpec {
            source,
            entry: "conv2d_tiled".to_owned(),
            defines,
            group: self.0.group(),
            shared_bytes: self.0.shared_bytes(problem.precision, caps),
            bindings: BINDINGS.to_vec(),
            params_bytes: PARAMS_BYTES,
        };
        let tiles = self.0.tiles(&products(problem));
        single(problem, kernel, order, fold_grid(tiles, caps.max_grid[0]))
    }

    fn wgsl(&self, problem: &ConvProblem, caps: &Caps) -> String {
        let nhwc = problem.layout == Layout::Nhwc;
        let quarters = [problem.group_c(), problem.depth(), problem.group_k()].map(|length| length.is_multiple_of(4));
        // Neighbours of a plane are in different windows wherever a line ends: those are picked pixel by pixel.
        let lines = if nhwc {
            Lines { along_side: [false, false], wide: quarters }
        } else {
            Lines { along_side: [false, true], wide: [quarters[1], false, false] }
        };
        let values = minijinja::context! { nhwc, ..self.0.terms(problem.precision, lines, caps) };
        wgsl::render("conv2d/tiled.wgsl.j2", WGSL, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Operation, Precision, conv2d::Conv2d, testing};
    use accelbench_backends::DeviceKind;

    fn problem(precision: Precision, text: &str) -> ConvProblem {
        ConvProblem::from_fields(precision, &Conv2d.parse_shape_text(text).unwrap()).unwrap()
    }

    #[test]
    fn rows_and_columns_are_filters_and_pixels_by_layout() {
        let planes = products(&problem(Precision::F32, "2x6x8x8-8x3x3-p1-g2-nchw"));
        assert_eq!((planes.m, planes.n, planes.k, planes.batch), (4, 128, 27, 2));
        let innermost = products(&problem(Precision::F32, "2x6x8x8-8x3x3-p1-g2-nhwc"));
        assert_eq!((innermost.m, innermost.n, innermost.k, innermost.batch), (128, 4, 27, 2));
    }

    #[test]
    fn the_template_renders_for_every_precision_and_layout() {
        let caps = testing::caps(DeviceKind::Gpu, Language::Wgsl);
        for precision in Conv2d.precisions().iter().filter(|precision| precision.is_common()) {
            for layout in ["nchw", "nhwc"] {
                for (shape, wide) in [("1x4x8x8-8x3x3", true), ("1x5x8x8-6x3x3", false)] {
                    let problem = problem(*precision, &format!("{shape}-{layout}"));
                    for tile in Tile::LADDER {
                        let source = TiledPlan(tile).wgsl(&problem, &caps);
                        assert!(source.contains("fn conv2d_tiled") && !source.contains("{{"));
                        assert!(!testing::spirv(&source).is_empty());
                        assert_eq!(source.contains("enable f16"), *precision == Precision::F16);
                        assert_eq!(source.contains("load_quad"), wide && tile.thread_m >= 4, "{shape}-{layout}");
                    }
                }
            }
        }
    }
}
