//! How a device is set: the power that it may draw, and how its clock is governed. Whoever set it, figures of one that
//! is set otherwise are those of another device.

use super::config::Places;
use super::tree::Tree;
use super::{find_nvml_settings, rapl, start};
use crate::{DeviceInfo, DeviceKind, PhysicalId};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// Where Linux keeps what governs processors, and devices by their PCI address.
pub(super) const CPU_ROOT: &str = "/sys/devices/system/cpu";
pub(super) const PCI_ROOT: &str = "/sys/bus/pci/devices";

/// How a device is set. What nobody tells is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The power limit in force, in watts.
    pub power_limit_w: Option<f64>,
    /// How its clock is governed, in its system's words, with the range in MHz where it has one.
    pub clock_policy: Option<String>,
}

/// How a device is set, as far as it can be read here.
pub fn settings(places: &Places, device: &DeviceInfo) -> Settings {
    if device.caps.kind == DeviceKind::Cpu {
        let power_limit_w = rapl::power_limit_w(&places.powercap);
        return Settings { power_limit_w, clock_policy: processor_clock(&places.cpu) };
    }
    let (chip, library) = (device.physical_id.clone(), places.nvml.clone());
    let (_, asked) = start("nvml", move || find_nvml_settings(library.as_deref(), &chip));
    let told = asked.recv_timeout(Duration::from_secs_f64(places.limit_s)).ok().flatten();
    told.unwrap_or_else(|| of_chip(&places.pci, &device.physical_id))
}

/// By Linux' cpufreq: what governs the cores, from where to where, and whether they may go beyond. Cores that are set
/// alike are told once.
fn processor_clock(root: &Path) -> Option<String> {
    let cores = Tree::new(&root.join("cpufreq"), "");
    let policy = |name: &String| {
        let folder = cores.root.join(name);
        let mhz = |file| cores.number(&folder.join(file)).ok().map(|khz| (khz / 1000.0).round());
        let range = mhz("scaling_min_freq").zip(mhz("scaling_max_freq"));
        let governor = cores.text(&folder.join("scaling_governor")).ok()?;
        Some(range.map_or(governor.clone(), |(low, high)| format!("{governor}, {low} to {high} MHz")))
    };
    let policies: BTreeSet<String> = cores.names().ok()?.iter().filter_map(policy).collect();
    let flag = |file: &str, on: &str| cores.text(&root.join(file)).ok().map(|value| value == on);
    let boost = flag("cpufreq/boost", "1").or_else(|| flag("intel_pstate/no_turbo", "0"));
    let boost = boost.map(|on| format!("boost {}", if on { "on" } else { "off" }));
    let told: Vec<String> = policies.into_iter().chain(boost).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// By what Linux' drivers of graphics chips show under their PCI address.
fn of_chip(root: &Path, chip: &PhysicalId) -> Settings {
    let Some(address) = &chip.pci else { return Settings::default() };
    let device = Tree::new(&root.join(address), "");
    let monitors = Tree::new(&device.root.join("hwmon"), "");
    let limit = |name: &String| {
        let number = |file| monitors.number(&monitors.root.join(name).join(file)).ok();
        number("power1_cap").or_else(|| number("power1_max")).map(|microwatts| microwatts * 1e-6)
    };
    Settings {
        power_limit_w: monitors.names().ok().and_then(|names| names.iter().find_map(limit)),
        clock_policy: device.text(&device.root.join("power_dpm_force_performance_level")).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{text}\n")).unwrap();
        }
        root
    }

    #[test]
    fn cores_that_are_set_alike_are_told_once() {
        let root = tree(&[
            ("cpufreq/policy0/scaling_governor", "performance"),
            ("cpufreq/policy0/scaling_min_freq", "1500000"),
            ("cpufreq/policy0/scaling_max_freq", "3700000"),
            ("cpufreq/policy1/scaling_governor", "performance"),
            ("cpufreq/policy1/scaling_min_freq", "1500000"),
            ("cpufreq/policy1/scaling_max_freq", "3700000"),
            ("cpufreq/policy2/scaling_governor", "powersave"),
            ("cpufreq/boost", "1"),
        ]);
        let told = processor_clock(root.path()).unwrap();
        assert_eq!(told, "performance, 1500 to 3700 MHz; powersave; boost on");
    }

    #[test]
    fn a_turbo_that_is_off_is_no_boost() {
        let root = tree(&[("cpufreq/policy0/scaling_governor", "powersave"), ("intel_pstate/no_turbo", "1")]);
        assert_eq!(processor_clock(root.path()).as_deref(), Some("powersave; boost off"));
    }

    #[test]
    fn a_machine_that_tells_nothing_has_no_policy() {
        assert_eq!(processor_clock(tree(&[("present", "0-1")]).path()), None);
    }

    #[test]
    fn a_chip_is_found_by_its_address() {
        let root = tree(&[
            ("0000:c1:00.0/hwmon/hwmon3/power1_cap", "560000000"),
            ("0000:c1:00.0/power_dpm_force_performance_level", "manual"),
            ("0000:c2:00.0/hwmon/hwmon4/power1_max", "300000000"),
        ]);
        let at = |address: &str| of_chip(root.path(), &PhysicalId { pci: Some(address.to_owned()), uuid: None });
        let manual = Settings { power_limit_w: Some(560.0), clock_policy: Some("manual".to_owned()) };
        assert_eq!(at("0000:c1:00.0"), manual);
        assert_eq!(at("0000:c2:00.0"), Settings { power_limit_w: Some(300.0), clock_policy: None });
        assert_eq!(at("0000:c3:00.0"), Settings::default());
        assert_eq!(of_chip(root.path(), &PhysicalId::default()), Settings::default());
    }
}
