//! What goes wrong inside wgpu, as errors of the seam.

use crate::{Error, Result};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// The first error of a device since it was last asked for, and whether the device is lost.
///
/// On native systems wgpu calls back within the call that failed, on the same thread, so asking after a call tells
/// whether that call failed. Without a callback of ours, wgpu would panic.
#[derive(Default)]
pub(super) struct Faults(Mutex<State>);

#[derive(Default)]
struct State {
    error: Option<wgpu::Error>,
    lost: Option<String>,
}

impl Faults {
    /// Starts to collect the errors of `device`.
    pub(super) fn of(device: &wgpu::Device) -> Arc<Self> {
        let faults = Arc::new(Self::default());
        let sink = Arc::clone(&faults);
        device.on_uncaptured_error(Arc::new(move |error| {
            sink.with(|state| {
                state.error.get_or_insert(error);
            });
        }));
        let sink = Arc::clone(&faults);
        device.set_device_lost_callback(move |reason, message| {
            sink.with(|state| state.lost = Some(format!("{reason:?}: {message}")));
        });
        faults
    }

    /// Takes the error since the last call.
    ///
    /// # Errors
    /// `DeviceLost`, now and for ever, once the device is lost.
    pub(super) fn take(&self) -> Result<Option<wgpu::Error>> {
        self.with(|state| match &state.lost {
            Some(reason) => Err(Error::DeviceLost { reason: reason.clone() }),
            None => Ok(state.error.take()),
        })
    }

    /// Fails if anything failed since the last call; `asked` bytes are what was allocated.
    pub(super) fn check(&self, asked: u64) -> Result<()> {
        match self.take()? {
            None => Ok(()),
            Some(wgpu::Error::OutOfMemory { .. }) => Err(Error::OutOfMemory { asked, free: None }),
            Some(wgpu::Error::Validation { description, .. }) => Err(Error::InvalidArgument(description)),
            Some(error @ wgpu::Error::Internal { .. }) => Err(internal("wgpu", &error)),
        }
    }

    fn with<T>(&self, action: impl FnOnce(&mut State) -> T) -> T {
        action(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An error of wgpu's that has no number.
pub(super) fn internal(call: &'static str, error: &impl ToString) -> Error {
    Error::Driver { api: "webgpu", call, code: 0, name: error.to_string() }
}

/// Runs a call that is known to panic when a driver misbehaves; gives the panic's message then.
pub(super) fn caught<T>(action: impl FnOnce() -> T) -> std::result::Result<T, String> {
    catch_unwind(AssertUnwindSafe(action)).map_err(|panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message").to_owned()
    })
}
