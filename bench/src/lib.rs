//! The engine of `accelbench` and its command line.
//!
//! It ties the crates below together: it plans a run, drives one worker process a device, measures, verifies and writes
//! the result file. [`main_with`] is the whole program over any set of backends and operations.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod app;
pub mod case_id;
pub mod ceilings;
pub mod cli;
pub mod energy;
pub mod gate;
pub mod gate_run;
pub mod history;
pub mod host;
mod libraries;
pub mod measure;
pub mod plan;
pub mod probe;
pub mod ratios;
pub mod roofline;
mod rows;
pub mod run;
pub mod stats;
pub mod tune;
pub mod worker;

pub use app::App;
pub use case_id::CaseId;

use std::process::ExitCode;

/// Runs the program with these backends and operations, as `main` does with the built-in ones.
pub fn main_with(app: App) -> ExitCode {
    cli::main(app)
}
