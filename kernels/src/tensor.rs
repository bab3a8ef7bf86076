//! Host-side tensors: a flat, typed array.

use accelbench_backends::DType;
use float8::F8E4M3;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

/// The elements of a tensor, in memory order.
#[derive(Clone, Debug, PartialEq)]
pub enum Tensor {
    /// binary64.
    F64(Vec<f64>),
    /// binary32.
    F32(Vec<f32>),
    /// bfloat16.
    Bf16(Vec<bf16>),
    /// binary16.
    F16(Vec<f16>),
    /// E4M3.
    F8E4M3(Vec<F8E4M3>),
    /// Whole numbers of 32 bits.
    I32(Vec<i32>),
    /// Whole numbers of 8 bits.
    I8(Vec<i8>),
}

impl Tensor {
    /// A tensor of zeros, to be downloaded into.
    pub fn zeros(dtype: DType, elements: usize) -> Self {
        match dtype {
            DType::F64 => Self::F64(vec![0.0; elements]),
            DType::F32 | DType::Tf32 => Self::F32(vec![0.0; elements]),
            DType::Bf16 => Self::Bf16(vec![bf16::ZERO; elements]),
            DType::F16 => Self::F16(vec![f16::ZERO; elements]),
            DType::F8E4M3 => Self::F8E4M3(vec![F8E4M3::ZERO; elements]),
            DType::I32 => Self::I32(vec![0; elements]),
            DType::I8 => Self::I8(vec![0; elements]),
        }
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        match self {
            Self::F64(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::Bf16(values) => values.len(),
            Self::F16(values) => values.len(),
            Self::F8E4M3(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::I8(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`, exactly.
    pub fn get(&self, index: usize) -> f64 {
        match self {
            Self::F64(values) => values[index],
            Self::F32(values) => values[index].into(),
            Self::Bf16(values) => values[index].into(),
            Self::F16(values) => values[index].into(),
            Self::F8E4M3(values) => values[index].to_f64(),
            Self::I32(values) => values[index].into(),
            Self::I8(values) => values[index].into(),
        }
    }

    /// All elements, exactly.
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Self::F64(values) => values.clone(),
            Self::F32(values) => values.iter().map(|&value| value.into()).collect(),
            Self::Bf16(values) => wide(values),
            Self::F16(values) => wide(values),
            Self::F8E4M3(values) => values.iter().map(F8E4M3::to_f64).collect(),
            Self::I32(values) => values.iter().map(|&value| value.into()).collect(),
            Self::I8(values) => values.iter().map(|&value| value.into()).collect(),
        }
    }

    /// The bytes in memory, little-endian on every machine that this runs on.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::F64(values) => bytemuck::cast_slice(values),
            Self::F32(values) => bytemuck::cast_slice(values),
            Self::Bf16(values) => bytemuck::cast_slice(values),
            Self::F16(values) => bytemuck::cast_slice(values),
            Self::F8E4M3(values) => bytemuck::cast_slice(values),
            Self::I32(values) => bytemuck::cast_slice(values),
            Self::I8(values) => bytemuck::cast_slice(values),
        }
    }

    /// The bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::F64(values) => bytemuck::cast_slice_mut(values),
            Self::F32(values) => bytemuck::cast_slice_mut(values),
            Self::Bf16(values) => bytemuck::cast_slice_mut(values),
            Self::F16(values) => bytemuck::cast_slice_mut(values),
            Self::F8E4M3(values) => bytemuck::cast_slice_mut(values),
            Self::I32(values) => bytemuck::cast_slice_mut(values),
            Self::I8(values) => bytemuck::cast_slice_mut(values),
        }
    }
}

/// Halves as f64, by vector instructions where there are any.
fn wide<T>(values: &[T]) -> Vec<f64>
where
    [T]: HalfFloatSliceExt,
{
    let mut wide = vec![0.0; values.len()];
    values.convert_to_f64_slice(&mut wide);
    wide
}
