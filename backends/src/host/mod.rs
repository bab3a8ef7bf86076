//! The CPU itself: always there, needs no driver, and computes by libraries only.
//!
//! GEMM comes from the `gemm` crate: pure Rust, kept up, picks AVX-512, AVX2 or NEON kernels at run time, and is the
//! fastest such library that needs no system package. It keeps half-precision sums in half precision between blocks of
//! k, so halves are widened here and multiplied as f32. BLAS libraries of the machine are offered beside it where they are
//! found. conv2d and attention are built on its single-threaded product,
//! block by block, with the blocks shared out by rayon.

// Vector code is compiled for the instruction set of the function that it is inlined into.
#![allow(clippy::inline_always)]

mod attention;
mod blas;
mod block;
mod clock;
mod conv2d;
mod cpu;
mod device;
mod driver;
mod element;
mod gemm;
mod kernel;
mod memory;
mod probe;
mod queue;
mod rates;
#[cfg(test)]
mod testing;
mod timing;
mod views;

pub use driver::HostDriver;
