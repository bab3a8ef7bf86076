//! The header: enough to know what ran, on what, and to run it again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The first line of a result file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunHeader {
    /// `accelbench.run/1`.
    pub schema: String,
    /// A name that no other run has.
    pub run_id: String,
    /// When it started: RFC 3339, UTC.
    pub started: String,
    /// The command line.
    pub argv: Vec<String>,
    /// The program.
    pub suite: Suite,
    /// What was to be run.
    pub plan: Plan,
    /// The machine.
    pub host: Host,
    /// Environment variables that change what drivers or this program do.
    pub environment: BTreeMap<String, String>,
    /// Every backend of the program, there or not.
    pub backends: Vec<BackendRow>,
    /// Every device that was found, run on or not.
    pub devices: Vec<DeviceRow>,
}

/// The program that made the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suite {
    /// Its version.
    pub version: String,
    /// The commit that it was built from, where the build knew one.
    pub git_commit: Option<String>,
    /// Whether the sources differed from that commit.
    pub git_dirty: Option<bool>,
}

/// What was to be run. With it a stopped run is taken up again without a case lost or repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// `quick`, `standard` or `full`.
    pub profile: String,
    /// Whether caches were warm or cold.
    pub cache: CacheMode,
    /// Of the inputs.
    pub seed: u64,
    /// What the inputs hold: `normal(0,1)` or `zeros`. Files that are older than this have none, and hold the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<String>,
    /// Seconds that one case may take before its worker is ended.
    pub timeout_s: f64,
    /// Seconds that each device had in all; none means no limit.
    pub budget_s: Option<f64>,
    /// Seconds that a case may need by what its device has shown so far; none means no limit.
    pub case_limit_s: Option<f64>,
    /// A plan that was asked for by name, instead of each variant's preferred one.
    pub plan: Option<String>,
    /// Whether energy was to be measured: `off`, `quick` or `full`. Files that are older than this have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<String>,
    /// Rated power in watts by device, as the user stated it, where an estimate is allowed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rated_power_w: BTreeMap<String, f64>,
    /// The cases' ids, in order.
    pub cases: Vec<String>,
}

/// What the caches held when a run of a kernel began. The two are different measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CacheMode {
    /// Whatever the run before left there: runs follow each other at once.
    Warm,
    /// Nothing of use: a buffer of twice the last-level cache was written before each run.
    Cold,
}

impl CacheMode {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Cold => "cold",
        }
    }
}

/// The machine that the program ran on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Its name on the network.
    pub hostname: Option<String>,
    /// The operating system and its version.
    pub os: Option<String>,
    /// The kernel's version.
    pub kernel: Option<String>,
    /// The processor architecture.
    pub arch: String,
    /// The processor's name.
    pub cpu: String,
    /// Physical cores.
    pub cores: Option<usize>,
    /// Logical processors.
    pub threads: usize,
    /// Main memory in bytes.
    pub memory_bytes: u64,
}

/// A backend of the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BackendRow {
    /// Its id.
    pub id: String,
    /// Whether it is there.
    pub status: BackendStatus,
    /// Why it is absent: a fixed word.
    pub reason: Option<String>,
    /// Why it is absent, in words.
    pub detail: Option<String>,
    /// What a user can do about it.
    pub hint: Option<String>,
    /// The API's version, where present.
    pub api_version: Option<String>,
    /// What was passed over on the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Whether a backend is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BackendStatus {
    /// It has at least one device.
    Present,
    /// It can't be used here.
    Absent,
}

/// A device that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceRow {
    /// Its id in this file.
    pub id: String,
    /// The backend that reaches it.
    pub backend: String,
    /// Its name, as the driver states it.
    pub name: String,
    /// Who made it.
    pub vendor: String,
    /// `cpu`, `gpu` or `accelerator`.
    pub kind: String,
    /// The driver and its version.
    pub driver: String,
    /// Which physical chip it is: `pci` and `uuid`, where the API tells.
    pub physical_id: Map<String, Value>,
    /// What it can do.
    pub caps: Map<String, Value>,
    /// The power limit in force when the run began, in watts, where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_limit_w: Option<f64>,
    /// How its clock was governed then, in its system's words: governor, range, boost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_policy: Option<String>,
}
