//! What disturbs a measurement.

/// Sizes are of ln(time): 0.01 is about 1%.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise {
    pub(super) name: &'static str,
    /// The standard deviation of blocks, case by case.
    pub(super) block: f64,
    /// The standard deviation of samples within a block.
    pub(super) sample: f64,
    /// How much of its deviation the next block keeps, and the next sample.
    pub(super) memory: f64,
    /// A process falls into a second mode, so much slower, three times in ten.
    pub(super) mode: f64,
    /// All becomes slower by so much a block.
    pub(super) drift: f64,
    /// The probability that a block is hit by something that makes it 20% to 50% slower.
    pub(super) spikes: f64,
    /// The probability that a device starts to throttle: 30% slower, for one to four blocks, and said to be.
    pub(super) throttling: f64,
}

pub(super) const WHITE: Noise = Noise {
    name: "white",
    block: 0.009,
    sample: 0.01,
    memory: 0.0,
    mode: 0.0,
    drift: 0.0,
    spikes: 0.0,
    throttling: 0.0,
};
const AUTOCORRELATED: Noise = Noise { name: "autocorrelated", memory: 0.8, ..WHITE };
const DRIFTING: Noise = Noise { name: "drifting", drift: 0.005, ..WHITE };
const BIMODAL: Noise = Noise { name: "bimodal", mode: 0.05, ..WHITE };
const SPIKY: Noise = Noise { name: "spiky", spikes: 0.02, ..WHITE };
/// A device that heats up slows down before it throttles.
pub(super) const THROTTLING: Noise = Noise { name: "throttling", drift: 0.01, throttling: 0.05, ..WHITE };
pub(super) const LOUD: Noise = Noise { name: "loud", block: 0.025, sample: 0.02, ..WHITE };

/// Typical noise of three kinds: pairs differ with a standard deviation of about 1.5%.
pub(super) const TYPICAL: [Noise; 3] = [WHITE, AUTOCORRELATED, DRIFTING];
/// Worse noise.
pub(super) const WORSE: [Noise; 4] = [BIMODAL, SPIKY, THROTTLING, LOUD];
