//! Two subjects, case by case.

use super::{ClockKind, Mean, Ratio, Report, standing};
use crate::CacheMode;
use crate::inert::Text;
use schemars::JsonSchema;
use serde::Serialize;

/// One subject against another in one operation and type.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
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
    /// How many times as fast the second is as the first, over the cases below; none where there is none.
    pub mean: Option<Mean>,
    /// The cases that both measured.
    pub cases: Vec<ComparedCase>,
    /// Cases that only the first measured: indices of [`Report::cases`].
    pub only_first: Vec<usize>,
    /// Cases that only the second measured.
    pub only_second: Vec<usize>,
}

/// A case that both measured.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ComparedCase {
    /// An index of [`Report::cases`].
    pub case: usize,
    /// The first one's row: an index of [`Report::rows`].
    pub first: usize,
    /// The second one's row.
    pub second: usize,
    /// How many times as fast the second is.
    pub ratio: Ratio,
}

impl Report {
    /// Holds one subject against another, for each operation, type and kind of clock that either measured.
    pub fn compare(&self, first: usize, second: usize) -> Vec<Comparison> {
        let mut comparisons: Vec<Comparison> = Vec::new();
        for (index, case) in self.cases.iter().enumerate() {
            for clock in [ClockKind::Device, ClockKind::Host] {
                let row = |subject| case.cell(subject).and_then(|cell| self.fastest(cell, clock));
                let rows = (row(first), row(second));
                if rows == (None, None) {
                    continue;
                }
                let same = |one: &Comparison| {
                    one.op == case.op
                        && one.dtype == case.dtype
                        && one.fill == case.fill
                        && one.cache == case.cache
                        && one.clock == clock
                };
                let at = comparisons.iter().position(same).unwrap_or_else(|| {
                    comparisons.push(Comparison {
                        op: case.op.clone(),
                        dtype: case.dtype.clone(),
                        fill: case.fill.clone(),
                        cache: case.cache,
                        clock,
                        mean: None,
                        cases: Vec::new(),
                        only_first: Vec::new(),
                        only_second: Vec::new(),
                    });
                    comparisons.len() - 1
                });
                let group = &mut comparisons[at];
                let time = |row: usize| self.row(row).measured.as_ref().map(|measured| measured.time());
                match rows {
                    (Some(one), Some(other)) => {
                        let times = time(one).zip(time(other));
                        if let Some(ratio) = times.and_then(|(one, other)| Ratio::of_costs(other, one)) {
                            group.cases.push(ComparedCase { case: index, first: one, second: other, ratio });
                        }
                    }
                    (Some(_), None) => group.only_first.push(index),
                    (None, _) => group.only_second.push(index),
                }
            }
        }
        for one in &mut comparisons {
            one.mean = Mean::of(one.cases.iter().map(|case| case.ratio));
        }
        comparisons.sort_by_key(|one| standing::place(&one.op, &one.dtype));
        comparisons
    }
}
