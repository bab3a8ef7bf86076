//! Each subject's roofline: its ceilings, and its rows under them.

use super::Report;
use crate::inert::Text;
use crate::{Quantity, Unit};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A subject's ceilings and the best row of each case under them.
///
/// A roof is flat: FLOP/s. A slope rises: bytes/s times FLOP per byte.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Roofline {
    /// An index of [`Report::subjects`].
    pub subject: usize,
    /// Arithmetic peaks.
    pub roofs: Vec<Roof>,
    /// Bandwidths: the memory's, and the caches'.
    pub slopes: Vec<Slope>,
    /// The fastest row of each case.
    pub points: Vec<Point>,
}

/// An arithmetic peak.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Roof {
    /// The type, as of [`crate::Peak`].
    pub dtype: Text,
    /// The units.
    pub unit: Unit,
    /// FLOP/s.
    pub flop_per_s: f64,
    /// Whether it was measured; otherwise it is from the makers' documents.
    pub measured: bool,
}

/// A bandwidth.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Slope {
    /// Bytes that the loop goes through; none where it is the memory's and larger than every cache.
    pub working_set_bytes: Option<u64>,
    /// Bytes/s: of the fastest kernel.
    pub bytes_per_s: f64,
    /// Whether it was measured.
    pub measured: bool,
}

/// A row under the roof.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Point {
    /// An index of [`Report::rows`].
    pub row: usize,
    /// FLOP per byte that must move.
    pub intensity_flop_per_byte: f64,
    /// FLOP/s.
    pub flop_per_s: f64,
}

pub(super) fn of(report: &Report) -> Vec<Roofline> {
    let mut points: BTreeMap<usize, Vec<Point>> = BTreeMap::new();
    for cell in report.cases.iter().flat_map(|case| &case.cells) {
        let Some(&row) = cell.measured.first() else { continue };
        let Some(measured) = &report.row(row).measured else { continue };
        let intensity_flop_per_byte = measured.flop_per_s / measured.bytes_per_s;
        let point = Point { row, intensity_flop_per_byte, flop_per_s: measured.flop_per_s };
        points.entry(cell.subject).or_default().push(point);
    }
    let lines = report.subjects.iter().enumerate().map(|(subject, _)| {
        let (roofs, slopes) = ceilings(report, subject);
        Roofline { subject, roofs, slopes, points: points.remove(&subject).unwrap_or_default() }
    });
    lines.filter(|line| !line.roofs.is_empty() || !line.points.is_empty()).collect()
}

fn ceilings(report: &Report, subject: usize) -> (Vec<Roof>, Vec<Slope>) {
    let Some(ceilings) = &report.subjects[subject].ceilings else { return (Vec::new(), Vec::new()) };
    let roof = |dtype: &str, unit, flop_per_s, measured| Roof { dtype: dtype.into(), unit, flop_per_s, measured };
    let peaks = ceilings.peaks.iter().map(|peak| roof(&peak.dtype, peak.unit, peak.flop_per_s, true));
    let stated = ceilings.theoretical.iter().filter(|figure| figure.quantity == Quantity::Compute);
    let stated = stated.filter_map(|figure| Some(roof(figure.dtype.as_deref()?, figure.unit?, figure.value, false)));
    let memory = ceilings.memory.iter().map(|point| point.bytes_per_s).reduce(f64::max);
    let memory = memory.map(|bytes_per_s| Slope { working_set_bytes: None, bytes_per_s, measured: true });
    let documented = ceilings.theoretical.iter().filter(|figure| figure.quantity == Quantity::Bandwidth);
    let documented =
        documented.map(|figure| Slope { working_set_bytes: None, bytes_per_s: figure.value, measured: false });
    // Kernels move slightly different sizes of one rung: those within a factor of two are one.
    let mut rungs: BTreeMap<u32, (u64, f64)> = BTreeMap::new();
    for point in &ceilings.sweep {
        let rung = rungs.entry(point.working_set_bytes.max(1).ilog2()).or_insert((point.working_set_bytes, 0.0));
        *rung = (rung.0.max(point.working_set_bytes), rung.1.max(point.bytes_per_s));
    }
    let caches = rungs.into_values().map(|(set, bytes_per_s)| Slope {
        working_set_bytes: Some(set),
        bytes_per_s,
        measured: true,
    });
    (peaks.chain(stated).collect(), memory.into_iter().chain(caches).chain(documented).collect())
}
