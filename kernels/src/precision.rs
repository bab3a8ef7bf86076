//! The numeric types of a case: what is stored, and what sums are kept in.

use crate::TensorSpec;
use accelbench_backends::{Caps, DType};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A case's numeric types, by the name in its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Precision {
    /// Stored and accumulated in binary64.
    F64,
    /// Stored and accumulated in binary32.
    F32,
    /// Stored in binary16, accumulated in binary32.
    F16,
    /// Stored and accumulated in binary16.
    F16Acc16,
}

impl Precision {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 4] = [Self::F64, Self::F32, Self::F16, Self::F16Acc16];

    /// The name in ids and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::F16Acc16 => "f16-acc16",
        }
    }

    /// The type of inputs and outputs.
    pub const fn storage(self) -> DType {
        match self {
            Self::F64 => DType::F64,
            Self::F32 => DType::F32,
            Self::F16 | Self::F16Acc16 => DType::F16,
        }
    }

    /// The type that sums are kept in.
    pub const fn accumulate(self) -> DType {
        match self {
            Self::F64 => DType::F64,
            Self::F32 | Self::F16 => DType::F32,
            Self::F16Acc16 => DType::F16,
        }
    }

    /// An input or an output of so many elements.
    pub const fn tensor(self, name: &'static str, elements: u64) -> TensorSpec {
        TensorSpec { name, dtype: self.storage(), elements }
    }

    /// Why a device can't compute so, or nothing where it can.
    pub fn missing(self, caps: &Caps) -> Option<String> {
        if !caps.storage.contains(&self.storage()) {
            Some(format!("the device does not store {}", self.storage()))
        } else if !caps.compute.contains(&self.accumulate()) {
            Some(format!("the device does not compute in {}", self.accumulate()))
        } else {
            None
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|precision| precision.name() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|precision| precision.name()).collect();
            format!("unknown dtype `{text}`; known are {}", known.join(", "))
        })
    }
}

impl TryFrom<String> for Precision {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Precision> for String {
    fn from(precision: Precision) -> Self {
        precision.name().to_owned()
    }
}
