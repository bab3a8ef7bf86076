//! A GPU as a device.

use super::api::{check, driver};
use super::caps::{Capability, describe};
use super::context::Context;
use super::kernel::Code;
use super::library::Libraries;
use super::memory::{CudaMemory, memory};
use super::queue::Queue;
use crate::launch;
use crate::{
    Buffer, Command, Device, DeviceInfo, DeviceToken, Kernel, KernelSpec, Memory, Result, Source, Span, Ticket,
};
use cudarc::driver::sys::{CUdevice, CUdeviceptr};
use std::rc::Rc;

pub(super) struct CudaDevice {
    token: DeviceToken,
    info: DeviceInfo,
    capability: Capability,
    queue: Queue,
    libraries: Libraries,
    context: Rc<Context>,
}

impl CudaDevice {
    pub(super) fn open(index: u32, device: CUdevice) -> Result<Self> {
        let token = DeviceToken::new();
        let context = Rc::new(Context::new(device)?);
        Ok(Self {
            token,
            info: describe(index, device)?,
            capability: Capability::of(device)?,
            queue: Queue::new(&context, token),
            libraries: Libraries::new(&context),
            context,
        })
    }
}

impl Device for CudaDevice {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn alloc(&self, bytes: u64) -> Result<Buffer> {
        CudaMemory::buffer(&self.context, self.token, bytes)
    }

    fn alloc_pinned(&self, bytes: u64) -> Result<Buffer> {
        CudaMemory::pinned(&self.context, self.token, bytes)
    }

    fn upload(&self, dst: &Buffer, offset: u64, src: &[u8]) -> Result<()> {
        dst.check_range(offset, src.len() as u64)?;
        let start = dst.inner::<CudaMemory>(self.token)?.start + offset;
        self.context.enter()?;
        // SAFETY: the range was checked, and `src` is borrowed until the stream has caught up.
        check("cuMemcpyAsync", unsafe {
            driver::cuMemcpyAsync(start, src.as_ptr() as CUdeviceptr, src.len(), self.context.stream())
        })?;
        self.context.synchronize()
    }

    fn download(&self, src: &Buffer, offset: u64, dst: &mut [u8]) -> Result<()> {
        src.check_range(offset, dst.len() as u64)?;
        let start = src.inner::<CudaMemory>(self.token)?.start + offset;
        self.context.enter()?;
        // SAFETY: the range was checked, and `dst` is borrowed until the stream has caught up.
        check("cuMemcpyAsync", unsafe {
            driver::cuMemcpyAsync(dst.as_mut_ptr() as CUdeviceptr, start, dst.len(), self.context.stream())
        })?;
        self.context.synchronize()
    }

    fn compile(&self, spec: &KernelSpec) -> Result<Kernel> {
        launch::check_spec(spec, &self.info.caps)?;
        match &spec.source {
            Source::Library(call) => self.libraries.compile(self.token, spec, call),
            _ => Code::compile(&self.context, self.token, spec, self.capability),
        }
    }

    fn submit(&self, commands: &[Command<'_>]) -> Result<Ticket> {
        launch::check(commands, self.token, &self.info.caps)?;
        self.queue.submit(commands)
    }

    fn wait(&self, ticket: Ticket) -> Result<Vec<Span>> {
        self.queue.wait(&ticket)
    }

    fn memory(&self) -> Result<Memory> {
        memory(&self.context)
    }
}
