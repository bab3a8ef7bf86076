//! The document of `accelbench ratios`, version `accelbench.ratios/1`: how near kernels come to what their device does at
//! best, and to the libraries beside them.
//!
//! Ratios are of speeds: above 1 the first one is faster. What is not known is none, never 0. A case's lanes took turns;
//! raw times stand by blocks of turns, so that every figure can be made again.

mod read;

use crate::{DeviceRow, Host, PlanSource, Status, Suite, Unit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// This version's name, the `schema` field of every document.
pub const SCHEMA: &str = "accelbench.ratios/1";

/// What was measured, on what, and what follows from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatiosFile {
    /// `accelbench.ratios/1`.
    pub schema: String,
    /// When it started: RFC 3339, UTC.
    pub started: String,
    /// Seconds that it took, in all its sittings.
    pub wall_s: f64,
    /// When it was taken up again: RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<String>,
    /// Whether every case had its turn; a document of a run that was stopped has those that had.
    pub complete: bool,
    /// The command line.
    pub argv: Vec<String>,
    /// The program.
    pub suite: Suite,
    /// The machine.
    pub host: Host,
    /// Every device that was found.
    pub devices: Vec<DeviceRow>,
    /// How it was measured.
    pub options: RatioOptions,
    /// The cases, in order.
    pub cases: Vec<RatioCase>,
    /// Geometric means over the cases that stayed steady.
    pub means: Vec<RatioMean>,
    /// What a reader should know beside it: one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How ratios were measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatioOptions {
    /// Turns of each lane, at least.
    pub rounds: u64,
    /// Blocks of turns where several processes take turns.
    pub blocks: u64,
    /// A peak that moves by more than this share has its case measured again.
    pub steady: f64,
    /// How often a case is measured at most.
    pub tries: u64,
    /// Of the inputs.
    pub seed: u64,
    /// Seconds that a turn lasts, or one run where that is longer.
    pub turn_s: f64,
    /// Seconds of rest before each turn where a library of the machine shares a processor with the other lanes.
    pub rest_s: f64,
    /// Shapes of the user's own, as on the command line; empty for the usual ones.
    pub shapes: Vec<String>,
    /// Operations that were chosen; empty for all.
    pub kernels: Vec<String>,
    /// Types that were chosen; empty for all.
    pub dtypes: Vec<String>,
    /// Devices or backends that were chosen; empty for all.
    #[serde(default)]
    pub devices: Vec<String>,
    /// The commands of peers.
    pub peers: Vec<String>,
}

/// A case with all that computed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatioCase {
    /// `op/dtype/shape/any@device`.
    pub case: String,
    /// The operation.
    pub op: String,
    /// The numeric types.
    pub dtype: String,
    /// The shape in the compact form of ids.
    pub shape: String,
    /// The model and layer that the shape comes from; none for a shape of the user's.
    pub origin: Option<String>,
    /// The device whose kernels are judged.
    pub device: String,
    /// Floating-point operations of one run.
    pub flop: f64,
    /// How often it was measured; the steadiest time counts.
    pub tries: u64,
    /// Why its figures are in doubt, after the last try; none where they are not.
    pub unsteady: Option<String>,
    /// Why nothing was measured; none where something was.
    pub left_out: Option<String>,
    /// The arithmetic peaks of its devices, before and after its turns.
    pub peaks: Vec<PeakPair>,
    /// What took turns, in order.
    pub lanes: Vec<RatioLane>,
    /// The command line that gives this case again.
    pub command: String,
}

/// A measured peak before and after a case: FLOP/s of the fastest verified probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PeakPair {
    /// The device.
    pub device: String,
    /// The units: `vector` or `matrix`.
    pub unit: Unit,
    /// The type, as `ceilings` lines name it.
    pub dtype: String,
    /// Before the case's first turn.
    pub before: f64,
    /// After its last one.
    pub after: f64,
}

impl PeakPair {
    /// The peak that shares are of: the median of the two.
    pub fn peak(&self) -> f64 {
        f64::midpoint(self.before, self.after)
    }

    /// By how much it moved, as a share of the smaller one.
    pub fn drift(&self) -> f64 {
        let [low, high] = [self.before.min(self.after), self.before.max(self.after)];
        high / low - 1.0
    }
}

/// What a lane stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LaneKind {
    /// The program's own kernel by the best plan that is known.
    Own,
    /// The launch of it that takes longest, without those that pack or combine.
    OwnKernel,
    /// The program's own kernel by the plan that its family would choose, where that is another one.
    OwnDefault,
    /// A library that was found on the machine.
    Library,
    /// The program's own kernel on the processor itself, beside a device that is the same processor.
    HostKernel,
    /// What a peer's command says of itself; its output can't be verified here.
    Peer,
}

impl LaneKind {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::OwnKernel => "own, kernel alone",
            Self::OwnDefault => "own, default plan",
            Self::Library => "library",
            Self::HostKernel => "own, on the host",
            Self::Peer => "peer",
        }
    }

    /// Whether others are held against it.
    pub const fn is_reference(self) -> bool {
        matches!(self, Self::Library | Self::Peer)
    }
}

