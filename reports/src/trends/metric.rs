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

    /// The unit in files.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Time => "ns",
            Self::Rate => "FLOP/s",
            Self::Energy => "pJ/FLOP",
            Self::Fraction => "1",
        }
    }

    /// A value with a unit, for people.
    pub fn text(self, value: f64) -> String {
        match self {
            Self::Time => units::time(value),
            Self::Rate => units::flop_per_s(value),
            Self::Energy => units::pj(value, "FLOP"),
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
