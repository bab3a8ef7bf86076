//! Meters that are programs: what to run, and where in what it prints the figure stands.

use super::config::Places;
use super::figure::{self, accuracy, pci_address, uuid};
use super::process::{Answer, Ask, program};
use super::{Finding, Meter, MeterError, MeterInfo, MeterKind, Reading, Scope, Serves};
use crate::PhysicalId;
use regex::{Captures, Regex};
use serde::Deserialize;

/// The tools of accelerators' makers, and IPMI. A meter in the user's file with the same id takes an entry's place.
const READY: &str = include_str!("ready.toml");

/// Stands for a device's name in `argv` and in `pattern`.
const DEVICE: &str = "{device}";

const TOOL_HINT: &str = "install the tool of your device's maker, or declare a meter in a file and name that in \
    ACCELBENCH_METERS";

/// A program that prints a figure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandSource {
    /// The meter's name. Where there are several devices, each adds `:` and its own.
    pub id: String,
    /// The program and its arguments. No shell reads them.
    pub argv: Vec<String>,
    /// Where in the output the figure stands: a regular expression with a group `value`. `^` and `$` match at lines, and
    /// the first match counts. Let the group take all up to the unit, so that `12,5` is refused and not read as 5.
    pub pattern: String,
    /// The figure's unit.
    pub unit: Unit,
    /// What it tells; by default a counter where the unit is one of energy, and else the present power.
    pub kind: Option<MeterKind>,
    /// What the figure includes.
    pub scope: Scope,
    /// Which devices it serves. Not used where `devices` tells that.
    #[serde(default = "nothing")]
    pub serves: Serves,
    /// The shortest time in seconds between two runs that makes sense.
    #[serde(default = "one_second")]
    pub interval_s: f64,
    /// How long a run may take, in seconds.
    #[serde(default = "five_seconds")]
    pub limit_s: f64,
    /// The figure's relative error (k = 2), where its maker states one.
    pub accuracy: Option<f64>,
    /// What a user must be allowed to do.
    pub privilege: Option<String>,
    /// How the devices are found, where one program serves several.
    pub devices: Option<DeviceList>,
}

/// A program that lists devices.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceList {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Each match is a device: group `device` takes the place of `{device}` in the meter's `argv` and `pattern`, and the
    /// groups `pci` and `uuid`, of which there may be none, tell which chip it is.
    pub pattern: String,
}

/// A unit of power or energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Unit {
    /// Watts.
    W,
    /// Milliwatts.
    #[serde(rename = "mW")]
    MilliW,
    /// Joules.
    J,
    /// Millijoules.
    #[serde(rename = "mJ")]
    MilliJ,
    /// Kilowatt-hours.
    #[serde(rename = "kWh")]
    KiloWh,
}

fn nothing() -> Serves {
    Serves::Chip(PhysicalId::default())
}

fn one_second() -> f64 {
    1.0
}

fn five_seconds() -> f64 {
    5.0
}

impl Unit {
    /// Whether it is one of energy.
    pub(super) fn is_energy(self) -> bool {
        matches!(self, Self::J | Self::MilliJ | Self::KiloWh)
    }

    /// How many watts or joules it is.
    pub(super) fn size(self) -> f64 {
        match self {
            Self::W | Self::J => 1.0,
            Self::MilliW | Self::MilliJ => 1e-3,
            Self::KiloWh => 3.6e6,
        }
    }
}

impl CommandSource {
    /// Says what makes the declaration useless.
    pub(super) fn check(&self) -> Result<(), String> {
        let wrong = |problem: &str| Err(format!("command `{}`: {problem}", self.id));
        if self.argv.is_empty() || self.devices.as_ref().is_some_and(|devices| devices.argv.is_empty()) {
            return wrong("argv is empty");
        }
        if self.devices.is_none()
            && (self.pattern.contains(DEVICE) || self.argv.iter().any(|word| word.contains(DEVICE)))
        {
            return wrong("{device} stands for what `devices` lists, and there is none");
        }
        let positive = |seconds: f64| seconds > 0.0 && seconds <= 3600.0;
        if !positive(self.limit_s) {
            return wrong("limit_s is above 0 and at most 3600");
        }
        if !positive(self.interval_s) {
            return wrong("interval_s is above 0 and at most 3600");
        }
        if self.kind == Some(MeterKind::Counter) && !self.unit.is_energy() {
            return wrong("a counter is in J, mJ or kWh");
        }
        let power = matches!(self.kind, Some(MeterKind::InstantPower | MeterKind::AveragedPower { .. }));
        if power && self.unit.is_energy() {
            return wrong("power is in W or mW");
        }
        let patterns = [("value", Some(self.pattern.replace(DEVICE, "device")))]
            .into_iter()
            .chain([("device", self.devices.as_ref().map(|devices| devices.pattern.clone()))]);
        for (group, pattern) in patterns {
            let Some(pattern) = pattern else { continue };
            match lines(&pattern) {
                Ok(pattern) if pattern.capture_names().flatten().any(|name| name == group) => {}
                Ok(_) => return wrong(&format!("its pattern has no group named `{group}`")),
                Err(error) => return wrong(&error.to_string()),
            }
        }
        Ok(())
    }

