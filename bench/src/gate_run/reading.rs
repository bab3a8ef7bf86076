//! From rows to readings.

use super::watch::Seen;
use crate::gate::{Measured, Reading};
use accelbench_reports::gate::Metric;
use accelbench_reports::{CacheMode, DeviceRow, EnergyStatus, ResultRow, Status};

/// A row, and what was seen of its device meanwhile.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) row: ResultRow,
    pub(super) seen: Seen,
}

/// What every row of a case must share to be comparable.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Basis {
    clock: String,
    cache: CacheMode,
    seed: u64,
    fill: String,
}

impl Basis {
    /// Of a row that is ok.
    pub(super) fn of(row: &ResultRow) -> Option<Self> {
        let (timing, provenance) = (row.timing.as_ref()?, row.provenance.as_ref()?);
        Some(Self {
            clock: timing.clock.clone(),
            cache: timing.cache,
            seed: provenance.seed,
            fill: provenance.fill.clone(),
        })
    }

    /// What differs, in words.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let differs = |what: &str, one: &str, another: &str| {
            (one != another).then(|| format!("the {what} is `{one}` on one side and `{another}` on the other"))
        };
        let cache = |mode| if mode == CacheMode::Warm { "warm" } else { "cold" };
        differs("clock", &self.clock, &other.clock)
            .or_else(|| differs("cache", cache(self.cache), cache(other.cache)))
            .or_else(|| differs("fill of the inputs", &self.fill, &other.fill))
            .or_else(|| differs("seed of the inputs", &self.seed.to_string(), &other.seed.to_string()))
    }
}

/// What one block says of a case: its reading, and why it does not count.
pub(super) struct Told {
    pub(super) reading: Reading,
    /// Its median, where it has one.
    pub(super) figure: Option<f64>,
    pub(super) thrown_out: Option<String>,
}

/// What a block says of a case by a metric. `basis` is what the case's first rows had; `broken` is how the block's
/// process ended before its last case.
pub(super) fn told(
    metric: Metric,
    taken: Option<&Taken>,
    basis: &Basis,
    device: Option<&DeviceRow>,
    broken: Option<&str>,
) -> Told {
    let counts = |reading| Told { reading, figure: None, thrown_out: None };
    let Some(Taken { row, seen }) = taken else {
        return counts(broken.map_or(Reading::Missing, |how| Reading::Failed(how.to_owned())));
    };
    let reason = || row.reason.clone().unwrap_or_default();
    match row.status {
        Status::Ok => {}
        Status::Wrong => return counts(Reading::Wrong(reason())),
        Status::Skipped => return spoilt(reason()),
        status => return counts(Reading::Failed(format!("{status}: {}", reason()))),
    }
    let (Some(found), Some(timing)) = (Basis::of(row), row.timing.as_ref()) else {
        return counts(Reading::Failed("its row is ok and has no times".to_owned()));
    };
    if let Some(difference) = basis.difference(&found) {
        return counts(Reading::Incomparable(difference));
    }
    let resolution = device.and_then(|row| row.caps.get("clock_resolution_ns")?.as_f64()).unwrap_or(0.0);
    let mut measured = match metric {
        Metric::Time => Measured {
            samples: timing.samples_ns.clone(),
            resolution: resolution / timing.batch.max(1) as f64,
            clock_mhz: seen.clock_mhz,
            throttled: false,
        },
        Metric::Energy => match joules(row) {
            Ok(joules) => Measured { samples: vec![joules], resolution: 0.0, clock_mhz: None, throttled: false },
            Err(told) => return told,
        },
    };
    measured.throttled = seen.throttle.is_some();
    Told {
        figure: crate::stats::median(&measured.samples),
        reading: Reading::Measured(measured),
        thrown_out: seen.throttle.clone(),
    }
}

fn joules(row: &ResultRow) -> Result<f64, Told> {
    let failed = |reason: String| Told { reading: Reading::Failed(reason), figure: None, thrown_out: None };
    let Some(energy) = &row.energy else { return Err(failed("its row has no energy".to_owned())) };
    let reason = || energy.reason.clone().unwrap_or_default();
    match (energy.status, &energy.figures) {
        (EnergyStatus::Measured, Some(figures)) => Ok(figures.joules_per_run),
        // What disturbed the meter or the device is measured again.
        (EnergyStatus::Contended | EnergyStatus::NonStationary | EnergyStatus::Suspect, _) => Err(spoilt(reason())),
        (status, _) => Err(failed(format!("energy {}: {}", status.name(), reason()))),
    }
}

/// A block without a figure of the case, through no fault of its own. The gate throws its pair out as it does with a
/// throttled one, whose figures it doesn't look at either.
fn spoilt(reason: String) -> Told {
    let nothing = Measured { samples: vec![f64::MIN_POSITIVE], resolution: 0.0, clock_mhz: None, throttled: true };
    Told { reading: Reading::Measured(nothing), figure: None, thrown_out: Some(reason) }
}
