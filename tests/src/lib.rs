//! What the tests share: the conformance suite, which any backend or operation can be run through, and what a machine
//! must have for a test run to mean anything.

pub mod blas;
pub mod chip;
pub mod conformance;
pub mod faulty;
mod inner;
pub mod program;
pub mod raced;
pub mod require;
pub mod slowed;
pub mod timed;
