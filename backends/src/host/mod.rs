//! The CPU itself: always there, needs no driver, and computes by libraries only.
//!
//! GEMM comes from the `gemm` crate: pure Rust, kept up, picks AVX-512, AVX2 or NEON kernels at run time, and is the
//! fastest such library that needs no system package. It keeps half-precision sums in half precision between blocks of
//! k, so halves are widened here and multiplied as f32.

mod clock;
mod cpu;
mod device;
mod driver;
mod kernel;
mod memory;
mod probe;
mod queue;
mod rates;
mod timing;

pub use driver::HostDriver;
