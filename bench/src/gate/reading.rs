//! What the gate is told.

use crate::stats::median;

/// One of the two builds that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arm {
    /// What is there.
    Base,
    /// What is to replace it.
    Candidate,
}

/// Which figures are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Times, joules per operation.
    LowerIsBetter,
    /// Rates, operations per joule.
    HigherIsBetter,
}

/// A case of the suite; another metric of the same kernel is another case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// Which figures are better.
    pub direction: Direction,
    /// What identical builds may seem to differ by, as a share: [`Estimate::noise`](super::Estimate::noise) of a
    /// gate of the base against itself, or 0 where none was run.
    pub noise: f64,
    /// How much larger this case's margin is than the options', or how much smaller. Its other limits move along: who
    /// tolerates more of a case allows more of it, too, which noise does not.
    pub slack: f64,
}

/// What one block measured of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Positive figures of one run each, in any unit that both arms share.
    pub samples: Vec<f64>,
    /// The step of the clock or meter, in the same unit and per run: for a batch, the step over the batch's runs.
    pub resolution: f64,
    /// The device's clock while it was sampled, where it is known and the metric is a time or a rate.
    pub clock_mhz: Option<f64>,
    /// Heat or a fault of the supply held the device back.
    pub throttled: bool,
}

impl Measured {
    /// The block's figure: one, however many samples there are.
    pub(super) fn median(&self) -> Option<f64> {
        let sound = |figure: &f64| figure.is_finite() && *figure > 0.0;
        if self.samples.iter().all(sound) && self.clock_mhz.as_ref().is_none_or(sound) {
            median(&self.samples)
        } else {
            None
        }
    }
}

/// How a case ended in one block.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// It has figures.
    Measured(Measured),
    /// This build doesn't have the case.
    Missing,
    /// It failed, crashed or ran out of time; why.
    Failed(String),
    /// Its output is wrong; how.
    Wrong(String),
    /// What it measured can't be set against the other arm: another device, driver, clock or input; which.
    Incomparable(String),
}
