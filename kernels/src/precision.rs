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
    /// Stored in binary32, multiplied with 11 bits of significand, accumulated in binary32: operands are rounded to the
    /// nearest such number, on the device. Bounds hold for operands that are off by as much as that may be, 2⁻¹¹.
    Tf32,
    /// Stored in bfloat16, rounded to the nearest, ties to even; accumulated in binary32.
    Bf16,
    /// Stored in binary16, accumulated in binary32.
    F16,
    /// Stored and accumulated in binary16.
    F16Acc16,
    /// Stored in E4M3, 8 bits; the results in bfloat16. Products are exact, and sums are what matrix units keep of
    /// binary32: of each number that one of their instructions adds, Hopper's drop what lies 14 bits below the largest
    /// (measured by F. A. Khattak and M. Mikaitis in their models of tensor cores, 2025, and told in the DeepSeek-V3
    /// Technical Report, 2024, section 3.3). Bounds hold for that.
    F8E4M3,
    /// Operands are whole numbers of 8 bits, sums and results of 32: exact, and verified to be. Its operations are no
    /// floating-point ones, but are counted like them.
    ///
    /// With 133 144 products or fewer no sum leaves 32 bits. With more, one of the random numbers that inputs hold
    /// still would not: 2³¹ products have sums of a standard deviation of 2²⁸.
    I8,
}

impl Precision {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 8] =
        [Self::F64, Self::F32, Self::Tf32, Self::Bf16, Self::F16, Self::F16Acc16, Self::F8E4M3, Self::I8];

    /// The name in ids and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
            Self::F16Acc16 => "f16-acc16",
            Self::F8E4M3 => "f8e4m3",
            Self::I8 => "i8",
        }
    }

    /// The type of inputs.
    pub const fn storage(self) -> DType {
        match self {
            Self::F64 => DType::F64,
            Self::F32 | Self::Tf32 => DType::F32,
            Self::Bf16 => DType::Bf16,
            Self::F16 | Self::F16Acc16 => DType::F16,
            Self::F8E4M3 => DType::F8E4M3,
            Self::I8 => DType::I8,
        }
    }

    /// The type that inputs are multiplied in: that of storage, but where the units round it.
    pub const fn operand(self) -> DType {
        match self {
            Self::Tf32 => DType::Tf32,
            _ => self.storage(),
        }
    }

    /// The type that sums are kept in.
    pub const fn accumulate(self) -> DType {
        match self {
            Self::F64 => DType::F64,
            Self::F32 | Self::Tf32 | Self::Bf16 | Self::F16 | Self::F8E4M3 => DType::F32,
            Self::F16Acc16 => DType::F16,
            Self::I8 => DType::I32,
        }
    }

    /// One unit in the last place of sums, relative to the largest number that is added: that of their type, but where
    /// matrix units keep fewer bits.
    pub const fn sum_ulp(self) -> f64 {
        match self {
            Self::F8E4M3 => 1.220_703_125e-4,
            _ => self.accumulate().ulp(),
        }
    }

    /// The type of outputs: that of inputs, but for those of 8 bits.
    pub const fn result(self) -> DType {
        match self {
            Self::F8E4M3 => DType::Bf16,
            Self::I8 => DType::I32,
            _ => self.storage(),
        }
    }

    /// How far an operand may be off when it is multiplied, relative to itself.
    pub const fn operand_error(self) -> f64 {
        match self {
            // Half a unit, rounded to the nearest.
            Self::Tf32 => DType::Tf32.ulp() / 2.0,
            _ => 0.0,
        }
    }

    /// Whether every device is asked for it. The others are types of matrix units: a device that has none would have a
    /// row for each operation and type that says so, and none that says more, so it is asked only where a command names
    /// the type.
    pub const fn is_common(self) -> bool {
        matches!(self, Self::F64 | Self::F32 | Self::F16 | Self::F16Acc16)
    }

    /// Whether ordinary arithmetic units have no instruction for it.
    pub const fn needs_matrix_units(self) -> bool {
        matches!(self, Self::Tf32 | Self::F8E4M3 | Self::I8)
    }

    /// Whether sums of halves are kept in binary32.
    pub(crate) const fn is_wide_half(self) -> bool {
        matches!(self, Self::F16 | Self::Bf16)
    }

    /// An input of so many elements.
    pub const fn input(self, name: &'static str, elements: u64) -> TensorSpec {
        TensorSpec { name, dtype: self.storage(), elements }
    }

    /// An output of so many elements.
    pub const fn output(self, name: &'static str, elements: u64) -> TensorSpec {
        TensorSpec { name, dtype: self.result(), elements }
    }

    /// Why a device can't compute so, or nothing where it can.
    pub fn missing(self, caps: &Caps) -> Option<String> {
        if !caps.storage.contains(&self.storage()) {
            Some(format!("the device does not store {}", self.storage()))
        } else if self.operand() != self.storage() && !caps.compute.contains(&self.operand()) {
            Some(format!("the device does not multiply in {}", self.operand()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use accelbench_backends::{DeviceKind, Language};

    #[test]
    fn every_precision_has_a_name_of_its_own() {
        assert!(Precision::ALL.is_sorted());
        assert!(Precision::ALL.into_iter().all(|precision| precision.name().parse() == Ok(precision)));
    }

    #[test]
    fn what_a_device_lacks_is_named() {
        let common = testing::caps(DeviceKind::Gpu, Language::CudaC);
        let missing = |precision: Precision| precision.missing(&common).unwrap_or_default();
        assert_eq!(missing(Precision::F16), "");
        assert_eq!(missing(Precision::Bf16), "the device does not store bf16");
        assert_eq!(missing(Precision::Tf32), "the device does not multiply in tf32");
        assert_eq!(missing(Precision::F8E4M3), "the device does not store f8e4m3");
        assert_eq!(missing(Precision::I8), "the device does not store i8");
        let mut whole = testing::caps(DeviceKind::Gpu, Language::CudaC);
        whole.storage.extend(DType::ALL);
        whole.compute.extend(DType::ALL);
        assert!(Precision::ALL.into_iter().all(|precision| precision.missing(&whole).is_none()));
        whole.compute.remove(&DType::I32);
        assert_eq!(Precision::I8.missing(&whole).as_deref(), Some("the device does not compute in i32"));
    }
}
