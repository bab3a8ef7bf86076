//! What devices do while blocks run: their clock, and whether heat or a fault of the supply holds them back.

use crate::energy::serves;
use crate::{App, probe::Machine};
use accelbench_backends::DeviceInfo;
use accelbench_backends::meters::{Finding, Meter, Reading};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often each meter is read, unless it asks for less.
const INTERVAL: Duration = Duration::from_millis(50);
/// Where Linux counts how often processors were held back by heat.
const PROCESSORS: &str = "/sys/devices/system/cpu";

/// What was seen of a device.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// The median of its clock's readings under load.
    pub(super) clock_mhz: Option<f64>,
    /// Why it was held back, in the maker's words.
    pub(super) throttle: Option<String>,
}

/// Reads the meters of some devices for as long as it lives.
pub(super) struct Watch {
    watched: Vec<Watched>,
    ended: Arc<AtomicBool>,
    readers: Vec<JoinHandle<()>>,
    processors: PathBuf,
}

struct Watched {
    device: String,
    readings: Arc<Mutex<Vec<Reading>>>,
}

impl Watch {
    /// Watches those of the devices that a meter serves.
    pub(super) fn start(app: App, devices: &[String]) -> Self {
        let mut meters: Vec<Box<dyn Meter>> = (app.meters)()
            .into_iter()
            .filter_map(|finding| match finding {
                Finding::Found(meter) => Some(meter),
                Finding::Absent { .. } => None,
            })
            .collect();
        let mut watch = Self {
            watched: Vec::new(),
            ended: Arc::default(),
            readers: Vec::new(),
            processors: PathBuf::from(PROCESSORS),
        };
        if meters.is_empty() {
            return watch;
        }
        let machine = Machine::probe(app);
        let known: Vec<&DeviceInfo> =
            machine.devices().filter(|device| devices.contains(&device.id.to_string())).collect();
        for device in known {
            // One that tells neither a clock nor a reason is of no use here.
            let fits = |meter: &mut Box<dyn Meter>| {
                serves(meter.info(), device)
                    && meter.read().is_ok_and(|reading| reading.clock_mhz.is_some() || !reading.throttle.is_empty())
            };
            if let Some(at) = meters.iter_mut().position(fits) {
                watch.read(device.id.to_string(), meters.swap_remove(at));
            }
        }
        watch
    }

    fn read(&mut self, device: String, mut meter: Box<dyn Meter>) {
        let readings = Arc::new(Mutex::new(Vec::new()));
        self.watched.push(Watched { device, readings: Arc::clone(&readings) });
        let ended = Arc::clone(&self.ended);
        let interval = Duration::from_secs_f64(meter.info().interval_s.clamp(0.0, 10.0)).max(INTERVAL);
        self.readers.push(std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                // One reading more or less changes nothing.
                if let Ok(reading) = meter.read() {
                    readings.lock().unwrap_or_else(PoisonError::into_inner).push(reading);
                }
                std::thread::sleep(interval);
            }
        }));
    }

    /// What was seen of a device since this was last asked.
    pub(super) fn take(&self, device: &str) -> Seen {
        let Some(watched) = self.watched.iter().find(|watched| watched.device == device) else {
            return Seen::default();
        };
        seen(&std::mem::take(&mut *watched.readings.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// How often the machine's processors were held back by heat so far; none where nobody counts.
    pub(super) fn processors_held_back(&self) -> Option<u64> {
        held_back(&self.processors)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
    }
}

/// A block is more than its samples: while inputs are made and outputs are checked the device is idle, at a clock that
/// says nothing. Power tells the two apart.
fn seen(readings: &[Reading]) -> Seen {
    let watts = || readings.iter().filter_map(|reading| reading.watts);
    let middle = f64::midpoint(watts().fold(f64::INFINITY, f64::min), watts().fold(0.0, f64::max));
    let loaded = readings.iter().filter(|reading| reading.watts.is_none_or(|watts| watts >= middle));
    let clocks: Vec<f64> = loaded.filter_map(|reading| reading.clock_mhz).filter(|clock| *clock > 0.0).collect();
    Seen {
        clock_mhz: crate::stats::median(&clocks),
        throttle: readings.iter().flat_map(|reading| &reading.throttle).find(|reason| is_disturbance(reason)).cloned(),
    }
}

/// Whether a reason for a lower clock is a disturbance: heat, or the supply. A power limit or a clock that was set is
/// how the device is run, in both arms alike.
fn is_disturbance(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    ["therm", "slowdown", "brake", "heat", "hot"].iter().any(|word| reason.contains(word))
}

fn held_back(processors: &Path) -> Option<u64> {
    let counters = fs::read_dir(processors).ok()?.filter_map(|entry| {
        let path = entry.ok()?.path().join("thermal_throttle/package_throttle_count");
        fs::read_to_string(path).ok()?.trim().parse::<u64>().ok()
    });
    counters.reduce(|sum, count| sum + count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(clock_mhz: Option<f64>, throttle: &[&str]) -> Reading {
        Reading { clock_mhz, throttle: throttle.iter().map(|word| (*word).to_owned()).collect(), ..Reading::default() }
    }

    #[test]
    fn heat_is_a_disturbance_and_a_power_limit_is_not() {
        let limited = [reading(Some(1400.0), &["sw_power_cap"]), reading(Some(1500.0), &[]), reading(None, &[])];
        assert_eq!(seen(&limited), Seen { clock_mhz: Some(1450.0), throttle: None });
        let hot = [reading(None, &["sw_power_cap", "hw_thermal_slowdown"])];
        assert_eq!(seen(&hot).throttle.as_deref(), Some("hw_thermal_slowdown"));
        assert_eq!(seen(&[]), Seen::default());
    }

    #[test]
    fn an_idle_device_s_clock_says_nothing() {
        let at = |watts, clock| Reading { watts: Some(watts), ..reading(Some(clock), &[]) };
        let block = [at(60.0, 300.0), at(60.0, 300.0), at(60.0, 300.0), at(290.0, 1500.0), at(300.0, 1480.0)];
        assert_eq!(seen(&block).clock_mhz, Some(1490.0));
        assert_eq!(seen(&block[..3]).clock_mhz, Some(300.0));
    }

    #[test]
    fn counters_of_all_processors_are_added() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(held_back(folder.path()), None);
        for (cpu, count) in [("cpu0", "3\n"), ("cpu1", "4\n"), ("cpufreq", "no number")] {
            let place = folder.path().join(cpu).join("thermal_throttle");
            fs::create_dir_all(&place).unwrap();
            fs::write(place.join("package_throttle_count"), count).unwrap();
        }
        assert_eq!(held_back(folder.path()), Some(7));
    }
}
