//! What a byte and a FLOP take in energy on a device, as its probes show.

use super::{Energy, EnergyStatus, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The energy of a device's probes, from those that move bytes to those that compute. Joules stand here only where they
/// were measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnergyCeilings {
    /// `measured` where at least one point was.
    pub status: EnergyStatus,
    /// Why it is not `measured`.
    pub reason: Option<String>,
    /// Where no meter serves the device: what was looked for, and why each was not found or not taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<String>,
    /// What was measured; all by one meter.
    pub points: Vec<EnergyPoint>,
    /// The model that was fitted to the points, where they suffice.
    pub roofline: Option<EnergyRoofline>,
}

/// The measured energy of a probe on arrays that no cache holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnergyPoint {
    /// `triad`, `mul` or `dot`, as of [`Bandwidth`](super::Bandwidth); or `fma-32`: each element is read, goes through so
    /// many multiply-adds, and is written.
    pub kernel: String,
    /// The elements' type.
    pub dtype: String,
    /// The plan that was run: the one that reached the ceiling.
    pub plan: String,
    /// How well it was measured: `quick` or `full`.
    pub mode: String,
    /// What one run computes and moves.
    pub work: Work,
    /// Picojoules per byte; none of `fma-…`, whose energy is not the bytes' alone.
    pub pj_per_byte: Option<f64>,
    /// The measurement.
    pub energy: Energy,
}

/// The energy roofline E = `pj_per_flop` × FLOP + `pj_per_byte` × bytes + `constant_w` × seconds, after Choi, Bedard,
/// Fowler and Vuduc, IPDPS 2013, fitted by least squares of the relative errors. Errors are standard errors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnergyRoofline {
    /// Picojoules per FLOP.
    pub pj_per_flop: f64,
    /// Its error.
    pub pj_per_flop_error: f64,
    /// Picojoules per byte.
    pub pj_per_byte: f64,
    /// Its error.
    pub pj_per_byte_error: f64,
    /// Constant power in watts; none where time can't be told from FLOP and bytes, which then pay for it.
    pub constant_w: Option<f64>,
    /// Its error.
    pub constant_w_error: Option<f64>,
    /// What the model leaves: the root mean square over the points, as a share of each point's joules.
    pub fit_error: f64,
}
