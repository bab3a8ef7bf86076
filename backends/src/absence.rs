//! Whether a backend is there, and if not, why and what would help.

use crate::DeviceInfo;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a probe found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum Presence {
    /// The API answers and has at least one device.
    Present {
        /// The API's version, as it states it.
        api_version: String,
        /// Its devices, in the order of their ids.
        devices: Vec<DeviceInfo>,
        /// What was passed over on the way, such as a platform without devices.
        notes: Vec<String>,
    },
    /// Nothing can be run through this API on this machine.
    Absent(Absence),
}

/// Why a backend is absent, and what would help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Absence {
    /// The kind of reason, for programs.
    pub reason: AbsenceReason,
    /// The reason in words, with the driver's own message.
    pub detail: String,
    /// What a user can do about it.
    pub hint: String,
}

/// The kinds of absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AbsenceReason {
    /// The program was built without this backend.
    NotCompiledIn,
    /// The loader library is not installed, or is not a library.
    LoaderMissing,
    /// The loader is there, and knows no platform or driver.
    NoPlatform,
    /// There are drivers, and none has a device.
    NoDevice,
    /// The driver lacks functions that are needed.
    DriverTooOld,
    /// A part is missing, such as the run-time compiler.
    Incomplete,
    /// The user switched it off.
    Disabled,
    /// The probe itself crashed, hung or failed in a way that no other kind names.
    ProbeFailed,
}

impl Absence {
    /// An absence with its reason and hint.
    pub fn new(reason: AbsenceReason, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), hint: hint.into() }
    }
}

impl From<Absence> for Presence {
    fn from(absence: Absence) -> Self {
        Self::Absent(absence)
    }
}
