//! Results in the formats that continuous integration reads.
//!
//! Each format is written from a [`Suite`], which is made from a gate's document or a run's file. Texts become inert when
//! it is made, so that a writer only has to escape what its own format gives a meaning to.

pub mod annotations;
pub mod bencher;
pub mod benchmark_json;
mod from_gate;
mod from_run;
pub mod junit;
pub mod openmetrics;
mod suite;

#[cfg(test)]
mod tests;

pub use suite::{Change, Entry, State, Suite, signed_percent};
