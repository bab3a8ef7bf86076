//! Depthwise convolution for CPUs: one channel a group, in vectors, a band of rows for each work-item.

use super::single::{BINDINGS, PARAMS_BYTES, params, single};
use super::tiled::layout_define;
use super::{ConvProblem, Layout};
use crate::gemm::packed::{takes_vectors, vector_width};
use crate::gemm::tiled::precision_define;
use crate::program::{self, fold_grid};
use crate::{Case, Demand, Program};
use accelbench_backends::{Caps, KernelSpec, Source};

const OPENCL: &str = concat!(
    include_str!("../types.cl"),
    include_str!("../vectors.cl"),
    include_str!("params.cl"),
    include_str!("bands.cl")
);

/// Local memory of a work-group: what every device has, and a first-level cache too.
const LOCAL_BYTES: u64 = 32 << 10;
/// Rows of Y that are computed together, as in `bands.cl`.
const ROWS: u64 = 4;

/// A depthwise convolution in bands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BandsPlan {
    /// Elements of a vector.
    pub width: u32,
}

/// A band, in the terms of `bands.cl`.
#[derive(Clone, Copy)]
struct Band {
    rows: u64,
    columns: u64,
    phase: u64,
    line: u64,
}

impl BandsPlan {
    /// The valid plan, where there is one.
    pub fn candidates(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        let native = vector_width(problem.precision.accumulate(), caps);
        Self::of_widths(&[native], problem, caps)
    }

    /// All valid plans: vectors of half a register, all of one, and two of them.
    pub(super) fn space(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        let native = vector_width(problem.precision.accumulate(), caps);
        Self::of_widths(&[native, native / 2, native * 2], problem, caps)
    }

    fn of_widths(widths: &[u32], problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        let fits = takes_vectors(problem.precision, caps)
            && problem.group_c() == 1
            && (problem.layout == Layout::Nchw || problem.group_k() == 1)
            && caps.local_bytes >= LOCAL_BYTES;
        let valid = |plan: &Self| {
            let band = plan.band(problem);
            band.is_some_and(|band| fold_grid(groups(problem, band), caps.max_grid[0])[1] <= caps.max_grid[1])
        };
        let widths = widths.iter().filter(|width| fits && (2..=16).contains(*width));
        widths.map(|&width| Self { width }).filter(valid).collect()
    }

    /// What it asks of a device: each input once, and each tap's product in vectors.
    pub(super) fn demand(self, problem: &ConvProblem) -> Demand {
        let band = self.band(problem);
        let groups = band.map_or(1, |band| groups(problem, band)) as f64;
        let work = problem.work();
        Demand {
            groups,
            group_flop: work.flop / groups,
            group_bytes: work.bytes / groups,
            other_bytes: 0.0,
            // A vector of X and an element of W for each of its elements.
            reuse: f64::from(self.width) / f64::from(self.width + 1),
            local_bytes: LOCAL_BYTES,
        }
    }

    /// The plan in one word.
    pub fn name(self) -> String {
        format!("depthwise-bands-{}", self.width)
    }

    /// Elements of local memory.
    fn local(problem: &ConvProblem) -> u64 {
        LOCAL_BYTES / problem.precision.accumulate().bytes()
    }

