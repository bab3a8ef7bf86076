//! One abstraction over every way to compute on a device: CUDA, OpenCL, WebGPU and the CPU itself.
//!
//! A kernel on every device, in under 40 lines beside its source in each language (`examples/every_device.rs`):
//!
//! ```
#![doc = include_str!("../examples/every_device.rs")]
//! ```
//!
//! A [`Driver`] finds the devices of one API; a [`Device`] allocates, moves, compiles, launches and times. The crate
//! knows no operation and no report: what is computed, and what is said about it, belongs to the crates above.
//!
//! Every API is loaded at run time. Nothing here needs a toolkit or a driver to build, and what is missing on a machine
//! is an [`Absence`] with its reason and a hint, never a panic.
//!
//! Where things are: [`registry`] lists the drivers, [`device`] is the seam, [`launch`] what one submits through it,
//! [`caps`] what a device says of itself, [`meters`] what tells its energy. Each backend has a folder with the same file
//! names, so knowing one is knowing all. A new backend is one folder and one line in [`registry`].

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

pub mod absence;
pub mod buffer;
pub mod caps;
pub mod cooperative;
pub mod device;
pub mod dtype;
pub mod error;
#[cfg(any(feature = "host", feature = "opencl"))]
mod external;
#[cfg(any(feature = "host", feature = "opencl"))]
mod host_block;
pub mod kernel;
pub mod launch;
pub mod meters;
pub mod registry;
pub mod timing;
#[cfg(any(feature = "opencl", feature = "webgpu"))]
mod trial;

#[cfg(feature = "cuda")]
pub mod cuda;
#[cfg(feature = "host")]
pub mod host;
#[cfg(feature = "opencl")]
pub mod opencl;
#[cfg(feature = "webgpu")]
pub mod webgpu;

pub use absence::{Absence, AbsenceReason, Presence};
pub use buffer::Buffer;
pub use caps::{Caps, DeviceKind, LibraryForm, PhysicalId, TheoreticalRate};
pub use device::{Device, DeviceId, DeviceInfo, DeviceToken, Driver, Memory};
pub use dtype::DType;
pub use error::{Error, Result};
pub use kernel::{Access, Kernel, KernelSpec, Language, LibraryCall, Source};
pub use launch::{Command, Launch};
pub use registry::Registry;
pub use timing::{Clock, Span, Ticket};
