//! What an index and the devices' pages show of a run.

use crate::CacheMode;
use crate::inert::Text;
use crate::report::{ClockKind, Report, Subject};
use serde::{Deserialize, Serialize};

/// A run in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Digest {
    /// The name of its pages.
    pub(super) page: String,
    /// Of what is published of its file.
    pub(super) sha256: String,
    pub(super) started: Text,
    pub(super) profile: Text,
    pub(super) version: Text,
    pub(super) cpu: Text,
    pub(super) rows: usize,
    pub(super) measured: usize,
    pub(super) problems: usize,
    pub(super) devices: Vec<OfDevice>,
}

/// A device in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct OfDevice {
    pub(super) id: Text,
    pub(super) name: Text,
    pub(super) api: Text,
    pub(super) vendor: Text,
    pub(super) kind: Text,
    pub(super) driver: Text,
    pub(super) memory_bytes: Option<u64>,
    pub(super) measured: usize,
    pub(super) rows: usize,
    /// The best that its memory reached.
    pub(super) bytes_per_s: Option<f64>,
    pub(super) best: Vec<Best>,
}

/// The best rate of an operation and type, among cases that are alike in all but their shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Best {
    pub(super) op: Text,
    pub(super) dtype: Text,
    pub(super) kind: ClockKind,
    pub(super) cache: CacheMode,
    pub(super) fill: Text,
    pub(super) shape: Text,
    pub(super) variant: Text,
    pub(super) flop_per_s: f64,
    pub(super) interval: [f64; 2],
}

impl Best {
    /// Whether two are of the same thing.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (&self.op, &self.dtype, self.kind, self.cache, &self.fill)
            == (&other.op, &other.dtype, other.kind, other.cache, &other.fill)
    }
}

impl Digest {
    /// Of a report of one run.
    pub(super) fn of(report: &Report, page: String, sha256: String) -> Self {
        let run = &report.runs[0];
        let mut best = vec![Vec::new(); report.subjects.len()];
        // Cases stand in the order of pages.
        for case in &report.cases {
            for index in case.cells.iter().flat_map(|cell| cell.measured.iter().copied()) {
                let row = report.row(index);
                let Some(measured) = &row.measured else { continue };
                let found = Best {
                    op: case.op.clone(),
                    dtype: case.dtype.clone(),
                    kind: measured.kind,
                    cache: case.cache,
                    fill: case.fill.clone(),
                    shape: case.shape.clone(),
                    variant: row.variant.clone(),
                    flop_per_s: measured.flop_per_s,
                    interval: measured.rate_interval(),
                };
                keep(&mut best[row.subject], found);
            }
        }
        let device = |(subject, best): (&Subject, Vec<Best>)| OfDevice {
            id: subject.device.clone(),
            name: subject.name.clone(),
            api: subject.api.clone(),
            vendor: subject.vendor.clone(),
            kind: subject.kind.clone(),
            driver: subject.driver.clone(),
            memory_bytes: subject.memory_bytes,
            measured: subject.measured,
            rows: subject.rows,
            bytes_per_s: subject
                .ceilings
                .as_ref()
                .and_then(|ceilings| ceilings.memory.iter().map(|point| point.bytes_per_s).reduce(f64::max)),
            best,
        };
        Self {
            page,
            sha256,
            started: run.started.clone(),
            profile: run.profile.clone(),
            version: run.suite_version.clone(),
            cpu: run.host.cpu.clone(),
            rows: run.rows,
            measured: report.subjects.iter().map(|subject| subject.measured).sum(),
            problems: run.problems.len() + run.more_problems,
            devices: report.subjects.iter().zip(best).map(device).collect(),
        }
    }
}

/// Keeps the faster of what is alike.
pub(super) fn keep(best: &mut Vec<Best>, found: Best) {
    match best.iter_mut().find(|known| known.is_like(&found)) {
        None => best.push(found),
        Some(known) if known.flop_per_s < found.flop_per_s => *known = found,
        Some(_) => {}
    }
}
