//! Ratios: how near the program's kernels come to what their device does at best, and to the libraries beside them.
//!
//! A ratio is only worth what its two sides have in common, so all that computes a case takes turns: within a worker
//! process by rounds, between processes (one a device, and each [`Peer`]) by blocks of rounds. The device's peak is probed
//! before and after, and a case whose peak moved is measured again. [`figures`] makes the ratios and knows no device;
//! [`run`] measures.

mod cases;
pub mod figures;
mod lanes;
mod peer;
mod run;

pub use cases::{Choice, Task, tasks};
pub use lanes::{Entrant, entrants};
pub use peer::{CASE_VARIABLE, Peer, PeerLine};
pub use run::{Event, Offers, Settings, ask_peers, run, useless};

/// A peak may move by so much from before a case to after it.
pub const STEADY: f64 = 0.05;
/// A case is measured at most so often.
pub const TRIES: u64 = 3;
/// Blocks that processes take turns in, at least.
pub const BLOCKS: usize = 4;
/// Rounds of such a block, at most.
pub const BLOCK_ROUNDS: usize = 5;
/// Seconds that a turn lasts.
pub const TURN_S: f64 = 0.1;
/// Seconds of rest before each turn beside libraries on a processor: the usual OpenMP run-time libraries have their threads
/// wait in a loop for 200 ms.
pub const REST_S: f64 = 0.25;
