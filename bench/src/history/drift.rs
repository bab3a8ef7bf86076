//! Drift: a slow change, each step of which is too small to be noticed.
//!
//! The slope is the median of all pairs' slopes (P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's
//! Tau", JASA 63, 1968). Whether it is one at all is the Mann-Kendall test's to say (M. G. Kendall, "Rank Correlation
//! Methods"), with the variance that values take which resemble their neighbours (K. H. Hamed, A. R. Rao, "A modified
//! Mann-Kendall trend test for autocorrelated data", Journal of Hydrology 204, 1998).

use crate::stats::median;

/// Fewest values for which the test's normal approximation holds.
pub const SHORTEST: usize = 10;

/// The slope of a series, and how likely one like it is by chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// Change from one value to the next.
    pub per_step: f64,
    /// Two-sided p-value.
    pub p: f64,
}

/// The slope of a series; none with fewer than [`SHORTEST`] values, or where all are equal.
pub fn slope(values: &[f64]) -> Option<Slope> {
    let n = values.len();
    if n < SHORTEST {
        return None;
    }
    let pairs = || (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
    let slopes: Vec<f64> = pairs().map(|(i, j)| (values[j] - values[i]) / (j - i) as f64).collect();
    let per_step = median(&slopes)?;
    let sign = |x: f64| {
        if x > 0.0 {
            1.0
        } else if x < 0.0 {
            -1.0
        } else {
            0.0
        }
    };
    let score: f64 = slopes.iter().map(|&slope| sign(slope)).sum();
    let variance = variance(values) * resemblance(values, per_step);
    if variance <= 0.0 {
        return None;
    }
    // The score is a whole number: half a step towards 0 makes it comparable with the normal distribution.
    let z = (score.abs() - 1.0).max(0.0) / variance.sqrt();
    Some(Slope { per_step, p: two_sided(z) })
}

/// The score's variance without a trend, for ties, too.
fn variance(values: &[f64]) -> f64 {
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let ties: f64 =
        sorted.chunk_by(|one, other| one.total_cmp(other).is_eq()).map(|tied| term(tied.len() as f64)).sum();
    (term(values.len() as f64) - ties) / 18.0
}

/// The factor by which autocorrelation widens the variance: never below 1, so that no test becomes the bolder for it.
fn resemblance(values: &[f64], per_step: f64) -> f64 {
    let n = values.len();
    let level: Vec<f64> = values.iter().enumerate().map(|(i, value)| value - per_step * i as f64).collect();
    let ranks = ranks(&level);
    let mean = (n as f64 - 1.0) / 2.0;
    let spread: f64 = ranks.iter().map(|rank| (rank - mean).powi(2)).sum();
    if spread <= 0.0 {
        return 1.0;
    }
    let count = n as f64;
    let significant = 1.96 / count.sqrt();
    let lags = (10.0 * count.log10()) as usize;
    let weighted: f64 = (1..=lags.min(n - 3))
        .map(|lag| {
            let products = ranks.iter().zip(&ranks[lag..]).map(|(one, other)| (one - mean) * (other - mean));
            let correlation = products.sum::<f64>() / spread;
            let left = (n - lag) as f64;
            if correlation.abs() > significant { left * (left - 1.0) * (left - 2.0) * correlation } else { 0.0 }
        })
        .sum();
    (1.0 + 2.0 * weighted / (count * (count - 1.0) * (count - 2.0))).max(1.0)
}

/// Ranks from 0; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&one, &other| values[one].total_cmp(&values[other]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|&one, &other| values[one].total_cmp(&values[other]).is_eq()) {
        for &index in tied {
            ranks[index] = first as f64 + (tied.len() as f64 - 1.0) / 2.0;
        }
        first += tied.len();
    }
    ranks
}

/// The chance of a standard normal number at least as far from 0. W. J. Cody's bounds are not needed here: the error of
/// this approximation (M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions", 7.1.26) is below 1.5e-7.
fn two_sided(z: f64) -> f64 {
    let x = z / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let coefficients = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let polynomial = coefficients.iter().fold(0.0, |sum, coefficient| (sum + coefficient) * t);
    polynomial * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::noise::{Noise, binomial_upper};

    #[test]
    fn a_textbook_s_score() {
        // Kendall's score of 1..=10 is 45, its variance 125: z = 44 / sqrt(125), and p = 8.3e-5.
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        let slope = slope(&values).unwrap();
        assert!((slope.per_step - 1.0).abs() < 1e-12, "{slope:?}");
        assert!((slope.p / 8.303e-5 - 1.0).abs() < 0.01, "{slope:?}");
        assert!((variance(&values) - 125.0).abs() < 1e-9);
    }

    #[test]
    fn normal_tails() {
        for (z, p) in [(0.0, 1.0), (1.0, 0.317_310_5), (1.959_964, 0.05), (2.575_829, 0.01)] {
            assert!((two_sided(z) - p).abs() < 2e-7, "{z}: {}", two_sided(z));
        }
    }

    #[test]
    fn few_or_equal_values_have_no_slope() {
        assert_eq!(slope(&[1.0, 2.0, 3.0]), None);
        assert_eq!(slope(&[2.0; 50]), None);
    }

    #[test]
    fn one_outlier_makes_no_slope() {
        let mut values = vec![0.0; 30];
        values[29] = 100.0;
        let slope = slope(&values).unwrap();
        assert!(slope.per_step.abs() < 1e-12 && slope.p > 0.05, "{slope:?}");
    }

    /// How many of 400 series without a slope are said to have one at the 1% level.
    fn alarms(seed: u64, correlation: f64) -> usize {
        let mut noise = Noise::new(seed);
        (0..400)
            .filter(|_| {
                let mut value = 0.0;
                let values: Vec<f64> = (0..60)
                    .map(|_| {
                        value = correlation * value + noise.normal();
                        value
                    })
                    .collect();
                slope(&values).unwrap().p <= 0.01
            })
            .count()
    }

    #[test]
    fn noise_seldom_has_a_slope() {
        let white = alarms(1, 0.0);
        assert!(white < binomial_upper(400, 0.01, 1e-3), "{white} of 400");
        // A short series shows only a part of its autocorrelation. Without the correction a fifth are said to have one.
        let resembling = alarms(2, 0.6);
        assert!(resembling < binomial_upper(400, 0.1, 1e-3), "{resembling} of 400");
    }

    #[test]
    fn a_slope_within_the_noise_of_each_step_is_found() {
        let mut noise = Noise::new(3);
        let found = (0..100)
            .filter(|_| {
                let values: Vec<f64> = (0..80).map(|i| 0.05 * f64::from(i) + noise.normal()).collect();
                let slope = slope(&values).unwrap();
                slope.p <= 0.01 && (slope.per_step / 0.05 - 1.0).abs() < 0.5
            })
            .count();
        assert!(found >= 95, "{found} of 100");
    }
}
