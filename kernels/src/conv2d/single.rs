//! What the plans of one kernel and one launch have in common.

use super::ConvProblem;
use crate::{Program, program};
use accelbench_backends::{Access, KernelSpec};

/// X, W and Y.
pub(super) const BINDINGS: [Access; 3] = [Access::Read, Access::Read, Access::Write];

/// Bytes of [`params`].
pub(super) const PARAMS_BYTES: u32 = 64;

/// The parameter block of every convolution kernel, each 32 bits: `n c h w k r s`, height and width of `stride`, `pad` and
/// `dilation`, `groups`, and height and width of the output.
pub(super) fn params(problem: &ConvProblem) -> Vec<u8> {
    let &ConvProblem { n, c, h, w, k, r, s, stride, pad, dilation, groups, .. } = problem;
    let [oh, ow] = problem.out();
    let words: [u32; 16] =
        [n, c, h, w, k, r, s, stride[0], stride[1], pad[0], pad[1], dilation[0], dilation[1], groups, oh, ow];
    bytemuck::bytes_of(&words).to_vec()
}

/// The program that launches one kernel once, with X, W and Y in this order.
pub(super) fn single(problem: &ConvProblem, kernel: KernelSpec, order: [usize; 3], grid: [u32; 3]) -> Program {
    let mut program = program::single(problem, kernel, grid, params(problem));
    program.launches[0].buffers = order.to_vec();
    program
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Operation, Precision, conv2d::Conv2d};

    #[test]
    fn the_parameter_block_is_in_the_documented_order() {
        let fields = Conv2d.parse_shape_text("2x6x19x18-4x3x5-s7x8-p9x10-d11x12-g2-nchw").unwrap();
        // A filter must fit into the padded image: 11·2 + 1 in 19 + 18, 12·4 + 1 in 18 + 20 does not.
        assert!(ConvProblem::from_fields(Precision::F32, &fields).is_err());
        let fields = Conv2d.parse_shape_text("2x6x19x18-4x3x5-s7x8-p9x10-d11x4-g2-nchw").unwrap();
        let problem = ConvProblem::from_fields(Precision::F32, &fields).unwrap();
        let words: Vec<u32> =
            params(&problem).chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
        assert_eq!(words, [2, 6, 19, 18, 4, 3, 5, 7, 8, 9, 10, 11, 4, 2, 3, 3]);
        assert_eq!(params(&problem).len(), PARAMS_BYTES as usize);
    }
}
