//! Time that a device took, and which clock said so.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which clock a time comes from. Times of different clocks are never compared as equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// Events that the driver places in the device's queue (OpenCL profiling, CUDA events).
    DeviceEvent,
    /// Time stamps that the device writes itself (WebGPU time-stamp queries).
    DeviceTimestamp,
    /// The host's monotonic clock around the submission and its completion.
    HostWall,
}

impl Clock {
    /// The name in result files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeviceEvent => "device-event",
            Self::DeviceTimestamp => "device-timestamp",
            Self::HostWall => "host-wall",
        }
    }
}

/// The time between a [`Begin`](crate::Command::Begin) and its [`End`](crate::Command::End).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Nanoseconds.
    pub ns: f64,
    /// The clock that counted them.
    pub clock: Clock,
}

/// A submission that can be waited for, once, on the device that gave it.
#[derive(Debug, PartialEq, Eq, Hash)]
#[must_use = "a submission is only known to be complete after `Device::wait`"]
pub struct Ticket {
    pub(crate) token: crate::DeviceToken,
    pub(crate) number: u64,
}

impl Ticket {
    /// The `number`-th submission of the device that `token` names.
    pub fn new(token: crate::DeviceToken, number: u64) -> Self {
        Self { token, number }
    }

    /// The submission's number.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`](crate::Error::ForeignHandle) when another device gave this ticket.
    pub fn number(&self, token: crate::DeviceToken) -> crate::Result<u64> {
        if self.token == token { Ok(self.number) } else { Err(crate::Error::ForeignHandle { what: "ticket" }) }
    }
}
