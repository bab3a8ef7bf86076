//! Random series for the tests of the statistics, and how often chance alone gives a count.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A source of standard normal numbers.
pub(super) struct Noise(ChaCha8Rng);

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// By Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        let (one, other) = (self.uniform(), self.uniform());
        (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
    }
}

/// The smallest count that so many trials reach with at most this chance.
pub(super) fn binomial_upper(trials: u32, probability: f64, chance: f64) -> usize {
    let mut term = (1.0 - probability).powi(trials.try_into().unwrap());
    let mut below = 0.0;
    for count in 0..=trials {
        if 1.0 - below <= chance {
            return count as usize;
        }
        below += term;
        term *= f64::from(trials - count) / f64::from(count + 1) * probability / (1.0 - probability);
    }
    trials as usize + 1
}
