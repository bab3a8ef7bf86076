//! Which backends and devices this machine has.

use crate::{App, worker};
use accelbench_backends::meters::{self, MeterConfig, Settings};
use accelbench_backends::{DeviceInfo, Presence};
use accelbench_reports::{BackendRow, BackendStatus, DeviceRow};
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// Drivers of large machines need seconds to start; beyond this they hang.
const DEADLINE: Duration = Duration::from_mins(1);

/// What a probe of every backend found.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Each backend's id and what its probe found, in the registry's order.
    pub backends: Vec<(String, Presence)>,
}

impl Machine {
    /// Probes every backend at once, each in a process of its own.
    pub fn probe(app: App) -> Self {
        let ids: Vec<&'static str> = (app.registry)().ids().collect();
        let threads: Vec<_> = ids.iter().map(|&id| std::thread::spawn(move || worker::probe(id, DEADLINE))).collect();
        let backends =
            ids.iter().zip(threads).filter_map(|(id, thread)| Some(((*id).to_owned(), thread.join().ok()?))).collect();
        Self { backends }
    }

    /// The devices of the backends that are there.
    pub fn devices(&self) -> impl Iterator<Item = &DeviceInfo> {
        self.backends.iter().flat_map(|(_, presence)| match presence {
            Presence::Present { devices, .. } => devices.as_slice(),
            Presence::Absent(_) => &[],
        })
    }

    /// The backends as a result file's header states them.
    pub fn backend_rows(&self) -> Vec<BackendRow> {
        self.backends.iter().map(|(id, presence)| backend_row(id, presence)).collect()
    }

    /// The devices as a result file's header states them, as they are set now.
    pub fn device_rows(&self) -> Vec<DeviceRow> {
        // A file of meters that can't be read is told where energy is asked for.
        let places = MeterConfig::load(None).unwrap_or_default().places;
        self.devices().map(|device| device_row(device, meters::settings(&places, device))).collect()
    }
}

fn backend_row(id: &str, presence: &Presence) -> BackendRow {
    let id = id.to_owned();
    match presence {
        Presence::Present { api_version, notes, .. } => BackendRow {
            id,
            status: BackendStatus::Present,
            reason: None,
            detail: None,
            hint: None,
            api_version: Some(api_version.clone()),
            notes: notes.clone(),
        },
        Presence::Absent(absence) => BackendRow {
            id,
            status: BackendStatus::Absent,
            reason: serde_json::to_value(absence.reason).ok().and_then(|word| word.as_str().map(str::to_owned)),
            detail: Some(absence.detail.clone()),
            hint: Some(absence.hint.clone()),
            api_version: None,
            notes: Vec::new(),
        },
    }
}

fn device_row(device: &DeviceInfo, settings: Settings) -> DeviceRow {
    let fields = |value: Result<Value, serde_json::Error>| match value {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let caps = fields(serde_json::to_value(&device.caps));
    DeviceRow {
        id: device.id.to_string(),
        backend: device.id.backend.clone(),
        name: device.name.clone(),
        vendor: device.vendor.clone(),
        kind: caps.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned(),
        driver: device.driver.clone(),
        physical_id: fields(serde_json::to_value(&device.physical_id)),
        caps,
        power_limit_w: settings.power_limit_w,
        clock_policy: settings.clock_policy,
    }
}
