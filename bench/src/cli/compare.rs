//! `accelbench compare`: how many times as fast one device or run is as another.

use super::args::CompareArgs;
use super::exit::UserError;
use super::report;
use super::term::{self, FAINT, STRONG, styled};
use accelbench_reports::report::{Comparison, Ratio};
use accelbench_reports::text::Lang;
use accelbench_reports::{LoadOptions, Report, units};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

pub(super) fn compare(options: &CompareArgs) -> Result<ExitCode, UserError> {
    let mut runs: Vec<PathBuf> = Vec::new();
    for run in &options.runs {
        if !runs.contains(run) {
            runs.push(run.clone());
        }
    }
    let report = report::read(&runs, &LoadOptions { strict: true, ..LoadOptions::default() })?;
    let chosen = Chosen::of(&report, &options.device)?;
    if options.format.json {
        let pairs: Vec<Value> = chosen.pairs.iter().map(|&(first, second)| pair_json(&report, first, second)).collect();
        term::print(&format!("{:#}\n", Value::from(pairs)))?;
        return Ok(ExitCode::SUCCESS);
    }
    for &subject in &chosen.unmatched {
        let run = &report.runs[report.subjects[subject].run].file;
        term::note(&format!("{} of {run} has no counterpart", report.label(subject)));
    }
    for &(first, second) in &chosen.pairs {
        term::print(&pair_text(&report, first, second, options.cases))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Which subjects are held against each other.
struct Chosen {
    pairs: Vec<(usize, usize)>,
    /// Subjects of later runs that have no counterpart in the first.
    unmatched: Vec<usize>,
}

impl Chosen {
    fn of(report: &Report, devices: &[String]) -> Result<Self, UserError> {
        let runs = report.runs.len();
        let find = |run: usize, device: &str| {
            let mut subjects = report.subjects.iter();
            subjects.position(|subject| subject.run == run && &*subject.device == device).ok_or_else(|| {
                let there = report.subjects.iter().filter(|subject| subject.run == run);
                let there = there.map(|subject| &*subject.device).collect::<Vec<_>>().join(", ");
                UserError(format!("{}: no results of `{device}`; it has {there}", report.runs[run].file))
            })
        };
        let places: Vec<(usize, &str)> = match devices {
            [] if runs < 2 => {
                return Err(UserError("name two runs, or two devices of the run with --device".to_owned()));
            }
            [] => return Ok(Self::matched(report)),
            [_] if runs < 2 => return Err(UserError("name a second device of the run, or a second run".to_owned())),
            [device] => (0..runs).map(|run| (run, device.as_str())).collect(),
            devices if runs == 1 => devices.iter().map(|device| (0, device.as_str())).collect(),
            devices if devices.len() == runs => devices.iter().map(String::as_str).enumerate().collect(),
            devices => {
                return Err(UserError(format!(
                    "{} devices for {runs} runs: name one for all, or one for each",
                    devices.len()
                )));
            }
        };
        let subjects = places.into_iter().map(|(run, device)| find(run, device)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { pairs: subjects[1..].iter().map(|&other| (subjects[0], other)).collect(), unmatched: Vec::new() })
    }

    /// Each subject of the later runs with the one of the first run that it is: the same chip through the same API, else
    /// the same id, else the only ones there are.
    fn matched(report: &Report) -> Self {
        let of_run = |run: usize| report.subjects.iter().enumerate().filter(move |(_, subject)| subject.run == run);
        let base: Vec<_> = of_run(0).collect();
        let (mut pairs, mut unmatched) = (Vec::new(), Vec::new());
        for run in 1..report.runs.len() {
            let alone = base.len() == 1 && of_run(run).count() == 1;
            for (other, subject) in of_run(run) {
                let same_chip = base.iter().filter(|(_, one)| one.chip == subject.chip && one.api == subject.api);
                let same_driver = same_chip.clone().find(|(_, one)| one.driver == subject.driver);
                let same_id = base.iter().find(|(_, one)| one.device == subject.device);
                let found = same_driver.or(same_id).or(same_chip.clone().next()).or(base.first().filter(|_| alone));
                match found {
                    Some(&(first, _)) => pairs.push((first, other)),
                    None => unmatched.push(other),
                }
            }
        }
        Self { pairs, unmatched }
    }
}

fn pair_json(report: &Report, first: usize, second: usize) -> Value {
    let side = |subject: usize| {
        let of = &report.subjects[subject];
        json!({ "label": of.label, "device": of.device, "run": report.runs[of.run].file, "run_id": report.runs[of.run].run_id })
    };
    let groups = report.compare(first, second).into_iter().map(|one| {
        let shape = |&case: &usize| report.cases[case].shape.clone();
        let cases = one.cases.iter().map(|case| {
            let [a, b] = [case.first, case.second].map(|row| report.row(row));
            let time = |row: &accelbench_reports::report::Row| {
                row.measured
                    .as_ref()
                    .map(|measured| json!({ "median_ns": measured.median_ns, "ci95_ns": measured.ci95_ns }))
            };
            json!({
                "shape": shape(&case.case), "ratio": case.ratio, "verdict": case.ratio.verdict(),
                "first": { "case": a.id, "time": time(a), "command": a.command },
                "second": { "case": b.id, "time": time(b), "command": b.command },
            })
        });
        json!({
            "op": one.op, "dtype": one.dtype, "fill": one.fill, "cache": one.cache, "clock": one.clock,
            "mean": one.mean, "verdict": one.mean.map(|mean| mean.ratio.verdict()), "cases": cases.collect::<Vec<_>>(),
            "only_first": one.only_first.iter().map(shape).collect::<Vec<_>>(),
            "only_second": one.only_second.iter().map(shape).collect::<Vec<_>>(),
        })
    });
    json!({ "first": side(first), "second": side(second), "comparisons": groups.collect::<Vec<_>>() })
}

fn pair_text(report: &Report, first: usize, second: usize, cases: bool) -> String {
    let comparisons = report.compare(first, second);
    let mut out = String::new();
    let name = |subject: usize| styled(STRONG, report.label(subject));
    let _ = writeln!(out, "{} against {}", name(second), name(first));
    if comparisons.iter().all(|one| one.cases.is_empty()) {
        let _ = writeln!(out, "They have no measured case in common.\n");
        return out;
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["kernel", "type", "clock", "cases", "speed", "95% interval", "", "missing"]);
    for one in &comparisons {
        let missing = one.only_first.len() + one.only_second.len();
        let missing = if missing > 0 { missing.to_string() } else { String::new() };
        let head =
            [one.op.to_string(), one.dtype.to_string(), one.clock.name().to_owned(), one.cases.len().to_string()];
        let ratio =
            one.mean.map_or_else(|| vec!["-".to_owned(), String::new(), String::new()], |mean| ratio(mean.ratio));
        table.add_row(head.into_iter().chain(ratio).chain([missing]));
        if cases {
            add_cases(report, &mut table, one);
        }
    }
    for column in table.column_iter_mut().skip(3).take(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let _ = writeln!(out, "{table}");
    let note = "Speed is the second one's as a multiple of the first one's: the geometric mean over common cases.";
    let _ = writeln!(out, "{}\n", styled(FAINT, note));
    out
}

fn add_cases(report: &Report, table: &mut Table, one: &Comparison) {
    for case in &one.cases {
        let [a, b] = [case.first, case.second].map(|row| &report.row(row).variant);
        let variants = if a == b { a.to_string() } else { format!("{a} → {b}") };
        let shape = format!("  {}", report.cases[case.case].shape);
        let head = [shape, variants, String::new(), String::new()];
        table.add_row(head.into_iter().chain(ratio(case.ratio)).chain([String::new()]));
    }
}

/// A ratio, its interval and what it says.
fn ratio(ratio: Ratio) -> Vec<String> {
    let verdict = (Lang::En.texts().names.verdict)(ratio.verdict());
    let interval = format!("{} – {}", units::ratio(ratio.low), units::ratio(ratio.high));
    vec![units::ratio(ratio.value), interval, verdict.to_owned()]
}
