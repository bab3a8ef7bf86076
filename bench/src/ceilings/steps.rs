//! The parts of a probing, the most telling first. Each is one request to the worker, so that a probe which takes its
//! process with it costs no other.

use accelbench_kernels::{Precision, Profile};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One part of a probing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// The peak of the vector units.
    Vector(Precision),
    /// The peak of the matrix units.
    Matrix(Precision),
    /// Memory, at the largest working set.
    Memory,
    /// The caches, at smaller working sets.
    Sweep,
    /// Copies between host and device.
    Transfers,
    /// What small things cost.
    Latency,
    /// What the makers state, at the clock of now.
    Theoretical,
}

use Step::{Latency, Matrix, Memory, Sweep, Theoretical, Transfers, Vector};

/// All steps in order, each with its share of the time.
const ALL: [(Step, f64); 15] = [
    (Vector(Precision::F32), 0.12),
    (Vector(Precision::F64), 0.12),
    (Sweep, 0.12),
    (Memory, 0.18),
    (Matrix(Precision::F16), 0.08),
    (Matrix(Precision::Bf16), 0.04),
    (Matrix(Precision::F16Acc16), 0.04),
    (Matrix(Precision::Tf32), 0.04),
    (Matrix(Precision::F8E4M3), 0.04),
    (Matrix(Precision::I8), 0.04),
    (Matrix(Precision::F64), 0.04),
    (Vector(Precision::F16Acc16), 0.04),
    (Transfers, 0.04),
    (Latency, 0.04),
    (Theoretical, 0.02),
];

/// The seconds that a profile gives a device's probing.
pub fn seconds(profile: Profile) -> f64 {
    match profile {
        Profile::Quick => 4.0,
        Profile::Standard => 10.0,
        Profile::Full => 60.0,
    }
}

/// The steps of a profile in order, each with the seconds that it is given.
pub(super) fn of(profile: Profile) -> impl Iterator<Item = (Step, f64)> {
    ALL.into_iter().map(move |(step, share)| (step, share * seconds(profile)))
}

impl Step {
    /// Whether rows are held against what it finds.
    pub const fn bounds_rows(self) -> bool {
        matches!(self, Vector(_) | Matrix(_) | Memory | Sweep)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Vector(precision) => write!(f, "vector peak in {}", precision.accumulate()),
            Matrix(precision) => write!(f, "matrix peak in {precision}"),
            Memory => f.write_str("memory bandwidth"),
            Sweep => f.write_str("cache bandwidth"),
            Transfers => f.write_str("transfers"),
            Latency => f.write_str("latency"),
            Theoretical => f.write_str("theoretical peaks"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_are_of_one_whole() {
        assert!((ALL.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-9);
    }
}
