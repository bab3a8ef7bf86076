//! Which cases are compared: what both builds would run, held against each other.

use super::Request;
use super::block::device_of;
use super::config::matches;
use crate::CaseId;
use accelbench_reports::gate::{Arm, GateCase, Metric, Severity, Verdict};
use accelbench_reports::{DeviceRow, Host, RunHeader};
use std::collections::BTreeSet;

/// The cases of a gate, each by each of its metrics, and what a reader should know of those that are left out.
pub(super) struct Suite {
    pub(super) cases: Vec<GateCase>,
    /// By case: the margin that the configuration gives it, where it does.
    pub(super) thresholds: Vec<Option<f64>>,
    pub(super) devices: Vec<DeviceRow>,
    pub(super) notes: Vec<String>,
}

impl Suite {
    /// Of what both builds would run. A case that one of them lacks is missing, one whose devices differ incomparable.
    pub(super) fn of(request: &Request, base: &RunHeader, candidate: &RunHeader) -> Self {
        let (before, after) = (ids(base), ids(candidate));
        let added = candidate.plan.cases.iter().filter(|case| !before.contains(case.as_str()));
        let mut suite = Self { cases: Vec::new(), thresholds: Vec::new(), devices: Vec::new(), notes: Vec::new() };
        let (mut left_out, mut libraries) = (0, 0);
        for case in base.plan.cases.iter().chain(added) {
            if !is_gated(request, case, [base, candidate]) {
                libraries += 1;
                continue;
            }
            let lacking = match (before.contains(case.as_str()), after.contains(case.as_str())) {
                (true, true) => None,
                (false, _) => Some(Arm::Base),
                (true, false) => Some(Arm::Candidate),
            };
            if lacking.is_some() && request.allow_missing.iter().any(|pattern| matches(pattern, case)) {
                left_out += 1;
                continue;
            }
            let device = device_of(case).unwrap_or_default();
            let row = [base, candidate].iter().find_map(|header| header.devices.iter().find(|row| row.id == device));
            if let Some(row) = row.filter(|row| suite.devices.iter().all(|known| known.id != row.id)) {
                suite.devices.push(row.clone());
            }
            for &metric in &request.metrics {
                let (mut entry, threshold) = entry(request, case, metric, &base.host, row);
                if let Some(arm) = lacking {
                    set_missing(&mut entry, arm);
                } else if let Some(reason) = difference(device, base, candidate) {
                    entry.verdict = Verdict::Incomparable;
                    entry.arm = Some(Arm::Candidate);
                    entry.reason = Some(reason);
                }
                suite.cases.push(entry);
                suite.thresholds.push(threshold);
            }
        }
        if left_out > 0 {
            suite.notes.push(format!("{left_out} cases that one side lacks are left out, as --allow-missing says"));
        }
        if libraries > 0 {
            suite
                .notes
                .push(format!("{libraries} cases of the machine's libraries are left out; --variant takes them"));
        }
        suite
    }

    /// Of a build that refuses the whole selection: all that the other one would run is missing.
    pub(super) fn refused(request: &Request, header: &RunHeader, lacking: Arm, reason: &str) -> Self {
        let none =
            RunHeader { plan: accelbench_reports::Plan { cases: Vec::new(), ..header.plan.clone() }, ..header.clone() };
        let mut suite = match lacking {
            Arm::Base => Self::of(request, &none, header),
            Arm::Candidate => Self::of(request, header, &none),
        };
        for case in &mut suite.cases {
            case.reason = Some(format!("the {} says: {reason}", lacking.name()));
        }
        suite
    }
}

/// Whether a case is gated: libraries of the machine don't change with a build, so they are where they are asked for.
pub(super) fn is_gated(request: &Request, case: &str, headers: [&RunHeader; 2]) -> bool {
    let Ok(id) = case.parse::<CaseId>() else { return true };
    let device = id.device.to_string();
    let mut devices = headers.into_iter().flat_map(|header| &header.devices).filter(|row| row.id == device);
    let external = devices.any(|row| row.caps.get("external").is_some_and(|names| names.get(&id.variant).is_some()));
    !external || !request.selection.variants.is_empty()
}

