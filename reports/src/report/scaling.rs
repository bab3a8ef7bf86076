//! Rates over size.

use super::{ClockKind, Report, standing};
use crate::CacheMode;
use crate::inert::Text;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Rates of one operation and type over the work of a case.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Scaling {
    /// The operation.
    pub op: Text,
    /// The numeric types.
    pub dtype: Text,
    /// How the inputs are made.
    pub fill: Text,
    /// What the caches held.
    pub cache: CacheMode,
    /// The kind of clock.
    pub clock: ClockKind,
    /// Whether the cases are those of a ladder, which differ in size only; otherwise they are all, and differ in kind.
    pub ladder: bool,
    /// A line for each subject.
    pub lines: Vec<ScalingLine>,
}

/// A subject's line.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScalingLine {
    /// An index of [`Report::subjects`].
    pub subject: usize,
    /// By work.
    pub points: Vec<ScalingPoint>,
}

/// A point of a line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScalingPoint {
    /// Floating-point operations of one run.
    pub flop: f64,
    /// An index of [`Report::rows`].
    pub row: usize,
}

/// A case of a ladder.
const LADDER: &str = "ladder";

type Key = (Text, Text, Text, bool, ClockKind);

pub(super) fn of(report: &Report) -> Vec<Scaling> {
    let mut all = lines(report, false);
    let ladders = lines(report, true);
    let long = |lines: &BTreeMap<usize, Vec<ScalingPoint>>| lines.values().any(|points| points.len() > 1);
    let mut scaling = Vec::new();
    for (key, ladder) in ladders.into_iter().filter(|(_, lines)| long(lines)) {
        all.remove(&key);
        scaling.push(made(key, true, ladder));
    }
    scaling.extend(all.into_iter().filter(|(_, lines)| long(lines)).map(|(key, lines)| made(key, false, lines)));
    scaling.sort_by_key(|one| standing::place(&one.op, &one.dtype));
    scaling
}

fn lines(report: &Report, ladder: bool) -> BTreeMap<Key, BTreeMap<usize, Vec<ScalingPoint>>> {
    let mut groups: BTreeMap<Key, BTreeMap<usize, Vec<ScalingPoint>>> = BTreeMap::new();
    for case in report.cases.iter().filter(|case| !ladder || case.phase.as_deref() == Some(LADDER)) {
        let Some(flop) = case.flop else { continue };
        for cell in &case.cells {
            for kind in [ClockKind::Device, ClockKind::Host] {
                let Some(row) = report.fastest(cell, kind) else { continue };
                let cold = case.cache == CacheMode::Cold;
                let key = (case.op.clone(), case.dtype.clone(), case.fill.clone(), cold, kind);
                let point = ScalingPoint { flop, row };
                groups.entry(key).or_default().entry(cell.subject).or_default().push(point);
            }
        }
    }
    groups
}

fn made(key: Key, ladder: bool, lines: BTreeMap<usize, Vec<ScalingPoint>>) -> Scaling {
    let (op, dtype, fill, cold, clock) = key;
    let line = |(subject, mut points): (usize, Vec<ScalingPoint>)| {
        points.sort_by(|one, other| one.flop.total_cmp(&other.flop));
        ScalingLine { subject, points }
    };
    let cache = if cold { CacheMode::Cold } else { CacheMode::Warm };
    Scaling { op, dtype, fill, cache, clock, ladder, lines: lines.into_iter().map(line).collect() }
}
