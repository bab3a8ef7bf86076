//! Linux' hardware monitors: one parser for the boards and chips that tell their power or energy by sysfs.
//!
//! | name          | file                                   | tells                            |
//! |---------------|----------------------------------------|----------------------------------|
//! | `amdgpu`      | `power1_average`, else `power1_input`  | the chip's power                 |
//! | `i915`, `xe`  | `energy1_input`, `energy2_input`       | the card's and the chip's energy |
//! | `power_meter` | `power1_average`, `power1_oem_info`    | all Grace sockets' or modules', else the machine's power |
//! | `ina3221`     | `in1_input` × `curr1_input`            | a Jetson module's or rail's power |

use super::figure::{self, accuracy, pci_address};
use super::tree::{Timed, Tree};
use super::{Finding, Meter, MeterError, MeterInfo, MeterKind, Reading, Scope, Serves};
use crate::PhysicalId;
use std::path::{Path, PathBuf};

/// Where the tree is.
pub(super) const ROOT: &str = "/sys/class/hwmon";

const HINT: &str = "let your user read it: `sudo chmod a+r` on the file, or run as root";

const ABSENT_HINT: &str = "the driver of an accelerator or a board must show a power or an energy sensor here";

/// Looks for the meters under `root`.
pub(super) fn find(root: &Path) -> Vec<Finding> {
    find_in(&Tree::new(root, HINT))
}

fn find_in(tree: &Tree) -> Vec<Finding> {
    let absent = |reason| Finding::absent("hwmon", reason, ABSENT_HINT);
    let monitors = match tree.names() {
        Ok(names) => names,
        Err(reason) => return vec![absent(reason)],
    };
    let mut sensors: Vec<Sensor> = Vec::new();
    for monitor in monitors {
        let monitor = Monitor::new(tree, &monitor);
        // A monitor that has no name, or whose maker is not known here, is a fan or a drive.
        let Some(name) = monitor.text("name") else { continue };
        let found = match name.as_str() {
            "amdgpu" => monitor.amdgpu(),
            "i915" | "xe" => monitor.graphics_energy(&name),
            "power_meter" => monitor.power_meter(),
            "ina3221" => monitor.ina3221(),
            _ => Vec::new(),
        };
        for sensor in found {
            match sensors.iter_mut().find(|known| known.info.id == sensor.info.id) {
                Some(known) => known.join(sensor),
                None => sensors.push(sensor),
            }
        }
    }
    if sensors.is_empty() {
        let what = format!("a power or energy sensor under {}", tree.root.display());
        return vec![absent(MeterError::Absent { what })];
    }
    let meter = |sensor: Sensor| {
        let mut meter = HwmonMeter { tree: tree.clone(), info: sensor.info, figures: sensor.figures };
        match meter.read() {
            Ok(_) => Finding::Found(Box::new(meter)),
            Err(reason) => absent(reason),
        }
    };
    sensors.into_iter().map(meter).collect()
}

/// One folder of the tree.
struct Monitor<'a> {
    tree: &'a Tree,
    id: String,
    folder: PathBuf,
}

/// A meter that one folder holds, or one for each socket.
struct Sensor {
    info: MeterInfo,
    figures: Figures,
}

impl Sensor {
    /// Adds another socket's power: together they are what the processors draw.
    fn join(&mut self, socket: Self) {
        self.info.source = format!("{} + {}", self.info.source, socket.info.source);
        self.figures.microwatts.extend(socket.figures.microwatts);
        self.figures.limits_microwatts.extend(socket.figures.limits_microwatts);
    }
}

/// The files that a reading consists of.
#[derive(Clone, Debug, Default)]
struct Figures {
    microjoules: Option<PathBuf>,
    /// Several are summed.
    microwatts: Vec<PathBuf>,
    /// Millivolts and milliamperes.
    volts_amperes: Option<(PathBuf, PathBuf)>,
    hertz: Option<PathBuf>,
    millidegrees: Option<PathBuf>,
    limits_microwatts: Vec<PathBuf>,
}

