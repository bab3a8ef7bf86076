//! What each subject can do.

use super::{Report, standing};
use crate::Status;
use crate::inert::Text;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// An operation and a type, and what became of them on each subject.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Support {
    /// The operation.
    pub op: Text,
    /// The numeric types.
    pub dtype: Text,
    /// One for each subject that has a row there, in the subjects' order. Another did not run it.
    pub cells: Vec<SupportCell>,
}

/// What became of an operation and a type on a subject.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SupportCell {
    /// An index of [`Report::subjects`].
    pub subject: usize,
    /// `ok` where a row has figures; otherwise the gravest status, faults before what was left out.
    pub status: Status,
    /// Rows with figures.
    pub measured: usize,
    /// All rows.
    pub rows: usize,
    /// Rows with a fault: failed, wrong, crashed or timed out.
    pub faults: usize,
    /// The row that says why there is no figure, or what the fault was: an index of [`Report::rows`].
    pub why: Option<usize>,
}

/// Faults come first, then what can't be done, then what was left out.
pub(super) fn gravity(status: Status) -> u8 {
    match status {
        Status::Wrong => 0,
        Status::Crashed => 1,
        Status::Timeout => 2,
        Status::Failed => 3,
        // With figures it does not come here: the row breaks a promise of the file.
        Status::Ok => 4,
        Status::Unsupported => 5,
        Status::Skipped => 6,
    }
}

pub(super) fn of(report: &Report) -> Vec<Support> {
    let mut groups: BTreeMap<(Text, Text), BTreeMap<usize, SupportCell>> = BTreeMap::new();
    for (index, row) in report.rows.iter().enumerate() {
        let case = &report.cases[row.case];
        let new = SupportCell { subject: row.subject, status: row.status, measured: 0, rows: 0, faults: 0, why: None };
        let cells = groups.entry((case.op.clone(), case.dtype.clone())).or_default();
        let cell = cells.entry(row.subject).or_insert(new);
        cell.rows += 1;
        cell.faults += usize::from(row.status.is_fault());
        if row.measured.is_some() {
            cell.measured += 1;
        } else if cell.why.is_none_or(|why| gravity(row.status) < gravity(report.row(why).status)) {
            cell.why = Some(index);
        }
    }
    let mut support: Vec<Support> = groups
        .into_iter()
        .map(|((op, dtype), cells)| Support {
            op,
            dtype,
            cells: cells.into_values().map(|c| settled(report, c)).collect(),
        })
        .collect();
    support.sort_by_key(|one| standing::place(&one.op, &one.dtype));
    support
}

fn settled(report: &Report, cell: SupportCell) -> SupportCell {
    if cell.measured > 0 {
        // What was left out beside figures needs no words; what went wrong does.
        let why = cell.why.filter(|&why| report.row(why).status.is_fault());
        return SupportCell { status: Status::Ok, why, ..cell };
    }
    // A device that can't do something says so in one row; what was left out for time says less.
    SupportCell { status: cell.why.map_or(cell.status, |why| report.row(why).status), ..cell }
}