    /// The largest band whose operands fit into local memory.
    fn band(self, problem: &ConvProblem) -> Option<Band> {
        let width = u64::from(self.width);
        let taps = u64::from(problem.r) * u64::from(problem.s);
        let [oh, ow] = problem.out().map(u64::from);
        let room = Self::local(problem);
        if problem.layout == Layout::Nhwc {
            let columns = (room / taps / width * width).min(u64::from(problem.k).next_multiple_of(width));
            // A few rows, so that copying the filters is little of the work.
            let rows = (room / (ow * columns.max(1))).clamp(1, 8).min(oh);
            return (columns > 0).then_some(Band { rows, columns, phase: 0, line: 0 });
        }
        let [stride_h, stride_w] = problem.stride.map(u64::from);
        let spread = |axis: usize, filter: u32| u64::from(problem.dilation[axis]) * u64::from(filter - 1) + 1;
        let mut columns = ow.next_multiple_of(width);
        loop {
            let phase = columns + spread(1, problem.s).div_ceil(stride_w);
            let line = phase.checked_mul(stride_w)?;
            // Lines for `rows` of them, a whole number of ROWS.
            let lines = room.saturating_sub(taps) / line;
            let rows = (lines.saturating_sub(spread(0, problem.r)) / stride_h + 1) / ROWS * ROWS;
            if rows > 0 && lines >= (rows - 1) * stride_h + spread(0, problem.r) {
                let rows = oh.div_ceil(oh.div_ceil(rows)).next_multiple_of(ROWS);
                return Some(Band { rows, columns: columns.min(ow), phase, line });
            }
            if columns == width {
                return None;
            }
            columns = (columns / 2).next_multiple_of(width);
        }
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `single::params`, then the rows and the columns of a band, and how far apart phases and lines are
    /// in local memory. Buffers: X, W, Y.
    pub fn program(self, problem: &ConvProblem, caps: &Caps) -> Program {
        let band = self.band(problem).unwrap_or(Band { rows: 1, columns: 1, phase: 0, line: 0 });
        let defines = [
            ("WIDTH", self.width),
            ("LOCAL", Self::local(problem) as u32),
            layout_define(problem),
            (precision_define(problem.precision), 1),
        ];
        let kernel = KernelSpec {
            source: Source::OpenClC(OPENCL.into()),
            entry: "conv2d_bands".to_owned(),
            defines: program::defines(defines),
            group: [1, 1, 1],
            shared_bytes: 0,
            bindings: BINDINGS.to_vec(),
            params_bytes: PARAMS_BYTES + 16,
        };
        let grid = fold_grid(groups(problem, band), caps.max_grid[0]);
        let mut program = single(problem, kernel, [0, 1, 2], grid);
        let mut params = params(problem);
        params.extend_from_slice(bytemuck::bytes_of(
            &[band.rows, band.columns, band.phase, band.line].map(|value| value as u32),
        ));
        program.launches[0].params = params;
        program
    }
}

/// Work-groups: a band of a plane each, or of an image.
fn groups(problem: &ConvProblem, band: Band) -> u64 {
    let [oh, ow] = problem.out().map(u64::from);
    let (planes, side) = match problem.layout {
        Layout::Nchw => (u64::from(problem.n) * u64::from(problem.k), ow),
        Layout::Nhwc => (problem.n.into(), problem.k.into()),
    };
    planes * oh.div_ceil(band.rows) * side.div_ceil(band.columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Operation, Precision, conv2d::Conv2d};

    #[test]
    fn bands_cover_all_pixels_and_fit_into_local_memory() {
        let plan = BandsPlan { width: 16 };
        for text in ["1x144x56x56-144x3x3-p1-g144", "2x8x9x300-8x5x5-s2x3-p2-d2-g8", "1x2x7x9000-2x3x3-p1-g2"] {
            for (layout, channels_last) in [("nchw", false), ("nhwc", true)] {
                let fields = Conv2d.parse_shape_text(&format!("{text}-{layout}")).unwrap();
                let problem = ConvProblem::from_fields(Precision::F32, &fields).unwrap();
                let band = plan.band(&problem).unwrap();
                let [oh, ow] = problem.out().map(u64::from);
                let side = if channels_last { u64::from(problem.k) } else { ow };
                assert!(oh.div_ceil(band.rows) * band.rows >= oh && side.div_ceil(band.columns) * band.columns >= side);
                let taps = u64::from(problem.r * problem.s);
                let elements = if channels_last {
                    taps * band.columns
                } else {
                    let spread = u64::from(problem.dilation[0] * (problem.r - 1)) + 1;
                    taps + ((band.rows - 1) * u64::from(problem.stride[0]) + spread) * band.line
                };
                assert!(elements <= BandsPlan::local(&problem), "{text}-{layout}: {elements}");
            }
        }
        // A filter that is larger than local memory leaves no band.
        let fields = Conv2d.parse_shape_text("1x1x200x200-1x150x150-nchw").unwrap();
        assert!(plan.band(&ConvProblem::from_fields(Precision::F32, &fields).unwrap()).is_none());
    }
}
