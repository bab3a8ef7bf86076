//! What parent and worker say to each other.

use crate::CaseId;
use crate::ceilings::{PointRequest, Step};
use crate::energy::Mode;
use crate::measure::{Effort, Lane, Part, Turns};
use accelbench_backends::{DeviceInfo, Presence};
use accelbench_kernels::fill::Fill;
use accelbench_reports::{CacheMode, Ceilings, Energy, EnergyPoint, ResultRow, Unit};
use serde::{Deserialize, Serialize};

/// Starts each answer: ASCII's record separator, which no driver prints by chance.
pub(super) const MARK: &str = "\u{1e}accelbench ";

/// What a worker is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Request {
    /// A case's row.
    Case(CaseRequest),
    /// The times of plans that take turns.
    Turns(TurnsRequest),
    /// A step of probing the device's ceilings, within about so many seconds.
    Step { step: Step, seconds: f64 },
    /// The energy of a probe.
    Point(PointRequest),
    /// The device's meter found and the idle device measured, before any other request.
    Meter(Mode),
    /// The energy of a case that was measured.
    Energy { case: CaseRequest, mode: Mode },
}

/// A case to be measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseRequest {
    /// The case.
    pub case: CaseId,
    /// A plan by name; none takes the variant's preferred one.
    pub plan: Option<String>,
    /// Of the inputs.
    pub seed: u64,
    /// What the inputs hold.
    pub fill: Fill,
    /// Warm or cold caches.
    pub cache: CacheMode,
    /// How long to warm up and to sample.
    pub effort: Effort,
}

/// Plans of a case that are to take turns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TurnsRequest {
    /// The case; its variant is not looked at.
    pub case: CaseId,
    /// The plans by name, with what of each has turns; what each takes is seen in relation to the first.
    pub plans: Vec<(String, Part)>,
    /// Of the inputs.
    pub seed: u64,
    /// How they take turns.
    pub turns: Turns,
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Answer {
    /// What a backend's probe found.
    Probed(Presence),
    /// The device is open.
    Ready(Box<DeviceInfo>),
    /// The device can't be opened.
    Closed(String),
    /// A case's row, and the units that it was computed on; with `device_lost`, the worker ends after it.
    Row { row: Box<ResultRow>, unit: Option<Unit>, device_lost: bool },
    /// The times of plans that took turns, in their order; with `device_lost`, the worker ends after it.
    Turns { lanes: Vec<Lane>, device_lost: bool },
    /// What a step of probing found; with `device_lost`, the worker ends after it.
    Found { ceilings: Box<Ceilings>, device_lost: bool },
    /// The energy of a probe, or why there is none of any; with `device_lost`, the worker ends after it.
    Point { point: Result<Box<EnergyPoint>, Box<Energy>>, device_lost: bool },
    /// The meter was looked for: whether one serves the device.
    Metered(bool),
    /// A case's energy; with `device_lost`, the worker ends after it.
    Energy { energy: Box<Energy>, device_lost: bool },
}

/// Reads an answer from a line, wherever in the line it starts: a driver may have left a line unended. A line without
/// the mark is a driver's; one with it that makes no sense is an error, which must not be waited over.
pub(super) fn parse(line: &str) -> Option<Result<Answer, String>> {
    let start = line.find(MARK)? + MARK.len();
    Some(serde_json::from_str(&line[start..]).map_err(|error| format!("its answer can't be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_found_beside_what_drivers_print() {
        assert!(parse("loading kernels...").is_none());
        let answer = format!("loading...{MARK}{{\"closed\":\"gone\"}}");
        assert!(matches!(parse(&answer), Some(Ok(Answer::Closed(reason))) if reason == "gone"));
        let broken = format!("{MARK}{{\"closed\":");
        assert!(matches!(parse(&broken), Some(Err(why)) if why.starts_with("its answer can't be read")));
    }
}
