//! NVML: energy, power and what goes with them of CUDA devices. One meter a device.
//!
//! Each figure is a call of its own, and a function that a library or a device lacks costs that figure alone.

use super::figure::{self, accuracy, pci_address, uuid};
use super::tree::Timed;
use super::{Finding, Meter, MeterError, MeterInfo, MeterKind, Reading, Scope, Serves, Settings};
use crate::PhysicalId;
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::enums::device::{DeviceArchitecture, SampleValue};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::{Device, Nvml};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const HINT: &str =
    "install the driver that belongs to the device; in a container start it with the `utility` capability";

/// The names under which the library is looked for. The first one comes with the driver, the second with its headers.
const NAMES: [&str; 2] =
    if cfg!(windows) { ["nvml.dll", "nvml.dll"] } else { ["libnvidia-ml.so.1", "libnvidia-ml.so"] };

/// Power averaged by the device, and at the moment, in milliwatts.
const AVERAGE_POWER: FieldId = FieldId(185);
const INSTANT_POWER: FieldId = FieldId(186);

/// Looks for the meters through `library`, or through the one that the system's loader finds.
pub(super) fn find(library: Option<&Path>) -> Vec<Finding> {
    let absent = |reason| Finding::absent("nvml", reason, HINT);
    let nvml = match load(library) {
        Ok(nvml) => nvml,
        Err(reason) => return vec![absent(reason)],
    };
    let count = match nvml.device_count() {
        Ok(0) => return vec![absent(MeterError::Absent { what: "a device that NVML knows".to_owned() })],
        Ok(count) => count,
        Err(error) => return vec![absent(failed("NVML's device count", &error))],
    };
    let meter = |index| match NvmlMeter::open(nvml, index, library) {
        Ok(meter) => Finding::Found(Box::new(meter)),
        Err(reason) => absent(reason),
    };
    (0..count).map(meter).collect()
}

/// How a device is set, if NVML knows it.
pub(super) fn settings(library: Option<&Path>, chip: &PhysicalId) -> Option<Settings> {
    let nvml = load(library).ok()?;
    let devices = (0..nvml.device_count().ok()?).filter_map(|index| nvml.device_by_index(index).ok());
    let device = devices.into_iter().find(|device| physical_id(device).is_same_chip(chip))?;
    Some(Settings {
        power_limit_w: power_limit_w(&device),
        clock_policy: device.applications_clock(Clock::Graphics).ok().map(|mhz| format!("application clock {mhz} MHz")),
    })
}

fn physical_id(device: &Device<'_>) -> PhysicalId {
    PhysicalId {
        pci: device.pci_info().ok().and_then(|info| pci_address(&info.bus_id)),
        uuid: device.uuid().ok().and_then(|text| uuid(&text)),
    }
}

fn power_limit_w(device: &Device<'_>) -> Option<f64> {
    device.enforced_power_limit().ok().map(|milliwatts| f64::from(milliwatts) * 1e-3)
}

/// Loads a library once. It stays loaded: meters hold its handles, and unloading a driver's library gains nothing.
fn load(library: Option<&Path>) -> Result<&'static Nvml, MeterError> {
    static LOADED: Mutex<BTreeMap<PathBuf, &'static Nvml>> = Mutex::new(BTreeMap::new());
    // Never locked while a library gets ready: one that hangs must not stop those who ask for another.
    let loaded = || LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let names: Vec<&Path> = library.map_or_else(|| NAMES.map(Path::new).to_vec(), |path| vec![path]);
    let mut first = None;
    for name in names {
        let known = loaded().get(name).copied();
        if let Some(nvml) = known {
            return Ok(nvml);
        }
        match Nvml::builder().lib_path(name.as_os_str()).init() {
            Ok(nvml) => {
                let nvml: &'static Nvml = Box::leak(Box::new(nvml));
                return Ok(loaded().entry(name.to_owned()).or_insert(nvml));
            }
            Err(error) => {
                first.get_or_insert(failed(&name.display().to_string(), &error));
            }
        }
    }
    Err(first.unwrap_or(MeterError::Absent { what: "NVML".to_owned() }))
}

