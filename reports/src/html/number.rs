//! Numbers in tables: one unit a table, so that columns can be read down.

use crate::units;

/// A power of 1000 with its prefix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    factor: f64,
    prefix: &'static str,
}

impl Scale {
    /// The largest prefix that leaves the greatest of `values` at 1 or more.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Self {
        let greatest = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        let scales = [(1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
        let (factor, prefix) = scales.into_iter().find(|(factor, _)| greatest >= *factor).unwrap_or((1.0, ""));
        Self { factor, prefix }
    }

    /// The unit with its prefix.
    pub(super) fn unit(self, unit: &str) -> String {
        format!("{}{unit}", self.prefix)
    }

    /// A number in it.
    pub(super) fn show(self, value: f64) -> String {
        digits(value / self.factor)
    }
}

/// Four significant digits; fewer below 0.01.
pub(super) fn digits(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if !(0.001..1e7).contains(&size) => format!("{value:.2e}"),
        size if size < 0.1 => format!("{value:.4}"),
        size if size < 10.0 => format!("{value:.3}"),
        size if size < 100.0 => format!("{value:.2}"),
        size if size < 1000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// How many times, without the sign: `1.83`.
pub(super) fn times(ratio: f64) -> String {
    units::ratio(ratio).trim_end_matches('×').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_one_unit() {
        let scale = Scale::of([2e9, 3.5e11].into_iter());
        assert_eq!(
            (scale.unit("FLOP/s"), scale.show(2e9), scale.show(3.5e11)),
            ("GFLOP/s".into(), "2.000".into(), "350.0".into())
        );
        assert_eq!(Scale::of(std::iter::empty()).unit("B/s"), "B/s");
    }

    #[test]
    fn four_digits() {
        assert_eq!(
            ["203.4", "0", "0.0500", "1.23e-5", "1235"],
            [203.44, 0.0, 0.05, 1.234e-5, 1234.6].map(digits).each_ref().map(String::as_str)
        );
        assert_eq!([times(1.834), times(12.34), times(123.4)], ["1.83", "12.3", "123"]);
    }
}
