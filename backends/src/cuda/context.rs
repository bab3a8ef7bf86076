//! A device's primary context and the one stream that everything runs in.

use super::api::{check, driver};
use crate::Result;
use cudarc::driver::sys::{CUcontext, CUdevice, CUstream};
use std::ptr;

/// Flag of a stream that does not wait for the default stream.
const NON_BLOCKING: u32 = 1;

/// Shared by the device and by all that it made, so that it outlives every handle.
pub(super) struct Context {
    device: CUdevice,
    raw: CUcontext,
    stream: CUstream,
}

impl Context {
    pub(super) fn new(device: CUdevice) -> Result<Self> {
        let mut new = Self { device, raw: ptr::null_mut(), stream: ptr::null_mut() };
        // SAFETY: `device` comes from the driver, and the handles are written to places of their types. A failure
        // drops `new`, which releases what it has got.
        unsafe {
            check("cuDevicePrimaryCtxRetain", driver::cuDevicePrimaryCtxRetain(&raw mut new.raw, device))?;
            new.enter()?;
            check("cuStreamCreate", driver::cuStreamCreate(&raw mut new.stream, NON_BLOCKING))?;
        }
        Ok(new)
    }

    /// Makes this the thread's context: two devices, or other code, may have taken turns since the last call.
    pub(super) fn enter(&self) -> Result<()> {
        // SAFETY: the context is retained as long as `self` lives.
        check("cuCtxSetCurrent", unsafe { driver::cuCtxSetCurrent(self.raw) })
    }

    pub(super) fn stream(&self) -> CUstream {
        self.stream
    }

    /// Waits for all that was submitted.
    pub(super) fn synchronize(&self) -> Result<()> {
        // SAFETY: the stream lives as long as `self`.
        check("cuStreamSynchronize", unsafe { driver::cuStreamSynchronize(self.stream) })
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // What fails here was lost before, and there is nobody left to tell.
        let _ = self.enter();
        // SAFETY: the handles are this context's own, and nothing made from them is left: all share this context.
        unsafe {
            if !self.stream.is_null() {
                let _ = driver::cuStreamDestroy_v2(self.stream);
            }
            if !self.raw.is_null() {
                let _ = driver::cuDevicePrimaryCtxRelease_v2(self.device);
            }
        }
    }
}
