//! Processor energy by Linux' powercap tree, which holds RAPL of x86-64 processors of every maker.
//!
//! The packages of all sockets are one meter: they don't overlap, and together they are what a device of kind cpu draws.
//! Cores and the parts beside them lie inside the package and are left out. Memory and the platform are meters of their
//! own, never added to the packages.

use super::figure::accuracy;
use super::tree::{Timed, Tree};
use super::{Counter, Finding, Meter, MeterError, MeterInfo, MeterKind, Reading, Scope, Serves};
use std::path::{Path, PathBuf};

/// Where the tree is.
pub(super) const ROOT: &str = "/sys/class/powercap";

const HINT: &str = "since CVE-2020-8694 only root may read it: run as root, or `sudo chmod a+r \
    /sys/class/powercap/intel-rapl:*/energy_uj` until the next start; the udev rule `SUBSYSTEM==\"powercap\", \
    ACTION==\"add\", RUN+=\"/bin/chmod a+r /sys%p/energy_uj\"` makes it last";

const ABSENT_HINT: &str = "on an x86-64 Linux machine load the module with `sudo modprobe intel_rapl_msr`; virtual \
    machines and containers rarely show it";

/// The same package is also reached through MMIO, under another name that is passed over.
const CONTROL: &str = "intel-rapl:";

/// What the names of packages begin with.
const PACKAGE: &str = "package-";

/// What is summed into one meter.
struct Domain {
    id: &'static str,
    scope: Scope,
    serves: Serves,
    belongs: fn(&str) -> bool,
}

fn domains() -> [Domain; 3] {
    [
        Domain {
            id: "rapl:package",
            scope: Scope::Package,
            serves: Serves::Processor,
            belongs: |name| name.starts_with(PACKAGE),
        },
        Domain { id: "rapl:dram", scope: Scope::Memory, serves: Serves::Memory, belongs: |name| name == "dram" },
        Domain { id: "rapl:psys", scope: Scope::Node, serves: Serves::Machine, belongs: |name| name == "psys" },
    ]
}

/// Looks for the meters under `root`.
pub(super) fn find(root: &Path) -> Vec<Finding> {
    find_in(&Tree::new(root, HINT))
}

fn find_in(tree: &Tree) -> Vec<Finding> {
    let absent = |reason| Finding::absent("rapl", reason, ABSENT_HINT);
    let zones = match tree.names() {
        Ok(names) => names.into_iter().filter(|name| name.starts_with(CONTROL)).map(|name| tree.root.join(name)),
        Err(reason) => return vec![absent(reason)],
    };
    let mut named = Vec::new();
    for zone in zones {
        match tree.text(&zone.join("name")) {
            Ok(name) => named.push((name, zone)),
            Err(reason) => return vec![absent(reason)],
        }
    }
    let mut findings = Vec::new();
    for domain in domains() {
        let zones: Vec<_> = named.iter().filter(|(name, _)| (domain.belongs)(name)).map(|(_, zone)| zone).collect();
        if zones.is_empty() {
            continue;
        }
        findings.push(match RaplMeter::open(tree, &domain, &zones) {
            Ok(meter) => Finding::Found(Box::new(meter)),
            Err(reason) => absent(reason),
        });
    }
    if findings.is_empty() {
        findings.push(absent(MeterError::Absent { what: format!("a package under {}", tree.root.display()) }));
    }
    findings
}

/// What all packages together may draw for long, in watts: for all to read, unlike their energy.
pub(super) fn power_limit_w(root: &Path) -> Option<f64> {
    let tree = Tree::new(root, HINT);
    let zones =
        tree.names().ok()?.into_iter().filter(|name| name.starts_with(CONTROL)).map(|name| tree.root.join(name));
    let packages = zones.filter(|zone| tree.text(&zone.join("name")).is_ok_and(|name| name.starts_with(PACKAGE)));
    let limits: Vec<f64> = packages.map(|zone| limit_w(&tree, &zone)).collect::<Option<_>>()?;
    (!limits.is_empty()).then(|| limits.iter().sum())
}

