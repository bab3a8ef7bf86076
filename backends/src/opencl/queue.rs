//! The command queue: in order, with profiling.

use super::code;
use super::device::Memory;
use super::handle::Handle;
use super::kernel::OpenClKernel;
use super::timing::{Event, Events};
use crate::{Buffer, Command, DeviceToken, Error, Launch, Result, Span};
use opencl3::command_queue::{
    CL_QUEUE_PROFILING_ENABLE, create_command_queue, enqueue_copy_buffer, enqueue_fill_buffer, enqueue_nd_range_kernel,
    enqueue_read_buffer, enqueue_write_buffer, flush, release_command_queue,
};
use opencl3::error_codes::CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
use opencl3::event::{CL_EVENT_COMMAND_EXECUTION_STATUS, get_event_data, wait_for_events};
use opencl3::types::{CL_TRUE, cl_context, cl_device_id};
use std::cell::RefCell;
use std::ptr::null;

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

    /// Writes and waits.
    pub(super) fn upload(&self, dst: &Memory, offset: u64, src: &[u8]) -> Result<()> {
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
                Command::Launch(launch) => events.add(self.launch(token, launch)?),
                Command::Copy { bytes: 0, .. } => {}
                Command::Copy { src, src_offset, dst, dst_offset, bytes } => {
                    let (src, dst) = (src.inner::<Memory>(token)?, dst.inner::<Memory>(token)?);
                    // SAFETY: both ranges lie inside their buffers, which are two.
                    let event = unsafe {
                        enqueue_copy_buffer(
                            self.handle.raw(),
                            src.raw(),
                            dst.raw(),
                            *src_offset as usize,
                            *dst_offset as usize,
                            *bytes as usize,
                            0,
                            null(),
                        )
                        .map(|raw| Event::new(raw))
                    };
                    events.add(event.map_err(|s| code::memory_error("clEnqueueCopyBuffer", s, *bytes))?);
                }
                Command::Fill { dst, pattern } => self.fill(token, dst, *pattern, &mut events)?,
            }
        }
        flush(self.handle.raw()).map_err(|status| code::error("clFlush", status))?;
        Ok(events)
    }

    fn launch(&self, token: DeviceToken, launch: &Launch<'_>) -> Result<Event> {
        let kernel = launch.kernel.inner::<OpenClKernel>(token)?;
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
