//! A graph of operations on tensors, as the library takes it.

use super::Handle;
use super::descriptor::{Descriptor, Link};
use crate::Result;
use crate::cuda::library::operands;
use cudarc::cudnn::sys::cudnnBackendAttributeName_t as A;
use cudarc::cudnn::sys::cudnnBackendDescriptorType_t as D;
use cudarc::cudnn::sys::{cudnnDataType_t, cudnnPointwiseMode_t, cudnnReduceTensorOp_t};

/// Sizes or steps of the four dimensions.
pub(super) type Four = [i64; 4];

/// Where all tensors start at multiples of: buffers do, of more.
const ALIGNMENT: i64 = 16;

/// A tensor of a graph.
#[derive(Clone, Copy)]
pub(super) struct Tensor {
    link: Link,
    dims: Four,
}

/// A number that the graph holds by value.
#[derive(Clone, Copy)]
pub(super) enum Scalar {
    F32(f32),
    I32(i32),
}

/// The operations of a graph in order, with all that they refer to.
#[derive(Default)]
pub(super) struct Graph {
    kept: Vec<Descriptor>,
    operations: Vec<Link>,
    tensors: i64,
    /// The tensors that are buffers, in the order of the buffers.
    pub(super) buffers: Vec<i64>,
    /// The tensors that are numbers, with their bits.
    pub(super) scalars: Vec<(i64, Box<u32>)>,
}

impl Graph {
    /// The next buffer, of so many elements in each dimension, which lie so many elements apart.
    pub(super) fn buffer(&mut self, dtype: cudnnDataType_t, dims: Four, steps: Four) -> Result<Tensor> {
        self.buffers.push(self.tensors);
        self.tensor(dtype, dims, steps, false, false)
    }

    /// What lies between two operations, and never in memory.
    pub(super) fn between(&mut self, dtype: cudnnDataType_t, dims: Four) -> Result<Tensor> {
        self.tensor(dtype, dims, dense(dims), true, false)
    }

    /// A number.
    pub(super) fn scalar(&mut self, scalar: Scalar) -> Result<Tensor> {
        let (dtype, bits) = match scalar {
            Scalar::F32(x) => (cudnnDataType_t::CUDNN_DATA_FLOAT, x.to_bits()),
            Scalar::I32(x) => (cudnnDataType_t::CUDNN_DATA_INT32, x as u32),
        };
        self.scalars.push((self.tensors, Box::new(bits)));
        self.tensor(dtype, [1; 4], [1; 4], false, true)
    }

    fn tensor(
        &mut self,
        dtype: cudnnDataType_t,
        dims: Four,
        steps: Four,
        is_virtual: bool,
        by_value: bool,
    ) -> Result<Tensor> {
        let tensor = Descriptor::new(D::CUDNN_BACKEND_TENSOR_DESCRIPTOR)?;
        tensor.set(A::CUDNN_ATTR_TENSOR_DATA_TYPE, &[dtype])?;
        tensor.set(A::CUDNN_ATTR_TENSOR_DIMENSIONS, &dims)?;
        tensor.set(A::CUDNN_ATTR_TENSOR_STRIDES, &steps)?;
        tensor.set(A::CUDNN_ATTR_TENSOR_UNIQUE_ID, &[self.tensors])?;
        tensor.set(A::CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, &[ALIGNMENT])?;
        if is_virtual {
            tensor.set(A::CUDNN_ATTR_TENSOR_IS_VIRTUAL, &[true])?;
        }
        if by_value {
            tensor.set(A::CUDNN_ATTR_TENSOR_IS_BY_VALUE, &[true])?;
        }
        self.tensors += 1;
        Ok(Tensor { link: self.keep(tensor)?, dims })
    }

    /// c = a·b for the last two dimensions, for all of the first two.
    pub(super) fn matmul(&mut self, a: Tensor, b: Tensor, c: Tensor) -> Result<()> {
        let matmul = Descriptor::new(D::CUDNN_BACKEND_MATMUL_DESCRIPTOR)?;
        matmul.set(A::CUDNN_ATTR_MATMUL_COMP_TYPE, &[cudnnDataType_t::CUDNN_DATA_FLOAT])?;
        let matmul = self.keep(matmul)?;
        let operation = Descriptor::new(D::CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR)?;
        operation.set(A::CUDNN_ATTR_OPERATION_MATMUL_ADESC, &[a.link])?;
        operation.set(A::CUDNN_ATTR_OPERATION_MATMUL_BDESC, &[b.link])?;
        operation.set(A::CUDNN_ATTR_OPERATION_MATMUL_CDESC, &[c.link])?;
        operation.set(A::CUDNN_ATTR_OPERATION_MATMUL_DESC, &[matmul])?;
        self.operation(operation)
    }

    /// One number for each row: the last dimension becomes 1.
    pub(super) fn reduce(&mut self, operator: cudnnReduceTensorOp_t, x: Tensor) -> Result<Tensor> {
        let [batch, heads, rows, _] = x.dims;
        let y = self.between(cudnnDataType_t::CUDNN_DATA_FLOAT, [batch, heads, rows, 1])?;
        let reduction = Descriptor::new(D::CUDNN_BACKEND_REDUCTION_DESCRIPTOR)?;
        reduction.set(A::CUDNN_ATTR_REDUCTION_OPERATOR, &[operator])?;
        reduction.set(A::CUDNN_ATTR_REDUCTION_COMP_TYPE, &[cudnnDataType_t::CUDNN_DATA_FLOAT])?;
        let reduction = self.keep(reduction)?;
        let operation = Descriptor::new(D::CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR)?;
        operation.set(A::CUDNN_ATTR_OPERATION_REDUCTION_XDESC, &[x.link])?;
        operation.set(A::CUDNN_ATTR_OPERATION_REDUCTION_YDESC, &[y.link])?;
        operation.set(A::CUDNN_ATTR_OPERATION_REDUCTION_DESC, &[reduction])?;
        self.operation(operation)?;
        Ok(y)
    }