impl<'a> Monitor<'a> {
    fn new(tree: &'a Tree, name: &str) -> Self {
        Self { tree, id: name.to_owned(), folder: tree.root.join(name) }
    }

    /// A file of the monitor; older drivers leave theirs in the device's folder.
    fn file(&self, name: &str) -> Option<PathBuf> {
        [self.folder.join(name), self.folder.join("device").join(name)].into_iter().find(|path| path.exists())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.tree.text(&self.file(name)?).ok()
    }

    fn sensor(&self, part: &str, kind: MeterKind, scope: Scope, serves: Serves, figures: Figures) -> Sensor {
        let (accuracy, accuracy_source) = accuracy(None);
        let source = figures.microjoules.iter().chain(&figures.microwatts).next();
        let source = source.map_or_else(|| self.folder.display().to_string(), |path| path.display().to_string());
        let info = MeterInfo {
            id: format!("hwmon:{}:{part}", self.id),
            source,
            kind,
            scope,
            serves,
            resolution_j: None,
            wraps_at_j: None,
            stated_tick_s: None,
            interval_s: 0.01,
            accuracy,
            accuracy_source,
            privilege: None,
        };
        Sensor { info, figures }
    }

    /// The chip that the monitor belongs to, by the device's link.
    fn chip(&self) -> Serves {
        let device = self.folder.join("device").canonicalize().ok();
        let pci = device.and_then(|path| pci_address(&path.file_name()?.to_string_lossy()));
        Serves::Chip(PhysicalId { pci, uuid: None })
    }

    fn amdgpu(&self) -> Vec<Sensor> {
        // The average is over a window that the firmware does not tell; the input is the present draw.
        let Some(microwatts) = self.file("power1_average").or_else(|| self.file("power1_input")) else {
            return Vec::new();
        };
        let figures = Figures {
            microwatts: vec![microwatts],
            hertz: self.file("freq1_input"),
            millidegrees: self.file("temp1_input"),
            limits_microwatts: self.file("power1_cap").into_iter().collect(),
            ..Figures::default()
        };
        vec![self.sensor("amdgpu", MeterKind::InstantPower, Scope::Chip, self.chip(), figures)]
    }

    /// The register below has 32 bits. The driver adds up its laps in 64 whenever it is read, so what it shows does not
    /// wrap as long as it is read once in each lap of about 262 kJ.
    fn graphics_energy(&self, name: &str) -> Vec<Sensor> {
        let mut sensors = Vec::new();
        for channel in 1..=2 {
            let Some(microjoules) = self.file(&format!("energy{channel}_input")) else { continue };
            let label = self.text(&format!("energy{channel}_label")).unwrap_or_else(|| name.to_owned());
            let scope = if label == "card" { Scope::Board } else { Scope::Chip };
            let figures = Figures {
                microjoules: Some(microjoules),
                limits_microwatts: self.file(&format!("power{channel}_max")).into_iter().collect(),
                ..Figures::default()
            };
            sensors.push(self.sensor(&label, MeterKind::Counter, scope, self.chip(), figures));
        }
        sensors
    }

    /// ACPI's power meter: on Grace one for each part of a socket, elsewhere the machine's.
    fn power_meter(&self) -> Vec<Sensor> {
        let Some(microwatts) = self.file("power1_average") else { return Vec::new() };
        let (id, scope, serves) = match self.text("power1_oem_info").unwrap_or_default() {
            // Each ends in its socket's number.
            part if part.starts_with("Module Power") => {
                ("hwmon:module-power".to_owned(), Scope::Module, Serves::Machine)
            }
            part if part.starts_with("Grace Power") => {
                ("hwmon:grace-power".to_owned(), Scope::Package, Serves::Processor)
            }
            // Parts of the socket, which it includes.
            part if part.starts_with("CPU Power") || part.starts_with("SysIO Power") => return Vec::new(),
            _ => (format!("hwmon:{}:node", self.id), Scope::Node, Serves::Machine),
        };
        let window = self.file("power1_average_interval").and_then(|path| self.tree.number(&path).ok());
        let kind = match window {
            Some(milliseconds) => MeterKind::AveragedPower { window_s: milliseconds * 1e-3 },
            None => MeterKind::InstantPower,
        };
        let limits_microwatts = self.file("power1_cap").into_iter().collect();
        let figures = Figures { microwatts: vec![microwatts], limits_microwatts, ..Figures::default() };
        let mut sensor = self.sensor("", kind, scope, serves, figures);
        sensor.info.id = id;
        vec![sensor]
    }

