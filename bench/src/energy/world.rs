//! What the protocol acts on: a clock, a load and a meter's readings.

use accelbench_backends::meters::{MeterError, Reading};

/// Something that happened, at a time in seconds on the world's clock.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A batch of so many runs was complete.
    Completed {
        /// When.
        at_s: f64,
        /// Runs of that batch.
        runs: u64,
    },
    /// The meter was read.
    Read(Reading),
    /// The meter gave no reading.
    Missed {
        /// When.
        at_s: f64,
        /// Why.
        error: MeterError,
    },
}

/// A device under a meter that is read all the while: a real one, or one on a virtual clock.
pub trait World {
    /// Seconds on the clock of all events.
    fn now(&self) -> f64;

    /// Waits until nothing runs, and then lets so many seconds pass.
    ///
    /// # Errors
    /// Why the device failed, in words.
    fn idle(&mut self, seconds: f64) -> Result<(), String>;

    /// Hands one more batch of so many runs to the device. It returns in time for the next one to follow without a gap.
    ///
    /// # Errors
    /// Why the device failed, in words.
    fn load(&mut self, runs: u64) -> Result<(), String>;

    /// Whether the meter is read as often as it may. That disturbs a load on the same processor, and away from the edges of
    /// windows fewer readings do. A world whose meter costs nothing need not listen.
    fn read_closely(&mut self, _closely: bool) {}

    /// What happened since the last call; completions in order, readings in order.
    fn events(&mut self) -> Vec<Event>;
}
