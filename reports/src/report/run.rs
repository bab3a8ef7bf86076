//! Runs, and the devices in them.

use crate::inert::Text;
use crate::{CacheMode, Ceilings};
use schemars::JsonSchema;
use serde::Serialize;

/// A run that the report is made from.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Run {
    /// The file's name, without its folder.
    pub file: Text,
    /// SHA-256 of the file's bytes: which file it was, wherever it lies now. None where names are left out.
    pub file_sha256: Option<Text>,
    /// A short name, unique in the report: `A`, `B`, …
    pub label: Text,
    /// A name that no other run has.
    pub run_id: Text,
    /// When it started: RFC 3339, UTC.
    pub started: Text,
    /// The command line.
    pub argv: Vec<Text>,
    /// The program's version.
    pub suite_version: Text,
    /// The commit that it was built from.
    pub git_commit: Option<Text>,
    /// Whether the sources differed from that commit.
    pub git_dirty: Option<bool>,
    /// `quick`, `standard` or `full`.
    pub profile: Text,
    /// What the caches held.
    pub cache: CacheMode,
    /// Of the inputs.
    pub seed: u64,
    /// Whether and how energy was measured.
    pub energy: Option<Text>,
    /// The machine.
    pub host: RunHost,
    /// Environment variables that change what drivers or the program do.
    pub environment: Vec<(Text, Text)>,
    /// Backends that were absent.
    pub absent: Vec<AbsentBackend>,
    /// Cases that were planned.
    pub planned: usize,
    /// Rows of the file.
    pub rows: usize,
    /// How it ended.
    pub ended: Ended,
    /// What is not as it should be in the file, in words; the first few.
    pub problems: Vec<Text>,
    /// How many more problems there are.
    pub more_problems: usize,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// Every case of its plan has its row.
    Complete,
    /// It was stopped.
    Interrupted,
    /// Its file has no end: the process died, or is still at it.
    Cut,
}

/// The machine of a run.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RunHost {
    /// Its name on the network.
    pub hostname: Option<Text>,
    /// The operating system.
    pub os: Option<Text>,
    /// The kernel's version.
    pub kernel: Option<Text>,
    /// The processor architecture.
    pub arch: Text,
    /// The processor's name.
    pub cpu: Text,
    /// Logical processors.
    pub threads: usize,
    /// Main memory in bytes.
    pub memory_bytes: u64,
}

/// A backend that could not be used.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AbsentBackend {
    /// Its id.
    pub id: Text,
    /// Why it is absent.
    pub detail: Option<Text>,
}

/// A device in a run, which is what is compared. Only devices with rows or ceilings are subjects.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Subject {
    /// An index of [`super::Report::runs`].
    pub run: usize,
    /// A name for people, unique in the report: the device's, with its API and run where several share it.
    pub label: Text,
    /// The device's id in its run.
    pub device: Text,
    /// The API that reaches it: the backend's id.
    pub api: Text,
    /// The device's name, as the driver states it.
    pub name: Text,
    /// Who made it.
    pub vendor: Text,
    /// `cpu`, `gpu` or `accelerator`.
    pub kind: Text,
    /// The driver and its version.
    pub driver: Text,
    /// An index of [`super::Report::chips`]: which physical chip it is.
    pub chip: usize,
    /// The clock in MHz that the driver states.
    pub clock_mhz: Option<f64>,
    /// How its clock was governed when the run began, in its system's words.
    pub clock_policy: Option<Text>,
    /// The power limit in force then, in watts.
    pub power_limit_w: Option<f64>,
    /// Its memory in bytes.
    pub memory_bytes: Option<u64>,
    /// What it reached at best, by its latest probing.
    pub ceilings: Option<Ceilings>,
    /// Rows with figures.
    pub measured: usize,
    /// All of its rows.
    pub rows: usize,
}

/// A physical chip, and the subjects that are it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Chip {
    /// Its name.
    pub name: Text,
    /// How it is known to be one: `physical id` (an address or UUID that the APIs agree on), or `host processor` (what
    /// runs on the host's own processor).
    pub known_by: Option<KnownBy>,
    /// Indices of [`super::Report::subjects`].
    pub subjects: Vec<usize>,
    /// The APIs that reach it, each once.
    pub apis: Vec<Text>,
}

/// How several subjects are known to be one chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KnownBy {
    /// An address or UUID that the APIs agree on.
    PhysicalId,
    /// It is the processor of one host.
    HostProcessor,
}

/// A file that is not in the report.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Rejected {
    /// The file, as it was named.
    pub file: Text,
    /// Why.
    pub reason: Text,
}
