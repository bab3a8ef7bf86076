//! A case's name: `op/dtype/shape/variant@device`.

use accelbench_backends::DeviceId;
use accelbench_kernels::Precision;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The variant of a case that a device has no way to compute.
pub const NO_VARIANT: &str = "none";

/// The variant of a case by whichever way is the best: what is tuned.
pub const ANY_VARIANT: &str = "any";

/// The name of a case, as result files and workers use it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaseId {
    /// The operation.
    pub op: String,
    /// The numeric types.
    pub precision: Precision,
    /// The shape in its compact form.
    pub shape: String,
    /// The kernel family or library, or [`NO_VARIANT`].
    pub variant: String,
    /// The device.
    pub device: DeviceId,
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}@{}", self.op, self.precision, self.shape, self.variant, self.device)
    }
}

impl FromStr for CaseId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no case; write OP/DTYPE/SHAPE/VARIANT@DEVICE");
        let (path, device) = text.rsplit_once('@').ok_or_else(wrong)?;
        let parts: Vec<&str> = path.split('/').collect();
        let [op, precision, shape, variant] = parts[..] else { return Err(wrong()) };
        Ok(Self {
            op: op.to_owned(),
            precision: precision.parse()?,
            shape: shape.to_owned(),
            variant: variant.to_owned(),
            device: device.parse()?,
        })
    }
}

impl TryFrom<String> for CaseId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<CaseId> for String {
    fn from(id: CaseId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let text = "gemm/f16-acc16/1x4096x4096-nt/tiled@opencl:1";
        assert_eq!(text.parse::<CaseId>().unwrap().to_string(), text);
        for wrong in ["", "gemm", "gemm/f32/1x1x1@host:0", "gemm/f33/1x1x1/x@host:0", "gemm/f32/1x1x1/x@host"] {
            assert!(wrong.parse::<CaseId>().is_err(), "{wrong}");
        }
    }
}
