//! Worker processes: one a device, so that a driver that crashes or hangs costs one case and not the run.
//!
//! The parent writes one request a line to the worker's standard input; the worker answers each with one line on its
//! standard output. Drivers print there too, so answers start with a mark and everything else is passed over.

mod child;
mod parent;
mod protocol;
mod workers;

pub(crate) use child::unit;
pub use child::{probe_main, worker_main};
pub use parent::{Failure, Measured, Worker, probe};
pub use protocol::{CaseRequest, TurnsRequest};
pub use workers::Workers;