fn failed(what: &str, error: &NvmlError) -> MeterError {
    let what = what.to_owned();
    match error {
        NvmlError::LibraryNotFound => MeterError::Absent { what },
        NvmlError::LibloadingError(error) if error.to_string().contains("No such file") => MeterError::Absent { what },
        NvmlError::NoPermission => MeterError::Permission {
            what,
            hint: "the administrator has restricted this to root: run as root, or have the restriction lifted"
                .to_owned(),
        },
        error => MeterError::Refused { what, problem: error.to_string() },
    }
}

/// Where a device's power comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Power {
    Instant,
    Average,
    /// The oldest call: an average over one second on newer devices, the present draw on older ones.
    Usage,
}

struct NvmlMeter {
    info: MeterInfo,
    device: Device<'static>,
    counts: bool,
    power: Option<Power>,
}

impl NvmlMeter {
    fn open(nvml: &'static Nvml, index: u32, library: Option<&Path>) -> Result<Self, MeterError> {
        let id = format!("nvml:{index}");
        let device = nvml.device_by_index(index).map_err(|error| failed(&id, &error))?;
        let chip = physical_id(&device);
        let counter = device.total_energy_consumption();
        let power = [Power::Instant, Power::Average, Power::Usage]
            .into_iter()
            .find(|&power| milliwatts(&device, power).is_ok_and(|milliwatts| milliwatts > 0.0));
        let (kind, resolution_j) = match (&counter, power) {
            (Ok(_), _) => (MeterKind::Counter, Some(1e-3)),
            (Err(_), Some(Power::Instant)) => (MeterKind::InstantPower, None),
            (Err(_), Some(Power::Usage)) if !averages_usage(&device) => (MeterKind::InstantPower, None),
            (Err(_), Some(_)) => (MeterKind::AveragedPower { window_s: 1.0 }, None),
            (Err(error), None) => return Err(failed(&format!("{id}: energy and power"), error)),
        };
        let figures = match (&counter, power) {
            (Ok(_), Some(power)) => format!("energy counter; {}", power.name()),
            (Ok(_), None) => "energy counter".to_owned(),
            (Err(_), power) => power.map_or_else(String::new, |power| power.name().to_owned()),
        };
        let library = library.map_or_else(|| NAMES[0].to_owned(), |path| path.display().to_string());
        let (accuracy, accuracy_source) = accuracy(Some((0.05, "NVML's reference: 5% of the present draw")));
        let info = MeterInfo {
            id,
            source: format!("{library}: {figures}"),
            kind,
            scope: Scope::Module,
            serves: Serves::Chip(chip),
            resolution_j,
            wraps_at_j: None,
            stated_tick_s: None,
            interval_s: 0.01,
            accuracy,
            accuracy_source,
            privilege: None,
        };
        Ok(Self { info, device, counts: counter.is_ok(), power })
    }

    fn watts(&self) -> Option<Result<f64, MeterError>> {
        let milliwatts = milliwatts(&self.device, self.power?).map_err(|error| failed(&self.info.id, &error));
        Some(milliwatts.and_then(|milliwatts| figure::watts(&self.info.id, milliwatts * 1e-3)))
    }
}

impl Power {
    fn name(self) -> &'static str {
        match self {
            Self::Instant => "instant power (field 186)",
            Self::Average => "averaged power (field 185)",
            Self::Usage => "power usage",
        }
    }
}

fn milliwatts(device: &Device<'_>, power: Power) -> Result<f64, NvmlError> {
    let field = match power {
        Power::Instant => INSTANT_POWER,
        Power::Average => AVERAGE_POWER,
        Power::Usage => return device.power_usage().map(f64::from),
    };
    let sample = device.field_values_for(&[field])?.into_iter().next().ok_or(NvmlError::NoData)??;
    Ok(match sample.value? {
        SampleValue::F64(value) => value,
        SampleValue::U32(value) => f64::from(value),
        SampleValue::U64(value) => value as f64,
        SampleValue::I64(value) => value as f64,
    })
}

