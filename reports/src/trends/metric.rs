//! What is followed over time.

use crate::units;
use serde::{Deserialize, Serialize};

/// A value of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// The median time of one run, in nanoseconds.
    Time,
    /// FLOP/s.
    Rate,
    /// Picojoules per FLOP, where they were measured.
    Energy,
    /// The rate's share of what the device can attain.
    Fraction,
}

impl Metric {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Rate => "rate",
            Self::Energy => "energy",
            Self::Fraction => "fraction",
        }
    }

    /// Its field in a result.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Time => "median_ns",
            Self::Rate => "flop_per_s",
            Self::Energy => "pj_per_flop",
            Self::Fraction => "fraction",
        }
    }

    /// The unit in files, for a case by its id.
    pub fn unit(self, case: &str) -> &'static str {
        match self {
            Self::Time => "ns",
            Self::Rate => units::work_per_s(dtype(case)),
            Self::Energy => units::pj_per_work(dtype(case)),
            Self::Fraction => "1",
        }
    }

    /// A value of a case, by its id, with a unit, for people.
    pub fn text(self, value: f64, case: &str) -> String {
        match self {
            Self::Time => units::time(value),
            Self::Rate => units::rate(value, dtype(case)),
            Self::Energy => units::pj(value, units::work(dtype(case))),
            Self::Fraction => units::percent(value),
        }
    }

    /// Whether a change by this factor is for the worse.
    pub fn is_worse(self, ratio: f64) -> bool {
        match self {
            Self::Time | Self::Energy => ratio > 1.0,
            Self::Rate | Self::Fraction => ratio < 1.0,
        }
    }
}

/// The numeric type in an id: it says what work is counted in.
fn dtype(case: &str) -> &str {
    case.split('/').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_whole_numbers_are_no_flop() {
        let (f16, i8) = ("gemm/f16/8x8x8/tiled@cuda:0", "gemm/i8/8x8x8/tiled@cuda:0");
        assert_eq!([f16, i8].map(|case| Metric::Rate.unit(case)), ["FLOP/s", "OP/s"]);
        assert_eq!([f16, i8].map(|case| Metric::Energy.unit(case)), ["pJ/FLOP", "pJ/OP"]);
        assert_eq!([f16, i8].map(|case| Metric::Rate.text(2e12, case)), ["2.000 TFLOP/s", "2.000 TOP/s"]);
        assert_eq!([f16, i8].map(|case| Metric::Energy.text(0.5, case)), ["0.500 pJ/FLOP", "0.500 pJ/OP"]);
    }
}
