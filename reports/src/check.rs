//! Whether a result file keeps its promises: beyond its form, what its lines say of each other.

mod energy;

use crate::{EndStatus, ResultRow, RunFile, Status};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is wrong with a file, in words; nothing where it is sound.
pub fn check(file: &RunFile) -> Vec<String> {
    let mut problems = rows(file);
    check_end(file, &mut problems);
    problems
}

/// What is wrong with a file's rows, however it ends.
pub fn rows(file: &RunFile) -> Vec<String> {
    let mut problems = Vec::new();
    let devices: BTreeSet<&str> = file.header.devices.iter().map(|device| device.id.as_str()).collect();
    let planned: BTreeSet<&str> = file.header.plan.cases.iter().map(String::as_str).collect();
    let mut seen = BTreeSet::new();
    for row in &file.results {
        let mut problem = |what: &str| problems.push(format!("{}: {what}", row.case));
        if !seen.insert(row.case.as_str()) {
            problem("it has two rows");
        }
        if !planned.contains(row.case.as_str()) {
            problem("it is not in the header's plan");
        }
        if !devices.contains(row.device.as_str()) {
            problem("its device is not in the header");
        }
        check_row(row, &mut problem);
        if let Some(energy) = &row.energy {
            energy::check(row, energy, &mut problem);
        }
    }
    problems
}

fn check_end(file: &RunFile, problems: &mut Vec<String>) {
    match &file.end {
        None if file.torn => {
            problems.push("the last line was cut off: --resume goes on from the last whole row".into());
        }
        None => problems.push("there is no `end` line: the run was stopped hard, and --resume goes on".into()),
        Some(end) => {
            if end.counts != counts(&file.results) {
                problems.push("the `end` line's counts are not those of the rows".to_owned());
            }
            let seen: BTreeSet<&str> = file.results.iter().map(|row| row.case.as_str()).collect();
            let missing = file.header.plan.cases.iter().filter(|case| !seen.contains(case.as_str())).count();
            if end.status == EndStatus::Complete && missing > 0 {
                problems.push(format!("it is called complete, and {missing} cases of the plan have no row"));
            }
        }
    }
}

/// Rows by status; a status without rows is left out.
pub fn counts(rows: &[ResultRow]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row.status.name().to_owned()).or_insert(0) += 1;
    }
    counts
}

fn check_row(row: &ResultRow, problem: &mut impl FnMut(&str)) {
    if row.status != Status::Ok {
        if row.reason.as_deref().is_none_or(str::is_empty) {
            problem("it is not ok and gives no reason");
        }
        if row.rate.is_some() || row.timing.is_some() {
            problem("it is not ok and has a rate");
        }
        return;
    }
    let (Some(verify), Some(timing), Some(rate), Some(work)) = (&row.verify, &row.timing, &row.rate, &row.work) else {
        return problem("it is ok without its verification, times, work or rate");
    };
    if verify.checked == 0 || !verify.max_error.is_some_and(|error| error <= verify.bound) {
        problem("it is ok and its verification does not say so");
    }
    if timing.samples_ns.is_empty() || !timing.samples_ns.iter().all(|&ns| positive(ns)) {
        problem("a sample is not a time");
    }
    let [low, high] = timing.ci95_ns;
    if !(positive(timing.median_ns) && low <= timing.median_ns && timing.median_ns <= high) {
        problem("the median is outside its interval");
    }
    let rates = [(work.flop, rate.flop_per_s), (work.bytes, rate.bytes_per_s)];
    if rates.iter().any(|&(work, rate)| !positive(rate) || (rate * timing.median_ns * 1e-9 / work - 1.0).abs() > 1e-6) {
        problem("the rate is not the work divided by the median time");
    }
}

fn positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}
