//! Depthwise convolution: one channel a group, so nothing to multiply as matrices. Bound by memory.

use super::single::{BINDINGS, PARAMS_BYTES, single};
use super::tiled::layout_define;
use super::{ConvProblem, Layout};
use crate::gemm::tiled::{language, precision_define};
use crate::program::{defines, fold_grid};
use crate::{Demand, Program, wgsl};
use accelbench_backends::{Caps, DeviceKind, KernelSpec, Language, Source};

const OPENCL: &str = concat!(include_str!("../types.cl"), include_str!("params.cl"), include_str!("depthwise.cl"));
const CUDA: &str = concat!(
    include_str!("../ptx.cuh"),
    include_str!("../types.cuh"),
    include_str!("../gemm/tiles.cuh"),
    include_str!("window.cuh"),
    include_str!("depthwise.cu")
);
const WGSL: &str = concat!(include_str!("params.wgsl.j2"), include_str!("depthwise.wgsl.j2"));

/// A depthwise convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DepthwisePlan {
    /// Work-items of a work-group, an element of Y each.
    pub group: u32,
}

impl DepthwisePlan {
    const LADDER: [Self; 2] = [Self { group: 256 }, Self { group: 64 }];

    /// The valid plans, the preferred one first.
    pub fn candidates(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        Self::of_groups(&Self::LADDER, problem, caps)
    }

    /// All valid plans.
    pub(super) fn space(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        Self::of_groups(&[32, 64, 128, 256, 512, 1024].map(|group| Self { group }), problem, caps)
    }

    fn of_groups(plans: &[Self], problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        if language(caps).is_none() || problem.precision.missing(caps).is_some() || problem.group_c() != 1 {
            return Vec::new();
        }
        plans.iter().copied().filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// What it asks of a device: both operands of each product from memory, which caches then have.
    pub(super) fn demand(self, problem: &ConvProblem) -> Demand {
        let taps = f64::from(problem.r) * f64::from(problem.s);
        let storage = problem.precision.storage().bytes() as f64;
        Demand {
            groups: self.groups(problem) as f64,
            group_flop: 2.0 * f64::from(self.group) * taps,
            group_bytes: f64::from(self.group) * 3.0 * storage,
            other_bytes: 0.0,
            reuse: 0.5,
            local_bytes: 0,
        }
    }

    /// The plan in one word.
    pub fn name(self) -> String {
        format!("depthwise-{}", self.group)
    }

    fn groups(self, problem: &ConvProblem) -> u64 {
        problem.elements()[2].div_ceil(self.group.into())
    }

    fn valid(self, problem: &ConvProblem, caps: &Caps) -> bool {
        let wgsl = language(caps) == Some(Language::Wgsl);
        let indexed_in_32_bits = problem.elements().iter().all(|&elements| elements < 1 << 32);
        let ends_its_loops = caps.kind != DeviceKind::Cpu
            || u64::from(problem.r) * (u64::from(problem.s) + 1) <= wgsl::MOST_ROUNDS.into();
        self.group <= caps.max_group_items.min(caps.max_group[0])
            && fold_grid(self.groups(problem), caps.max_grid[0])[1] <= caps.max_grid[1]
            && (!wgsl || (indexed_in_32_bits && ends_its_loops))
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `single::params`. Buffers: X, W, Y.
    pub fn program(self, problem: &ConvProblem, caps: &Caps) -> Program {
        let (source, defines) = match language(caps) {
            Some(Language::CudaC) => (Source::CudaC(CUDA.into()), self.defines(problem)),
            Some(Language::Wgsl) => (Source::Wgsl(self.wgsl(problem).into()), Vec::new()),
            _ => (Source::OpenClC(OPENCL.into()), self.defines(problem)),
        };
        let kernel = KernelSpec {
            source,
            entry: "conv2d_depthwise".to_owned(),
            defines,
            group: [self.group, 1, 1],
            shared_bytes: 0,
            bindings: BINDINGS.to_vec(),
            params_bytes: PARAMS_BYTES,
        };
        single(problem, kernel, [0, 1, 2], fold_grid(self.groups(problem), caps.max_grid[0]))
    }

    fn defines(self, problem: &ConvProblem) -> Vec<(String, String)> {
        defines([("GROUP", self.group), layout_define(problem), (precision_define(problem.precision), 1)])
    }

    fn wgsl(self, problem: &ConvProblem) -> String {
        let values = minijinja::context! {
            group => self.group,
            nhwc => problem.layout == Layout::Nhwc, wide_x => false, wide_w => false, wide_y => false,
            storage => problem.precision.storage().name(),
            accumulate => problem.precision.accumulate().name(),
        };
        wgsl::render("conv2d/depthwise.wgsl.j2", WGSL, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Operation, Precision, conv2d::Conv2d};

    #[test]
    fn the_template_renders_for_every_precision_and_layout() {
        for precision in Conv2d.precisions() {
            for layout in ["nchw", "nhwc"] {
                let fields = Conv2d.parse_shape_text(&format!("1x4x8x8-8x3x3-g4-{layout}")).unwrap();
                let problem = ConvProblem::from_fields(*precision, &fields).unwrap();
                for plan in DepthwisePlan::LADDER {
                    let source = plan.wgsl(&problem);
                    assert!(source.contains("fn conv2d_depthwise") && !source.contains("{{"));
                    assert_eq!(source.contains("enable f16"), *precision == Precision::F16);
                }
            }
        }
    }
}
