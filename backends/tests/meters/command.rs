//! Programs that print a figure.

use crate::fakes::tool;
use crate::{found, only};
use accelbench_backends::meters::{MeterConfig, MeterError, Serves};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A folder with a stand-in for each maker's tool that prints what the tool would.
fn tools(folder: &Path) {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for sample in fs::read_dir(crate_folder.join("src/meters/samples")).unwrap() {
        let sample = sample.unwrap().path();
        let name = sample.file_stem().unwrap().to_str().unwrap();
        let name = if name == "ipmi-dcmi" { "ipmitool" } else { name };
        tool(folder, name);
        fs::copy(&sample, folder.join(format!("{name}.txt"))).unwrap();
    }
}

#[test]
fn every_maker_s_tool_is_a_meter_of_each_device() {
    let folder = tempfile::tempdir().unwrap();
    tools(folder.path());
    let mut config = only(folder.path(), "");
    config.places.programs = vec![folder.path().to_owned()];
    let (mut meters, absences) = found(&config);
    let mut told: Vec<(String, f64)> = meters
        .iter_mut()
        .map(|meter| {
            let reading = meter.read().unwrap();
            let serves = match &meter.info().serves {
                Serves::Chip(chip) => chip.pci.clone().unwrap(),
                Serves::Machine => "machine".to_owned(),
                other => panic!("{other:?}"),
            };
            (format!("{} {serves}", meter.info().id), reading.watts.or(reading.joules).unwrap())
        })
        .collect();
    told.sort_by(|a, b| a.0.cmp(&b.0));
    let told: Vec<_> = told.iter().map(|(meter, value)| (meter.as_str(), *value)).collect();
    assert_eq!(
        told,
        [
            ("amd-smi:1 0000:26:00.0", 1_204_417.375),
            ("cnmon:0 0000:39:00.0", 106.0),
            ("cnmon:1 0000:3d:00.0", 104.0),
            ("hl-smi:0 0000:19:00.0", 98.0),
            ("hl-smi:1 0000:1a:00.0", 102.0),
            ("hy-smi:0 0000:33:00.0", 157.0),
            ("hy-smi:1 0000:53:00.0", 162.0),
            ("ipmi-dcmi machine", 220.0),
            ("ixsmi:1 0000:8a:00.0", 96.0),
            ("mthreads-gmi:0 0000:1c:00.0", 36.67),
            ("mthreads-gmi:1 0000:1d:00.0", 36.67),
            ("mx-smi:0000:0e:00.0 0000:0e:00.0", 69.0),
            ("mx-smi:0000:0f:00.0 0000:0f:00.0", 71.0),
            ("npu-smi:0 0000:c1:00.0", 93.6),
            ("npu-smi:1 0000:01:00.0", 95.4),
            ("rocm-smi:0 0000:03:00.0", 35.0),
            ("rocm-smi:1 0000:43:00.0", 141.0),
            ("xpu-smi:1 0000:9a:00.0", 118.25),
        ]
    );
    let said: Vec<_> = absences.iter().map(|(reason, _)| reason.to_string()).collect();
    assert!(said.iter().any(|reason| reason.contains("ixsmi") && reason.contains("`N/A` is no number")), "{said:?}");
}

/// A meter that runs a shell's script; the shell is the program, so what is declared is what runs.
fn shell(id: &str, script: &str, rest: &str) -> String {
    format!(
        "[[command]]\nid = '{id}'\nargv = ['sh', '-c', '''{script}''']\nscope = 'node'\nserves = 'machine'\n{rest}\n"
    )
}

fn with_shell(nothing: &Path, text: &str) -> MeterConfig {
    let mut config = only(nothing, text);
    config.places.programs = vec![PathBuf::from("/bin")];
    config
}

#[test]
fn units_become_watts_and_joules() {
    let nothing = tempfile::tempdir().unwrap();
    let pattern = "pattern = '^P (?<value>\\S+)$'";
    let units = [("W", "12.5"), ("mW", "12500"), ("J", "7"), ("mJ", "7000"), ("kWh", "2")];
    let text: String = units
        .map(|(unit, value)| shell(unit, &format!("echo P {value}"), &format!("unit = '{unit}'\n{pattern}")))
        .concat();
    let (mut meters, _) = found(&with_shell(nothing.path(), &text));
    let told: Vec<_> = meters.iter_mut().map(|meter| meter.read().unwrap()).map(|r| (r.watts, r.joules)).collect();
    let watts = (Some(12.5), None);
    assert_eq!(told, [watts, watts, (None, Some(7.0)), (None, Some(7.0)), (None, Some(7.2e6))]);
}

#[test]
fn what_hangs_fails_or_speaks_otherwise_gives_its_reason_and_no_watt() {
    let nothing = tempfile::tempdir().unwrap();
    let unit = "unit = 'W'\npattern = '(?<value>\\S+) W'";
    let text = [
        shell("hangs", "sleep 60", &format!("limit_s = 0.5\n{unit}")),
        shell("fails", "echo cannot open the device >&2; exit 3", unit),
        shell("garbage", "head -c 200 /dev/urandom | tr -d W", unit),
        shell("silent", "true", unit),
        shell("comma", "echo 12,5 W", unit),
        shell("zero", "echo 0 W", unit),
        shell("none", "echo N/A W", unit),
        shell("endless", "yes", unit),
        shell("gone", "true", unit).replace("'sh'", "'no-such-tool'"),
    ];
    let start = Instant::now();
    let (meters, absences) = found(&with_shell(nothing.path(), &text.concat()));
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert_eq!(meters.len(), 0);
    let said: Vec<_> = absences.iter().map(|(reason, _)| reason.to_string()).collect();
    for (index, problem) in [
        "no answer within 1 s",
        "cannot open the device",
        "no figure in",
        "no figure in ``",
        "another locale",
        "0 W can't be",
        "`N/A` is no number",
        "more than",
        "no-such-tool: not found",
    ]
    .into_iter()
    .enumerate()
    {
        // The first three answers are those of the library and the trees.
        assert!(said[3 + index].contains(problem), "{problem}: {said:#?}");
    }
    assert!(absences.iter().all(|(_, hint)| !hint.is_empty()));
}

#[test]
fn a_meter_that_breaks_later_gives_errors_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("power");
    fs::write(&file, "33 W").unwrap();
    let unit = "unit = 'W'\npattern = '(?<value>\\S+) W'";
    let (mut meters, _) = found(&with_shell(folder.path(), &shell("p", &format!("cat {}", file.display()), unit)));
    let [meter] = &mut meters[..] else { panic!("one meter") };
    fs::write(&file, "??").unwrap();
    assert!(matches!(meter.read(), Err(MeterError::Garbage { .. })));
    fs::write(&file, "34 W").unwrap();
    assert_eq!(meter.read().unwrap().watts, Some(34.0));
}

#[test]
fn an_own_declaration_takes_a_ready_one_s_place() {
    let nothing = tempfile::tempdir().unwrap();
    let text = shell("ipmi-dcmi", "echo 5 W", "unit = 'W'\npattern = '(?<value>\\S+) W'");
    let (mut meters, absences) = found(&with_shell(nothing.path(), &text));
    let [meter] = &mut meters[..] else { panic!("one meter") };
    assert_eq!(meter.read().unwrap().watts, Some(5.0));
    let said = absences.last().unwrap().0.to_string();
    assert!(said.contains("npu-smi") && !said.contains("ipmi"), "{said}");
}
