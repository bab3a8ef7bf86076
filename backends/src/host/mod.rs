//! The CPU itself: always there, needs no driver, and computes by functions that are compiled in.
//!
//! GEMM, conv2d and attention are this program's own, `packed`, in vector code for AVX-512, AVX2 or NEON, chosen at run time;
//! BLAS libraries of the machine are offered beside GEMM where they are found. Threads are rayon's. Halves are widened and
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
mod halves;
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
