//! The seam of energy meters: what each tells of itself, and what a reading holds.

use crate::PhysicalId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that tells how much energy or power a device, or what surrounds it, draws.
pub trait Meter: Send {
    /// What it is.
    fn info(&self) -> &MeterInfo;

    /// Reads it once, now.
    ///
    /// # Errors
    /// Why there is no reading. One failed reading does not make the meter useless.
    fn read(&mut self) -> Result<Reading, MeterError>;
}

/// What a meter tells.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeterKind {
    /// Energy since some moment, ever growing until it wraps.
    Counter,
    /// Power at this moment.
    InstantPower,
    /// Power averaged by the device over a window before this moment.
    AveragedPower {
        /// That window in seconds.
        window_s: f64,
    },
    /// Computed from activity, and not measured.
    Modelled,
    /// Measured outside of the machine.
    External,
}

/// What a meter's figure includes. Figures of overlapping scopes are never added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The chip alone.
    Chip,
    /// The chip and its memory: an accelerator module.
    Module,
    /// A processor package.
    Package,
    /// A board with all that is on it.
    Board,
    /// The whole machine.
    Node,
    /// Memory modules alone, which no other scope but the board and the node includes.
    Memory,
}

/// Which devices a meter serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Serves {
    /// The chip with this PCI address or UUID, through whatever API it is reached.
    Chip(PhysicalId),
    /// The machine's processors, and so every device of kind cpu.
    Processor,
    /// Everything in the machine.
    Machine,
    /// The machine's memory, and so no device: what it tells is shown beside a device's energy and never added to it.
    Memory,
}

/// What a meter is. Energies are in joules, times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeterInfo {
    /// Its name, unique in this machine: `rapl:package-0`.
    pub id: String,
    /// Where its figures come from: a path, a library, a command line, an address.
    pub source: String,
    /// What it tells.
    pub kind: MeterKind,
    /// What its figure includes.
    pub scope: Scope,
    /// Which devices it serves.
    pub serves: Serves,
    /// The smallest step of a counter, where it is known.
    pub resolution_j: Option<f64>,
    /// Where a counter starts again from 0.
    pub wraps_at_j: Option<f64>,
    /// How often the figure changes, as stated by its maker; the protocol measures it.
    pub stated_tick_s: Option<f64>,
    /// The shortest time between two readings that makes sense.
    pub interval_s: f64,
    /// The relative error of the absolute value (k = 2) that its maker states, or 0.05 where none does.
    pub accuracy: f64,
    /// Where that accuracy comes from.
    pub accuracy_source: String,
    /// What a reader must be allowed to do, where that is not everyone's right.
    pub privilege: Option<String>,
}

/// One reading. What a meter does not tell is none, never 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// When the value was taken, in seconds on [`now`](super::now)'s clock: the middle of the call.
    pub at_s: f64,
    /// How far from `at_s` it may have been taken: half of the call that took it.
    pub within_s: f64,
    /// How long the whole reading took.
    pub cost_s: f64,
    /// A counter's value, as the device holds it: it may wrap.
    pub joules: Option<f64>,
    /// Power.
    pub watts: Option<f64>,
    /// The compute units' clock.
    pub clock_mhz: Option<f64>,
    /// The chip's temperature.
    pub temperature_c: Option<f64>,
    /// Why the device holds its clock back, in its maker's words.
    pub throttle: Vec<String>,
    /// The power limit in force.
    pub power_limit_w: Option<f64>,
    /// Other processes that use the device.
    pub other_users: Option<u32>,
}

/// Why there is no reading, or no meter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MeterError {
    /// It is not there: `what` was looked for.
    #[error("{what}: not found")]
    Absent {
        /// What was looked for.
        what: String,
    },
    /// It is there and may not be read.
    #[error("{what}: permission denied")]
    Permission {
        /// What may not be read.
        what: String,
        /// What would help.
        hint: String,
    },
    /// It did not answer in time.
    #[error("{what}: no answer within {seconds} s")]
    Timeout {
        /// What was asked.
        what: String,
        /// How long it had.
        seconds: u64,
    },
    /// Its answer makes no sense.
    #[error("{what}: {problem}")]
    Garbage {
        /// What was asked.
        what: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// A counter can't be followed from the reading before to the one after: what it counted between them is lost.
    #[error("{what}: {problem}")]
    Broken {
        /// What was read.
        what: String,
        /// What the counter did.
        problem: String,
    },
    /// It reported an error of its own.
    #[error("{what}: {problem}")]
    Refused {
        /// What was asked.
        what: String,
        /// The error in its own words.
        problem: String,
    },
}
