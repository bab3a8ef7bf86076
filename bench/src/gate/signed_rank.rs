//! Wilcoxon's signed-rank test: the sign-flip test over ranks, and its inversion by Walsh averages.
//!
//! If `d` is symmetric about θ, each sign of `d - θ` is a fair coin, and the ranks of its absolute values that fall to
//! the negative sign add up to what a random subset of 1, …, n adds up to. That sum is also the number of averages of
//! two values, each with itself included, that lie below θ (J. W. Tukey, "The simplest signed-rank tests", 1949), so a
//! confidence bound is the average of that rank. Averages at θ itself count against a rejection, so ties only make
//! the test more careful.

/// All averages of two values, sorted.
pub(crate) struct Walsh {
    averages: Vec<f64>,
    /// The probability of each number of averages below θ.
    probabilities: Vec<f64>,
}

impl Walsh {
    pub(crate) fn of(values: &[f64]) -> Self {
        let pairs = values.iter().enumerate().flat_map(|(i, a)| values[..=i].iter().map(|b| f64::midpoint(*a, *b)));
        let mut averages: Vec<f64> = pairs.collect();
        averages.sort_by(f64::total_cmp);
        Self { averages, probabilities: probabilities(values.len()) }
    }

    /// Hodges' and Lehmann's estimate of θ. None without values.
    pub(crate) fn centre(&self) -> Option<f64> {
        crate::stats::median(&self.averages)
    }

    /// θ is below the first with a probability of at most `level`, and so for the second and above.
    pub(crate) fn interval(&self, level: f64) -> [f64; 2] {
        let mut cumulative = 0.0;
        let rejecting = self.probabilities.iter().take_while(|p| {
            cumulative += **p;
            cumulative <= level
        });
        match rejecting.count() {
            0 => [f64::NEG_INFINITY, f64::INFINITY],
            sums => [self.averages[sums - 1], self.averages[self.averages.len() - sums]],
        }
    }

    /// The probability that so few averages lie at or below `theta`, were it the truth: small where θ is larger.
    pub(super) fn p_above(&self, theta: f64) -> f64 {
        let below = self.averages.partition_point(|average| *average <= theta);
        self.probabilities.iter().take(below + 1).sum::<f64>().min(1.0)
    }
}

/// The probability of each sum of a random subset of 1, …, n.
fn probabilities(n: usize) -> Vec<f64> {
    let mut sums = vec![1.0];
    for rank in 1..=n {
        let mut next = vec![0.0; sums.len() + rank];
        for (sum, p) in sums.iter().enumerate() {
            next[sum] += 0.5 * p;
            next[sum + rank] += 0.5 * p;
        }
        sums = next;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All ways to choose signs.
    fn flips(values: &[f64]) -> impl Iterator<Item = Vec<f64>> {
        (0..1u32 << values.len()).map(|signs| {
            values.iter().enumerate().map(|(i, value)| if signs >> i & 1 == 0 { *value } else { -value }).collect()
        })
    }

    /// To the last bit.
    fn same(a: f64, b: f64) -> bool {
        a.to_bits() == b.to_bits()
    }

    #[test]
    fn the_textbook_s_critical_values() {
        // Tables of the signed-rank test, one-sided 5% and 2.5%: the largest sums that reject.
        for (n, five, two_and_a_half) in [(8, 5, 3), (10, 10, 8), (12, 17, 13), (16, 35, 29), (20, 60, 52)] {
            let values: Vec<f64> = (0..n).map(|i| f64::from(1u32 << i)).collect();
            let walsh = Walsh::of(&values);
            for (level, critical) in [(0.05, five), (0.025, two_and_a_half)] {
                assert!(same(walsh.interval(level)[0], walsh.averages[critical]), "n = {n}, level {level}");
            }
        }
    }

    #[test]
    fn it_is_the_sign_flip_test_by_enumeration() {
        // With powers of two no subset's ranks tie; the p-value is the share of flips that are as extreme.
        let values = [1.0, -2.0, 4.0, 8.0, -16.0, 32.0, 64.0, 128.0];
        let low = |values: &[f64]| Walsh::of(values).averages.iter().filter(|average| **average <= 0.0).count();
        let as_extreme = flips(&values).filter(|flipped| low(flipped) <= low(&values)).count();
        assert!((Walsh::of(&values).p_above(0.0) - as_extreme as f64 / 256.0).abs() < 1e-15);
    }

    #[test]
    fn ties_and_zeros_only_make_it_more_careful() {
        for values in
            [[1.0; 8], [0.0; 8], [0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0], [3.0, 3.0, 3.0, 3.0, 1.0, 1.0, 2.0, 0.0]]
        {
            for level in [0.01, 0.05, 0.2] {
                let rejected = flips(&values).filter(|flipped| Walsh::of(flipped).p_above(0.0) <= level).count();
                assert!(rejected as f64 <= level * 256.0, "{values:?} {level}: {rejected}");
            }
        }
    }

    #[test]
    fn the_bound_excludes_what_the_test_rejects() {
        let values = [0.031, -0.012, 0.044, 0.02, 0.017, 0.029, 0.001, 0.05];
        let walsh = Walsh::of(&values);
        for level in [0.01, 0.05, 0.1] {
            for theta in (-60..60).map(|step| f64::from(step) / 1000.0 + 0.0001) {
                assert_eq!(walsh.p_above(theta) <= level, walsh.interval(level)[0] > theta, "{level} {theta}");
            }
        }
    }

    #[test]
    fn both_ends_mirror_each_other() {
        let values = [1.0, 2.0, 4.0, 8.0, -16.0, 32.0];
        let mirrored = values.map(|value| -value);
        let [low, high] = Walsh::of(&values).interval(0.1);
        let [mirrored_low, mirrored_high] = Walsh::of(&mirrored).interval(0.1);
        assert!(same(mirrored_low, -high) && same(mirrored_high, -low));
        assert!(low < Walsh::of(&values).centre().unwrap() && Walsh::of(&values).centre().unwrap() < high);
    }

    #[test]
    fn too_few_values_bound_nothing() {
        assert_eq!(Walsh::of(&[]).centre(), None);
        assert!(Walsh::of(&[1.0, 2.0]).interval(0.05).iter().all(|end| end.is_infinite()));
    }
}
