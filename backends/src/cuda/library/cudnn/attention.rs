//! Attention forward, as the operations that the library knows to fuse: Q·Kᵀ, times 1/√d, masked, softmax, times V.
//!
//! Softmax is spelt out as maximum, difference, exponential, sum and quotient. Its logarithm is part of the pattern,
//! also where nobody reads it.

use super::data_type;
use super::graph::{Graph, Pointwise, Scalar, Tensor, count, dense};
use crate::cuda::library::operands::{Types, side};
use crate::{DType, Error, LibraryCall, Result};
use cudarc::cudnn::sys::cudnnDataType_t as T;
use cudarc::cudnn::sys::cudnnPointwiseMode_t as P;
use cudarc::cudnn::sys::cudnnReduceTensorOp_t as R;

/// The graph of Q, K, V and O, and their elements.
pub(super) fn graph(call: &LibraryCall, types: Types) -> Result<(Graph, Vec<u64>)> {
    if types.accumulate != DType::F32 {
        return Err(Error::unsupported(format!("cudnn::attention has no sums in {}", types.accumulate)));
    }
    let size = |name: &str| side(call, name).map(|size| size as i64);
    let (batch, heads, kv_heads) = (size("batch")?, size("heads")?, size("kv_heads")?);
    let (seq_q, seq_kv, head_dim) = (size("seq_q")?, size("seq_kv")?, size("head_dim")?);
    let storage = data_type(types.storage);
    let (queries, values) = ([batch, heads, seq_q, head_dim], [batch, kv_heads, seq_kv, head_dim]);
    let (elements, value_elements) = (count(queries)?, count(values)?);
    let mut graph = Graph::default();
    let q = graph.buffer(storage, queries, dense(queries))?;
    let [batch_step, head_step, row_step, _] = dense(values);
    // As a product takes it: transposed by its steps.
    let k = graph.buffer(storage, [batch, kv_heads, head_dim, seq_kv], [batch_step, head_step, 1, row_step])?;
    let v = graph.buffer(storage, values, dense(values))?;
    let o = graph.buffer(storage, queries, dense(queries))?;

    let products = graph.between(T::CUDNN_DATA_FLOAT, [batch, heads, seq_q, seq_kv])?;
    graph.matmul(q, k, products)?;
    let scale = graph.scalar(Scalar::F32((1.0 / (head_dim as f64).sqrt()) as f32))?;
    let mut scores = graph.pointwise(P::CUDNN_POINTWISE_MUL, &[products, scale])?;
    if call.flag("causal")? {
        scores = causal(&mut graph, scores, [seq_q, seq_kv])?;
    }
    let weights = softmax(&mut graph, scores, storage)?;
    graph.matmul(weights, v, o)?;
    Ok((graph, vec![elements, value_elements, value_elements, elements]))
}

/// Leaves query i the keys `j ≤ i + seq_kv − seq_q`.
fn causal(graph: &mut Graph, scores: Tensor, [seq_q, seq_kv]: [i64; 2]) -> Result<Tensor> {
    let mut number = |axis| {
        let (compute, output) = (T::CUDNN_DATA_FLOAT, T::CUDNN_DATA_INT32);
        let mode = P::CUDNN_POINTWISE_GEN_INDEX;
        graph.pointwise_as(Pointwise { mode, compute, output, axis: Some(axis) }, &[scores])
    };
    let (mut row, column) = (number(2)?, number(3)?);
    if seq_q != seq_kv {
        // In two steps, which is the pattern that the library knows.
        for (mode, sequence) in [(P::CUDNN_POINTWISE_ADD, seq_kv), (P::CUDNN_POINTWISE_SUB, seq_q)] {
            let sequence = graph.scalar(Scalar::I32(sequence as i32))?;
            let (compute, output) = (T::CUDNN_DATA_INT32, T::CUDNN_DATA_INT32);
            row = graph.pointwise_as(Pointwise { mode, compute, output, axis: None }, &[row, sequence])?;
        }
    }
    let (compute, output) = (T::CUDNN_DATA_BOOLEAN, T::CUDNN_DATA_BOOLEAN);
    let mode = P::CUDNN_POINTWISE_CMP_GE;
    let visible = graph.pointwise_as(Pointwise { mode, compute, output, axis: None }, &[row, column])?;
    let lowest = graph.scalar(Scalar::F32(f32::MIN))?;
    graph.pointwise(P::CUDNN_POINTWISE_BINARY_SELECT, &[scores, lowest, visible])
}

/// The softmax of each row, in the type that the next product takes.
fn softmax(graph: &mut Graph, scores: Tensor, output: T) -> Result<Tensor> {
    let largest = graph.reduce(R::CUDNN_REDUCE_TENSOR_MAX, scores)?;
    let below = graph.pointwise(P::CUDNN_POINTWISE_SUB, &[scores, largest])?;
    let powers = graph.pointwise(P::CUDNN_POINTWISE_EXP, &[below])?;
    let sum = graph.reduce(R::CUDNN_REDUCE_TENSOR_ADD, powers)?;
    let logarithm = graph.pointwise(P::CUDNN_POINTWISE_LOG, &[sum])?;
    graph.pointwise(P::CUDNN_POINTWISE_ADD, &[largest, logarithm])?;
    let (mode, compute) = (P::CUDNN_POINTWISE_DIV, T::CUDNN_DATA_FLOAT);
    graph.pointwise_as(Pointwise { mode, compute, output, axis: None }, &[powers, sum])
}
