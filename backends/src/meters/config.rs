//! Which meters there are besides those that are found: a file in TOML, and where the others are looked for.

use super::command::CommandSource;
use super::recording::RecordingSource;
use super::redfish::RedfishSource;
use super::{MeterError, hwmon, process, rapl, settings};
use serde::Deserialize;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of meters that is used where the command line names none.
pub const METERS_VARIABLE: &str = "ACCELBENCH_METERS";

/// Meters that are declared, and where the others are looked for.
///
/// ```toml
/// [[command]]                     # a program that prints a figure
/// id = "outlet"
/// argv = ["snmpget", "-v2c", "-c", "public", "-Oqv", "pdu.example", "1.3.6.1.4.1.318.1.1.26.9.4.3.1.7.1"]
/// pattern = '^(?<value>\d+)$'
/// unit = "W"
/// scope = "node"
/// serves = "machine"
/// kind = "external"
///
/// [[redfish]]                     # a resource of a management controller
/// id = "module-0"
/// url = "https://bmc.example/redfish/v1/Systems/HGX_Baseboard_0/Processors/GPU_SXM_1/EnvironmentMetrics"
/// user_variable = "BMC_USER"
/// password_variable = "BMC_PASSWORD"
/// scope = "module"
/// serves = { chip = { pci = "0000:1b:00.0" } }
///
/// [[recording]]                   # a file that an analyser writes
/// id = "analyser"
/// file = "power.csv"
/// time_column = "Time"
/// value_column = "P"
/// unit = "W"
/// scope = "node"
/// serves = "machine"
///
/// [places]                        # where meters are looked for, if not in the usual places
/// hwmon = "/sys/class/hwmon"
/// limit_s = 20
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MeterConfig {
    /// Where meters are looked for.
    pub places: Places,
    /// Programs that print a figure.
    pub command: Vec<CommandSource>,
    /// Resources of management controllers.
    pub redfish: Vec<RedfishSource>,
    /// Files that analysers write. They hold the past alone, so [`find`](super::find) passes them over.
    pub recording: Vec<RecordingSource>,
}

/// Where meters, and how devices are set, are looked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Places {
    /// Linux' tree of powercap zones.
    pub powercap: PathBuf,
    /// Linux' tree of hardware monitors.
    pub hwmon: PathBuf,
    /// NVML's library; the one that the system's loader finds where there is none.
    pub nvml: Option<PathBuf>,
    /// Linux' tree of what governs processors' clocks.
    pub cpu: PathBuf,
    /// Linux' tree of devices by their PCI address.
    pub pci: PathBuf,
    /// Folders of programs; those of the environment's search path by default.
    pub programs: Vec<PathBuf>,
    /// How long a library or a tree may take to be looked at, in seconds. A driver that wakes its devices needs some.
    pub limit_s: f64,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            powercap: rapl::ROOT.into(),
            hwmon: hwmon::ROOT.into(),
            nvml: None,
            cpu: settings::CPU_ROOT.into(),
            pci: settings::PCI_ROOT.into(),
            programs: process::folders(env::var_os("PATH").as_deref()),
            limit_s: 20.0,
        }
    }
}

impl MeterConfig {
    /// Reads a file of meters: the one named, else the one that [`METERS_VARIABLE`] names, else none.
    ///
    /// # Errors
    /// The file is not there, may not be read, or does not declare meters: where and why not.
    pub fn load(file: Option<&Path>) -> Result<Self, MeterError> {
        let set = env::var_os(METERS_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        let Some(path) = file.map(Path::to_owned).or(set) else { return Ok(Self::default()) };
        let what = path.display().to_string();
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => MeterError::Absent { what: what.clone() },
            _ => MeterError::Refused { what: what.clone(), problem: error.to_string() },
        })?;
        Self::parse(&text).map_err(|problem| MeterError::Garbage { what, problem })
    }

    /// Reads declarations of meters.
    ///
    /// # Errors
    /// What is wrong with them, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if !(config.places.limit_s > 0.0 && config.places.limit_s <= 3600.0) {
            return Err("places: limit_s is above 0 and at most 3600".to_owned());
        }
        let commands = config.command.iter().try_for_each(CommandSource::check);
        let modules = || config.redfish.iter().try_for_each(RedfishSource::check);
        commands.and_then(|()| modules())?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PhysicalId;
    use crate::meters::{MeterKind, Scope, Serves};

    #[test]
    fn the_documented_file_is_read() {
        let documentation = include_str!("config.rs");
        let lines = documentation.lines().skip_while(|line| *line != "/// ```toml").skip(1);
        let lines = lines.take_while(|line| *line != "/// ```").map(|line| line.trim_start_matches("///").trim_start());
        let config = MeterConfig::parse(&lines.collect::<Vec<_>>().join("\n")).unwrap();
        let [command] = &config.command[..] else { panic!("{config:?}") };
        assert_eq!(
            (command.scope, command.kind, command.serves.clone()),
            (Scope::Node, Some(MeterKind::External), Serves::Machine)
        );
        let [redfish] = &config.redfish[..] else { panic!("{config:?}") };
        let chip = PhysicalId { pci: Some("0000:1b:00.0".to_owned()), uuid: None };
        assert_eq!(redfish.serves, Serves::Chip(chip));
        assert_eq!((config.recording.len(), config.places.powercap.as_path()), (1, Path::new(rapl::ROOT)));
    }

    #[test]
    fn wrong_declarations_are_refused_with_their_reason() {
        let command =
            |rest: &str| format!("[[command]]\nid = 'x'\nargv = ['x']\nscope = 'node'\nserves = 'machine'\n{rest}");
        for (text, problem) in [
            ("[[commands]]".to_owned(), "unknown field `commands`"),
            ("[places]\nlimit_s = nan".to_owned(), "places: limit_s"),
            (command("pattern = '(?<value>.*)'"), "missing field `unit`"),
            (command("unit = 'W'\npattern = '(?<watts>.*)'"), "no group named `value`"),
            (command("unit = 'W'\npattern = '('"), "unclosed group"),
            (command("unit = 'BTU'\npattern = '(?<value>.*)'"), "unknown variant `BTU`"),
            (command("unit = 'W'\nkind = 'counter'\npattern = '(?<value>.*)'"), "a counter is in J, mJ or kWh"),
            (command("unit = 'J'\nkind = 'instant_power'\npattern = '(?<value>.*)'"), "power is in W or mW"),
            (command("unit = 'W'\nlimit_s = 0\npattern = '(?<value>.*)'"), "limit_s"),
            (command("unit = 'W'\ninterval_s = -1\npattern = '(?<value>.*)'"), "interval_s"),
            (
                command("unit = 'W'\npattern = '(?<value>.*)'\ndevices = { argv = ['x'], pattern = '.' }"),
                "no group named `device`",
            ),
            (command("unit = 'W'\npattern = '(?<value>.*)'").replace("['x']", "[]"), "argv is empty"),
        ] {
            let error = MeterConfig::parse(&text).unwrap_err();
            assert!(error.contains(problem), "{text}\n{error}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_absent() {
        assert!(matches!(MeterConfig::load(Some(Path::new("/no/such/file"))), Err(MeterError::Absent { .. })));
    }
}
