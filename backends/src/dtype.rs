//! Element types of buffers, by the names that result files use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An element type. Ordered from the widest to the narrowest, whole numbers after the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DType {
    /// IEEE 754 binary64.
    F64,
    /// IEEE 754 binary32.
    F32,
    /// Binary32 with a significand of 11 bits, stored as binary32: what matrix units multiply.
    Tf32,
    /// bfloat16: binary32 with a significand of 8 bits, stored in its upper half.
    Bf16,
    /// IEEE 754 binary16.
    F16,
    /// E4M3 of the OCP 8-bit floating point specification: a significand of 4 bits, up to 448, one NaN and no infinity.
    F8E4M3,
    /// Whole numbers of 32 bits.
    I32,
    /// Whole numbers of 8 bits.
    I8,
}

impl DType {
    /// All of them, in their order.
    pub const ALL: [Self; 8] =
        [Self::F64, Self::F32, Self::Tf32, Self::Bf16, Self::F16, Self::F8E4M3, Self::I32, Self::I8];

    /// Bytes of one element.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::F64 => 8,
            Self::F32 | Self::Tf32 | Self::I32 => 4,
            Self::Bf16 | Self::F16 => 2,
            Self::F8E4M3 | Self::I8 => 1,
        }
    }

    /// The name in result files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
            Self::F8E4M3 => "f8e4m3",
            Self::I32 => "i32",
            Self::I8 => "i8",
        }
    }

    /// The type of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.name() == name)
    }

    /// Whether it holds whole numbers, with which sums are exact.
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::I32 | Self::I8)
    }

    /// One unit in the last place of 1.0: the largest relative error of a faithfully rounded result. 0 for whole numbers,
    /// which are not rounded.
    ///
    /// A correctly rounded result is within half of it; GPUs and WGSL promise only faithful rounding for some
    /// conversions, so bounds are built on this.
    pub const fn ulp(self) -> f64 {
        match self {
            Self::F64 => f64::EPSILON,
            Self::F32 => 1.192_092_895_507_812_5e-7,
            Self::Tf32 | Self::F16 => 9.765_625e-4,
            Self::Bf16 => 7.812_5e-3,
            Self::F8E4M3 => 0.125,
            Self::I32 | Self::I8 => 0.0,
        }
    }

    /// The smallest normal number: what a device that flushes subnormals may lose. 0 for whole numbers.
    pub const fn min_positive(self) -> f64 {
        match self {
            Self::F64 => f64::MIN_POSITIVE,
            Self::F32 | Self::Tf32 | Self::Bf16 => 1.175_494_350_822_287_5e-38,
            Self::F16 => 6.103_515_625e-5,
            Self::F8E4M3 => 1.562_5e-2,
            Self::I32 | Self::I8 => 0.0,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_significands() {
        // The bits of a significand, with the one that is not stored.
        let types = [DType::F64, DType::F32, DType::Tf32, DType::F16, DType::Bf16, DType::F8E4M3];
        for (dtype, bits) in types.into_iter().zip([53, 24, 11, 11, 8, 4]) {
            assert_eq!(dtype.ulp().to_bits(), 2_f64.powi(1 - bits).to_bits(), "{dtype}");
        }
    }

    #[test]
    fn every_type_is_found_by_its_name_and_comes_in_order() {
        assert!(DType::ALL.is_sorted());
        assert!(DType::ALL.into_iter().all(|dtype| DType::named(dtype.name()) == Some(dtype)));
        assert_eq!(DType::named("f99"), None);
    }
}