/// A case before anything is known of it, and the margin that the configuration gives it, where it does.
pub(super) fn entry(
    request: &Request,
    case: &str,
    metric: Metric,
    host: &Host,
    device: Option<&DeviceRow>,
) -> (GateCase, Option<f64>) {
    let names: Vec<&str> = host.hostname.as_deref().into_iter().chain(device.map(|row| row.name.as_str())).collect();
    let tolerance = request.config.as_ref().map(|(_, config)| config.gate.tolerance(case, metric, &names));
    let severity = tolerance.map(|tolerance| tolerance.severity).unwrap_or_default();
    let entry = GateCase {
        case: case.to_owned(),
        metric,
        verdict: Verdict::Unsettled,
        severity,
        reason: Some(match severity {
            Severity::Ignore => "verified and not timed, as the configuration says".to_owned(),
            _ => "the gate ended before".to_owned(),
        }),
        arm: None,
        cause: None,
        doubt: None,
        stage: None,
        estimate: None,
        base: None,
        candidate: None,
        thrown_out: 0,
        noise: None,
        pairs: Vec::new(),
    };
    (entry, tolerance.and_then(|tolerance| tolerance.threshold))
}

pub(super) fn set_missing(case: &mut GateCase, arm: Arm) {
    case.verdict = Verdict::Missing;
    case.arm = Some(arm);
    case.reason = Some(format!("the {} doesn't have this case", arm.name()));
}

fn ids(header: &RunHeader) -> BTreeSet<&str> {
    header.plan.cases.iter().map(String::as_str).collect()
}

/// Why figures of two headers can't be set against each other on a device.
pub(super) fn difference(device: &str, base: &RunHeader, candidate: &RunHeader) -> Option<String> {
    let of = |header: &RunHeader| header.devices.iter().find(|row| row.id == device).cloned();
    let (Some(before), Some(after)) = (of(base), of(candidate)) else {
        return Some(format!("{device} is not in both builds' lists of devices"));
    };
    let differs = |what: &str, before: &str, after: &str| {
        (before != after)
            .then(|| format!("{what} of {device} is `{before}` for the base and `{after}` for the candidate"))
    };
    let fact = |row: &DeviceRow, name: &str| row.caps.get(name).map(ToString::to_string).unwrap_or_default();
    differs("the name", &before.name, &after.name)
        .or_else(|| differs("the driver", &before.driver, &after.driver))
        .or_else(|| {
            let same = before.physical_id.iter().all(|(name, id)| {
                after.physical_id.get(name).is_none_or(|other| other.is_null() || id.is_null() || other == id)
            });
            (!same).then(|| format!("{device} is not the same chip for both builds"))
        })
        .or_else(|| differs("the clock", &fact(&before, "clock"), &fact(&after, "clock")))
        .or_else(|| {
            let (before, after) = (before.clock_policy.as_ref()?, after.clock_policy.as_ref()?);
            differs("the clock policy", before, after)
        })
        .or_else(|| {
            let (before, after) = different_limits(before.power_limit_w, after.power_limit_w)?;
            Some(format!("the power limit of {device} is {before} W for the base and {after} W for the candidate"))
        })
        .or_else(|| {
            let cache = (base.plan.cache != candidate.plan.cache).then_some("cache modes");
            cache
                .or((base.plan.seed != candidate.plan.seed).then_some("seeds of the inputs"))
                .map(|what| format!("the {what} differ"))
        })
}

/// Two power limits in watts, where both are known and are not the same: they are set in whole watts.
pub(super) fn different_limits(before: Option<f64>, after: Option<f64>) -> Option<(f64, f64)> {
    before.zip(after).filter(|(before, after)| (before - after).abs() >= 1.0)
}
