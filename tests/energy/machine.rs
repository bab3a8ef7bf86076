//! A machine with the meters that a trial gives it, and what the program tells of them.

use accelbench_reports::{Energy, EnergyStatus, Line, ResultRow, Status, check};
use accelbench_tests::chip;
use accelbench_tests::program::{Program, Ran};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const QUICK: &str = "quick";
pub(crate) const FULL: &str = "full";

const PROGRAM: &str = env!("CARGO_BIN_EXE_accelbench-chip");

/// The mean power, and with it the joules of a run, may differ from the truth by this share.
const BAR: f64 = 0.005;
/// And those of one window, whose edges weigh more.
const WINDOW_BAR: f64 = 0.02;

/// When a counter that is to fail within a window does so: in the middle of the second and of the fourth one of the full
/// effort, which follow each other from the 18th second to the 69th.
pub(crate) const EARLY_S: f64 = 33.0;
pub(crate) const LATE_S: f64 = 53.0;

/// The machine. Without [`Machine::meters`] it has none.
pub(crate) struct Machine {
    program: Program,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let machine = Self { program: Program::new(PROGRAM).with("ACCELBENCH_METERS", "meters.toml") };
        machine.meters(&[], "");
        machine
    }

    /// With a variable in the environment of the program.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        Self { program: self.program.with(name, value) }
    }

    /// A folder of this machine.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.program.path(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Where its programs lie.
    pub(crate) fn programs(&self) -> PathBuf {
        self.folder("programs")
    }

    /// Has meters looked for in these places, beside those that are declared.
    pub(crate) fn meters(&self, places: &[(&str, &Path)], declared: &str) {
        let mut text = format!("{declared}\n[places]\nlimit_s = 2\nprograms = ['{}']\n", self.programs().display());
        for name in ["powercap", "hwmon", "nvml"] {
            let own = places.iter().find(|(place, _)| *place == name).map(|(_, path)| path.to_path_buf());
            let path = own.unwrap_or_else(|| self.program.path("nothing").join(name));
            writeln!(text, "{name} = '{}'", path.display()).unwrap();
        }
        std::fs::write(self.program.path("meters.toml"), text).unwrap();
    }

    /// The row of one case.
    pub(crate) fn row(&self, effort: &str) -> ResultRow {
        let arguments = arguments(effort);
        let ran = self.program.run(&arguments);
        self.only_row(&ran)
    }

    /// The same by a user who may not read everything. Root may, unless the right to is taken away.
    pub(crate) fn row_without_rights(&self, effort: &str) -> ResultRow {
        let mut command = Command::new(PROGRAM);
        let root = Command::new("id").arg("-u").output().expect("id").stdout == b"0\n";
        if root {
            command = Command::new("setpriv");
            command.args(["--bounding-set=-dac_override,-dac_read_search", PROGRAM]);
        }
        command.args(arguments(effort));
        let ran = self.program.start_other(command).finish();
        self.only_row(&ran)
    }

    /// The one row of a run that is whole, as the program printed it.
    fn only_row(&self, ran: &Ran) -> ResultRow {
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        assert_eq!(check::check(&self.program.file("run.jsonl")), Vec::<String>::new());
        let rows = ran.stdout.lines().filter_map(|line| match serde_json::from_str(line) {
            Ok(Line::Result(row)) => Some(*row),
            Ok(_) => None,
            Err(error) => panic!("{error}: {line}"),
        });
        let mut rows: Vec<_> = rows.collect();
        assert_eq!(rows.len(), 1, "{ran:#?}");
        let row = rows.remove(0);
        assert!(row.status == Status::Ok && row.rate.is_some(), "{row:#?}");
        row
    }
}

fn arguments(effort: &str) -> [&str; 11] {
    let case = "gemm:m=48,n=48,k=48";
    ["run", case, "--device", chip::DEVICE, "--dtype=f32", "--quick", "--energy", effort, "--json", "-o", "run.jsonl"]
}

fn energy(row: ResultRow) -> Energy {
    row.energy.expect("energy was asked for")
}