    fn ask(&self, argv: &[String], places: &Places) -> Result<Answer, MeterError> {
        let (name, arguments) = argv.split_first().ok_or_else(|| MeterError::Absent { what: self.id.clone() })?;
        let path = program(name, &places.programs).ok_or_else(|| MeterError::Absent { what: name.clone() })?;
        let answer = Ask { program: &path, arguments, input: "", limit_s: self.limit_s }.run()?;
        if answer.code != Some(0) {
            return Err(MeterError::Refused { what: argv.join(" "), problem: answer.complaint });
        }
        Ok(answer)
    }

    fn is_installed(&self, places: &Places) -> bool {
        self.argv.first().is_some_and(|name| program(name, &places.programs).is_some())
    }

    /// The declaration for each device that the program lists, with the chip that it serves.
    fn for_each_device(&self, places: &Places) -> Result<Vec<Self>, MeterError> {
        let Some(list) = &self.devices else { return Ok(vec![self.clone()]) };
        let output = self.ask(&list.argv, places)?.output;
        let what = list.argv.join(" ");
        let garbage = |problem: String| MeterError::Garbage { what: what.clone(), problem };
        let pattern = lines(&list.pattern).map_err(|error| garbage(error.to_string()))?;
        let of = |found: &Captures<'_>| {
            let group = |name| found.name(name).map(|text| text.as_str());
            let device = group("device").unwrap_or_default();
            let chip = PhysicalId { pci: group("pci").and_then(pci_address), uuid: group("uuid").and_then(uuid) };
            Self {
                id: format!("{}:{device}", self.id),
                argv: self.argv.iter().map(|word| word.replace(DEVICE, device)).collect(),
                pattern: self.pattern.replace(DEVICE, &regex::escape(device)),
                serves: Serves::Chip(chip),
                devices: None,
                ..self.clone()
            }
        };
        let devices: Vec<_> = pattern.captures_iter(&output).map(|found| of(&found)).collect();
        if devices.is_empty() {
            return Err(garbage(format!("no device in {}", shown(&output))));
        }
        Ok(devices)
    }
}

