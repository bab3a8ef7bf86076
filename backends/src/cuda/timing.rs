//! Events: the driver's time marks in the stream.

use super::api::{check, driver};
use super::context::Context;
use crate::{Clock, Result, Span};
use cudarc::driver::sys::CUevent;
use std::cell::RefCell;
use std::ptr;
use std::rc::Rc;

/// The resolution that NVIDIA documents for the time between two events.
pub(super) const RESOLUTION_NS: f64 = 500.0;

/// Events that are not in use: making one costs more than recording it.
pub(super) struct EventPool {
    context: Rc<Context>,
    free: RefCell<Vec<CUevent>>,
}

impl EventPool {
    pub(super) fn new(context: &Rc<Context>) -> Self {
        Self { context: Rc::clone(context), free: RefCell::default() }
    }

    /// An event with timing, recorded in the stream now. The context must be current.
    pub(super) fn record(&self) -> Result<CUevent> {
        let event = match self.free.borrow_mut().pop() {
            Some(event) => event,
            None => create()?,
        };
        // SAFETY: the event and the stream belong to the current context.
        let recorded = check("cuEventRecord", unsafe { driver::cuEventRecord(event, self.context.stream()) });
        if recorded.is_err() {
            self.give_back([event]);
        }
        recorded.map(|()| event)
    }

    /// The time between two recorded events that have happened.
    pub(super) fn span([begin, end]: [CUevent; 2]) -> Result<Span> {
        let mut milliseconds = 0.0_f32;
        // SAFETY: both events were recorded, and the place outlives the call.
        check("cuEventElapsedTime", unsafe { driver::cuEventElapsedTime_v2(&raw mut milliseconds, begin, end) })?;
        Ok(Span { ns: f64::from(milliseconds) * 1e6, clock: Clock::DeviceEvent })
    }

    pub(super) fn give_back(&self, events: impl IntoIterator<Item = CUevent>) {
        self.free.borrow_mut().extend(events);
    }
}

fn create() -> Result<CUevent> {
    let mut event = ptr::null_mut();
    // SAFETY: the place outlives the call. No flag means that the event keeps time.
    check("cuEventCreate", unsafe { driver::cuEventCreate(&raw mut event, 0) })?;
    Ok(event)
}

impl Drop for EventPool {
    fn drop(&mut self) {
        let _ = self.context.enter();
        for event in self.free.get_mut().drain(..) {
            // SAFETY: a free event is in no list but this one.
            unsafe {
                let _ = driver::cuEventDestroy_v2(event);
            }
        }
    }
}
