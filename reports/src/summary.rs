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
    /// The case that reached it.
    pub case: String,
}

/// The best result of each device, operation and type, in the file's order.
pub fn best(file: &RunFile) -> Vec<Best> {
    let mut best: Vec<Best> = Vec::new();
    for row in file.results.iter().filter(|row| row.status == Status::Ok) {
        let Some(rate) = row.rate else { continue };
        let same = |b: &&mut Best| b.device == row.device && b.op == row.op && b.dtype == row.dtype;
        match best.iter_mut().find(same) {
            Some(known) if known.flop_per_s >= rate.flop_per_s => {}
            Some(known) => *known = entry(file, row, rate.flop_per_s),
            None => best.push(entry(file, row, rate.flop_per_s)),
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
        case: row.case.clone(),
    }
}
