//! wip

use crate::{Absence, AbsenceReason, Device, Driver, Error, Presence, Result};

/// wip
pub struct OpenClDriver;

impl Driver for OpenClDriver {
    fn id(&self) -> &'static str {
        "opencl"
    }

    fn probe(&self) -> Presence {
        Absence::new(AbsenceReason::Incomplete, "not written yet", "wait").into()
    }

    fn open(&self, _index: u32) -> Result<Box<dyn Device>> {
        Err(Error::unsupported("not written yet"))
    }
}
