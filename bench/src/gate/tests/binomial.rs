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

/// The probability of at most `hits`. Terms are added from the largest on, so that none underflows on the way there.
fn cumulative(hits: u32, trials: u32, rate: f64) -> f64 {
    let (hits, trials) = (f64::from(hits), f64::from(trials));
    let ln_term = (0..hits as u32).fold(trials * (-rate).ln_1p(), |ln, i| {
        let i = f64::from(i);
        ln + ((trials - i) / (i + 1.0)).ln() + rate.ln() - (-rate).ln_1p()
    });
    let mut term = ln_term.exp();
    let (mut sum, mut k) = (0.0, hits);
    while k >= 0.0 && term > 0.0 {
        sum += term;
        term *= k / (trials - k + 1.0) * (1.0 - rate) / rate;
        k -= 1.0;
    }
    sum.min(1.0)
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
    let many = Rate { hits: 20_000, trials: 40_000 };
    close(many.at_most(), 0.5 + 1.645 * (0.25f64 / 40_000.0).sqrt());
    close(many.at_least(), 0.5 - 1.645 * (0.25f64 / 40_000.0).sqrt());
}
