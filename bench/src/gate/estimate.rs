//! A case's effect, and how sure it is.

use super::options::Options;
use super::signed_rank::Walsh;

/// What pairs say of a case. Effects are shares of the base's figure by which the candidate is worse, counted as a
/// time: 0.05 takes 5% longer; -0.05 takes 5% less. Of rates it is base / candidate - 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Pairs that it rests on.
    pub pairs: usize,
    /// The effect in the middle.
    pub effect: f64,
    /// The true effect is smaller than this with a probability of at most `level`.
    pub low: f64,
    /// The true effect is larger than this with a probability of at most `level`.
    pub high: f64,
    /// The error of each end: that of a claim, divided by the number of cases of which it may be made.
    pub level: f64,
    /// The true effect is larger than this with a probability of at most the options' `pass_level`.
    pub ceiling: f64,
    /// What is no regression: the largest of the option, the noise of identical builds and the clock's resolution.
    pub margin: f64,
    /// The probability of such pairs or worse ones, were the effect `margin`.
    pub p: f64,
    /// The smallest slowdown that so many pairs, so noisy, show to be above `margin` with the options' power where no
    /// other case is flagged: a figure of the measurement, which other cases don't change.
    pub detectable: f64,
}

impl Estimate {
    /// From each pair's ln of how much worse it is. None without pairs.
    pub(super) fn of(worse: &[f64], margin: f64, level: f64, options: &Options) -> Option<Self> {
        let walsh = Walsh::of(worse);
        let effect = walsh.centre()?;
        let [low, high] = walsh.interval(level);
        // To be found, an effect has to lie above the margin by how far the lower bound reaches down from it, and by
        // how far it itself may fall short of the truth.
        let width = |level| {
            let [low, high] = walsh.interval(level);
            high - low
        };
        let reach = f64::midpoint(width(options.alpha), width(options.miss()));
        Some(Self {
            pairs: worse.len(),
            effect: effect.exp_m1(),
            low: low.exp_m1(),
            high: high.exp_m1(),
            level,
            ceiling: walsh.interval(options.pass_level)[1].exp_m1(),
            margin,
            p: walsh.p_above(margin.ln_1p()),
            detectable: (margin.ln_1p() + reach).exp_m1(),
        })
    }

    /// What identical builds may differ by, were this the estimate of such: the end that lies farther from 0.
    pub fn noise(&self) -> f64 {
        self.low.abs().max(self.high.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_set_of_pairs() {
        // The rates 1.01, …, 1.08: Walsh averages of their logarithms have known ranks.
        let worse: Vec<f64> = (1..=8).map(|i| (f64::from(i) / 100.0).ln_1p()).collect();
        let options = Options::default();
        let estimate = Estimate::of(&worse, 0.02, 0.05, &options).unwrap();
        assert!((estimate.effect - 0.045).abs() < 5e-4, "{estimate:?}");
        assert!(estimate.low > 0.02 && estimate.low < 0.03 && estimate.high > 0.06 && estimate.high < 0.07);
        assert!((estimate.noise() - estimate.high).abs() < 1e-12);
        assert!(estimate.p <= 0.05);
        // All equal: nothing but the margin is in the way.
        let sure = Estimate::of(&[0.03; 8], 0.02, 0.05, &options).unwrap();
        assert!((sure.detectable - 0.02).abs() < 1e-12);
        assert_eq!(Estimate::of(&[], 0.02, 0.05, &options), None);
    }

    #[test]
    fn more_noise_and_a_stricter_level_hide_more() {
        let options = Options::default();
        let detectable = |scale: f64, alpha| {
            let worse: Vec<f64> = (0..16).map(|i| scale * (f64::from(i) - 7.5)).collect();
            Estimate::of(&worse, 0.02, 0.05, &Options { alpha, ..options }).unwrap().detectable
        };
        assert!(detectable(0.002, 0.05) > detectable(0.001, 0.05));
        assert!(detectable(0.001, 0.001) > detectable(0.001, 0.05));
    }
}