    /// The module's own input is its whole power. Where a board has none, each rail is shown by itself.
    fn ina3221(&self) -> Vec<Sensor> {
        let mut sensors = Vec::new();
        for channel in 1..=3 {
            let Some(label) = self.text(&format!("in{channel}_label")) else { continue };
            let (Some(volts), Some(amperes)) =
                (self.file(&format!("in{channel}_input")), self.file(&format!("curr{channel}_input")))
            else {
                continue;
            };
            let (scope, serves) = match label.as_str() {
                "VDD_IN" | "POM_5V_IN" => (Scope::Module, Serves::Machine),
                rail if rail.contains("GPU") => (Scope::Chip, Serves::Chip(PhysicalId::default())),
                rail if rail.contains("CPU") => (Scope::Chip, Serves::Processor),
                _ => continue,
            };
            let figures = Figures { volts_amperes: Some((volts, amperes)), ..Figures::default() };
            sensors.push(self.sensor(&label, MeterKind::InstantPower, scope, serves, figures));
        }
        sensors
    }
}

struct HwmonMeter {
    tree: Tree,
    info: MeterInfo,
    figures: Figures,
}

impl HwmonMeter {
    /// A figure that is told beside the energy, and that may be missing.
    fn aside(&self, path: Option<&PathBuf>, unit: f64) -> Option<f64> {
        path.and_then(|path| self.tree.number(path).ok()).map(|number| number * unit)
    }

    fn power_limit(&self) -> Option<f64> {
        let limits = &self.figures.limits_microwatts;
        let sum = limits.iter().map(|path| self.aside(Some(path), 1e-6)).sum::<Option<f64>>();
        sum.filter(|_| !limits.is_empty())
    }
}

impl Meter for HwmonMeter {
    fn info(&self) -> &MeterInfo {
        &self.info
    }