/// The limit over the longest time, which is the first.
fn limit_w(tree: &Tree, zone: &Path) -> Option<f64> {
    tree.number(&zone.join("constraint_0_power_limit_uw")).ok().map(|microwatts| microwatts * 1e-6)
}

struct RaplMeter {
    info: MeterInfo,
    tree: Tree,
    zones: Vec<Zone>,
}

struct Zone {
    folder: PathBuf,
    counter: Counter,
}

impl RaplMeter {
    fn open(tree: &Tree, domain: &Domain, folders: &[&PathBuf]) -> Result<Self, MeterError> {
        let mut zones = Vec::new();
        let mut wraps = Vec::new();
        for folder in folders {
            let wraps_at_j = tree.number(&folder.join("max_energy_range_uj"))? * 1e-6;
            wraps.push(wraps_at_j);
            zones.push(Zone { folder: (*folder).clone(), counter: Counter::new(Some(wraps_at_j), Counter::MOST_W) });
        }
        let names: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let (accuracy, accuracy_source) = accuracy(None);
        let info = MeterInfo {
            id: domain.id.to_owned(),
            source: names.join(" + "),
            kind: MeterKind::Counter,
            scope: domain.scope,
            serves: domain.serves.clone(),
            resolution_j: None,
            // Several counters wrap at different moments, so their sum is made of what each has advanced.
            wraps_at_j: if let [one] = wraps[..] { Some(one) } else { None },
            stated_tick_s: Some(0.001),
            interval_s: 0.1,
            accuracy,
            accuracy_source,
            privilege: Some("to read energy_uj, which is root's alone unless it was shared".to_owned()),
        };
        let mut meter = Self { info, tree: tree.clone(), zones };
        meter.read()?;
        Ok(meter)
    }

    fn power_limit(&self) -> Option<f64> {
        self.zones.iter().map(|zone| limit_w(&self.tree, &zone.folder)).sum()
    }
}

impl Meter for RaplMeter {
    fn info(&self) -> &MeterInfo {
        &self.info
    }

