//! What a case's run took in energy, or why that is not known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The energy of a case. Joules stand here only where they were measured; what is not known is none, never 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Energy {
    /// What became of the measurement.
    pub status: EnergyStatus,
    /// Why it is not `measured`.
    pub reason: Option<String>,
    /// Where no meter serves the device: what was looked for, and why each was not found or not taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<String>,
    /// The meter that was read.
    pub meter: Option<EnergyMeter>,
    /// The figures; only where the status is `measured`.
    pub figures: Option<EnergyFigures>,
    /// An upper bound that was not measured; only where the status is `estimated_ceiling`.
    pub estimate: Option<EnergyEstimate>,
}

/// What became of an energy measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnergyStatus {
    /// Measured.
    Measured,
    /// No meter serves the device.
    Unavailable,
    /// Something else used the device.
    Contended,
    /// Power or clock did not settle.
    NonStationary,
    /// Two figures of the meter contradict each other.
    Suspect,
    /// The meter or the device failed.
    Failed,
    /// Not measured: rated power × time. No ranking and no gate takes it.
    EstimatedCeiling,
}

impl EnergyStatus {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Unavailable => "unavailable",
            Self::Contended => "contended",
            Self::NonStationary => "non_stationary",
            Self::Suspect => "suspect",
            Self::Failed => "failed",
            Self::EstimatedCeiling => "estimated_ceiling",
        }
    }
}

/// The meter behind a measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnergyMeter {
    /// Its name, unique in its machine.
    pub id: String,
    /// Where its figures come from.
    pub source: String,
    /// What it tells: `counter`, `instant_power`, `averaged_power`, `modelled` or `external`.
    pub kind: String,
    /// What its figure includes: `chip`, `module`, `package`, `board` or `node`. Overlapping scopes are never added.
    pub scope: String,
    /// Seconds between changes of its figure, as measured; none where it changed too seldom to tell.
    pub tick_s: Option<f64>,
    /// Seconds that a reading takes, as measured.
    pub read_cost_s: Option<f64>,
    /// The relative error of its absolute value (k = 2).
    pub accuracy: f64,
    /// Where that accuracy comes from.
    pub accuracy_source: String,
}

/// Energy figures. Uncertainties are relative and expanded (k = 2, a level of 95.45%).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnergyFigures {
    /// Joules of one run of the case.
    pub joules_per_run: f64,
    /// Joules of one run above what the warm idle device would have taken; none where idle power is not known.
    pub dynamic_joules_per_run: Option<f64>,
    /// Picojoules per FLOP.
    pub pj_per_flop: f64,
    /// FLOP/s per watt, which is FLOP per joule.
    pub flop_per_s_per_w: f64,
    /// Mean power within the windows, in watts.
    pub mean_power_w: f64,
    /// Seconds of one run within the windows.
    pub seconds_per_run: f64,
    /// Energy-delay product of one run, in joule-seconds.
    pub energy_delay_js: f64,
    /// How far the mean of other windows like these would lie from this one, with Student's factor for their number.
    pub repeatability: f64,
    /// What windows can't show: the meter's accuracy, its ticks, its resolution and its sampling.
    pub absolute: f64,
    /// Both together: the interval that is stated.
    pub combined: f64,
    /// The windows, in order.
    pub windows: Vec<EnergyWindow>,
    /// Windows that a fault of the meter spoilt and that were taken again: why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discarded: Vec<String>,
    /// Power before the device's first load, in watts.
    pub cold_idle_w: Option<f64>,
    /// Power without load just after load, in watts.
    pub warm_idle_w: Option<f64>,
    /// Why the device held its clock back within the windows, in its own words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub throttle: Vec<String>,
    /// The compute units' mean clock within the windows.
    pub mean_clock_mhz: Option<f64>,
    /// The chip's highest temperature within the windows.
    pub temperature_c: Option<f64>,
    /// The power limit in force.
    pub power_limit_w: Option<f64>,
}

/// A window: a time under load, before and after which the load runs on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnergyWindow {
    /// How long it lasted.
    pub seconds: f64,
    /// Runs of the case within it, with fractions at its edges.
    pub runs: f64,
    /// Energy within it.
    pub joules: f64,
    /// The counter's energy divided by the integral of power, where the meter tells both.
    pub counter_to_integral: Option<f64>,
}

/// An upper bound of the energy of a run, which nobody measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnergyEstimate {
    /// The device's rated power in watts, as the user states it.
    pub rated_power_w: f64,
    /// That power × the median time of one run, in joules.
    pub joules_per_run: f64,
}

impl Energy {
    /// Shows every text to `change`, which may change it.
    pub fn each_text(&mut self, change: &mut dyn FnMut(&mut String)) {
        self.reason.iter_mut().chain(&mut self.tried).for_each(&mut *change);
        if let Some(meter) = &mut self.meter {
            let texts =
                [&mut meter.id, &mut meter.source, &mut meter.kind, &mut meter.scope, &mut meter.accuracy_source];
            texts.into_iter().for_each(&mut *change);
        }
        if let Some(figures) = &mut self.figures {
            figures.discarded.iter_mut().chain(&mut figures.throttle).for_each(&mut *change);
        }
    }

    /// No joules: the status and its reason.
    pub fn without(status: EnergyStatus, reason: impl Into<String>) -> Self {
        Self { status, reason: Some(reason.into()), tried: Vec::new(), meter: None, figures: None, estimate: None }
    }
}
