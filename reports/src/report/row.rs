//! Rows, and the cases that make them comparable.

use super::ratio::Interval;
use crate::inert::Text;
use crate::{CacheMode, Ceiling, EnergyEstimate, EnergyFigures, EnergyStatus, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What rows of several devices and runs must have in common to be compared, but for the clock.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Case {
    /// The operation.
    pub op: Text,
    /// The numeric types: storage, and accumulation where it is not the usual one.
    pub dtype: Text,
    /// The shape in its compact form.
    pub shape: Text,
    /// How the inputs are made.
    pub fill: Text,
    /// What the caches held.
    pub cache: CacheMode,
    /// The model and layer that the shape comes from.
    pub origin: Option<Text>,
    /// What the model does there: `ladder`, `training`, `prefill` or `decode`.
    pub phase: Option<Text>,
    /// Floating-point operations of one run; none where no row tells.
    pub flop: Option<f64>,
    /// Bytes that one run must move; none where no row tells.
    pub bytes: Option<f64>,
    /// One cell for each subject that has a row here, in the subjects' order. A subject without one did not run it.
    pub cells: Vec<Cell>,
}

/// What a subject has of a case. The fastest row of a clock stands for the subject there.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Cell {
    /// An index of [`super::Report::subjects`].
    pub subject: usize,
    /// Its measured rows, the fastest first: indices of [`super::Report::rows`].
    pub measured: Vec<usize>,
    /// Its other rows, faults first: they say why.
    pub missing: Vec<usize>,
}

/// Which clock timed a row. Times of the two are never compared: the host's includes what a launch costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClockKind {
    /// The device's own: an event or a time stamp.
    Device,
    /// The host's.
    Host,
}

impl ClockKind {
    /// The kind of a clock that a file names.
    pub fn of(clock: &str) -> Self {
        if clock.starts_with("device") { Self::Device } else { Self::Host }
    }

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Host => "host",
        }
    }
}

/// A case's outcome, with all that a reader needs to believe it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Row {
    /// An index of [`super::Report::subjects`].
    pub subject: usize,
    /// An index of [`super::Report::cases`].
    pub case: usize,
    /// The row's name in its run: `op/dtype/shape/variant@device`.
    pub id: Text,
    /// The kernel family or library.
    pub variant: Text,
    /// Whether the variant is a library of the device's and not a kernel of this program's.
    pub library: bool,
    /// What became of it.
    pub status: Status,
    /// Why it is not `ok`; or why an `ok` row is not taken: it breaks a promise of the result file.
    pub reason: Option<Text>,
    /// The plan in one word.
    pub plan: Option<Text>,
    /// SHA-256 over the kernels' sources and definitions.
    pub source_sha256: Option<Text>,
    /// Of the inputs.
    pub seed: Option<u64>,
    /// The command line that gives this row.
    pub command: Option<Text>,
    /// The figures; only where the status is `ok` and the row keeps its promises.
    pub measured: Option<Box<Measured>>,
    /// What it took in energy; none where that was not asked for.
    pub energy: Option<Box<RowEnergy>>,
}

/// The figures of a row.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Measured {
    /// The clock, as its run names it.
    pub clock: Text,
    /// Its kind.
    pub kind: ClockKind,
    /// Nanoseconds of one run, in the order of measuring.
    pub samples_ns: Vec<f64>,
    /// Runs in a batch, whose time divided by them is a sample.
    pub batch: u64,
    /// Runs before the first sample.
    pub warmup_runs: u64,
    /// Whether times had settled before the first sample.
    pub steady: bool,
    /// The samples' median.
    pub median_ns: f64,
    /// Its 95% interval.
    pub ci95_ns: [f64; 2],
    /// FLOP/s.
    pub flop_per_s: f64,
    /// Bytes/s.
    pub bytes_per_s: f64,
    /// How the output was checked.
    pub verified: Verified,
    /// The rate held against the device's ceilings, where they are known.
    pub ceiling: Option<Ceiling>,
}

impl Measured {
    /// The median time and its interval.
    pub fn time(&self) -> Interval {
        Interval { value: self.median_ns, low: self.ci95_ns[0], high: self.ci95_ns[1] }
    }

    /// The rate's interval, in FLOP/s: low, high.
    pub fn rate_interval(&self) -> [f64; 2] {
        let [low, high] = self.ci95_ns;
        [self.flop_per_s * self.median_ns / high, self.flop_per_s * self.median_ns / low]
    }
}

/// How an output was held against the truth.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Verified {
    /// How.
    pub method: Text,
    /// Elements compared one by one.
    pub checked: u64,
    /// The error nearest to its bound.
    pub max_error: f64,
    /// That bound.
    pub bound: f64,
}

/// The energy of a row.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RowEnergy {
    /// What became of the measurement.
    pub status: EnergyStatus,
    /// Why it is not `measured`; or why it is not taken: it breaks a promise of the result file.
    pub reason: Option<Text>,
    /// What was looked for, where no meter serves the device.
    pub tried: Vec<Text>,
    /// The meter that was read.
    pub meter: Option<RowMeter>,
    /// The figures; only where it was measured.
    pub figures: Option<EnergyFigures>,
    /// An upper bound that nobody measured: shown as such, and ranked nowhere.
    pub estimate: Option<EnergyEstimate>,
}

impl RowEnergy {
    /// Picojoules per FLOP, with the interval of the stated combined uncertainty.
    pub fn pj_per_flop(&self) -> Option<Interval> {
        let figures = self.figures.as_ref()?;
        let (value, share) = (figures.pj_per_flop, figures.combined);
        Some(Interval { value, low: value * (1.0 - share).max(0.0), high: value * (1.0 + share) })
    }
}

/// A meter, as a row names it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RowMeter {
    /// Its name.
    pub id: Text,
    /// Where its figures come from.
    pub source: Text,
    /// What it tells.
    pub kind: Text,
    /// What its figure includes. Energies of different scopes are never compared.
    pub scope: Text,
    /// The relative error of its absolute value (k = 2).
    pub accuracy: f64,
    /// Where that accuracy comes from.
    pub accuracy_source: Text,
}
