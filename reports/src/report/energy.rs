//! Energy: what was measured, and why the rest was not.

use super::{Report, Standing, standing};
use crate::inert::Text;
use crate::{EnergyRoofline, EnergyStatus, Status};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// All about energy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct EnergyReport {
    /// Who needs least energy per FLOP, by what the meters include. Estimates are in none.
    pub standings: Vec<Standing>,
    /// What became of each subject's measurements. A subject whose run asked for none is left out.
    pub states: Vec<EnergyState>,
    /// What a FLOP and a byte take on each subject whose probes were measured.
    pub models: Vec<EnergyModel>,
    /// Rows with an upper bound that nobody measured: indices of [`Report::rows`].
    pub estimates: Vec<usize>,
}

/// The energy of a subject's probes, and the energy roofline through them.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EnergyModel {
    /// An index of [`Report::subjects`].
    pub subject: usize,
    /// The probes, from those that move bytes to those that compute.
    pub probes: Vec<EnergyProbe>,
    /// The fitted model; none where the probes don't suffice.
    pub roofline: Option<EnergyRoofline>,
}

/// The measured energy of a probe on arrays that no cache holds.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EnergyProbe {
    /// As of [`crate::EnergyPoint`].
    pub kernel: Text,
    /// The elements' type.
    pub dtype: Text,
    /// FLOP per byte.
    pub intensity_flop_per_byte: f64,
    /// FLOP/s within the windows.
    pub flop_per_s: f64,
    /// FLOP per joule.
    pub flop_per_s_per_w: f64,
    /// Picojoules per byte; none where the energy is not the bytes' alone.
    pub pj_per_byte: Option<f64>,
    /// Relative expanded uncertainty (k = 2).
    pub combined: f64,
}

impl EnergyModel {
    /// FLOP per joule that the fitted model gives at an intensity in FLOP per byte; none without a model.
    ///
    /// E/flop = ε₁ + ε₂ / intensity + π₀ × seconds/flop, and the seconds are those of the fastest probes: the more of
    /// what the arithmetic and what the bytes take.
    pub fn flop_per_j(&self, intensity: f64) -> Option<f64> {
        let model = self.roofline?;
        let most = |rate: fn(&EnergyProbe) -> f64| self.probes.iter().map(rate).fold(0.0, f64::max);
        let flop_per_s = most(|probe| probe.flop_per_s);
        let bytes_per_s = most(|probe| probe.flop_per_s / probe.intensity_flop_per_byte);
        let seconds = (1.0 / flop_per_s).max(1.0 / (bytes_per_s * intensity));
        let joules =
            (model.pj_per_flop + model.pj_per_byte / intensity) * 1e-12 + model.constant_w.unwrap_or(0.0) * seconds;
        (joules > 0.0).then(|| 1.0 / joules)
    }
}

/// What became of a subject's measurements.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EnergyState {
    /// An index of [`Report::subjects`].
    pub subject: usize,
    /// By status, in the statuses' order.
    pub tallies: Vec<EnergyTally>,
    /// What was looked for, where no meter serves the device.
    pub tried: Vec<Text>,
    /// The row with the least energy per FLOP: an index of [`Report::rows`].
    pub best: Option<usize>,
}

/// Rows of one energy status.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EnergyTally {
    /// The status.
    pub status: EnergyStatus,
    /// Rows with it.
    pub rows: usize,
    /// The first reason that was given.
    pub reason: Option<Text>,
}

pub(super) fn of(report: &Report) -> EnergyReport {
    let mut tallies: BTreeMap<usize, BTreeMap<EnergyStatus, EnergyTally>> = BTreeMap::new();
    let mut tried: BTreeMap<usize, Vec<Text>> = BTreeMap::new();
    let mut best: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
    let mut estimates = Vec::new();
    for (index, row) in report.rows.iter().enumerate().filter(|(_, row)| row.status == Status::Ok) {
        let Some(energy) = &row.energy else { continue };
        let new = || EnergyTally { status: energy.status, rows: 0, reason: energy.reason.clone() };
        tallies.entry(row.subject).or_default().entry(energy.status).or_insert_with(new).rows += 1;
        if !energy.tried.is_empty() {
            tried.entry(row.subject).or_insert_with(|| energy.tried.clone());
        }
        if energy.estimate.is_some() {
            estimates.push(index);
        }
        if let Some(cost) = energy.pj_per_flop() {
            let known = best.entry(row.subject).or_insert((cost.value, index));
            if cost.value < known.0 {
                *known = (cost.value, index);
            }
        }
    }
    let states = tallies.into_iter().map(|(subject, tallies)| EnergyState {
        subject,
        tallies: tallies.into_values().collect(),
        tried: tried.remove(&subject).unwrap_or_default(),
        best: best.get(&subject).map(|&(_, row)| row),
    });
    EnergyReport { states: states.collect(), standings: standing::energy(report), models: models(report), estimates }
}

fn models(report: &Report) -> Vec<EnergyModel> {
    let models = report.subjects.iter().enumerate().filter_map(|(subject, of)| {
        let energy = of.ceilings.as_ref()?.energy.as_ref()?;
        let probes = energy.points.iter().filter_map(|point| {
            let figures = point.energy.figures.as_ref()?;
            Some(EnergyProbe {
                kernel: point.kernel.as_str().into(),
                dtype: point.dtype.as_str().into(),
                intensity_flop_per_byte: point.work.flop / point.work.bytes,
                flop_per_s: point.work.flop / figures.seconds_per_run,
                flop_per_s_per_w: figures.flop_per_s_per_w,
                pj_per_byte: point.pj_per_byte,
                combined: figures.combined,
            })
        });
        let probes: Vec<EnergyProbe> = probes.collect();
        (!probes.is_empty()).then_some(EnergyModel { subject, probes, roofline: energy.roofline })
    });
    models.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_adds_what_flop_bytes_and_seconds_take() {
        let probe = |intensity: f64, flop_per_s: f64| EnergyProbe {
            kernel: "fma".into(),
            dtype: "f32".into(),
            intensity_flop_per_byte: intensity,
            flop_per_s,
            flop_per_s_per_w: 1.0,
            pj_per_byte: None,
            combined: 0.1,
        };
        let roofline = EnergyRoofline {
            pj_per_flop: 2.0,
            pj_per_flop_error: 0.1,
            pj_per_byte: 30.0,
            pj_per_byte_error: 1.0,
            constant_w: Some(5.0),
            constant_w_error: Some(0.5),
            fit_error: 0.01,
        };
        // 1 TFLOP/s at most, and 0.1 TB/s: the ridge is at 10 FLOP per byte.
        let mut model =
            EnergyModel { subject: 0, probes: vec![probe(0.5, 0.5e11), probe(100.0, 1e12)], roofline: Some(roofline) };
        let pj = |intensity| 1e12 / model.flop_per_j(intensity).unwrap();
        assert!((pj(100.0) - (2.0 + 0.3 + 5.0)).abs() < 1e-9, "{}", pj(100.0));
        assert!((pj(1.0) - (2.0 + 30.0 + 50.0)).abs() < 1e-9, "{}", pj(1.0));
        model.roofline = None;
        assert_eq!(model.flop_per_j(1.0), None);
    }
}
