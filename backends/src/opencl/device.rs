//! An open device: a context with one queue.

use super::caps::Query;
use super::driver::Found;
use super::handle::Handle;
use super::kernel::{Compiled, OpenClKernel, Programs};
use super::library::LibraryKernel;
use super::queue::Queue;
use super::timing::Events;
use super::trust::Trust;
use super::{caps, code, half, matrices, ptx};
use crate::host_block::HostBlock;
use crate::timing::Submissions;
use crate::{
    Buffer, Command, DType, Device, DeviceInfo, DeviceKind, DeviceToken, Error, Kernel, KernelSpec, Result, Source,
    Span, Ticket, launch,
};
use opencl3::context::context::{create_context, release_context};
use opencl3::memory::{
    CL_MEM_ALLOC_HOST_PTR, CL_MEM_READ_WRITE, CL_MEM_USE_HOST_PTR, cl_mem_flags, create_buffer, release_mem_object,
    set_mem_object_destructor_callback,
};
use opencl3::types::{cl_device_id, cl_mem};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::rc::Rc;

pub(super) struct OpenClDevice {
    token: DeviceToken,
    info: DeviceInfo,
    id: cl_device_id,
    context: Handle,
    queue: Rc<Queue>,
    programs: Programs,
    trust: Trust,
    /// Bytes of all live buffers.
    allocated: Rc<Cell<u64>>,
    submissions: Submissions<Events>,
}

impl OpenClDevice {
    pub(super) fn open(index: u32, found: &Found) -> Result<Self> {
        let info = caps::describe(index, found)?;
        let context = create_context(&[found.device], null(), None, null_mut())
            .map_err(|status| code::error("clCreateContext", status))?;
        // SAFETY: just created, and released by this handle only.
        let context = unsafe { Handle::new(context, release_context) };
        let queue = Rc::new(Queue::new(context.raw(), found.device)?);
        let token = DeviceToken::new();
        let mut device = Self {
            token,
            info,
            id: found.device,
            context,
            queue,
            programs: Programs::default(),
            trust: Trust::default(),
            allocated: Rc::default(),
            submissions: Submissions::new(token),
        };
        if half::computes(&device) {
            device.info.caps.compute.insert(DType::F16);
        }
        if ptx::is_taken(&device) {
            device.info.caps.facts.insert(ptx::FACT.to_owned(), "yes".to_owned());
        }
        if let Some(instruction) = matrices::found(&device, Query(found.device)) {
            device.info.caps.facts.insert(matrices::FACT.to_owned(), instruction.to_string());
        }
        Ok(device)
    }

    fn memory_of(&self, bytes: u64, flags: cl_mem_flags) -> Result<Memory> {
        if bytes == 0 {
            return Err(Error::invalid("a buffer of 0 bytes"));
        }
        let limit = self.info.caps.max_buffer_bytes;
        if bytes > limit {
            return Err(Error::LimitExceeded { what: "a buffer", asked: bytes, limit });
        }
        // Most drivers reserve memory when it is first used, and fail or page then: count here what they will be asked.
        let left = self.info.caps.memory_bytes.map(|total| total.saturating_sub(self.allocated.get()));
        if left.is_some_and(|left| bytes > left) {
            return Err(Error::OutOfMemory { asked: bytes, free: left });
        }
        let handle = if self.info.caps.kind == DeviceKind::Cpu && flags == CL_MEM_READ_WRITE {
            self.buffer_in_block(bytes)?
        } else {
            self.create_buffer(flags, bytes, null_mut())?
        };
        self.allocated.set(self.allocated.get() + bytes);
        Ok(Memory { handle, bytes, allocated: Rc::clone(&self.allocated), mapping: None })
    }

    fn create_buffer(&self, flags: cl_mem_flags, bytes: u64, host: *mut c_void) -> Result<Handle> {
        // SAFETY: memory of the host is a caller's block, which the buffer has to itself until its destructor is called.
        // The new buffer is released by its handle only.
        unsafe {
            let raw = create_buffer(self.context.raw(), flags, bytes as usize, host)
                .map_err(|status| code::memory_error("clCreateBuffer", status, bytes))?;
            Ok(Handle::new(raw, release_mem_object))
        }
    }

