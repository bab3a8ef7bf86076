//! Running a gate: two builds, blocks of each in turns, and a document of what was found.
//!
//! The statistics are [`crate::gate`]'s, which says what to measure next; here it is done. A build is anything that
//! understands `accelbench run`, of this revision or an older one: all that is asked of it goes through its command line
//! and its result files. First each build says what it would run, and the two are held against each other; then each
//! runs every case once, and what is wrong or missing ends the gate before anything is timed; then come the pairs.

mod block;
mod build;
mod config;
mod document;
mod noise;
mod paired;
pub(crate) mod process;
mod reading;
mod selection;
mod stored;
mod suite;
mod watch;
mod words;

pub use config::{Better, Config, FILE_NAME, GateConfig, Rule};
pub use paired::paired;
pub use process::Stop;
pub use selection::Selection;
pub use stored::stored;
pub use words::{percent, share};

use crate::gate;
use accelbench_kernels::Profile;
use accelbench_reports::gate::{Arm, Metric, Stage};
use std::path::PathBuf;
use std::time::Duration;

/// What to compare, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is there: an executable, a revision, or, of stored figures, a result file.
    pub base: String,
    /// What is to replace it: an executable or a revision, or, against stored figures, a result file, too.
    pub candidate: String,
    /// The selection of cases.
    pub selection: Selection,
    /// The profile whose shapes and effort are taken.
    pub profile: Profile,
    /// What the statistics promise.
    pub options: gate::Options,
    /// What is gated.
    pub metrics: Vec<Metric>,
    /// Where the noise of identical builds comes from.
    pub noise: Noise,
    /// The file that tolerances come from, and what it says.
    pub config: Option<(PathBuf, Config)>,
    /// Cases that one side may lack: patterns.
    pub allow_missing: Vec<String>,
    /// How long a case may take in a block.
    pub timeout: Duration,
    /// Where the blocks' files stay; none throws them away.
    pub keep: Option<PathBuf>,
}

/// Where the noise of identical builds comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noise {
    /// From nowhere: the margin alone stands for it.
    Unknown,
    /// The base is measured against itself first.
    Measured,
    /// From the document of a gate whose builds were the same.
    File(PathBuf),
}

/// What a gate has to say while it goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Something that takes long, or that a reader should know.
    Note(String),
    /// So many cases are compared.
    Cases(usize),
    /// A block starts.
    Block {
        /// What it is for.
        phase: Phase,
        /// Its pair within the phase, from 1.
        round: usize,
        /// Pairs of the phase, as far as it is known.
        rounds: usize,
        /// The build.
        arm: Arm,
        /// Its cases.
        cases: usize,
    },
    /// A case of the block is done.
    Row,
}

/// What a block is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Holding every output against the truth; nothing is timed.
    Verify,
    /// Measuring the base against itself.
    Noise,
    /// A stage of the gate.
    Stage(Stage),
}

impl Phase {
    /// The word in file names and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Noise => "noise",
            Self::Stage(Stage::Screen) => "screen",
            Self::Stage(Stage::Confirm) => "confirm",
        }
    }
}
