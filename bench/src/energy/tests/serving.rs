//! Which meter is read for which device.

use super::super::{meter_for, serves};
use accelbench_backends::meters::virtual_meter::{Behaviour, Truth, VirtualMeter};
use accelbench_backends::meters::{Finding, MeterError, MeterKind, Serves};
use accelbench_backends::{DeviceInfo, DeviceKind, PhysicalId, Presence, Registry};
use accelbench_reports::EnergyStatus;

/// A device of a kind with a PCI address.
fn device(kind: DeviceKind, pci: &str) -> DeviceInfo {
    let Some(Presence::Present { devices, .. }) = Registry::builtin().probe("host") else { unreachable!() };
    let mut device = devices.into_iter().next().unwrap();
    device.caps.kind = kind;
    device.physical_id = PhysicalId { pci: Some(pci.to_owned()), uuid: None };
    device
}

fn meter(id: &str, kind: MeterKind, serves: Serves) -> Finding {
    let mut meter = VirtualMeter::new(Truth::constant(1.0), Behaviour::new(kind, 0.1), serves);
    meter.info_mut().id = id.to_owned();
    Finding::Found(Box::new(meter))
}

fn chip(pci: Option<&str>) -> Serves {
    Serves::Chip(PhysicalId { pci: pci.map(str::to_owned), uuid: None })
}

fn chosen(device: &DeviceInfo, findings: Vec<Finding>) -> String {
    meter_for(device, findings).map_or_else(|energy| format!("{:?}", energy.status), |meter| meter.info().id.clone())
}

#[test]
fn the_nearest_meter_is_read_and_a_counter_first() {
    let findings = || {
        vec![
            meter("node", MeterKind::Counter, Serves::Machine),
            meter("chip's power", MeterKind::InstantPower, chip(Some("0000:01:00.0"))),
            meter("chip's counter", MeterKind::Counter, chip(Some("0000:01:00.0"))),
            meter("other chip", MeterKind::Counter, chip(Some("0000:02:00.0"))),
            meter("nameless chip", MeterKind::Counter, chip(None)),
            meter("memory", MeterKind::Counter, Serves::Memory),
            meter("processor", MeterKind::Counter, Serves::Processor),
        ]
    };
    assert_eq!(chosen(&device(DeviceKind::Gpu, "0000:01:00.0"), findings()), "chip's counter");
    assert_eq!(chosen(&device(DeviceKind::Cpu, "none"), findings()), "processor");
    assert_eq!(chosen(&device(DeviceKind::Gpu, "0000:03:00.0"), findings()), "node");
}

#[test]
fn without_a_meter_all_that_was_tried_is_told() {
    let reason = MeterError::Absent { what: "a library".to_owned() };
    let absent = Finding::Absent { meter: "library", reason, hint: "install it".to_owned() };
    let gpu = device(DeviceKind::Gpu, "0000:01:00.0");
    let findings = vec![absent, meter("processor", MeterKind::Counter, Serves::Processor)];
    let energy = meter_for(&gpu, findings).err().unwrap();
    assert_eq!(energy.status, EnergyStatus::Unavailable);
    assert_eq!(energy.tried, ["library: a library: not found (install it)", "processor: it serves another device"]);
}

#[test]
fn what_is_computed_from_activity_serves_nobody() {
    let Finding::Found(modelled) = meter("model", MeterKind::Modelled, Serves::Machine) else { unreachable!() };
    assert!(!serves(modelled.info(), &device(DeviceKind::Cpu, "none")));
}
