//! Submissions: commands go into the stream, and events remember where spans begin and end.

use super::api::{check, driver};
use super::context::Context;
use super::kernel::CudaKernel;
use super::memory::CudaMemory;
use super::timing::EventPool;
use crate::timing::Submissions;
use crate::{Buffer, Command, DeviceToken, Result, Span, Ticket};
use cudarc::driver::sys::CUevent;
use std::rc::Rc;

pub(super) struct Queue {
    context: Rc<Context>,
    token: DeviceToken,
    events: EventPool,
    submissions: Submissions<Submission>,
}

#[derive(Default)]
struct Submission {
    /// The events of its spans: begin, end, begin, end.
    events: Vec<CUevent>,
    /// Its last command is the last event.
    ends_with_event: bool,
}

impl Queue {
    pub(super) fn new(context: &Rc<Context>, token: DeviceToken) -> Self {
        Self {
            context: Rc::clone(context),
            token,
            events: EventPool::new(context),
            submissions: Submissions::new(token),
        }
    }

    /// Hands over commands that were checked.
    pub(super) fn submit(&self, commands: &[Command<'_>]) -> Result<Ticket> {
        commands.iter().try_for_each(|command| self.check_handles(command))?;
        self.context.enter()?;
        let mut submission = Submission::default();
        for command in commands {
            if let Err(error) = self.enqueue(command, &mut submission) {
                self.events.give_back(submission.events);
                return Err(error);
            }
        }
        Ok(self.submissions.add(submission))
    }

    /// Waits for a submission and reads its spans.
    pub(super) fn wait(&self, ticket: &Ticket) -> Result<Vec<Span>> {
        let submission = self.submissions.take(ticket)?;
        let spans = self.finish(&submission);
        self.events.give_back(submission.events);
        spans
    }

    fn finish(&self, submission: &Submission) -> Result<Vec<Span>> {
        self.context.enter()?;
        match submission.events.last() {
            Some(&last) if submission.ends_with_event => {
                // SAFETY: the event was recorded, and belongs to this context.
                check("cuEventSynchronize", unsafe { driver::cuEventSynchronize(last) })?;
            }
            _ => self.context.synchronize()?,
        }
        submission.events.as_chunks().0.iter().map(|&pair| EventPool::span(pair)).collect()
    }

    /// Refuses handles of another device before anything is handed over.
    fn check_handles(&self, command: &Command<'_>) -> Result<()> {
        match command {
            Command::Launch(launch) => {
                launch.kernel.inner::<CudaKernel>(self.token)?;
                launch.buffers.iter().try_for_each(|buffer| self.memory(buffer).map(|_| ()))
            }
            Command::Copy { src, dst, .. } => self.memory(src).and(self.memory(dst)).map(|_| ()),
            Command::Fill { dst, .. } => self.memory(dst).map(|_| ()),
            Command::Begin | Command::End => Ok(()),
        }
    }

    fn memory<'a>(&self, buffer: &'a Buffer) -> Result<&'a CudaMemory> {
        buffer.inner(self.token)
    }

    fn enqueue(&self, command: &Command<'_>, submission: &mut Submission) -> Result<()> {
        submission.ends_with_event = matches!(command, Command::End);
        match command {
            Command::Launch(launch) => launch.kernel.inner::<CudaKernel>(self.token)?.launch(self.token, launch),
            Command::Copy { src, src_offset, dst, dst_offset, bytes } => {
                let (src, dst) = (self.memory(src)?.start + src_offset, self.memory(dst)?.start + dst_offset);
                // SAFETY: both ranges were checked to lie inside their buffers.
                // With unified addressing, which every 64-bit system has, an address says which memory it is of.
                check("cuMemcpyAsync", unsafe {
                    driver::cuMemcpyAsync(dst, src, *bytes as usize, self.context.stream())
                })
            }
            Command::Fill { dst, pattern } => self.fill(dst, *pattern),
            Command::Begin | Command::End => {
                submission.events.push(self.events.record()?);
                Ok(())
            }
        }
    }

    fn fill(&self, dst: &Buffer, pattern: u32) -> Result<()> {
        let start = self.memory(dst)?.start;
        let stream = self.context.stream();
        let words = dst.bytes() / 4;
        // SAFETY: the words and the bytes after them lie inside the buffer.
        unsafe {
            if words > 0 {
                check("cuMemsetD32Async", driver::cuMemsetD32Async(start, pattern, words as usize, stream))?;
            }
            for (offset, byte) in (words * 4..dst.bytes()).zip(pattern.to_le_bytes()) {
                check("cuMemsetD8Async", driver::cuMemsetD8Async(start + offset, byte, 1, stream))?;
            }
        }
        Ok(())
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // Submissions that nobody waited for: their events go with the pool's.
        for submission in self.submissions.drain() {
            self.events.give_back(submission.events);
        }
    }
}
