//! What was found: the result file, how it is written, read and checked, and how it is shown.
//!
//! A result file is JSON lines: a `run` header, a `ceilings` line a device, a `result` line a case, an `end`
//! line. The file is the truth; everything
//! else is derived from it and can be made again. The crate reads files of any age from any machine and knows no device
//! and no operation.

mod anonymous;
pub mod check;
pub mod ci;
pub mod csv;
mod document;
pub mod energy_roofline;
#[cfg(test)]
mod fixture;
pub mod format;
#[cfg(test)]
mod fuzz;
pub mod gate;
pub mod html;
pub mod inert;
pub mod json;
pub mod load;
pub mod markdown;
pub mod ratios;
pub mod read;
pub mod report;
pub mod roofline;
pub mod schema;
mod sha256;
pub mod site;
pub mod summary;
mod svg;
pub mod text;
pub mod trends;
pub mod units;
pub mod write;

pub use document::DocumentError;
pub use format::Format;
pub use load::{LoadError, LoadOptions, load};
pub use read::{ReadError, RunFile};
pub use report::Report;
pub use schema::{
    BackendRow, BackendStatus, Bandwidth, Bound, CacheMode, Ceiling, Ceilings, DeviceRow, Direction, End, EndStatus,
    Energy, EnergyCeilings, EnergyEstimate, EnergyFigures, EnergyMeter, EnergyPoint, EnergyRoofline, EnergyStatus,
    EnergyWindow, Host, HostMemory, Latency, LibraryRate, Line, Missing, Peak, Plan, PlanSource, Provenance, Quantity,
    Rate, ResultRow, RunHeader, SCHEMA, Status, Suite, Theoretical, Timing, Transfer, Unit, Verify, Work,
};
pub use sha256::sha256_hex;
pub use write::RunWriter;