/// From the Ampere generation on the oldest power call averages over one second; its first chip, GA100, does not yet.
fn averages_usage(device: &Device<'_>) -> bool {
    use DeviceArchitecture::{Kepler, Maxwell, Pascal, Turing, Volta};
    let older = [Kepler, Maxwell, Pascal, Volta, Turing];
    let ga100 = || device.name().is_ok_and(|name| ["A100", "A800", "A30"].iter().any(|chip| name.contains(chip)));
    match device.architecture() {
        Ok(DeviceArchitecture::Ampere) => !ga100(),
        Ok(architecture) => !older.contains(&architecture),
        // What can't tell it is older than the call that does.
        Err(_) => false,
    }
}

impl Meter for NvmlMeter {
    fn info(&self) -> &MeterInfo {
        &self.info
    }

    fn read(&mut self) -> Result<Reading, MeterError> {
        let start_s = super::now();
        let millijoules = self
            .counts
            .then(|| self.device.total_energy_consumption())
            .transpose()
            .map_err(|error| failed(&self.info.id, &error))?;
        // The counter's own moment: the calls that follow are slower and less pressing.
        let Timed { at_s, cost_s } = Timed::since(start_s);
        // Beside a counter power is a second opinion, and its loss is no reason to lose the first.
        let watts = match self.watts() {
            Some(Err(error)) if !self.counts => return Err(error),
            watts => watts.and_then(Result::ok),
        };
        let device = &self.device;
        Ok(Reading {
            at_s,
            within_s: 0.5 * cost_s,
            joules: millijoules.map(|millijoules| millijoules as f64 * 1e-3),
            watts,
            clock_mhz: device.clock_info(Clock::SM).ok().map(f64::from),
            temperature_c: device.temperature(TemperatureSensor::Gpu).ok().map(f64::from),
            throttle: device.current_throttle_reasons().map(words).unwrap_or_default(),
            power_limit_w: power_limit_w(device),
            other_users: device.running_compute_processes().ok().and_then(|processes| {
                others(&processes.iter().map(|process| process.pid).collect::<Vec<_>>(), std::process::id(), parent)
            }),
            cost_s: super::now() - start_s,
        })
    }
}

/// Reasons for a lower clock in the words of NVML's reference. An idle device is not held back.
fn words(reasons: ThrottleReasons) -> Vec<String> {
    let held_back = reasons - ThrottleReasons::GPU_IDLE;
    held_back.iter_names().map(|(name, _)| name.to_lowercase()).collect()
}

/// How many of these processes are neither this one, nor its parent, nor another child of one of the two: a program and
/// its workers are one user. None where a process can't be seen from here, as from inside a container.
fn others(users: &[u32], own: u32, parent: impl Fn(u32) -> Option<u32>) -> Option<u32> {
    let family = [Some(own), parent(own)];
    let mut others = 0;
    for &user in users {
        if user != own {
            let above = parent(user)?;
            others += u32::from(!family.contains(&Some(user)) && !family.contains(&Some(above)));
        }
    }
    Some(others)
}

/// A process's parent.
fn parent(process: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_and_its_workers_are_one_user() {
        let parents = |process| match process {
            20 | 21 => Some(10),
            30 => Some(20),
            10 | 40 | 41 => Some(1),
            _ => None,
        };
        assert_eq!(others(&[20, 10, 21, 30], 20, parents), Some(0));
        assert_eq!(others(&[20, 40, 41], 20, parents), Some(2));
        assert_eq!(others(&[], 20, parents), Some(0));
        assert_eq!(others(&[20, 99], 20, parents), None, "99 can't be seen");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_has_a_parent() {
        assert_eq!(parent(std::process::id()), Some(std::os::unix::process::parent_id()));
        assert_eq!(parent(u32::MAX), None);
    }

    #[test]
    fn an_idle_device_is_not_held_back() {
        let reasons = ThrottleReasons::GPU_IDLE | ThrottleReasons::SW_POWER_CAP | ThrottleReasons::HW_THERMAL_SLOWDOWN;
        assert_eq!(words(reasons), ["sw_power_cap", "hw_thermal_slowdown"]);
    }
}
