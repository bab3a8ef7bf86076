//! How far a rate may lie from what was counted: Clopper's and Pearson's bounds.

/// The error of a bound.
const ERROR: f64 = 0.05;

/// A rate of which this was counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) hits: u32,
    pub(super) trials: u32,
}

impl Rate {
    pub(super) fn of(trials: impl IntoIterator<Item = bool>) -> Self {
        trials.into_iter().fold(Self { hits: 0, trials: 0 }, |rate, hit| Self {
            hits: rate.hits + u32::from(hit),
            trials: rate.trials + 1,
        })
    }

    /// The largest rate at which so few hits still have a probability of 5%.
    pub(super) fn at_most(self) -> f64 {
        if self.hits == self.trials { 1.0 } else { bisect(|rate| cumulative(self.hits, self.trials, rate) > ERROR) }
    }

    /// The smallest rate at which so many hits still have a probability of 5%.
    pub(super) fn at_least(self) -> f64 {
        1.0 - Self { hits: self.trials - self.hits, ..self }.at_most()
    }
}

/// Where a condition that holds at 0 ceases to hold.
fn bisect(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if holds(middle) { low = middle } else { high = middle }
    }
    high
}

/// The probability of at most `hits`. Of the two tails the one that does not hold the mode is added up, from its largest
/// term on: what underflows there is nothing.
fn cumulative(hits: u32, trials: u32, rate: f64) -> f64 {
    let (n, odds) = (f64::from(trials), rate / (1.0 - rate));
    let mode_is_above = f64::from(hits) < n * rate;
    let first = if mode_is_above { hits } else { hits + 1 };
    let ln_first = (0..first).fold(n * (-rate).ln_1p(), |ln, k| {
        let k = f64::from(k);
        ln + ((n - k) / (k + 1.0) * odds).ln()
    });
    let (mut term, mut tail, mut k) = (ln_first.exp(), 0.0, f64::from(first));
    while term > 0.0 {
        tail += term;
        if mode_is_above {
            term *= k / (n - k + 1.0) / odds;
            k -= 1.0;
        } else {
            term *= (n - k) / (k + 1.0) * odds;
            k += 1.0;
        }
    }
    if mode_is_above { tail } else { 1.0 - tail }
}

#[test]
fn the_textbook_s_bounds() {
    // None of n: 1 - 0.05^(1/n). The rest from tables of the 90% interval of a proportion.
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-3, "{found} {expected}");
    close(Rate { hits: 0, trials: 59 }.at_most(), 1.0 - 0.05f64.powf(1.0 / 59.0));
    close(Rate { hits: 59, trials: 59 }.at_least(), 0.05f64.powf(1.0 / 59.0));
    close(Rate { hits: 5, trials: 10 }.at_least(), 0.2224);
    close(Rate { hits: 5, trials: 10 }.at_most(), 0.7776);
    close(Rate { hits: 2, trials: 20 }.at_most(), 0.2826);
    close(Rate { hits: 10, trials: 10 }.at_most(), 1.0);
    close(Rate { hits: 0, trials: 10 }.at_least(), 0.0);
    // Both tails of many trials, against the normal distribution.
    let rare = Rate { hits: 2400, trials: 60_000 };
    close(rare.at_most(), 0.04 + 1.645 * (0.04 * 0.96 / 60_000.0f64).sqrt());
    close(rare.at_least(), 0.04 - 1.645 * (0.04 * 0.96 / 60_000.0f64).sqrt());
    let common = Rate { hits: 57_600, ..rare };
    close(common.at_most(), 1.0 - rare.at_least());
    close(common.at_least(), 1.0 - rare.at_most());
    let many = Rate { hits: 20_000, trials: 40_000 };
    close(many.at_most(), 0.5 + 1.645 * (0.25f64 / 40_000.0).sqrt());
    close(many.at_least(), 0.5 - 1.645 * (0.25f64 / 40_000.0).sqrt());
}