    /// A buffer for a device that computes in the host's memory: drivers use a block where it lies, and their own memory
    /// is on small pages.
    fn buffer_in_block(&self, bytes: u64) -> Result<Handle> {
        let block = HostBlock::new(bytes as usize).ok_or(Error::OutOfMemory { asked: bytes, free: None })?;
        let handle =
            self.create_buffer(CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, bytes, block.start().as_ptr().cast())?;
        let block = Box::into_raw(Box::new(block));
        // SAFETY: the buffer is alive, and from here on its destructor alone has the block.
        let kept = unsafe { set_mem_object_destructor_callback(handle.raw(), give_back, block.cast()) };
        if let Err(status) = kept {
            drop(handle);
            // SAFETY: the buffer is gone, and nobody else was told of the block.
            drop(unsafe { Box::from_raw(block) });
            return Err(code::error("clSetMemObjectDestructorCallback", status));
        }
        Ok(handle)
    }
}

/// The destructor of a buffer in a block: the driver no longer uses the block's memory.
extern "C" fn give_back(_buffer: cl_mem, block: *mut c_void) {
    // SAFETY: made by `Box::into_raw` for this one call.
    drop(unsafe { Box::from_raw(block.cast::<HostBlock>()) });
}

/// A buffer's memory.
pub(super) struct Memory {
    handle: Handle,
    bytes: u64,
    allocated: Rc<Cell<u64>>,
    /// Where the host has it, of page-locked memory.
    mapping: Option<Mapping>,
}

/// A mapping into the host's memory, which lasts as long as its buffer.
struct Mapping {
    start: *mut c_void,
    queue: Rc<Queue>,
}

impl Memory {
    pub(super) fn raw(&self) -> cl_mem {
        self.handle.raw()
    }

    /// The address in the host's memory, of page-locked memory.
    pub(super) fn host(&self) -> Option<*mut c_void> {
        self.mapping.as_ref().map(|mapping| mapping.start)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(mapping) = &self.mapping {
            mapping.queue.unmap(self.handle.raw(), mapping.start);
        }
        self.allocated.set(self.allocated.get() - self.bytes);
    }
}

impl Device for OpenClDevice {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn alloc(&self, bytes: u64) -> Result<Buffer> {
        Ok(Buffer::new(self.token, bytes, self.memory_of(bytes, CL_MEM_READ_WRITE)?))
    }

    fn alloc_pinned(&self, bytes: u64) -> Result<Buffer> {
        // What drivers make of this flag is memory that they have locked, if they can.
        let mut memory = self.memory_of(bytes, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR)?;
        let start = self.queue.map(memory.raw(), bytes)?;
        memory.mapping = Some(Mapping { start, queue: Rc::clone(&self.queue) });
        Ok(Buffer::new_pinned(self.token, bytes, memory))
    }

    fn upload(&self, dst: &Buffer, offset: u64, src: &[u8]) -> Result<()> {
        dst.check_range(offset, src.len() as u64)?;
        let memory = dst.inner::<Memory>(self.token)?;
        if src.is_empty() { Ok(()) } else { self.queue.upload(memory, offset, src) }
    }

    fn download(&self, src: &Buffer, offset: u64, dst: &mut [u8]) -> Result<()> {
        src.check_range(offset, dst.len() as u64)?;
        let memory = src.inner::<Memory>(self.token)?;
        if dst.is_empty() { Ok(()) } else { self.queue.download(memory, offset, dst) }
    }

    fn compile(&self, spec: &KernelSpec) -> Result<Kernel> {
        launch::check_spec(spec, &self.info.caps)?;
        let (log, compiled) = match &spec.source {
            Source::OpenClC(text) => {
                let program = self.programs.build(self.context.raw(), self.id, text, spec)?;
                (program.log.clone(), Compiled::Source(OpenClKernel::new(&program, self.id, spec)?))
            }
            Source::Library(call) => {
                let kernel = LibraryKernel::prepare(call, &self.info.caps)?;
                self.trust.check(self, self.token, call)?;
                (String::new(), Compiled::Library(kernel))
            }
            _ => return Err(spec.wrong_language("opencl")),
        };
        Ok(Kernel::new(self.token, spec, log, compiled))
    }

    fn submit(&self, commands: &[Command<'_>]) -> Result<Ticket> {
        launch::check(commands, self.token, &self.info.caps)?;
        Ok(self.submissions.add(self.queue.submit(self.token, commands)?))
    }

    fn wait(&self, ticket: Ticket) -> Result<Vec<Span>> {
        self.queue.wait(self.submissions.take(&ticket)?)
    }

    fn memory(&self) -> Result<crate::Memory> {
        Ok(caps::memory(Query(self.id)))
    }
}
