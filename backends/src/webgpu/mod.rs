//! WebGPU, by wgpu: one WGSL source for Vulkan, Metal and Direct3D 12.
//!
//! wgpu reports what goes wrong by callbacks, and panics where there are none: `faults` turns both into errors. Kernels
//! are compiled without naga's run-time checks (see `kernel`), bind groups are made once and kept (see `bindings`), and
//! spans are timed by the device where it can (see `timing`). What sub-groups multiply together is an extension of
//! wgpu's (see `matrices`).

mod bindings;
mod caps;
mod device;
mod driver;
mod faults;
mod fill;
mod gpu;
mod kernel;
mod matrices;
mod memory;
mod queue;
mod timing;
#[cfg(not(target_vendor = "apple"))]
mod vulkan;

pub use driver::{GL_VARIABLE, WebGpuDriver};
