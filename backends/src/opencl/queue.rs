//! The command queue: in order, with profiling.

use super::code;
use super::device::Memory;
use super::handle::Handle;
use super::kernel::{Compiled, OpenClKernel};
use super::timing::{Event, Events};
use crate::{Buffer, Command, DeviceToken, Error, Launch, Result, Span};
use opencl3::command_queue::{
    CL_QUEUE_PROFILING_ENABLE, create_command_queue, enqueue_copy_buffer, enqueue_fill_buffer, enqueue_map_buffer,
    enqueue_marker_with_wait_list, enqueue_nd_range_kernel, enqueue_read_buffer, enqueue_unmap_mem_object,
    enqueue_write_buffer, finish, flush, release_command_queue,
};
use opencl3::error_codes::CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
use opencl3::event::{CL_EVENT_COMMAND_EXECUTION_STATUS, get_event_data, wait_for_events};
use opencl3::memory::{CL_MAP_READ, CL_MAP_WRITE};
use opencl3::types::{CL_FALSE, CL_TRUE, cl_context, cl_device_id, cl_mem};
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::{null, null_mut};

/// An in-order queue: a command sees what those before it wrote.
pub(super) struct Queue {
    handle: Handle,
    /// Lists of events that wait for their next use, so that a launch allocates none.
    idle: RefCell<Vec<Events>>,
}

impl Queue {
    pub(super) fn new(context: cl_context, device: cl_device_id) -> Result<Self> {
        // SAFETY: the device belongs to the context; the new queue is released by this handle only.
        unsafe {
            let raw = create_command_queue(context, device, CL_QUEUE_PROFILING_ENABLE)
                .map_err(|status| code::error("clCreateCommandQueue", status))?;
            Ok(Self { handle: Handle::new(raw, release_command_queue), idle: RefCell::default() })
        }
    }

    /// Maps a buffer's whole memory for the host.
    pub(super) fn map(&self, buffer: cl_mem, bytes: u64) -> Result<*mut c_void> {
        let mut start = null_mut();
        // SAFETY: the range is the buffer's own; the event is this call's own.
        let event = unsafe {
            enqueue_map_buffer(
                self.handle.raw(),
                buffer,
                CL_TRUE,
                CL_MAP_READ | CL_MAP_WRITE,
                0,
                bytes as usize,
                &mut start,
                0,
                null(),
            )
            .map(|raw| Event::new(raw))
        };
        event.map(|_| start).map_err(|status| code::memory_error("clEnqueueMapBuffer", status, bytes))
    }

    /// Ends a mapping, after all commands so far. A failure leaves nothing to be done.
    pub(super) fn unmap(&self, buffer: cl_mem, start: *mut c_void) {
        // SAFETY: the mapping is of this buffer and queue, and ends once; the event is this call's own.
        let _ =
            unsafe { enqueue_unmap_mem_object(self.handle.raw(), buffer, start, 0, null()).map(|raw| Event::new(raw)) };
    }

    fn finish(&self) -> Result<()> {
        finish(self.handle.raw()).map_err(|status| code::error("clFinish", status))
    }

    /// Writes and waits.
    pub(super) fn upload(&self, dst: &Memory, offset: u64, src: &[u8]) -> Result<()> {
        if let Some(host) = dst.host() {
            self.finish()?;
            // SAFETY: the caller checked the range; nothing that was submitted uses the memory any more.
            unsafe { host.cast::<u8>().add(offset as usize).copy_from_nonoverlapping(src.as_ptr(), src.len()) };
            return Ok(());
        }
        // SAFETY: the caller checked the range; the call blocks, so `src` outlives it; the event is this call's own.
        let event = unsafe {
            enqueue_write_buffer(
                self.handle.raw(),
                dst.raw(),
                CL_TRUE,
                offset as usize,
                src.len(),
                src.as_ptr().cast_mut().cast(),
                0,
                null(),
            )
            .map(|raw| Event::new(raw))
        };
        event.map(drop).map_err(|status| code::memory_error("clEnqueueWriteBuffer", status, src.len() as u64))
    }

    /// Waits for all work so far and reads.
    pub(super) fn download(&self, src: &Memory, offset: u64, dst: &mut [u8]) -> Result<()> {
        if let Some(host) = src.host() {
            self.finish()?;
            // SAFETY: as in `upload`.
            unsafe { host.cast::<u8>().add(offset as usize).copy_to_nonoverlapping(dst.as_mut_ptr(), dst.len()) };
            return Ok(());
        }
        // SAFETY: the caller checked the range; the call blocks, so `dst` outlives it; the event is this call's own.
        let event = unsafe {
            enqueue_read_buffer(
                self.handle.raw(),
                src.raw(),
                CL_TRUE,
                offset as usize,
                dst.len(),
                dst.as_mut_ptr().cast(),
                0,
                null(),
            )
            .map(|raw| Event::new(raw))
        };
        event.map(drop).map_err(|status| code::memory_error("clEnqueueReadBuffer", status, dst.len() as u64))
    }

