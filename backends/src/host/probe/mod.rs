//! Functions that find the CPU's ceilings: written for its own vectors, on all of its threads.

mod chains;
mod fma;
mod passes;
mod stream;

pub(super) use fma::Fma;
pub(super) use stream::Stream;

/// The library's name in plans and ids: the code is this crate's own.
pub(super) const NATIVE: &str = "native";