    fn read(&mut self) -> Result<Reading, MeterError> {
        let start_s = super::now();
        let (mut joules, mut watts) = (None, None);
        if let Some(path) = &self.figures.microjoules {
            joules = Some(self.tree.number(path)? * 1e-6);
        }
        for path in &self.figures.microwatts {
            watts = Some(
                watts.unwrap_or_default() + figure::watts(&path.display().to_string(), self.tree.number(path)? * 1e-6)?,
            );
        }
        if let Some((volts, amperes)) = &self.figures.volts_amperes {
            watts = Some(self.tree.number(volts)? * self.tree.number(amperes)? * 1e-6);
        }
        let Timed { at_s, cost_s } = Timed::since(start_s);
        Ok(Reading {
            at_s,
            within_s: 0.5 * cost_s,
            cost_s,
            joules,
            watts: watts.map(|value| figure::watts(&self.info.source, value)).transpose()?,
            clock_mhz: self.aside(self.figures.hertz.as_ref(), 1e-6),
            temperature_c: self.aside(self.figures.millidegrees.as_ref(), 1e-3),
            power_limit_w: self.power_limit(),
            ..Reading::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn monitor(root: &Path, name: &str, files: &[(&str, &str)]) {
        for (file, text) in files {
            let path = root.join(name).join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{text}\n")).unwrap();
        }
    }

    #[cfg(unix)]
    fn at_pci(root: &Path, name: &str, address: &str) {
        let device = root.join("devices/pci0000:00").join(address);
        fs::create_dir_all(&device).unwrap();
        fs::create_dir_all(root.join(name)).unwrap();
        std::os::unix::fs::symlink(device, root.join(name).join("device")).unwrap();
    }

    fn told(root: &Path) -> Vec<(MeterInfo, Reading)> {
        let read = |finding| match finding {
            Finding::Found(mut meter) => {
                let reading = meter.read().unwrap();
                (meter.info().clone(), reading)
            }
            Finding::Absent { reason, .. } => panic!("{reason}"),
        };
        find(root).into_iter().map(read).collect()
    }

    fn reason(root: &Path) -> String {
        match find(root).into_iter().next() {
            Some(Finding::Absent { reason, .. }) => reason.to_string(),
            _ => panic!("a meter where none can be"),
        }
    }

    fn pci(address: &str) -> Serves {
        Serves::Chip(PhysicalId { pci: Some(address.to_owned()), uuid: None })
    }

    #[cfg(unix)]
    #[test]
    fn a_graphics_card_tells_power_with_its_clock_and_limit() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        monitor(root, "hwmon0", &[("name", "nvme"), ("temp1_input", "40000")]);
        at_pci(root, "hwmon2", "0000:03:00.0");
        let files = [("power1_average", "231000000"), ("power1_cap", "300000000"), ("freq1_input", "2100000000")];
        monitor(root, "hwmon2", &[&[("name", "amdgpu"), ("temp1_input", "61000")][..], &files[..]].concat());
        let told = told(root);
        let [(info, reading)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((info.scope, &info.serves), (Scope::Chip, &pci("0000:03:00.0")));
        assert_eq!(
            (reading.watts, reading.power_limit_w, reading.clock_mhz, reading.temperature_c, reading.joules),
            (Some(231.0), Some(300.0), Some(2100.0), Some(61.0), None)
        );
    }

    #[cfg(unix)]
    #[test]
    fn newer_kernels_tell_the_present_draw() {
        let root = tempfile::tempdir().unwrap();
        at_pci(root.path(), "hwmon1", "0000:0a:00.0");
        monitor(root.path(), "hwmon1", &[("name", "amdgpu"), ("power1_input", "35500000")]);
        assert_eq!(told(root.path())[0].1.watts, Some(35.5));
    }

    #[cfg(unix)]
    #[test]
    fn cards_and_chips_count_energy_apart() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        at_pci(root, "hwmon1", "0000:4d:00.0");
        let energies = [("energy1_input", "5000000000"), ("energy2_input", "4000000000")];
        let labels = [("name", "xe"), ("energy1_label", "card"), ("energy2_label", "pkg")];
        monitor(root, "hwmon1", &[&energies[..], &labels[..]].concat());
        at_pci(root, "hwmon2", "0000:4e:00.0");
        monitor(root, "hwmon2", &[("name", "i915"), ("energy1_input", "7000000")]);
        let told: Vec<_> =
            told(root).into_iter().map(|(info, reading)| (info.scope, info.serves, reading.joules)).collect();
        assert_eq!(
            told,
            [
                (Scope::Board, pci("0000:4d:00.0"), Some(5000.0)),
                (Scope::Chip, pci("0000:4d:00.0"), Some(4000.0)),
                (Scope::Chip, pci("0000:4e:00.0"), Some(7.0)),
            ]
        );
    }

    #[test]
    fn a_socket_s_parts_are_known_by_their_labels_and_sockets_are_summed() {
        let root = tempfile::tempdir().unwrap();
        let labels = [
            "Module Power Socket 0",
            "Grace Power Socket 0",
            "CPU Power Socket 0",
            "SysIO Power Socket 0",
            "ACME",
            "Module Power Socket 1",
            "Grace Power Socket 1",
        ];
        for (index, label) in labels.into_iter().enumerate() {
            let watts = format!("{}000000", 100 + index);
            let name = format!("hwmon{index}");
            monitor(root.path(), &name, &[("name", "power_meter"), ("device/power1_average", &watts)]);
            monitor(root.path(), &name, &[("device/power1_oem_info", label), ("device/power1_average_interval", "50")]);
            monitor(root.path(), &name, &[("device/power1_cap", "500000000")]);
        }
        let told = told(root.path());
        let scopes: Vec<_> =
            told.iter().map(|(info, reading)| (info.scope, info.serves.clone(), reading.watts)).collect();
        assert_eq!(
            scopes,
            [
                (Scope::Module, Serves::Machine, Some(205.0)),
                (Scope::Package, Serves::Processor, Some(207.0)),
                (Scope::Node, Serves::Machine, Some(104.0)),
            ]
        );
        assert!(told.iter().all(|(info, _)| info.kind == MeterKind::AveragedPower { window_s: 0.05 }));
        assert_eq!(told[1].0.id, "hwmon:grace-power");
        assert!(told[1].0.source.contains("hwmon1/") && told[1].0.source.contains(" + "), "{}", told[1].0.source);
        assert_eq!(told[1].1.power_limit_w, Some(1000.0));
        monitor(root.path(), "hwmon6", &[("device/power1_average", "0")]);
        assert!(find(root.path()).iter().any(|finding| matches!(finding, Finding::Absent { .. })), "half is not all");
    }

    #[test]
    fn a_module_s_power_is_volts_times_amperes() {
        let root = tempfile::tempdir().unwrap();
        let rails = [("in1_label", "VDD_IN"), ("in1_input", "5000"), ("curr1_input", "2400")];
        let parts = [("in2_label", "VDD_CPU_GPU_CV"), ("in2_input", "5000"), ("curr2_input", "800")];
        let others = [("in3_label", "VDD_SOC"), ("in3_input", "5000"), ("curr3_input", "300"), ("name", "ina3221")];
        monitor(root.path(), "hwmon3", &[&rails[..], &parts[..], &others[..]].concat());
        let told: Vec<_> =
            told(root.path()).into_iter().map(|(info, reading)| (info.id, info.scope, reading.watts)).collect();
        assert_eq!(
            told,
            [
                ("hwmon:hwmon3:VDD_IN".to_owned(), Scope::Module, Some(12.0)),
                ("hwmon:hwmon3:VDD_CPU_GPU_CV".to_owned(), Scope::Chip, Some(4.0)),
            ]
        );
    }

    #[test]
    fn nothing_is_never_0_watts() {
        let root = tempfile::tempdir().unwrap();
        assert!(reason(root.path()).contains("not found"));
        monitor(root.path(), "hwmon1", &[("name", "amdgpu"), ("power1_average", "0")]);
        assert!(reason(root.path()).contains("0 W can't be"), "{}", reason(root.path()));
        monitor(root.path(), "hwmon1", &[("power1_average", "12,5")]);
        assert!(reason(root.path()).contains("no number"));
        fs::remove_file(root.path().join("hwmon1/power1_average")).unwrap();
        fs::create_dir(root.path().join("hwmon1/power1_average")).unwrap();
        assert!(reason(root.path()).contains("power1_average"));
        assert!(reason(&root.path().join("none")).contains("not found"));
    }

    #[test]
    fn a_missing_right_is_explained() {
        let root = tempfile::tempdir().unwrap();
        monitor(root.path(), "hwmon1", &[("name", "amdgpu"), ("power1_average", "1000000")]);
        let mut tree = Tree::new(root.path(), HINT);
        tree.read = |path| {
            if path.ends_with("power1_average") {
                Err(std::io::ErrorKind::PermissionDenied.into())
            } else {
                fs::read_to_string(path)
            }
        };
        let Some(Finding::Absent { reason: MeterError::Permission { .. }, hint, .. }) =
            find_in(&tree).into_iter().next()
        else {
            panic!("permission");
        };
        assert!(hint.contains("chmod"), "{hint}");
    }
}
