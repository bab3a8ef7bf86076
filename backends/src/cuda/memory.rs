//! Device memory.

use super::api::{check, driver};
use super::context::Context;
use crate::{Buffer, DeviceToken, Error, Memory, Result};
use cudarc::driver::sys::{CUdeviceptr, CUresult};
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

pub(super) struct CudaMemory {
    context: Rc<Context>,
    /// Its address, of the device's memory or of page-locked host memory.
    pub(super) start: CUdeviceptr,
    free: Free,
}

/// What gives the memory back.
type Free = fn(CUdeviceptr);

impl CudaMemory {
    pub(super) fn buffer(context: &Rc<Context>, token: DeviceToken, bytes: u64) -> Result<Buffer> {
        Ok(Buffer::new(token, bytes, Self::device(context, bytes)?))
    }

    /// The device's memory, for this backend's own use.
    pub(super) fn device(context: &Rc<Context>, bytes: u64) -> Result<Self> {
        if bytes == 0 {
            return Err(Error::invalid("a buffer of 0 bytes"));
        }
        context.enter()?;
        let mut start = 0;
        // SAFETY: the driver writes an address, which is only used where it reports success.
        let result = unsafe { driver::cuMemAlloc_v2(&raw mut start, bytes as usize) };
        if result == CUresult::CUDA_ERROR_OUT_OF_MEMORY {
            return Err(Error::OutOfMemory { asked: bytes, free: memory(context).ok().and_then(|memory| memory.free) });
        }
        check("cuMemAlloc", result)?;
        Ok(Self { context: Rc::clone(context), start, free: free_device })
    }

    pub(super) fn pinned(context: &Rc<Context>, token: DeviceToken, bytes: u64) -> Result<Buffer> {
        if bytes == 0 {
            return Err(Error::invalid("a buffer of 0 bytes"));
        }
        context.enter()?;
        let mut start = ptr::null_mut();
        // SAFETY: as above. No flag: with unified addressing the device reaches such memory by the same address.
        let result = unsafe { driver::cuMemHostAlloc(&raw mut start, bytes as usize, 0) };
        if result == CUresult::CUDA_ERROR_OUT_OF_MEMORY {
            return Err(Error::OutOfMemory { asked: bytes, free: None });
        }
        check("cuMemHostAlloc", result)?;
        let memory = Self { context: Rc::clone(context), start: start as CUdeviceptr, free: free_host };
        Ok(Buffer::new_pinned(token, bytes, memory))
    }
}

impl Drop for CudaMemory {
    fn drop(&mut self) {
        let _ = self.context.enter();
        (self.free)(self.start);
    }
}

fn free_device(start: CUdeviceptr) {
    // SAFETY: the allocation is the dropped value's own; the driver waits for kernels that still use it.
    unsafe {
        let _ = driver::cuMemFree_v2(start);
    }
}

fn free_host(start: CUdeviceptr) {
    // SAFETY: as above.
    unsafe {
        let _ = driver::cuMemFreeHost(start as *mut c_void);
    }
}

/// The device's memory now.
pub(super) fn memory(context: &Context) -> Result<Memory> {
    context.enter()?;
    let (mut free, mut total) = (0, 0);
    // SAFETY: both places outlive the call.
    check("cuMemGetInfo", unsafe { driver::cuMemGetInfo_v2(&raw mut free, &raw mut total) })?;
    Ok(Memory { total: Some(total as u64), free: Some(free as u64) })
}
