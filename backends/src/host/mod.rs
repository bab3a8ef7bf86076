//! The CPU itself: always there, needs no driver, and computes by functions that are compiled in.
//!
//! GEMM and conv2d are this program's own, `packed`, in vector code for AVX-512, AVX2 or NEON; BLAS libraries of the machine
//! are offered beside GEMM where they are found. Attention is built on the single-threaded product of the `gemm` crate, block
//! by block: pure Rust, kept up, and it picks its kernels at run time too. Threads are rayon's. Halves are widened and
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
mod tiles;
mod timing;
mod views;

pub use driver::HostDriver;
