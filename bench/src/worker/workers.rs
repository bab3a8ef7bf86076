//! One worker at a time, on whichever device has its turn.

use super::{Failure, Worker};
use crate::probe::Machine;
use accelbench_backends::DeviceId;
use std::collections::BTreeMap;
use std::time::Duration;

/// After so many tries a device that does not open is not tried again: each may last to the deadline.
const OPEN_TRIES: u32 = 2;

/// Starts workers, and starts them again after a crash.
pub struct Workers<'a> {
    machine: &'a Machine,
    /// How long a worker may take over one answer.
    pub timeout: Duration,
    /// Whether the user ended the run.
    pub stopped: &'a dyn Fn() -> bool,
    worker: Option<Worker>,
    /// Devices that could not be opened, how often, and why the last time.
    closed: BTreeMap<DeviceId, (u32, Failure)>,
}

impl<'a> Workers<'a> {
    /// None at work yet.
    pub fn new(machine: &'a Machine, timeout: Duration, stopped: &'a dyn Fn() -> bool) -> Self {
        Self { machine, timeout, stopped, worker: None, closed: BTreeMap::new() }
    }

    /// A worker that has the device open.
    ///
    /// # Errors
    /// Why there is none.
    pub fn on(&mut self, device: &DeviceId) -> Result<&mut Worker, Failure> {
        let worker = match self.worker.take() {
            Some(worker) if worker.device.id == *device => worker,
            other => {
                drop(other);
                self.start(device)?
            }
        };
        Ok(self.worker.insert(worker))
    }

    /// Gives up the worker: it is of no more use.
    pub fn dismiss(&mut self) {
        self.worker = None;
    }

    fn start(&mut self, device: &DeviceId) -> Result<Worker, Failure> {
        if let Some((OPEN_TRIES.., failure)) = self.closed.get(device) {
            return Err(failure.clone());
        }
        let probed = self.machine.devices().find(|probed| probed.id == *device);
        match Worker::start(device, self.timeout, self.stopped) {
            Ok(worker) if probed.is_some_and(|probed| probed.name != worker.device.name) => {
                Err(Failure::Closed(format!("{device} is now `{}`: the machine's devices changed", worker.device.name)))
            }
            Ok(worker) => Ok(worker),
            Err(failure) => {
                let (tries, last) = self.closed.entry(device.clone()).or_insert((0, failure.clone()));
                *tries += 1;
                last.clone_from(&failure);
                Err(failure)
            }
        }
    }
}
