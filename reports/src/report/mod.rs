//! The report: everything that each format shows, worked out once.
//!
//! Rows are kept in one list, and everything else points into it, so that each number can be traced to its samples, its
//! verification and its command line. Only equal cases are compared: same operation, types, shape, inputs, cache mode
//! and kind of clock. A difference that lies within the intervals is none.

mod build;
mod chips;
mod compare;
mod energy;
mod environment;
pub(crate) mod label;
mod library;
mod ratio;
mod roofline;
mod row;
mod run;
mod scaling;
mod share;
mod standing;
mod support;
#[cfg(test)]
mod tests;

pub use build::Builder;
pub use chips::ChipStandings;
pub use compare::{ComparedCase, Comparison};
pub use energy::{EnergyModel, EnergyProbe, EnergyReport, EnergyState, EnergyTally};
pub use environment::{Fact, FactValue, What};
pub use library::{LibraryCase, LibraryComparison};
pub use ratio::{Interval, Mean, Ratio, Verdict};
pub use roofline::{Point, Roof, Roofline, Slope};
pub use row::{Case, Cell, ClockKind, Measured, Row, RowEnergy, RowMeter, Verified};
pub use run::{AbsentBackend, Chip, Ended, KnownBy, Rejected, Run, RunHost, Subject};
pub use scaling::{Scaling, ScalingLine, ScalingPoint};
pub use share::Share;
pub use standing::{Finding, Pair, Rank, Standing};
pub use support::{Support, SupportCell};

use crate::inert::Text;
use schemars::JsonSchema;
use serde::Serialize;

/// This version's name, the `schema` field of every report in JSON.
pub const SCHEMA: &str = "accelbench.report/1";

/// A comparison of devices over runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// `accelbench.report/1`.
    pub schema: Text,
    /// A title that the user gave.
    pub title: Option<Text>,
    /// Whether names of devices, hosts and users were left out.
    pub anonymous: bool,
    /// The runs, in the order in which they were named.
    pub runs: Vec<Run>,
    /// Files that were named and are no runs.
    pub rejected: Vec<Rejected>,
    /// What is compared: devices in runs.
    pub subjects: Vec<Subject>,
    /// The physical chips behind them.
    pub chips: Vec<Chip>,
    /// The cases, by operation, types and work.
    pub cases: Vec<Case>,
    /// Every row of every run, in the files' order.
    pub rows: Vec<Row>,
    /// Cases that at least two subjects measured by the same kind of clock.
    pub common_cases: usize,
    /// Who is fastest, for each operation and type; the first is the one that pages open with.
    pub standings: Vec<Standing>,
    /// The same among the APIs of one chip.
    pub chip_standings: Vec<ChipStandings>,
    /// Ceilings, and the points under them.
    pub rooflines: Vec<Roofline>,
    /// Shares of ceilings.
    pub shares: Vec<Share>,
    /// Energy.
    pub energy: EnergyReport,
    /// This program's kernels against the devices' libraries.
    pub libraries: Vec<LibraryComparison>,
    /// Rates over size.
    pub scaling: Vec<Scaling>,
    /// What is supported.
    pub support: Vec<Support>,
    /// The runs' and devices' environments.
    pub environment: Vec<Fact>,
}

impl Report {
    /// The row at an index.
    pub fn row(&self, index: usize) -> &Row {
        &self.rows[index]
    }

    /// A subject's label.
    pub fn label(&self, subject: usize) -> &str {
        &self.subjects[subject].label
    }

    /// The fastest row of a subject in a case by a kind of clock.
    pub fn fastest(&self, cell: &Cell, kind: ClockKind) -> Option<usize> {
        self.fastest_where(cell, kind, |_| true)
    }

    /// The same among the rows of libraries, or of this program's kernels.
    pub fn fastest_of(&self, cell: &Cell, kind: ClockKind, library: bool) -> Option<usize> {
        self.fastest_where(cell, kind, |row| row.library == library)
    }

    fn fastest_where(&self, cell: &Cell, kind: ClockKind, fits: impl Fn(&Row) -> bool) -> Option<usize> {
        let timed = |row: &Row| row.measured.as_ref().is_some_and(|measured| measured.kind == kind);
        cell.measured.iter().copied().find(|&index| timed(self.row(index)) && fits(self.row(index)))
    }
}

impl Case {
    /// A subject's cell; none where it did not run the case.
    pub fn cell(&self, subject: usize) -> Option<&Cell> {
        self.cells.binary_search_by_key(&subject, |cell| cell.subject).ok().map(|at| &self.cells[at])
    }
}
