//! What a reader wants first: the best rate of each device in each type.

use crate::{ResultRow, RunFile, Status};
use serde::Serialize;

/// The fastest verified result of a device, an operation and a type.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Best {
    /// The device's id.
    pub device: String,
    /// Its name.
    pub name: String,
    /// The operation.
    pub op: String,
    /// The numeric types.
    pub dtype: String,
    /// FLOP/s.
    pub flop_per_s: f64,
    /// The rate's share of what the device can attain for that case, where its ceilings are known.
    pub fraction: Option<f64>,
    /// Measured picojoules per FLOP.
    pub pj_per_flop: Option<f64>,
    /// The case that reached it.
    pub case: String,
}

/// The best result of each device, operation and type, in the file's order.
pub fn best(file: &RunFile) -> Vec<Best> {
    best_by(file, |entry| Some(entry.flop_per_s))
}

/// The result of each device, operation and type that is nearest to its ceiling, in the file's order.
pub fn best_fractions(file: &RunFile) -> Vec<Best> {
    best_by(file, |entry| entry.fraction)
}

/// The result of each device, operation and type that took the least measured energy for a FLOP, in the file's order.
pub fn best_energies(file: &RunFile) -> Vec<Best> {
    best_by(file, |entry| entry.pj_per_flop.map(|picojoules| -picojoules))
}

fn best_by(file: &RunFile, value: impl Fn(&Best) -> Option<f64>) -> Vec<Best> {
    let mut best: Vec<Best> = Vec::new();
    for row in file.results.iter().filter(|row| row.status == Status::Ok) {
        let Some(rate) = row.rate else { continue };
        let new = entry(file, row, rate.flop_per_s);
        if value(&new).is_none() {
            continue;
        }
        let same = |b: &&mut Best| b.device == row.device && b.op == row.op && b.dtype == row.dtype;
        match best.iter_mut().find(same) {
            Some(known) if value(known) >= value(&new) => {}
            Some(known) => *known = new,
            None => best.push(new),
        }
    }
    best
}

fn entry(file: &RunFile, row: &ResultRow, flop_per_s: f64) -> Best {
    let device = file.header.devices.iter().find(|device| device.id == row.device);
    Best {
        device: row.device.clone(),
        name: device.map(|device| device.name.clone()).unwrap_or_default(),
        op: row.op.clone(),
        dtype: row.dtype.clone(),
        flop_per_s,
        fraction: row.ceiling.as_ref().map(|ceiling| ceiling.fraction),
        pj_per_flop: row.energy.as_ref().and_then(|energy| energy.figures.as_ref()).map(|figures| figures.pj_per_flop),
        case: row.case.clone(),
    }
}