impl fmt::Display for LaneKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One of those that took turns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatioLane {
    /// What it stands for.
    pub kind: LaneKind,
    /// The device that it ran on; of a peer what its line states.
    pub device: String,
    /// The kernel family, the library, or the peer.
    pub variant: String,
    /// The plan in one word; none of a peer.
    pub plan: Option<String>,
    /// Where the plan was known from; only of the program's own kernels.
    pub plan_source: Option<PlanSource>,
    /// The units that it computes on.
    pub unit: Unit,
    /// The clock that timed it: `device-event`, `device-timestamp`, `host-wall`, or `peer`.
    pub clock: String,
    /// What became of it.
    pub status: Status,
    /// Why it is not `ok`.
    pub reason: Option<String>,
    /// Nanoseconds of one run in each turn, by blocks. Empty unless the status is `ok`.
    pub blocks_ns: Vec<Vec<f64>>,
    /// What these say; none unless the status is `ok`.
    pub figures: Option<LaneFigures>,
}

/// What a lane's times say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LaneFigures {
    /// Turns.
    pub rounds: u64,
    /// The median time.
    pub median_ns: f64,
    /// Its rate.
    pub flop_per_s: f64,
    /// A distribution-free 95% interval of the median rate, or the range where there are too few turns for one.
    pub ci95_flop_per_s: [f64; 2],
    /// The rate as a share of its device's peak; none where that is not known.
    pub of_peak: Option<f64>,
    /// How many times as fast it is as the fastest library or peer; none of that one, and where there is none.
    pub of_library: Option<PairedRatio>,
}

/// A ratio of speeds from pairs of turns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairedRatio {
    /// The variant that it is held against.
    pub to: String,
    /// The device or peer's place that that ran on.
    pub on: String,
    /// The median of the pairs' ratios.
    pub ratio: f64,
    /// A distribution-free 95% interval of the median, or the range where there are too few pairs for one.
    pub ci95: [f64; 2],
    /// Pairs of turns of the same round.
    pub pairs: u64,
}

/// What a mean is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The own kernel's share of the measured peak.
    OwnOfPeak,
    /// The share of the launch that computes, alone.
    OwnKernelOfPeak,
    /// The own kernel's speed over the fastest library or peer.
    OwnOverLibrary,
    /// The own kernel's speed on a device over the fastest library on the processor itself.
    OwnOverHostLibrary,
    /// The own kernel's speed on a device over the program's own on the processor itself.
    OwnOverHostKernel,
    /// The best known plan's speed over the default one's, where they differ.
    BestOverDefault,
    /// The own convolution's rate over the mean of the own GEMM's of the same type.
    ConvOverGemm,
    /// The rate in f16 over that in f32 of the same shape.
    HalfOverSingle,
}

impl Measure {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 8] = [
        Self::OwnOfPeak,
        Self::OwnKernelOfPeak,
        Self::OwnOverLibrary,
        Self::OwnOverHostLibrary,
        Self::OwnOverHostKernel,
        Self::BestOverDefault,
        Self::ConvOverGemm,
        Self::HalfOverSingle,
    ];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OwnOfPeak => "own / measured peak",
            Self::OwnKernelOfPeak => "own, kernel alone / measured peak",
            Self::OwnOverLibrary => "own / best library",
            Self::OwnOverHostLibrary => "own / best library on the host",
            Self::OwnOverHostKernel => "own / own on the host",
            Self::BestOverDefault => "best known plan / default plan",
            Self::ConvOverGemm => "convolution / own GEMM",
            Self::HalfOverSingle => "f16 / f32",
        }
    }
}

/// The geometric mean of a ratio over cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatioMean {
    /// The device.
    pub device: String,
    /// The operation.
    pub op: String,
    /// The types.
    pub dtype: String,
    /// What it is of.
    pub measure: Measure,
    /// The geometric mean.
    pub ratio: f64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
    /// Over how many cases.
    pub cases: u64,
}

impl RatiosFile {
    /// Whether something was wrong, failed, crashed or hung.
    pub fn has_faults(&self) -> bool {
        self.cases.iter().flat_map(|case| &case.lanes).any(|lane| lane.status.is_fault())
    }
}

impl RatioCase {
    /// The first lane of a kind that has figures.
    pub fn lane(&self, kind: LaneKind) -> Option<(&RatioLane, &LaneFigures)> {
        self.lanes.iter().filter(|lane| lane.kind == kind).find_map(|lane| Some((lane, lane.figures.as_ref()?)))
    }

    /// The fastest library or peer that has figures.
    pub fn best_library(&self) -> Option<(&RatioLane, &LaneFigures)> {
        let references = self.lanes.iter().filter(|lane| lane.kind.is_reference());
        references
            .filter_map(|lane| Some((lane, lane.figures.as_ref()?)))
            .max_by(|(_, one), (_, other)| one.flop_per_s.total_cmp(&other.flop_per_s))
    }
}

/// The JSON Schema of a document, as `schema/ratios.v1.json` holds it.
pub fn json_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(RatiosFile)).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
pub(crate) mod tests;