    /// Hands over the commands, which were checked, and sees that they start.
    pub(super) fn submit(&self, token: DeviceToken, commands: &[Command<'_>]) -> Result<Events> {
        let mut events = self.idle.borrow_mut().pop().unwrap_or_default();
        for command in commands {
            match command {
                Command::Begin => events.begin(),
                Command::End => events.end(),
                Command::Launch(launch) => self.launch(token, launch, &mut events)?,
                Command::Copy { bytes: 0, .. } => {}
                Command::Copy { src, src_offset, dst, dst_offset, bytes } => {
                    let from = (src.inner::<Memory>(token)?, *src_offset as usize);
                    let to = (dst.inner::<Memory>(token)?, *dst_offset as usize);
                    events.add(self.copy(from, to, *bytes as usize)?);
                }
                Command::Fill { dst, pattern } => self.fill(token, dst, *pattern, &mut events)?,
            }
        }
        flush(self.handle.raw()).map_err(|status| code::error("clFlush", status))?;
        Ok(events)
    }

    /// Copies between two buffers, which were checked. Page-locked memory at one end is read or written where the host has
    /// it: it stays mapped.
    fn copy(&self, (src, from): (&Memory, usize), (dst, to): (&Memory, usize), bytes: usize) -> Result<Event> {
        let queue = self.handle.raw();
        // SAFETY: both ranges lie inside their buffers, which are two; the memory of a mapping outlives the command, since
        // its buffer is released only after it; the event is this call's own.
        let (call, event) = unsafe {
            match (src.host(), dst.host()) {
                (Some(host), _) => {
                    let start = host.cast::<u8>().add(from).cast();
                    let event = enqueue_write_buffer(queue, dst.raw(), CL_FALSE, to, bytes, start, 0, null());
                    ("clEnqueueWriteBuffer", event.map(|raw| Event::new(raw)))
                }
                (_, Some(host)) => {
                    let start = host.cast::<u8>().add(to).cast();
                    let event = enqueue_read_buffer(queue, src.raw(), CL_FALSE, from, bytes, start, 0, null());
                    ("clEnqueueReadBuffer", event.map(|raw| Event::new(raw)))
                }
                (None, None) => {
                    let event = enqueue_copy_buffer(queue, src.raw(), dst.raw(), from, to, bytes, 0, null());
                    ("clEnqueueCopyBuffer", event.map(|raw| Event::new(raw)))
                }
            }
        };
        event.map_err(|status| code::memory_error(call, status, bytes as u64))
    }

    fn launch(&self, token: DeviceToken, launch: &Launch<'_>, events: &mut Events) -> Result<()> {
        match launch.kernel.inner(token)? {
            Compiled::Source(kernel) => events.add(self.run(token, launch, kernel)?),
            Compiled::Library(library) => {
                // The library gives the event of its last kernel only, and a span starts with the first.
                if events.starts_span() {
                    events.add(self.marker()?);
                }
                events.add(library.enqueue(token, launch, self.handle.raw())?);
            }
        }
        Ok(())
    }

    /// Marks where the commands so far end.
    fn marker(&self) -> Result<Event> {
        // SAFETY: the queue is alive and nothing is waited for; the event is this call's own.
        let event = unsafe { enqueue_marker_with_wait_list(self.handle.raw(), 0, null()).map(|raw| Event::new(raw)) };
        event.map_err(|status| code::error("clEnqueueMarkerWithWaitList", status))
    }

    fn run(&self, token: DeviceToken, launch: &Launch<'_>, kernel: &OpenClKernel) -> Result<Event> {
        kernel.set_arguments(token, launch)?;
        let local = launch.kernel.group().map(|items| items as usize);
        let global = [0, 1, 2].map(|axis| launch.grid[axis] as usize * local[axis]);
        // SAFETY: the arguments are set; both arrays have the three dimensions that are announced, none of them 0.
        let event = unsafe {
            enqueue_nd_range_kernel(
                self.handle.raw(),
                kernel.raw(),
                3,
                null(),
                global.as_ptr(),
                local.as_ptr(),
                0,
                null(),
            )
            .map(|raw| Event::new(raw))
        };
        event.map_err(|status| {
            let bytes = launch.buffers.iter().map(|buffer| buffer.bytes()).sum();
            code::memory_error("clEnqueueNDRangeKernel", status, bytes)
        })
    }

    /// OpenCL fills whole patterns only, so a rest of 1 to 3 bytes is filled one by one.
    fn fill(&self, token: DeviceToken, dst: &Buffer, pattern: u32, events: &mut Events) -> Result<()> {
        let pattern = pattern.to_le_bytes();
        let whole = dst.bytes() as usize / 4 * 4;
        let rest = (whole..dst.bytes() as usize).map(|offset| (&pattern[offset - whole..][..1], offset, 1));
        let parts = std::iter::once((&pattern[..], 0, whole)).filter(|part| part.2 > 0).chain(rest);
        for (pattern, offset, bytes) in parts {
            let memory = dst.inner::<Memory>(token)?;
            // SAFETY: the range is a whole number of patterns inside the buffer; the driver copies the pattern.
            let event = unsafe {
                enqueue_fill_buffer(
                    self.handle.raw(),
                    memory.raw(),
                    pattern.as_ptr().cast(),
                    pattern.len(),
                    offset,
                    bytes,
                    0,
                    null(),
                )
                .map(|raw| Event::new(raw))
            };
            events.add(event.map_err(|s| code::memory_error("clEnqueueFillBuffer", s, dst.bytes()))?);
        }
        Ok(())
    }

    /// Waits for a submission and reads its spans.
    pub(super) fn wait(&self, mut events: Events) -> Result<Vec<Span>> {
        if let Some(last) = events.last() {
            wait_for_events(&[last.raw()]).map_err(|status| match status {
                CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST => failed(last),
                status => code::error("clWaitForEvents", status),
            })?;
        }
        let spans = events.spans()?;
        events.clear();
        self.idle.borrow_mut().push(events);
        Ok(spans)
    }
}

/// The error of a command that was started and failed: its event's status is the code.
fn failed(event: &Event) -> Error {
    let status = get_event_data(event.raw(), CL_EVENT_COMMAND_EXECUTION_STATUS).unwrap_or_default();
    let status = status.as_chunks().0.first().map_or(0, |chunk| i32::from_ne_bytes(*chunk));
    Error::DeviceLost { reason: format!("a command failed on the device with {} ({status})", code::name(status)) }
}