/// Looks for the meters of the user's file and for the ready ones, all at once: the slowest program decides how long
/// that takes, and its limit bounds it.
pub(super) fn find(declared: &[CommandSource], places: &Places) -> Vec<Finding> {
    let (mut sources, mut missing) = (declared.to_vec(), Vec::new());
    match super::MeterConfig::parse(READY) {
        Ok(ready) => {
            for source in ready.command {
                if declared.iter().any(|own| own.id == source.id) {
                    continue;
                }
                if source.is_installed(places) {
                    sources.push(source);
                } else {
                    missing.push(source.id);
                }
            }
        }
        Err(problem) => missing.push(problem),
    }
    let mut findings: Vec<Finding> = std::thread::scope(|scope| {
        let threads: Vec<_> = sources.iter().map(|source| scope.spawn(|| open(source, places))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    if !missing.is_empty() {
        let reason = MeterError::Absent { what: missing.join(", ") };
        findings.push(Finding::absent("command", reason, TOOL_HINT));
    }
    findings
}

fn open(source: &CommandSource, places: &Places) -> Vec<Finding> {
    let absent = |reason: MeterError| {
        let hint = match &reason {
            MeterError::Absent { .. } => TOOL_HINT.to_owned(),
            MeterError::Timeout { .. } => format!("raise limit_s of `{}` in a file of meters", source.id),
            MeterError::Garbage { .. } => {
                format!("declare `{}` in a file of meters with a pattern that fits", source.id)
            }
            _ => source.privilege.as_ref().map_or_else(
                || format!("see what `{}` says", source.argv.join(" ")),
                |privilege| format!("it needs {privilege}"),
            ),
        };
        Finding::absent("command", reason, &hint)
    };
    let sources = match source.for_each_device(places) {
        Ok(sources) => sources,
        Err(reason) => return vec![absent(reason)],
    };
    let meter = |source| match CommandMeter::open(source, places) {
        Ok(meter) => Finding::Found(Box::new(meter)),
        Err(reason) => absent(reason),
    };
    sources.into_iter().map(meter).collect()
}

struct CommandMeter {
    info: MeterInfo,
    source: CommandSource,
    places: Places,
    pattern: Regex,
}

impl CommandMeter {
    fn open(source: CommandSource, places: &Places) -> Result<Self, MeterError> {
        let pattern = lines(&source.pattern)
            .map_err(|error| MeterError::Garbage { what: source.id.clone(), problem: error.to_string() })?;
        let by_unit = if source.unit.is_energy() { MeterKind::Counter } else { MeterKind::InstantPower };
        let (accuracy, accuracy_source) =
            accuracy(source.accuracy.map(|error| (error, "stated where it was declared")));
        let info = MeterInfo {
            id: source.id.clone(),
            source: source.argv.join(" "),
            kind: source.kind.unwrap_or(by_unit),
            scope: source.scope,
            serves: source.serves.clone(),
            resolution_j: None,
            wraps_at_j: None,
            stated_tick_s: None,
            interval_s: source.interval_s,
            accuracy,
            accuracy_source,
            privilege: source.privilege.clone(),
        };
        let mut meter = Self { info, source, places: places.clone(), pattern };
        meter.read()?;
        Ok(meter)
    }
}

impl Meter for CommandMeter {
    fn info(&self) -> &MeterInfo {
        &self.info
    }

    fn read(&mut self) -> Result<Reading, MeterError> {
        let answer = self.source.ask(&self.source.argv, &self.places)?;
        let what = &self.info.source;
        let number = value(&self.pattern, &answer.output)
            .map_err(|problem| MeterError::Garbage { what: what.clone(), problem })?;
        let value = number * self.source.unit.size();
        let energy = self.source.unit.is_energy();
        Ok(Reading {
            at_s: answer.timed.at_s,
            within_s: 0.5 * answer.timed.cost_s,
            cost_s: answer.timed.cost_s,
            joules: energy.then(|| figure::joules(what, value)).transpose()?,
            watts: (!energy).then(|| figure::watts(what, value)).transpose()?,
            ..Reading::default()
        })
    }
}

/// A pattern whose `^` and `$` match at lines.
fn lines(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!("(?m){pattern}"))
}

/// The number in the first match's group `value`.
fn value(pattern: &Regex, output: &str) -> Result<f64, String> {
    let found = pattern.captures(output).and_then(|found| found.name("value"));
    let found = found.ok_or_else(|| format!("no figure in {}", shown(output)))?;
    let text = found.as_str().trim();
    let before: String = output[..found.start()].chars().rev().take(2).collect();
    let after: String = output[found.end()..].chars().take(2).collect();
    if text.contains(',') || continues(&before) || continues(&after) {
        return Err(format!("`{text}` stands in a number of another locale, or in a longer one: {}", shown(output)));
    }
    let number: f64 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    if number.is_finite() { Ok(number) } else { Err(format!("`{text}` is no number")) }
}

/// Whether the two characters beside a number belong to it: a digit, or a mark and a digit.
fn continues(beside: &str) -> bool {
    beside.trim_start_matches([',', '.']).starts_with(|c: char| c.is_ascii_digit())
}

/// The beginning of an output, for a message.
fn shown(output: &str) -> String {
    let line = output.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    format!("`{}`", line.chars().take(80).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meters::MeterConfig;

    fn number(pattern: &str, output: &str) -> Result<f64, String> {
        value(&lines(pattern).unwrap(), output)
    }

    #[test]
    fn a_number_is_read_whole_or_not_at_all() {
        assert_eq!(number("^P: (?<value>\\S+) W", "x\nP: 12.5 W\nP: 13 W\n"), Ok(12.5));
        assert_eq!(number("(?<value>\\S+)", "1e2"), Ok(100.0));
        assert_eq!(number("\"watts\": *(?<value>[\\d.]+)", "{\"watts\":12.5,\"volts\":3}"), Ok(12.5));
        for (pattern, output) in [
            ("(?<value>\\S+) W", "12,5 W"),
            ("(?<value>\\d+) W", "12,5 W"),
            ("(?<value>\\d+)", "1,234 W"),
            ("(?<value>[\\d.]+) W", "1.234,5 W"),
            ("(?<value>\\d+) W", "12.5 W"),
            ("(?<value>\\d{2})", "1234"),
            ("P: (?<value>\\d+)", "P: 12.5 W"),
        ] {
            let problem = number(pattern, output).unwrap_err();
            assert!(problem.contains("another locale"), "{pattern} {output}: {problem}");
        }
        for output in ["N/A W", "nan W", "inf W", "- W", "[Not Supported] W"] {
            let problem = number("(?<value>\\S+) W", output).unwrap_err();
            assert!(problem.contains("is no number"), "{output}: {problem}");
        }
        assert!(number("(?<value>\\S+) W", "").unwrap_err().contains("no figure"));
    }

    /// What each tool prints for its list of devices and for a reading of the device named, as its maker documents it,
    /// and what is in it.
    struct Sample {
        id: &'static str,
        output: &'static str,
        device: &'static str,
        pci: Option<&'static str>,
        value: f64,
        devices: usize,
    }

    const SAMPLES: [Sample; 11] = [
        Sample {
            id: "npu-smi",
            output: include_str!("samples/npu-smi.txt"),
            device: "1",
            pci: Some("0000:01:00.0"),
            value: 95.4,
            devices: 2,
        },
        Sample {
            id: "cnmon",
            output: include_str!("samples/cnmon.txt"),
            device: "1",
            pci: Some("0000:3d:00.0"),
            value: 104.0,
            devices: 2,
        },
        Sample {
            id: "hy-smi",
            output: include_str!("samples/hy-smi.txt"),
            device: "1",
            pci: Some("0000:53:00.0"),
            value: 162.0,
            devices: 2,
        },
        Sample {
            id: "mthreads-gmi",
            output: include_str!("samples/mthreads-gmi.txt"),
            device: "0",
            pci: Some("0000:1c:00.0"),
            value: 36.67,
            devices: 2,
        },
        Sample {
            id: "mx-smi",
            output: include_str!("samples/mx-smi.txt"),
            device: "0000:0f:00.0",
            pci: Some("0000:0f:00.0"),
            value: 71.0,
            devices: 2,
        },
        Sample {
            id: "ixsmi",
            output: include_str!("samples/ixsmi.txt"),
            device: "1",
            pci: Some("0000:8a:00.0"),
            value: 96.0,
            devices: 2,
        },
        Sample {
            id: "xpu-smi",
            output: include_str!("samples/xpu-smi.txt"),
            device: "1",
            pci: Some("0000:9a:00.0"),
            value: 118.25,
            devices: 2,
        },
        Sample {
            id: "hl-smi",
            output: include_str!("samples/hl-smi.txt"),
            device: "1",
            pci: Some("0000:1a:00.0"),
            value: 102.0,
            devices: 2,
        },
        Sample {
            id: "rocm-smi",
            output: include_str!("samples/rocm-smi.txt"),
            device: "1",
            pci: Some("0000:43:00.0"),
            value: 141.0,
            devices: 2,
        },
        Sample {
            id: "amd-smi",
            output: include_str!("samples/amd-smi.txt"),
            device: "1",
            pci: Some("0000:26:00.0"),
            value: 1_204_417.375,
            devices: 2,
        },
        Sample {
            id: "ipmi-dcmi",
            output: include_str!("samples/ipmi-dcmi.txt"),
            device: "",
            pci: None,
            value: 220.0,
            devices: 1,
        },
    ];

    fn ready() -> Vec<CommandSource> {
        MeterConfig::parse(READY).unwrap().command
    }

    #[test]
    fn every_ready_entry_reads_its_tool_s_output() {
        let ready = ready();
        assert!(ready.iter().map(|source| source.id.as_str()).eq(SAMPLES.iter().map(|sample| sample.id)));
        for (source, sample) in ready.iter().zip(SAMPLES) {
            let listed = source.devices.as_ref().map(|list| lines(&list.pattern).unwrap());
            let found: Vec<_> = listed.iter().flat_map(|list| list.captures_iter(sample.output)).collect();
            if listed.is_some() {
                let names: Vec<_> = found.iter().map(|found| found["device"].to_owned()).collect();
                assert_eq!(found.len(), sample.devices, "{}: {names:?}", sample.id);
                let device = found.iter().find(|found| &found["device"] == sample.device);
                let device = device.unwrap_or_else(|| panic!("{}: {names:?}", sample.id));
                assert_eq!(pci_address(&device["pci"]).as_deref(), sample.pci, "{}", sample.id);
            }
            let pattern = source.pattern.replace(DEVICE, &regex::escape(sample.device));
            assert_eq!(number(&pattern, sample.output), Ok(sample.value), "{}", sample.id);
        }
    }

    #[test]
    fn a_ready_entry_takes_no_other_device_s_figure() {
        for (source, sample) in ready().iter().zip(SAMPLES) {
            let Some(_) = &source.devices else { continue };
            // Entries whose program is asked for one device print that one alone.
            if source.argv.iter().any(|word| word.contains(DEVICE)) && !source.pattern.contains(DEVICE) {
                continue;
            }
            let pattern = source.pattern.replace(DEVICE, "7");
            assert!(number(&pattern, sample.output).is_err(), "{}", sample.id);
        }
    }

    #[test]
    fn another_form_of_a_table_is_read_too() {
        let source = ready().into_iter().find(|source| source.id == "mx-smi").unwrap();
        let output = include_str!("samples/mx-smi-2.3.txt");
        let list = lines(&source.devices.as_ref().unwrap().pattern).unwrap();
        let device = list.captures(output).unwrap();
        assert_eq!(&device["device"], "0000:12:00.0");
        let pattern = source.pattern.replace(DEVICE, &regex::escape("0000:12:00.0"));
        assert_eq!(number(&pattern, output), Ok(37.0));
    }
}
