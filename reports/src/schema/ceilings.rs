//! A device's ceilings: what it was seen to reach at best, which is what every row's rate is held against.

use super::{EnergyCeilings, Verify};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a device reached at best through its API, by verified probes. It stands before the device's first result; a
/// later line of the same device, after a new probing, holds for the rows that follow it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ceilings {
    /// The device's id.
    pub device: String,
    /// When it was probed: RFC 3339, UTC. Earlier than the run where a kept probing was used.
    pub probed: String,
    /// The profile whose time the probing had: `quick`, `standard` or `full`.
    pub profile: String,
    /// Arithmetic, from registers.
    pub peaks: Vec<Peak>,
    /// Memory, by each kernel at the largest working set.
    pub memory: Vec<Bandwidth>,
    /// Memory at smaller working sets: the caches' ceilings.
    pub sweep: Vec<Bandwidth>,
    /// Copies between the host's memory and the device's.
    pub transfers: Vec<Transfer>,
    /// What small things cost.
    pub latency: Latency,
    /// What the device's makers state, at the clock that is named.
    pub theoretical: Vec<Theoretical>,
    /// What a byte and a FLOP take in energy; none where that was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<EnergyCeilings>,
    /// What is not known, and why. A thing stands either above or here.
    pub missing: Vec<Missing>,
}

impl Ceilings {
    /// Shows every text to `change`, which may change it.
    pub fn each_text(&mut self, change: &mut dyn FnMut(&mut String)) {
        for text in [&mut self.device, &mut self.probed, &mut self.profile] {
            change(text);
        }
        for peak in &mut self.peaks {
            [&mut peak.dtype, &mut peak.plan, &mut peak.verify.method].into_iter().for_each(&mut *change);
        }
        for point in self.memory.iter_mut().chain(&mut self.sweep) {
            let texts = [&mut point.kernel, &mut point.dtype, &mut point.plan, &mut point.verify.method];
            texts.into_iter().for_each(&mut *change);
        }
        self.transfers.iter_mut().for_each(|transfer| change(&mut transfer.clock));
        for figure in &mut self.theoretical {
            figure.dtype.iter_mut().for_each(&mut *change);
            [&mut figure.clock_source, &mut figure.source].into_iter().for_each(&mut *change);
        }
        if let Some(energy) = &mut self.energy {
            energy.reason.iter_mut().chain(&mut energy.tried).for_each(&mut *change);
            for point in &mut energy.points {
                let texts = [&mut point.kernel, &mut point.dtype, &mut point.plan, &mut point.mode];
                texts.into_iter().for_each(&mut *change);
                point.energy.each_text(change);
            }
        }
        for missing in &mut self.missing {
            [&mut missing.what, &mut missing.reason].into_iter().for_each(&mut *change);
        }
    }
}

/// Arithmetic units. Each kind has a peak of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// The ordinary ones, scalar or SIMD.
    Vector,
    /// Those that multiply small matrices in one instruction.
    Matrix,
    /// A library's choice: the better of both.
    Any,
}

impl Unit {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vector => "vector",
            Self::Matrix => "matrix",
            Self::Any => "any",
        }
    }
}

/// An arithmetic peak: the fastest sample of the fastest verified plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Peak {
    /// Of vector units the type computed in; of matrix units the case's types, as rows name them.
    pub dtype: String,
    /// `vector` or `matrix`.
    pub unit: Unit,
    /// FLOP/s.
    pub flop_per_s: f64,
    /// The plan that reached it.
    pub plan: String,
    /// How its output was checked.
    pub verify: Verify,
}

/// A memory bandwidth: the fastest sample of the fastest verified plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bandwidth {
    /// `copy`, `mul`, `add`, `triad` or `dot`.
    pub kernel: String,
    /// The elements' type.
    pub dtype: String,
    /// Bytes of all arrays that one pass reads and writes.
    pub working_set_bytes: u64,
    /// Bytes/s, reads and writes together.
    pub bytes_per_s: f64,
    /// The plan that reached it.
    pub plan: String,
    /// How its output was checked.
    pub verify: Verify,
}

/// Which way a transfer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the host's memory to the device's.
    ToDevice,
    /// From the device's memory to the host's.
    FromDevice,
    /// One of each at the same time; the rate is of both together.
    Both,
}

/// What sort of memory a transfer's end on the host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HostMemory {
    /// Ordinary memory.
    Pageable,
    /// Page-locked memory, which the device can reach by itself.
    Pinned,
}

/// The bandwidth of copies between the host and the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Transfer {
    /// Which way.
    pub direction: Direction,
    /// The host's memory.
    pub memory: HostMemory,
    /// Bytes of one copy.
    pub bytes: u64,
    /// Bytes/s.
    pub bytes_per_s: f64,
    /// The clock that timed it.
    pub clock: String,
}

/// What small things cost: medians, by the host's clock. What is none stands under `missing`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// Four bytes to the device, until they are there.
    pub smallest_upload_ns: Option<f64>,
    /// Four bytes from the device.
    pub smallest_download_ns: Option<f64>,
    /// One launch of a kernel with next to nothing to do, from submission to completion.
    pub launch_round_trip_ns: Option<f64>,
    /// Launches a second where many are submitted at once.
    pub sustained_launches_per_s: Option<f64>,
}

/// What a theoretical figure is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Quantity {
    /// Arithmetic, in FLOP/s.
    Compute,
    /// Memory, in bytes/s.
    Bandwidth,
}

/// What the makers' documents give, at a clock that is named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Theoretical {
    /// Arithmetic or memory.
    pub quantity: Quantity,
    /// As of [`Peak`]; none of memory.
    pub dtype: Option<String>,
    /// As of [`Peak`]; none of memory.
    pub unit: Option<Unit>,
    /// FLOP/s or bytes/s.
    pub value: f64,
    /// The clock that it was computed with, in MHz.
    pub clock_mhz: f64,
    /// `measured`, or `stated by the driver`.
    pub clock_source: String,
    /// The document that the rate per clock is from.
    pub source: String,
}

/// Something that is not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    /// What: `peak vector f16`, `transfer pinned`.
    pub what: String,
    /// Why.
    pub reason: String,
}

/// A row's rate held against what its device can do for such a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ceiling {
    /// FLOP per byte that must move.
    pub intensity_flop_per_byte: f64,
    /// The units that the kernel computes on.
    pub unit: Unit,
    /// Their measured peak.
    pub peak_flop_per_s: f64,
    /// The measured bandwidth of the memory or cache that holds the case's data.
    pub bandwidth_bytes_per_s: f64,
    /// The smaller of the peak, and the bandwidth times the intensity.
    pub attainable_flop_per_s: f64,
    /// The rate divided by the attainable one.
    pub fraction: f64,
    /// Which of the two it is.
    pub bound_by: Bound,
    /// The units' theoretical peak, where it is known.
    pub theoretical_flop_per_s: Option<f64>,
    /// The fastest of the device's libraries that are no part of the program, in the rows before this one of the same case;
    /// none in the rows of such libraries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<LibraryRate>,
}

/// What a library reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LibraryRate {
    /// Its name: the variant of its row.
    pub variant: String,
    /// FLOP/s.
    pub flop_per_s: f64,
}

/// What bounds a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// The arithmetic units.
    Compute,
    /// The memory or cache.
    Memory,
}
