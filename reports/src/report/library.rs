//! This program's portable kernels against the devices' libraries.

use super::{ClockKind, Mean, Ratio, Report, standing};
use crate::CacheMode;
use crate::inert::Text;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The best kernel against the best library of a subject, in one operation and type.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LibraryComparison {
    /// An index of [`Report::subjects`].
    pub subject: usize,
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
    /// How many times as fast the kernels are as the library, over the cases below.
    pub mean: Mean,
    /// The cases that both measured.
    pub cases: Vec<LibraryCase>,
}

/// A case that a kernel and a library measured on one device.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LibraryCase {
    /// An index of [`Report::cases`].
    pub case: usize,
    /// The kernel's row: an index of [`Report::rows`].
    pub kernel: usize,
    /// The library's row.
    pub library: usize,
    /// How many times as fast the kernel is.
    pub ratio: Ratio,
}

pub(super) fn of(report: &Report) -> Vec<LibraryComparison> {
    type Key = (Text, Text, Text, bool, ClockKind, usize);
    let mut groups: BTreeMap<Key, Vec<LibraryCase>> = BTreeMap::new();
    for (index, case) in report.cases.iter().enumerate() {
        for cell in &case.cells {
            for kind in [ClockKind::Device, ClockKind::Host] {
                let best = |library| report.fastest_of(cell, kind, library);
                let (Some(kernel), Some(library)) = (best(false), best(true)) else { continue };
                let time = |row: usize| report.row(row).measured.as_ref().map(|measured| measured.time());
                let (Some(own), Some(theirs)) = (time(kernel), time(library)) else { continue };
                let Some(ratio) = Ratio::of_costs(own, theirs) else { continue };
                let cold = case.cache == CacheMode::Cold;
                let key = (case.op.clone(), case.dtype.clone(), case.fill.clone(), cold, kind, cell.subject);
                groups.entry(key).or_default().push(LibraryCase { case: index, kernel, library, ratio });
            }
        }
    }
    let comparison = |((op, dtype, fill, cold, clock, subject), cases): (Key, Vec<LibraryCase>)| {
        let cache = if cold { CacheMode::Cold } else { CacheMode::Warm };
        let mean = Mean::of(cases.iter().map(|case| case.ratio))?;
        Some(LibraryComparison { subject, op, dtype, fill, cache, clock, mean, cases })
    };
    let mut comparisons: Vec<_> = groups.into_iter().filter_map(comparison).collect();
    comparisons.sort_by_key(|one| (standing::place(&one.op, &one.dtype), one.subject));
    comparisons
}
