//! Convolution by single elements as the product of matrices that it is: GEMM's kernel by groups of warps, on the same
//! tensors.

use super::{ConvProblem, Layout};
use crate::gemm::{GemmProblem, WgmmaPlan};
use crate::{BufferRole, Demand, Program};
use accelbench_backends::Caps;

/// A convolution as a GEMM, by that one's plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PointwisePlan {
    plan: WgmmaPlan,
    product: GemmProblem,
}

impl PointwisePlan {
    /// The valid plans, the preferred one first.
    pub fn candidates(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        let Some(product) = product(problem) else { return Vec::new() };
        WgmmaPlan::candidates(&product, caps).into_iter().map(|plan| Self { plan, product }).collect()
    }

    /// All valid plans.
    pub(super) fn space(problem: &ConvProblem, caps: &Caps) -> Vec<Self> {
        let Some(product) = product(problem) else { return Vec::new() };
        WgmmaPlan::space(&product, caps).into_iter().map(|plan| Self { plan, product }).collect()
    }

    /// The sizes in the order of the name.
    pub(super) fn sizes(&self) -> Vec<u32> {
        self.plan.sizes()
    }

    /// What it asks of a device.
    pub(super) fn demand(&self) -> Demand {
        self.plan.demand(&self.product)
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        self.plan.name()
    }

    /// The program for `problem` on a device with these capabilities: see [`WgmmaPlan::program`].
    pub fn program(&self, problem: &ConvProblem, caps: &Caps) -> Program {
        let mut program = self.plan.program(&self.product, caps);
        if problem.layout == Layout::Nchw {
            // Filters are the left matrix, and X is a convolution's first input.
            program.buffers.swap(0, 1);
            program.buffers[0].role = BufferRole::Input(0);
            program.buffers[1].role = BufferRole::Input(1);
            program.launches[0].buffers.swap(0, 1);
        }
        program
    }
}

/// The product that a convolution by single elements is, where it is one: with channels innermost pixels are its rows; of
/// one image with channels as planes they are its columns.
fn product(problem: &ConvProblem) -> Option<GemmProblem> {
    if !problem.is_pointwise() || problem.groups != 1 {
        return None;
    }
    let &ConvProblem { precision, n, c, k, .. } = problem;
    let pixels = problem.pixels();
    match problem.layout {
        Layout::Nhwc => Some(GemmProblem { precision, m: pixels, n: k, k: c, trans_a: false, trans_b: true }),
        Layout::Nchw if n == 1 => {
            Some(GemmProblem { precision, m: k, n: pixels, k: c, trans_a: false, trans_b: false })
        }
        Layout::Nchw => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conv2d::Conv2d;
    use crate::{Operation, Precision};

    fn sizes(text: &str) -> Option<[u32; 3]> {
        let problem = ConvProblem::from_fields(Precision::F16, &Conv2d.parse_shape_text(text).unwrap()).unwrap();
        product(&problem).map(|product| [product.m, product.n, product.k])
    }

    #[test]
    fn only_what_is_a_product_of_matrices_is_one() {
        assert_eq!(sizes("32x64x56x56-256x1x1-nhwc"), Some([32 * 56 * 56, 256, 64]));
        assert_eq!(sizes("1x64x56x56-256x1x1-nchw"), Some([256, 56 * 56, 64]));
        for text in ["2x64x56x56-256x1x1-nchw", "1x64x56x56-256x1x1-s2-nhwc", "1x64x56x56-256x1x1-p1-nhwc"] {
            assert_eq!(sizes(text), None, "{text}");
        }
        for text in ["1x64x56x56-256x1x1-g2-nhwc", "1x64x56x56-256x3x1-nhwc"] {
            assert_eq!(sizes(text), None, "{text}");
        }
    }
}
