//! OpenCL 1.2 and later: every vendor's GPUs, and CPUs through PoCL or Intel's runtime.
//!
//! The loader is opened at run time. The raw functions of `opencl3` are called, not its owning types: those panic where a
//! release fails, which is what a lost device makes it do. The handles of this module own instead.

mod caps;
mod clblast;
mod code;
mod device;
mod driver;
mod half;
mod handle;
mod kernel;
mod library;
mod loader;
mod matrices;
mod ptx;
mod queue;
mod timing;
mod trust;

pub use driver::OpenClDriver;
