//! Energy: what was measured, and why the rest was not.

use super::{Report, Standing, standing};
use crate::inert::Text;
use crate::{EnergyStatus, Status};
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
    /// Rows with an upper bound that nobody measured: indices of [`Report::rows`].
    pub estimates: Vec<usize>,
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
    EnergyReport { states: states.collect(), standings: standing::energy(report), estimates }
}