/// This meter told this power, and so did each window. What spoilt others is returned.
fn sound(row: ResultRow, meter: &str, watts: f64) -> Vec<String> {
    let energy = energy(row);
    assert_eq!(energy.status, EnergyStatus::Measured, "{energy:#?}");
    assert_eq!(energy.meter.as_ref().unwrap().id, meter);
    let figures = energy.figures.as_ref().unwrap();
    let off = |joules: f64, seconds: f64| joules / (watts * seconds) - 1.0;
    let run = off(figures.joules_per_run, figures.seconds_per_run);
    let mean = off(figures.mean_power_w, 1.0);
    let windows: Vec<f64> = figures.windows.iter().map(|window| off(window.joules, window.seconds)).collect();
    println!("{meter}: {:+.3} % of {watts} W, windows {windows:.4?}", 100.0 * run);
    assert!(run.abs() < BAR && mean.abs() < BAR, "{watts} W: {energy:#?}");
    assert!(!windows.is_empty() && windows.iter().all(|off| off.abs() < WINDOW_BAR), "{watts} W: {energy:#?}");
    figures.discarded.clone()
}

/// This meter told this power, and nothing spoilt a window.
pub(crate) fn measured(row: ResultRow, meter: &str, watts: f64) {
    assert_eq!(sound(row, meter, watts), Vec::<String>::new());
}

/// The same of a counter that fails within windows: they were taken again for reasons with these words and for no others.
/// On a busy machine windows come at other times, and what fails between two of them spoils none: such a run is repeated,
/// twice at most.
pub(crate) fn measured_but(run: impl Fn() -> ResultRow, meter: &str, watts: f64, reasons: &[&str]) {
    let once_more = |discarded: &Vec<String>| (discarded.len() < reasons.len()).then(|| format!("{discarded:?}"));
    let discarded = repeated(|| sound(run(), meter, watts), once_more);
    assert_eq!(discarded.len(), reasons.len(), "{discarded:?}");
    for (why, words) in discarded.iter().zip(reasons) {
        assert!(why.contains(words), "{discarded:?}");
    }
}

/// The same of a counter that a program of its own reads. On a busy machine such a program is held up between its reading
/// and its answer by more than the bar leaves room for, or by so much that no window can be long enough: such a run is
/// repeated, twice at most; one that is far off is not.
pub(crate) fn measured_by_program(run: impl Fn() -> ResultRow, meter: &str, watts: f64) {
    measured(repeated(run, |row| held_up(row.energy.as_ref()?, watts)), meter, watts);
}

/// What a run gives, or, where there is a reason to, another one: two of these at most.
fn repeated<T>(run: impl Fn() -> T, once_more: impl Fn(&T) -> Option<String>) -> T {
    let mut given = run();
    for _ in 0..2 {
        let Some(why) = once_more(&given) else { break };
        println!("{why}, once more");
        given = run();
    }
    given
}

fn held_up(energy: &Energy, watts: f64) -> Option<String> {
    let Some(figures) = &energy.figures else {
        return energy.reason.clone().filter(|reason| reason.contains("need a window of"));
    };
    let off = (figures.mean_power_w / watts - 1.0).abs();
    (BAR..=3.0 * BAR).contains(&off).then(|| format!("{:.2} % off", 100.0 * off))
}

/// There are no joules, for a reason with these words.
pub(crate) fn without(row: ResultRow, status: EnergyStatus, words: &str) {
    let energy = energy(row);
    assert_eq!(energy.status, status, "{energy:#?}");
    assert!(energy.reason.as_ref().is_some_and(|reason| reason.contains(words)), "{words}: {energy:#?}");
    assert!(energy.figures.is_none() && energy.estimate.is_none(), "{energy:#?}");
}

/// The meter failed for a reason with these words.
pub(crate) fn failed(row: ResultRow, words: &str) {
    without(row, EnergyStatus::Failed, words);
}

/// There is no meter, and what was tried says why with these words.
pub(crate) fn unavailable(row: ResultRow, words: &[&str]) {
    let tried = row.energy.as_ref().expect("energy was asked for").tried.clone();
    without(row, EnergyStatus::Unavailable, "no meter serves chip:0");
    assert!(tried.iter().any(|line| words.iter().all(|words| line.contains(words))), "{words:?}: {tried:#?}");
}
