//! Which meter serves a device.

use accelbench_backends::meters::{self, Finding, METERS_VARIABLE, Meter, MeterConfig, MeterInfo, MeterKind, Serves};
use accelbench_backends::{DeviceInfo, DeviceKind};
use accelbench_reports::{Energy, EnergyStatus};

/// Looks for the machine's meters, and for those that the file declares that the environment names.
pub fn find() -> Vec<Finding> {
    match MeterConfig::load(None) {
        Ok(config) => meters::find(&config),
        Err(reason) => {
            let hint = format!("repair that file, or unset {METERS_VARIABLE}");
            let mut findings = meters::find(&MeterConfig::default());
            findings.push(Finding::Absent { meter: "declared", reason, hint });
            findings
        }
    }
}

/// Whether a meter's figures include a device.
pub fn serves(meter: &MeterInfo, device: &DeviceInfo) -> bool {
    rank(meter, device).is_some()
}

/// The nearer a meter is to the device, the lower.
fn rank(meter: &MeterInfo, device: &DeviceInfo) -> Option<u8> {
    // Figures that are computed from activity are not measured.
    if meter.kind == MeterKind::Modelled {
        return None;
    }
    match &meter.serves {
        Serves::Chip(chip) => chip.is_same_chip(&device.physical_id).then_some(0),
        Serves::Processor => (device.caps.kind == DeviceKind::Cpu).then_some(1),
        Serves::Machine => Some(2),
        Serves::Memory => None,
    }
}

/// The meter that is nearest to a device, a counter before the others.
///
/// # Errors
/// An energy that says why there is none, and what was tried.
pub fn meter_for(device: &DeviceInfo, findings: Vec<Finding>) -> Result<Box<dyn Meter>, Box<Energy>> {
    let mut tried = Vec::new();
    let mut serving: Vec<(u8, bool, Box<dyn Meter>)> = Vec::new();
    for finding in findings {
        match finding {
            Finding::Absent { meter, reason, hint } if hint.is_empty() => tried.push(format!("{meter}: {reason}")),
            Finding::Absent { meter, reason, hint } => tried.push(format!("{meter}: {reason} ({hint})")),
            Finding::Found(meter) => match rank(meter.info(), device) {
                Some(rank) => serving.push((rank, meter.info().kind != MeterKind::Counter, meter)),
                None => tried.push(format!("{}: it serves another device", meter.info().id)),
            },
        }
    }
    serving.sort_by_key(|&(rank, polled, _)| (rank, polled));
    serving.into_iter().next().map(|(.., meter)| meter).ok_or_else(|| {
        let reason = format!("no meter serves {}; `accelbench meters` says what would help", device.id);
        Box::new(Energy { tried, ..Energy::without(EnergyStatus::Unavailable, reason) })
    })
}
