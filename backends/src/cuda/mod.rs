//! CUDA, through cudarc's bindings of the driver API and of NVRTC, both loaded at run time, and of cuBLASLt and cuDNN
//! where they are there.
//!
//! cudarc panics where a library or a function of it is missing, even when it formats an error. So `api` looks up
//! every function that this backend calls before the first call, and reads error codes and names itself.
//!
//! A device is its primary context and one stream. Kernels are compiled for the device's own architecture, so what runs
//! is what the log describes. What the libraries cover, and how their algorithms are chosen, stands in `library`.

mod api;
mod caps;
mod context;
mod device;
mod driver;
mod kernel;
mod library;
mod memory;
mod nvrtc;
mod queue;
mod rates;
mod timing;

pub use caps::Capability;
pub use driver::CudaDriver;
pub use nvrtc::{Compiled, compile};
