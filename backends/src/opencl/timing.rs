//! Spans by the profiling of events.

use super::code;
use super::handle::Handle;
use crate::{Clock, Result, Span};
use opencl3::event::{CL_PROFILING_COMMAND_END, CL_PROFILING_COMMAND_START, get_event_profiling_info, release_event};
use opencl3::types::{cl_event, cl_profiling_info};

/// A command's event.
pub(super) struct Event(Handle);

impl Event {
    /// # Safety
    /// `raw` comes from an enqueuing call, and nobody else releases it.
    pub(super) unsafe fn new(raw: cl_event) -> Self {
        // SAFETY: passed on.
        Self(unsafe { Handle::new(raw, release_event) })
    }

    pub(super) fn raw(&self) -> cl_event {
        self.0.raw()
    }

    fn time(&self, what: cl_profiling_info) -> Result<u64> {
        // One call into the driver; asking for the bytes would be two, the first for their number.
        let time = get_event_profiling_info(self.raw(), what)
            .map_err(|status| code::error("clGetEventProfilingInfo", status))?;
        Ok(time.into())
    }
}

/// The events of a submission that are still needed: its last one, and each span's first and last. All others are
/// released as they come, so that long batches cost no memory.
#[derive(Default)]
pub(super) struct Events {
    kept: Vec<Event>,
    /// Whether a span needs the last one of those, so that the next one can't take its place.
    needed: bool,
    /// Each span's first and last, as indices; none where a span has no command.
    spans: Vec<Option<(usize, usize)>>,
    open: bool,
    first: Option<usize>,
}

impl Events {
    pub(super) fn begin(&mut self) {
        self.open = true;
    }

    /// Whether the next command is a span's first.
    pub(super) fn starts_span(&self) -> bool {
        self.open && self.first.is_none()
    }

    /// Takes note of a command.
    pub(super) fn add(&mut self, event: Event) {
        if !self.needed {
            self.kept.pop();
        }
        let starts_span = self.starts_span();
        if starts_span {
            self.first = Some(self.kept.len());
        }
        self.needed = starts_span;
        self.kept.push(event);
    }

    pub(super) fn end(&mut self) {
        self.open = false;
        let span = self.first.take().map(|first| (first, self.kept.len() - 1));
        self.needed |= span.is_some();
        self.spans.push(span);
    }

    /// The event after which all is done; none where there was no command.
    pub(super) fn last(&self) -> Option<&Event> {
        self.kept.last()
    }

    /// From the start of each span's first command to the end of its last; 0 where it has none. The commands must have
    /// completed.
    pub(super) fn spans(&self) -> Result<Vec<Span>> {
        let mut spans = Vec::with_capacity(self.spans.len());
        for span in &self.spans {
            let ns = match *span {
                Some((first, last)) => {
                    let (first, last) = (&self.kept[first], &self.kept[last]);
                    last.time(CL_PROFILING_COMMAND_END)?.saturating_sub(first.time(CL_PROFILING_COMMAND_START)?)
                }
                None => 0,
            };
            spans.push(Span { ns: ns as f64, clock: Clock::DeviceEvent });
        }
        Ok(spans)
    }

    /// Back to the start, for another submission.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.spans.clear();
        self.needed = false;
    }
}
