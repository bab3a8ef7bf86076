//! Tuning: a search for the plan that is the fastest on this device, and where what won is kept.
//!
//! The search says what to measure and judges what was found; it measures nothing and is tested on simulated devices.
//! [`run()`] has the device's worker process measure, so that a plan which crashes or hangs costs itself. Of each bucket of
//! shapes one case is tuned, and what wins there holds for all of them. [`Known`] is what runs ask.

mod device;
mod duel;
pub mod known;
pub mod log;
mod model;
mod run;
mod search;
pub mod table;
#[cfg(test)]
mod tests;

pub use device::{DeviceKey, Family};
pub use duel::{Terms, Win};
pub use known::{Best, Known};
pub use model::{Rates, seconds};
pub use run::{Event, Problem, Settings, problems, run};
pub use search::{Candidate, Ended, Fault, Options, Outcome, Search, Step};
pub use table::{Entry, Table};
