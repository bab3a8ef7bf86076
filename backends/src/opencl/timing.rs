//! Spans by the profiling of events.

use super::code;
use super::handle::Handle;
use crate::{Clock, Result, Span};
use opencl3::event::{
    CL_PROFILING_COMMAND_END, CL_PROFILING_COMMAND_START, get_event_profiling_data, release_event, retain_event,
};
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

    fn share(&self) -> Result<Self> {
        // SAFETY: the event is alive, and the reference that is added here belongs to the new handle.
        unsafe {
            retain_event(self.raw()).map_err(|status| code::error("clRetainEvent", status))?;
            Ok(Self::new(self.raw()))
        }
    }

    fn time(&self, what: cl_profiling_info) -> Result<u64> {
        let bytes = get_event_profiling_data(self.raw(), what)
            .map_err(|status| code::error("clGetEventProfilingInfo", status))?;
        Ok(bytes.as_chunks().0.first().map_or(0, |chunk| u64::from_ne_bytes(*chunk)))
    }
}

/// The events of a submission that are still needed: its last one, and each span's first and last. All others are
/// released as they come, so that long batches cost no memory.
#[derive(Default)]
pub(super) struct Events {
    last: Option<Event>,
    spans: Vec<Option<(Event, Event)>>,
    open: bool,
    first: Option<Event>,
}

impl Events {
    pub(super) fn begin(&mut self) {
        self.open = true;
    }

    /// Takes note of a command.
    pub(super) fn add(&mut self, event: Event) -> Result<()> {
        if self.open && self.first.is_none() {
            self.first = Some(event.share()?);
        }
        self.last = Some(event);
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<()> {
        self.open = false;
        let span = match (self.first.take(), &self.last) {
            (Some(first), Some(last)) => Some((first, last.share()?)),
            _ => None,
        };
        self.spans.push(span);
        Ok(())
    }

    /// The event after which all is done; none where there was no command.
    pub(super) fn last(&self) -> Option<&Event> {
        self.last.as_ref()
    }

    /// From the start of each span's first command to the end of its last; 0 where it has none. The commands must have
    /// completed.
    pub(super) fn spans(&self) -> Result<Vec<Span>> {
        let span = |span: &Option<(Event, Event)>| {
            let ns = match span {
                Some((first, last)) => {
                    last.time(CL_PROFILING_COMMAND_END)?.saturating_sub(first.time(CL_PROFILING_COMMAND_START)?)
                }
                None => 0,
            };
            Ok(Span { ns: ns as f64, clock: Clock::DeviceEvent })
        };
        self.spans.iter().map(span).collect()
    }
}