    fn read(&mut self) -> Result<Reading, MeterError> {
        let start_s = super::now();
        let single = self.zones.len() == 1;
        let mut joules = 0.0;
        for zone in &mut self.zones {
            let path = zone.folder.join("energy_uj");
            let (microjoules, timed) = self.tree.timed(&path)?;
            joules += if single {
                microjoules * 1e-6
            } else {
                zone.counter.advance(timed.at_s, microjoules * 1e-6).map_err(|fault| MeterError::Broken {
                    what: path.display().to_string(),
                    problem: fault.to_string(),
                })?
            };
        }
        let Timed { at_s, cost_s } = Timed::since(start_s);
        Ok(Reading {
            at_s,
            within_s: 0.5 * cost_s,
            cost_s,
            joules: Some(joules),
            power_limit_w: self.power_limit(),
            ..Reading::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::ErrorKind;

    /// Microjoules at which the recorded counters wrap.
    const RANGE: u64 = 262_143_328_850;

    fn zone(root: &Path, folder: &str, name: &str, microjoules: u64) {
        let zone = root.join(folder);
        fs::create_dir_all(&zone).unwrap();
        fs::write(zone.join("name"), format!("{name}\n")).unwrap();
        fs::write(zone.join("energy_uj"), format!("{microjoules}\n")).unwrap();
        fs::write(zone.join("max_energy_range_uj"), format!("{RANGE}\n")).unwrap();
        fs::write(zone.join("constraint_0_power_limit_uw"), "205000000\n").unwrap();
    }

    fn found(findings: Vec<Finding>) -> Vec<Box<dyn Meter>> {
        let meter = |finding| match finding {
            Finding::Found(meter) => meter,
            Finding::Absent { reason, .. } => panic!("{reason}"),
        };
        findings.into_iter().map(meter).collect()
    }

    fn absent(findings: Vec<Finding>) -> (MeterError, String) {
        match findings.into_iter().next() {
            Some(Finding::Absent { reason, hint, .. }) => (reason, hint),
            _ => panic!("a meter where none can be"),
        }
    }

    #[test]
    fn one_package_shows_its_own_counter() {
        let root = tempfile::tempdir().unwrap();
        zone(root.path(), "intel-rapl:0", "package-0", 1_234_567);
        zone(root.path(), "intel-rapl:0:0", "core", 1_000_000);
        zone(root.path(), "intel-rapl:0:1", "dram", 500_000);
        zone(root.path(), "intel-rapl:1", "psys", 9_000_000);
        zone(root.path(), "intel-rapl-mmio:0", "package-0", 1_234_567);
        fs::create_dir(root.path().join("intel-rapl")).unwrap();
        let mut meters = found(find(root.path()));
        let told: Vec<_> = meters
            .iter_mut()
            .map(|meter| {
                let reading = meter.read().unwrap();
                let info = meter.info();
                (info.id.clone(), info.scope, info.wraps_at_j, reading.joules, reading.power_limit_w)
            })
            .collect();
        let wrap = Some(RANGE as f64 * 1e-6);
        assert_eq!(
            told,
            [
                ("rapl:package".to_owned(), Scope::Package, wrap, Some(1.234_567), Some(205.0)),
                ("rapl:dram".to_owned(), Scope::Memory, wrap, Some(0.5), Some(205.0)),
                ("rapl:psys".to_owned(), Scope::Node, wrap, Some(9.0), Some(205.0)),
            ]
        );
    }

    #[test]
    fn sockets_are_summed_over_each_one_s_wrap() {
        let root = tempfile::tempdir().unwrap();
        zone(root.path(), "intel-rapl:0", "package-0", RANGE - 1_000_000);
        zone(root.path(), "intel-rapl:1", "package-1", 7_000_000);
        let mut meters = found(find(root.path()));
        let [meter] = &mut meters[..] else { panic!("one meter") };
        assert_eq!(meter.info().wraps_at_j, None);
        let start = meter.read().unwrap().joules.unwrap();
        zone(root.path(), "intel-rapl:0", "package-0", 2_000_000);
        zone(root.path(), "intel-rapl:1", "package-1", 8_000_000);
        let end = meter.read().unwrap();
        assert!((end.joules.unwrap() - start - 4.0).abs() < 1e-6, "{end:?} after {start}");
        assert_eq!(end.power_limit_w, Some(410.0));
        zone(root.path(), "intel-rapl:1", "package-1", 3_000_000);
        let fault = meter.read().unwrap_err();
        assert!(matches!(&fault, MeterError::Broken { problem, .. } if problem.contains("went back")), "{fault}");
    }

    #[test]
    fn a_missing_right_is_explained() {
        let root = tempfile::tempdir().unwrap();
        zone(root.path(), "intel-rapl:0", "package-0", 1);
        let mut tree = Tree::new(root.path(), HINT);
        tree.read = |path| {
            if path.ends_with("energy_uj") { Err(ErrorKind::PermissionDenied.into()) } else { fs::read_to_string(path) }
        };
        let (reason, hint) = absent(find_in(&tree));
        assert!(matches!(reason, MeterError::Permission { .. }), "{reason}");
        assert!(hint.contains("chmod") && hint.contains("udev"), "{hint}");
    }

    #[test]
    fn what_is_no_tree_is_absent_with_its_reason() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(absent(find(&root.path().join("none"))).0, MeterError::Absent { .. }));
        assert!(matches!(absent(find(root.path())).0, MeterError::Absent { .. }));
        zone(root.path(), "intel-rapl:0", "package-0", 1);
        fs::write(root.path().join("intel-rapl:0/energy_uj"), "\n").unwrap();
        assert!(matches!(absent(find(root.path())).0, MeterError::Garbage { .. }));
        fs::remove_file(root.path().join("intel-rapl:0/energy_uj")).unwrap();
        fs::create_dir(root.path().join("intel-rapl:0/energy_uj")).unwrap();
        assert!(matches!(absent(find(root.path())).0, MeterError::Refused { .. }));
    }
}
