//! The CPU itself: always there, needs no driver, and computes by functions that are compiled in.
//!
//! GEMM is this program's own, `packed`; BLAS libraries of the machine are offered beside it where they are found. conv2d
//! and attention are built on the single-threaded product of the `gemm` crate, block by block, with the blocks shared out
//! by rayon: pure Rust, kept up, and it picks AVX-512, AVX2 or NEON kernels at run time. Halves are widened here and
//! multiplied as f32.

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
mod kernel;
mod memory;
mod packed;
mod probe;
mod queue;
mod rates;
mod sizes;
#[cfg(test)]
mod testing;
mod timing;
mod views;

pub use driver::HostDriver;
