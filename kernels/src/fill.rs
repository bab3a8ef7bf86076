//! Inputs: seeded random numbers, the same on every machine: normal ones, and uniform ones of whole numbers.
//!
//! Zeros draw less power, run faster, and hide wrong indices: they are for who asks for them, to see by how much.

use crate::{Tensor, TensorSpec};
use float8::F8E4M3;
use half::{bf16, f16};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// What the inputs hold. Results of different fills are different measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fill {
    /// Standard normal random numbers; of whole numbers, uniform ones from −127 to 127.
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

/// The largest of whole random numbers: products fit 15 bits.
const LARGEST: i32 = 127;

/// Standard normal numbers, rounded to the tensor's type; whole ones are uniform. `index` tells the inputs of one case
/// apart.
pub fn normal(spec: &TensorSpec, seed: u64, index: u64) -> Tensor {
    let elements = usize::try_from(spec.elements).unwrap_or(usize::MAX);
    let mut tensor = Tensor::zeros(spec.dtype, elements);
    let real = |rng: &mut ChaCha8Rng| -> f64 { StandardNormal.sample(rng) };
    // All of 32 bits but one fall evenly on the 255 numbers.
    let whole = |rng: &mut ChaCha8Rng| (rng.next_u32() % (2 * LARGEST as u32 + 1)) as i32 - LARGEST;
    match &mut tensor {
        Tensor::F64(values) => fill(values, seed, index, real),
        Tensor::F32(values) => fill(values, seed, index, |rng| real(rng) as f32),
        Tensor::Bf16(values) => fill(values, seed, index, |rng| bf16::from_f64(real(rng))),
        Tensor::F16(values) => fill(values, seed, index, |rng| f16::from_f64(real(rng))),
        Tensor::F8E4M3(values) => fill(values, seed, index, |rng| F8E4M3::from_f64(real(rng))),
        Tensor::I32(values) => fill(values, seed, index, whole),
        Tensor::I8(values) => fill(values, seed, index, |rng| whole(rng) as i8),
    }
    debug_assert_eq!(spec.dtype.bytes() as usize * elements, tensor.bytes().len());
    tensor
}

fn fill<T: Send>(values: &mut [T], seed: u64, index: u64, draw: impl Fn(&mut ChaCha8Rng) -> T + Sync) {
    values.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, values)| {
        let mut rng = generator(seed, index, chunk as u64);
        values.fill_with(|| draw(&mut rng));
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

/// A 32-bit pattern that is NaN in every floating-point type, whichever way elements lie over it, and in whole numbers of 32
/// bits nearly the largest, which no sum of random products reaches: what outputs hold before a run, so that an element
/// that was not written can't look right.
pub const POISON: u32 = 0x7FFF_7FFF;

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

    #[test]
    fn whole_numbers_are_uniform_and_fit_eight_bits() {
        let of = |dtype| normal(&TensorSpec { name: "a", dtype, elements: 255_000 }, 7, 0);
        let values = of(DType::I8).to_f64();
        assert_eq!(values, of(DType::I32).to_f64());
        let count = |value: f64| values.iter().filter(|&&x| x.to_bits() == value.to_bits()).count();
        // Each number is expected a thousand times, give or take 32.
        for value in [-127.0, -1.0, 1.0, 126.0, 127.0] {
            assert!(count(value).abs_diff(1000) < 200, "{value}: {}", count(value));
        }
        assert_eq!(count(-128.0), 0);
    }

    #[test]
    fn bfloat16_is_rounded_to_the_nearest() {
        let exact = normal(&spec(100_000), 7, 0).to_f64();
        let rounded = normal(&TensorSpec { name: "a", dtype: DType::Bf16, elements: 100_000 }, 7, 0).to_f64();
        let worst = exact.iter().zip(rounded).map(|(x, y)| ((y - x) / x).abs()).fold(0.0, f64::max);
        assert!(worst <= DType::Bf16.ulp() / 2.0 && worst > DType::Bf16.ulp() / 2.1, "{worst}");
    }

    /// Of numbers of 8 bits, ties go to the even one, small ones are subnormal, and large ones stay numbers.
    #[test]
    fn numbers_of_eight_bits_are_rounded_to_the_nearest() {
        let known: Vec<f64> = (0..127).map(|bits| F8E4M3::from_bits(bits).to_f64()).collect();
        let landmarks = [2_f64.powi(-9), DType::F8E4M3.min_positive(), 448.0];
        assert_eq!([known[1], known[8], known[126]].map(f64::to_bits), landmarks.map(f64::to_bits));
        for (bits, pair) in (0u8..).zip(known.windows(2)) {
            let between = f64::midpoint(pair[0], pair[1]);
            let even = bits + bits % 2;
            for (value, expected) in
                [(between, even), (between * (1.0 - 1e-9), bits), (between * (1.0 + 1e-9), bits + 1)]
            {
                assert_eq!(F8E4M3::from_f64(value).to_bits(), expected, "{value}");
                assert_eq!(F8E4M3::from_f64(-value).to_bits(), expected | 0x80, "{value}");
            }
        }
        assert!(F8E4M3::from_bits(127).is_nan() && F8E4M3::from_f64(1e9).to_f64() >= 448.0);
    }

    /// Whether every element of this type reads as NaN where [`POISON`] was written, or as what no sum is.
    fn is_poisoned(dtype: DType) -> bool {
        let mut tensor = Tensor::zeros(dtype, 2);
        tensor
            .bytes_mut()
            .iter_mut()
            .zip(POISON.to_le_bytes().iter().cycle())
            .for_each(|(byte, &poison)| *byte = poison);
        tensor.to_f64().iter().all(|value| value.is_nan() || dtype.is_integer() && *value > 2e9)
    }

    #[test]
    fn poison_is_no_result_in_any_type_of_results() {
        assert!(crate::Precision::ALL.into_iter().map(crate::Precision::result).all(is_poisoned));
    }
}
