//! Inputs: seeded normal random numbers, the same on every machine.
//!
//! Zeros draw less power, run faster, and hide wrong indices: they are for who asks for them, to see by how much.

use crate::{Tensor, TensorSpec};
use half::f16;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// What the inputs hold. Results of different fills are different measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fill {
    /// Standard normal random numbers.
    #[default]
    Normal,
    /// Zeros.
    Zeros,
}

impl Fill {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Normal, Self::Zeros];

    /// The name in result files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal(0,1)",
            Self::Zeros => "zeros",
        }
    }

    /// The fill of a name in a result file.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fill| fill.name() == name)
    }

    /// A tensor filled so. `index` tells the inputs of one case apart.
    pub fn tensor(self, spec: &TensorSpec, seed: u64, index: u64) -> Tensor {
        match self {
            Self::Normal => normal(spec, seed, index),
            Self::Zeros => Tensor::zeros(spec.dtype, usize::try_from(spec.elements).unwrap_or(usize::MAX)),
        }
    }
}

/// Elements that come from one stream of the generator: the unit in which a fill is spread over threads.
const CHUNK: usize = 1 << 16;

/// Standard normal numbers, rounded to the tensor's type. `index` tells the inputs of one case apart.
pub fn normal(spec: &TensorSpec, seed: u64, index: u64) -> Tensor {
    let elements = usize::try_from(spec.elements).unwrap_or(usize::MAX);
    let mut tensor = Tensor::zeros(spec.dtype, elements);
    match &mut tensor {
        Tensor::F64(values) => fill(values, seed, index, |x| x),
        Tensor::F32(values) => fill(values, seed, index, |x| x as f32),
        Tensor::F16(values) => fill(values, seed, index, f16::from_f64),
    }
    debug_assert_eq!(spec.dtype.bytes() as usize * elements, tensor.bytes().len());
    tensor
}

fn fill<T: Send>(values: &mut [T], seed: u64, index: u64, round: impl Fn(f64) -> T + Sync) {
    values.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, values)| {
        let mut rng = generator(seed, index, chunk as u64);
        for value in values {
            *value = round(StandardNormal.sample(&mut rng));
        }
    });
}

fn generator(seed: u64, index: u64, chunk: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Streams of one seed never overlap; a tensor has far fewer than 2^40 chunks.
    rng.set_stream(index << 40 | chunk);
    rng
}

/// `count` random signs, for projections. Drawn apart from every input.
pub fn signs(count: usize, seed: u64) -> Vec<f64> {
    let mut rng = generator(seed, 1 << 20, 0);
    let mut bits = 0u64;
    (0..count)
        .map(|i| {
            if i % 64 == 0 {
                bits = rng.next_u64();
            }
            if bits >> (i % 64) & 1 == 0 { 1.0 } else { -1.0 }
        })
        .collect()
}

/// `count` random indices below `end`, for samples. Drawn apart from every input.
pub fn indices(count: usize, end: usize, seed: u64) -> Vec<usize> {
    let mut rng = generator(seed, (1 << 20) + 1, 0);
    (0..count).map(|_| (rng.next_u64() % end as u64) as usize).collect()
}

/// Draws the sizes of shapes that nobody would choose.
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The draws of the `index`-th shape; no input has this seed.
    pub fn new(index: u64) -> Self {
        Self(generator(0x0DD5_4A9E, (1 << 20) + 2, index))
    }

    /// From 1 to `largest`.
    pub fn size(&mut self, largest: u32) -> u32 {
        (self.0.next_u64() % u64::from(largest)) as u32 + 1
    }

    /// True once in `times`.
    pub fn one_in(&mut self, times: u32) -> bool {
        self.size(times) == 1
    }

    /// One of some.
    pub fn of<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.0.next_u64() as usize % some.len()]
    }
}

/// A 32-bit pattern that is NaN in every element type, whichever way elements lie over it: what outputs hold before a
/// run, so that an element that was not written can't look right.
pub const POISON: u32 = 0xFFFF_FFFF;

#[cfg(test)]
mod tests {
    use super::*;
    use accelbench_backends::DType;

    fn spec(elements: u64) -> TensorSpec {
        TensorSpec { name: "a", dtype: DType::F64, elements }
    }

    #[test]
    fn values_do_not_depend_on_the_tensor_s_size_or_on_threads() {
        let long = normal(&spec(200_000), 7, 0);
        let short = normal(&spec(70_000), 7, 0);
        assert_eq!(long.to_f64()[..70_000], short.to_f64()[..]);
    }

    #[test]
    fn inputs_and_seeds_differ() {
        let first = normal(&spec(1000), 7, 0);
        assert_ne!(first, normal(&spec(1000), 7, 1));
        assert_ne!(first, normal(&spec(1000), 8, 0));
    }

    #[test]
    fn values_are_standard_normal() {
        let values = normal(&spec(1_000_000), 1, 0).to_f64();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 5.0 / n.sqrt(), "mean {mean}");
        assert!((variance - 1.0).abs() < 0.01, "variance {variance}");
    }

    /// Whether every element of this type reads as NaN where [`POISON`] was written.
    fn is_poisoned(dtype: DType) -> bool {
        let bytes = POISON.to_le_bytes();
        match dtype {
            DType::F64 => f64::from_bits(u64::from(POISON) << 32 | u64::from(POISON)).is_nan(),
            DType::F32 => f32::from_le_bytes(bytes).is_nan(),
            DType::F16 => f16::from_le_bytes([bytes[0], bytes[1]]).is_nan(),
        }
    }

    #[test]
    fn poison_is_nan_in_every_type() {
        assert!([DType::F64, DType::F32, DType::F16].into_iter().all(is_poisoned));
    }
}
