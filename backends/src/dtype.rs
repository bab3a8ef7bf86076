//! Element types of buffers, by the names that result files use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An element type. Ordered from the widest to the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DType {
    /// IEEE 754 binary64.
    F64,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
}

impl DType {
    /// Bytes of one element.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }

    /// The name in result files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::F16 => "f16",
        }
    }

    /// One unit in the last place of 1.0: the largest relative error of a faithfully rounded result.
    ///
    /// A correctly rounded result is within half of it; GPUs and WGSL promise only faithful rounding for some
    /// conversions, so bounds are built on this.
    pub const fn ulp(self) -> f64 {
        match self {
            Self::F64 => f64::EPSILON,
            Self::F32 => 1.192_092_895_507_812_5e-7,
            Self::F16 => 9.765_625e-4,
        }
    }

    /// The smallest normal number: what a device that flushes subnormals may lose.
    pub const fn min_positive(self) -> f64 {
        match self {
            Self::F64 => f64::MIN_POSITIVE,
            Self::F32 => 1.175_494_350_822_287_5e-38,
            Self::F16 => 6.103_515_625e-5,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
