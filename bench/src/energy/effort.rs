//! How much time the measurement of energy takes.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Whether energy is measured, and how well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Not at all.
    Off,
    /// In some seconds a case.
    #[default]
    Quick,
    /// In minutes a case.
    Full,
}

impl Mode {
    /// All of them, from none to most.
    pub const ALL: [Self; 3] = [Self::Off, Self::Quick, Self::Full];

    /// The name on the command line and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Quick => "quick",
            Self::Full => "full",
        }
    }

    /// The mode of a name in a file.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// Times in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// Windows, each of which gives one figure.
    pub windows: usize,
    /// A window over a counter lasts at least so long.
    pub counter_s: f64,
    /// A window over polled power lasts at least so long.
    pub polled_s: f64,
    /// A window has at least so many of the meter's ticks.
    pub ticks: f64,
    /// What ticks and resolution may add to the uncertainty of a window; it is made longer until they do not add more.
    pub edges: f64,
    /// A window lasts at most so long.
    pub window_max_s: f64,
    /// Idle before the first load.
    pub cold_idle_s: f64,
    /// Idle before each case's load.
    pub warm_idle_s: f64,
}

/// Power and clock may change by this share of themselves a second.
pub(super) const STEADY_PER_S: f64 = 0.01;
/// Until they do, the load runs at most so long.
pub(super) const RAMP_MAX_S: f64 = 30.0;
/// A meter has so long to show its tick without load; what it does not show there, it has to show under load.
pub(super) const PROBE_MAX_S: f64 = 5.0;
/// A tick is measured from so many changes.
pub(super) const PROBE_CHANGES: usize = 10;
/// A batch, which gives one completion, lasts about so long.
pub(super) const BATCH_S: f64 = 0.05;

impl Effort {
    /// The effort of a mode; none where nothing is measured.
    pub const fn of(mode: Mode) -> Option<Self> {
        match mode {
            Mode::Off => None,
            Mode::Quick => Some(Self {
                windows: 3,
                counter_s: 1.0,
                polled_s: 2.0,
                ticks: 10.0,
                edges: 0.02,
                window_max_s: 10.0,
                cold_idle_s: 2.0,
                warm_idle_s: 1.0,
            }),
            Mode::Full => Some(Self {
                windows: 5,
                counter_s: 10.0,
                polled_s: 30.0,
                ticks: 20.0,
                edges: 0.001,
                window_max_s: 120.0,
                cold_idle_s: 10.0,
                warm_idle_s: 5.0,
            }),
        }
    }

    /// The longest that a case may take, with every window taken twice.
    pub fn longest(&self) -> Duration {
        let windows_s = 2.0 * self.windows as f64 * 1.5 * self.window_max_s;
        Duration::from_secs_f64(PROBE_MAX_S + self.cold_idle_s + self.warm_idle_s + RAMP_MAX_S + windows_s)
    }
}

/// What makes a window sound. All hold; tests plant an error by switching one off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Windows start and end where the meter's figure changes.
    pub(super) aligned: bool,
    /// The load runs on from before the first window until after the last.
    pub(super) loaded: bool,
    /// A counter that wrapped goes on from where it was.
    pub(super) unwrapped: bool,
}

impl Rules {
    pub(super) const SOUND: Self = Self { aligned: true, loaded: true, unwrapped: true };
}
