//! Axes: where a value stands, and which values are named.

/// How an axis' values are spaced and named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ticks {
    /// Logarithmic, at powers of ten: `1 k`, `1 M`.
    Decades,
    /// Logarithmic, at powers of two: `1 Ki`, `1 Mi`.
    Binary,
}

impl Ticks {
    fn base(self) -> f64 {
        match self {
            Self::Decades => 10.0,
            Self::Binary => 2.0,
        }
    }
}

/// A logarithmic axis from `low` to `high`, drawn from `start` to `end` in user units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    ticks: Ticks,
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

/// Files may hold any number; beyond these, none was measured, and the ends of an axis would not be numbers.
const SMALLEST: f64 = 1e-100;
const LARGEST: f64 = 1e100;
/// The most ticks of an axis: labels must not touch.
const MOST_TICKS: usize = 6;

impl Axis {
    /// An axis that holds all `values`, with some air at its ends; values that are no positive numbers of any use are left out.
    pub(crate) fn over(ticks: Ticks, values: impl Iterator<Item = f64>, start: f64, end: f64) -> Option<Self> {
        let (low, high) = values.filter(|value| (SMALLEST..=LARGEST).contains(value)).fold(None, |range, value| {
            let (low, high) = range.unwrap_or((value, value));
            Some((value.min(low), value.max(high)))
        })?;
        // At least half a decade, so that what hardly varies does not look as if it did.
        let spread = (high / low).max(3.2).powf(0.06);
        let widen = (3.2 / (high / low)).max(1.0).sqrt();
        Some(Self { ticks, low: low / spread / widen, high: high * spread * widen, start, end })
    }

    /// Where `value` stands.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let value = value.clamp(SMALLEST, LARGEST);
        self.start + (value / self.low).ln() / (self.high / self.low).ln() * (self.end - self.start)
    }

    /// The named values, in order, each with its name.
    pub(crate) fn ticks(&self) -> Vec<(f64, String)> {
        let base = self.ticks.base();
        let first = (self.low.ln() / base.ln()).ceil() as i32;
        let last = (self.high.ln() / base.ln()).floor() as i32;
        let powers = usize::try_from(last - first + 1).unwrap_or(0);
        let values: Vec<f64> = if self.ticks == Ticks::Decades && powers < 3 {
            let steps: &[f64] = if powers < 2 { &[1.0, 2.0, 3.0, 5.0] } else { &[1.0, 3.0] };
            let fine = (first - 1..=last).flat_map(|power| steps.iter().map(move |step| step * base.powi(power)));
            fine.filter(|value| (self.low..=self.high).contains(value)).collect()
        } else {
            let step = powers.div_ceil(MOST_TICKS).max(1) as i32;
            // Steps start at a multiple of themselves, so that charts side by side name the same values.
            (first..=last).filter(|power| power.rem_euclid(step) == 0).map(|power| base.powi(power)).collect()
        };
        values.into_iter().map(|value| (value, self.name(value))).collect()
    }

    fn name(&self, value: f64) -> String {
        match self.ticks {
            Ticks::Decades => prefixed(value, 1e3, &["", "k", "M", "G", "T", "P", "E"]),
            Ticks::Binary => prefixed(value, 1024.0, &["", "Ki", "Mi", "Gi", "Ti", "Pi"]),
        }
    }
}

fn prefixed(value: f64, step: f64, prefixes: &[&str]) -> String {
    let mut scaled = value;
    let mut prefixes = prefixes.iter();
    let mut prefix = prefixes.next().copied().unwrap_or_default();
    while scaled >= step * (1.0 - 1e-9)
        && let Some(next) = prefixes.next()
    {
        scaled /= step;
        prefix = next;
    }
    // Powers are computed: 0.1 must not become 0.10000000000000002.
    let number = format!("{scaled:.3}");
    let number = number.trim_end_matches('0').trim_end_matches('.');
    let number = if number == "0" { format!("{value:e}") } else { number.to_owned() };
    if prefix.is_empty() { number } else { format!("{number} {prefix}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(ticks: Ticks, values: &[f64]) -> Vec<String> {
        let axis = Axis::over(ticks, values.iter().copied(), 0.0, 100.0).unwrap();
        axis.ticks().into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn the_largest_and_smallest_numbers_have_no_place_of_their_own() {
        assert!(
            Axis::over(Ticks::Decades, [f64::MAX, f64::MIN_POSITIVE, f64::INFINITY].into_iter(), 0.0, 1.0).is_none()
        );
        let axis = Axis::over(Ticks::Binary, [1e-100, 1e100, f64::MAX].into_iter(), 0.0, 100.0).unwrap();
        assert!(axis.ticks().len() <= MOST_TICKS + 1);
        assert!([0.0, f64::MIN_POSITIVE, f64::MAX].into_iter().all(|value| axis.place(value).is_finite()));
    }

    #[test]
    fn decades_have_prefixes() {
        assert_eq!(names(Ticks::Decades, &[9e8, 1.1e12]), ["1 G", "10 G", "100 G", "1 T"]);
        assert_eq!(names(Ticks::Decades, &[0.09, 11.0]), ["0.1", "1", "10"]);
        assert_eq!(names(Ticks::Decades, &[1e6, 1e18]), ["1 M", "1 G", "1 T", "1 P", "1 E"]);
    }

    #[test]
    fn little_variation_has_finer_ticks() {
        assert_eq!(names(Ticks::Decades, &[40.0, 60.0]), ["30", "50"]);
        assert_eq!(names(Ticks::Decades, &[15.0, 90.0]), ["20", "30", "50", "100"]);
    }

    #[test]
    fn sizes_have_binary_prefixes() {
        let names = names(Ticks::Binary, &[8192.0, 134_217_728.0]);
        assert_eq!(names, ["32 Ki", "256 Ki", "2 Mi", "16 Mi", "128 Mi"]);
    }

    #[test]
    fn places_are_logarithmic_and_inside() {
        let axis = Axis::over(Ticks::Decades, [1.0, 10.0, 100.0, f64::NAN, -1.0].into_iter(), 10.0, 110.0).unwrap();
        assert!((axis.place(10.0) - 60.0).abs() < 1e-9);
        assert!(axis.place(1.0) > 10.0 && axis.place(100.0) < 110.0);
        assert!(Axis::over(Ticks::Decades, [0.0].into_iter(), 0.0, 1.0).is_none());
    }
}