    /// An operation on each element, in f32 and of f32.
    pub(super) fn pointwise(&mut self, mode: cudnnPointwiseMode_t, operands: &[Tensor]) -> Result<Tensor> {
        let float = cudnnDataType_t::CUDNN_DATA_FLOAT;
        self.pointwise_as(Pointwise { mode, compute: float, output: float, axis: None }, operands)
    }

    /// An operation on each element of the first operand; the second is spread over it where it is smaller, and the
    /// third, if there is one, chooses between them.
    pub(super) fn pointwise_as(&mut self, pointwise: Pointwise, operands: &[Tensor]) -> Result<Tensor> {
        let dims = operands[0].dims;
        let y = self.between(pointwise.output, dims)?;
        let description = Descriptor::new(D::CUDNN_BACKEND_POINTWISE_DESCRIPTOR)?;
        description.set(A::CUDNN_ATTR_POINTWISE_MODE, &[pointwise.mode])?;
        description.set(A::CUDNN_ATTR_POINTWISE_MATH_PREC, &[pointwise.compute])?;
        if let Some(axis) = pointwise.axis {
            description.set(A::CUDNN_ATTR_POINTWISE_AXIS, &[axis])?;
        }
        let description = self.keep(description)?;
        let operation = Descriptor::new(D::CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)?;
        operation.set(A::CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, &[description])?;
        let places = [
            A::CUDNN_ATTR_OPERATION_POINTWISE_XDESC,
            A::CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
            A::CUDNN_ATTR_OPERATION_POINTWISE_TDESC,
        ];
        for (place, operand) in places.into_iter().zip(operands) {
            operation.set(place, &[operand.link])?;
        }
        operation.set(A::CUDNN_ATTR_OPERATION_POINTWISE_YDESC, &[y.link])?;
        self.operation(operation)?;
        Ok(y)
    }

    /// Y = the cross-correlation of X with W; Y's sums are kept in `compute`.
    pub(super) fn convolution(
        &mut self,
        window: &Window,
        compute: cudnnDataType_t,
        [x, w, y]: [Tensor; 3],
    ) -> Result<()> {
        use cudarc::cudnn::sys::cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION;
        let convolution = Descriptor::new(D::CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR)?;
        convolution.set(A::CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, &[2_i64])?;
        convolution.set(A::CUDNN_ATTR_CONVOLUTION_COMP_TYPE, &[compute])?;
        convolution.set(A::CUDNN_ATTR_CONVOLUTION_CONV_MODE, &[CUDNN_CROSS_CORRELATION])?;
        convolution.set(A::CUDNN_ATTR_CONVOLUTION_DILATIONS, &window.dilation)?;
        convolution.set(A::CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, &window.stride)?;
        convolution.set(A::CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, &window.pad)?;
        convolution.set(A::CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, &window.pad)?;
        let convolution = self.keep(convolution)?;
        let operation = Descriptor::new(D::CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR)?;
        operation.set(A::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, &[x.link])?;
        operation.set(A::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, &[w.link])?;
        operation.set(A::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, &[y.link])?;
        operation.set(A::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, &[convolution])?;
        let (alpha, beta) =
            (A::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, A::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA);
        if compute == cudnnDataType_t::CUDNN_DATA_DOUBLE {
            operation.set(alpha, &[1_f64])?;
            operation.set(beta, &[0_f64])?;
        } else {
            operation.set(alpha, &[1_f32])?;
            operation.set(beta, &[0_f32])?;
        }
        self.operation(operation)
    }

    /// The graph as one descriptor, which this value outlives.
    pub(super) fn finish(&self, handle: &Handle) -> Result<Descriptor> {
        let graph = Descriptor::new(D::CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR)?;
        graph.set(A::CUDNN_ATTR_OPERATIONGRAPH_OPS, &self.operations)?;
        graph.set(A::CUDNN_ATTR_OPERATIONGRAPH_HANDLE, &[handle.raw])?;
        graph.finalize()?;
        Ok(graph)
    }

    fn operation(&mut self, operation: Descriptor) -> Result<()> {
        let link = self.keep(operation)?;
        self.operations.push(link);
        Ok(())
    }

    fn keep(&mut self, descriptor: Descriptor) -> Result<Link> {
        descriptor.finalize()?;
        let link = descriptor.link();
        self.kept.push(descriptor);
        Ok(link)
    }
}

/// An operation on each element.
#[derive(Clone, Copy)]
pub(super) struct Pointwise {
    pub(super) mode: cudnnPointwiseMode_t,
    /// The type that it computes in.
    pub(super) compute: cudnnDataType_t,
    /// The type of what comes out.
    pub(super) output: cudnnDataType_t,
    /// The dimension that it is about, where it is about one.
    pub(super) axis: Option<i64>,
}

/// How a convolution's window moves; height, then width.
pub(super) struct Window {
    pub(super) stride: [i64; 2],
    pub(super) pad: [i64; 2],
    pub(super) dilation: [i64; 2],
}

/// How many elements such a tensor has; none of the sizes is below 1.
pub(super) fn count(dims: Four) -> Result<u64> {
    operands::elements(&dims.map(|side| side as u64))
}

/// The steps of a tensor whose last dimension is the innermost.
pub(super) fn dense([_, b, c, d]: Four) -> Four {
    [b * c * d, c * d, d, 1]
}
