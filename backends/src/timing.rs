//! Time that a device took, and which clock said so.

use crate::{DeviceToken, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

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
    token: DeviceToken,
    number: u64,
}

impl Ticket {
    /// The `number`-th submission of the device that `token` names.
    pub fn new(token: DeviceToken, number: u64) -> Self {
        Self { token, number }
    }

    /// The submission's number.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`] when another device gave this ticket.
    pub fn number(&self, token: DeviceToken) -> Result<u64> {
        if self.token == token { Ok(self.number) } else { Err(Error::ForeignHandle { what: "ticket" }) }
    }
}

/// What a device keeps of each submission until it is waited for.
///
/// Mostly there is one, or the oldest is waited for first. A map would allocate a node for each, which costs more than
/// the rest of what the seam adds to a launch.
#[allow(dead_code)] // Unused where every backend was left out.
pub(crate) struct Submissions<T> {
    token: DeviceToken,
    next: Cell<u64>,
    pending: RefCell<VecDeque<(u64, T)>>,
}

#[allow(dead_code)]
impl<T> Submissions<T> {
    pub(crate) fn new(token: DeviceToken) -> Self {
        Self { token, next: Cell::new(0), pending: RefCell::default() }
    }

    pub(crate) fn add(&self, submission: T) -> Ticket {
        let number = self.next.replace(self.next.get() + 1);
        self.pending.borrow_mut().push_back((number, submission));
        Ticket::new(self.token, number)
    }

    /// # Errors
    /// [`Error::ForeignHandle`] when another device gave this ticket.
    pub(crate) fn take(&self, ticket: &Ticket) -> Result<T> {
        let number = ticket.number(self.token)?;
        let mut pending = self.pending.borrow_mut();
        let index = pending.iter().position(|&(pending, _)| pending == number);
        let submission = index.and_then(|index| pending.remove(index));
        submission
            .map(|(_, submission)| submission)
            .ok_or_else(|| Error::invalid("this submission was waited for before"))
    }

    /// Those that nobody waited for.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> {
        self.pending.get_mut().drain(..).map(|(_, submission)| submission)
    }
}
