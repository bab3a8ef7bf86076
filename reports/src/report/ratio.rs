//! How many times as fast one is as another, and how sure that is.

use schemars::JsonSchema;
use serde::Serialize;

/// A ratio with the interval that it lies in.
///
/// Above 1 the first is better: it takes less time, or less energy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Ratio {
    /// The ratio of the medians.
    pub value: f64,
    /// The least that both intervals allow.
    pub low: f64,
    /// The most that both intervals allow.
    pub high: f64,
}

/// What a ratio says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The first is better, whatever value within their intervals the two have.
    Better,
    /// The second is.
    Worse,
    /// The intervals allow either: no difference was seen.
    NoDifference,
}

impl Ratio {
    /// Of two costs (times, energies) with their intervals: how many times the first one's cost the second one's is.
    /// None where a figure is no positive number.
    pub fn of_costs(first: Interval, second: Interval) -> Option<Self> {
        let ratio =
            Self { value: second.value / first.value, low: second.low / first.high, high: second.high / first.low };
        let sound = |value: f64| value.is_finite() && value > 0.0;
        (sound(ratio.value) && sound(ratio.low) && sound(ratio.high)).then_some(ratio)
    }

    /// The same seen from the other side.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self { value: 1.0 / self.value, low: 1.0 / self.high, high: 1.0 / self.low }
    }

    /// What it says.
    pub fn verdict(self) -> Verdict {
        match self {
            Self { low, .. } if low > 1.0 => Verdict::Better,
            Self { high, .. } if high < 1.0 => Verdict::Worse,
            _ => Verdict::NoDifference,
        }
    }
}

/// A figure and its 95% interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The median.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The geometric mean of ratios over the cases that two have in common.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Mean {
    /// The mean. Its interval is that of the means of the lower and the upper ends, which is wider than need be.
    pub ratio: Ratio,
    /// Over how many common cases.
    pub cases: usize,
}

impl Mean {
    /// The geometric mean; none of nothing.
    pub fn of(ratios: impl IntoIterator<Item = Ratio>) -> Option<Self> {
        let (mut cases, mut sums) = (0, [0.0; 3]);
        for ratio in ratios {
            cases += 1;
            for (sum, value) in sums.iter_mut().zip([ratio.value, ratio.low, ratio.high]) {
                *sum += value.ln();
            }
        }
        let [value, low, high] = sums.map(|sum| (sum / cases as f64).exp());
        (cases > 0).then_some(Self { ratio: Ratio { value, low, high }, cases })
    }

    /// The same seen from the other side.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self { ratio: self.ratio.inverse(), cases: self.cases }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(low: f64, value: f64, high: f64) -> Interval {
        Interval { value, low, high }
    }

    fn close(found: Ratio, [value, low, high]: [f64; 3]) {
        for (found, expected) in [(found.value, value), (found.low, low), (found.high, high)] {
            assert!((found / expected - 1.0).abs() < 1e-12, "{found} is not {expected}");
        }
    }

    #[test]
    fn the_interval_is_the_widest_that_both_allow() {
        let ratio = Ratio::of_costs(time(9.0, 10.0, 12.0), time(18.0, 20.0, 27.0)).unwrap();
        close(ratio, [2.0, 1.5, 3.0]);
        assert_eq!(ratio.verdict(), Verdict::Better);
        close(ratio.inverse(), [0.5, 1.0 / 3.0, 1.0 / 1.5]);
        assert_eq!(ratio.inverse().verdict(), Verdict::Worse);
    }

    #[test]
    fn touching_intervals_are_no_difference() {
        let one = time(9.0, 10.0, 11.0);
        assert_eq!(Ratio::of_costs(one, time(11.0, 12.0, 13.0)).unwrap().verdict(), Verdict::NoDifference);
        assert_eq!(Ratio::of_costs(one, time(11.1, 12.0, 13.0)).unwrap().verdict(), Verdict::Better);
        assert_eq!(Ratio::of_costs(one, one).unwrap().verdict(), Verdict::NoDifference);
    }

    #[test]
    fn no_ratio_of_no_number() {
        for bad in [0.0, -1.0, f64::INFINITY, f64::NAN] {
            assert_eq!(Ratio::of_costs(time(bad, bad, bad), time(1.0, 1.0, 1.0)), None);
        }
    }

    #[test]
    fn the_geometric_mean_of_three() {
        let ratio = |value| Ratio { value, low: value / 2.0, high: value * 2.0 };
        let mean = Mean::of([ratio(1.0), ratio(2.0), ratio(4.0)]).unwrap();
        assert_eq!(mean.cases, 3);
        close(mean.ratio, [2.0, 1.0, 4.0]);
        close(mean.inverse().ratio, [0.5, 0.25, 1.0]);
        assert_eq!(Mean::of([]), None);
    }
}
