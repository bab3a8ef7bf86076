//! What was found: the result file, how it is written, read and checked, and how it is shown.
//!
//! A result file is JSON lines: a `run` header, a `result` line a case, an `end` line. The file is the truth; everything
//! else is derived from it and can be made again. The crate reads files of any age from any machine and knows no device
//! and no operation.

pub mod check;
pub mod read;
pub mod schema;
pub mod summary;
pub mod write;

pub use read::{ReadError, RunFile};
pub use schema::{
    BackendRow, BackendStatus, CacheMode, DeviceRow, End, EndStatus, Energy, EnergyEstimate, EnergyFigures,
    EnergyMeter, EnergyStatus, EnergyWindow, Host, Line, Plan, Provenance, Rate, ResultRow, RunHeader, SCHEMA, Status,
    Suite, Timing, Verify, Work,
};
pub use write::RunWriter;
