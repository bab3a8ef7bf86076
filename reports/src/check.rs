//! Whether a result file keeps its promises: beyond its form, what its lines say of each other.

mod energy;

use crate::roofline;
use crate::{Ceiling, Ceilings, EndStatus, Energy, ResultRow, RunFile, Status, Verify};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is wrong with a file, in words; nothing where it is sound.
pub fn check(file: &RunFile) -> Vec<String> {
    let mut problems = rows(file);
    check_end(file, &mut problems);
    problems
}

/// What is wrong with a file's ceilings and rows, however it ends.
pub fn rows(file: &RunFile) -> Vec<String> {
    let mut problems = Vec::new();
    let devices: BTreeSet<&str> = file.header.devices.iter().map(|device| device.id.as_str()).collect();
    let planned: BTreeSet<&str> = file.header.plan.cases.iter().map(String::as_str).collect();
    for of_device in &file.ceilings {
        let mut problem = |what: &str| problems.push(format!("the ceilings of {}: {what}", of_device.device));
        if !devices.contains(of_device.device.as_str()) {
            problem("the device is not in the header");
        }
        ceilings(of_device).into_iter().for_each(problem);
    }
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
        if let (Some(fill), Some(provenance)) = (&file.header.plan.fill, &row.provenance)
            && provenance.fill != *fill
        {
            problem("its inputs do not hold what the header says");
        }
        let of_energy = row.energy.iter().flat_map(|of_row| energy(row, of_row));
        let of_ceiling = row.ceiling.iter().flat_map(|of_row| ceiling(file, row, of_row));
        self::row(row).into_iter().chain(of_energy).chain(of_ceiling).for_each(problem);
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

/// What is wrong with a row by itself, but for its energy and its ceiling.
pub(crate) fn row(row: &ResultRow) -> Vec<&'static str> {
    let mut problems = Vec::new();
    check_row(row, &mut |problem| problems.push(problem));
    problems
}

/// What is wrong with a row's energy.
pub(crate) fn energy(row: &ResultRow, energy: &Energy) -> Vec<&'static str> {
    let mut problems = Vec::new();
    energy::check_row(row, energy, &mut |problem| problems.push(problem));
    problems
}

/// What is wrong with a device's ceilings.
pub(crate) fn ceilings(ceilings: &Ceilings) -> Vec<&'static str> {
    let mut problems = Vec::new();
    check_ceilings(ceilings, &mut |problem| problems.push(problem));
    problems
}

/// What is wrong with a row's ceiling.
pub(crate) fn ceiling(file: &RunFile, row: &ResultRow, ceiling: &Ceiling) -> Vec<&'static str> {
    let mut problems = Vec::new();
    check_ceiling(file, row, ceiling, &mut |problem| problems.push(problem));
    problems
}

fn check_row(row: &ResultRow, problem: &mut impl FnMut(&'static str)) {
    if row.status != Status::Ok {
        if row.reason.as_deref().is_none_or(str::is_empty) {
            problem("it is not ok and gives no reason");
        }
        if row.rate.is_some() || row.timing.is_some() || row.ceiling.is_some() {
            problem("it is not ok and has a rate");
        }
        return;
    }
    let (Some(verify), Some(timing), Some(rate), Some(work)) = (&row.verify, &row.timing, &row.rate, &row.work) else {
        return problem("it is ok without its verification, times, work or rate");
    };
    if !verified(verify) {
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

fn verified(verify: &Verify) -> bool {
    verify.checked > 0 && verify.max_error.is_some_and(|error| error <= verify.bound)
}

fn check_ceilings(ceilings: &Ceilings, problem: &mut impl FnMut(&'static str)) {
    let latency = &ceilings.latency;
    let small = [
        latency.smallest_upload_ns,
        latency.smallest_download_ns,
        latency.launch_round_trip_ns,
        latency.sustained_launches_per_s,
    ];
    let memory = || ceilings.memory.iter().chain(&ceilings.sweep);
    let numbers = ceilings
        .peaks
        .iter()
        .map(|peak| peak.flop_per_s)
        .chain(memory().flat_map(|point| [point.bytes_per_s, point.working_set_bytes as f64]))
        .chain(ceilings.transfers.iter().flat_map(|transfer| [transfer.bytes_per_s, transfer.bytes as f64]))
        .chain(ceilings.theoretical.iter().flat_map(|figure| [figure.value, figure.clock_mhz]))
        .chain(small.into_iter().flatten());
    if !numbers.into_iter().all(positive) {
        problem("a figure is not a positive number");
    }
    let verifies = ceilings.peaks.iter().map(|peak| &peak.verify).chain(memory().map(|point| &point.verify));
    if !verifies.into_iter().all(verified) {
        problem("a probe's output was not right");
    }
    if ceilings.missing.iter().any(|missing| missing.reason.is_empty()) {
        problem("something is missing and no reason is given");
    }
    if let Some(energy) = &ceilings.energy {
        energy::check_ceilings(energy, problem);
    }
}

fn check_ceiling(file: &RunFile, row: &ResultRow, ceiling: &Ceiling, problem: &mut impl FnMut(&'static str)) {
    let close = |one: f64, other: f64| (one / other - 1.0).abs() < 1e-9;
    let follows = |ceilings: &Ceilings| {
        roofline::of_row(ceilings, row, ceiling.unit).is_some_and(|expected| {
            close(expected.attainable_flop_per_s, ceiling.attainable_flop_per_s)
                && close(expected.peak_flop_per_s, ceiling.peak_flop_per_s)
                && close(expected.bandwidth_bytes_per_s, ceiling.bandwidth_bytes_per_s)
                && close(expected.intensity_flop_per_byte, ceiling.intensity_flop_per_byte)
                && close(expected.fraction, ceiling.fraction)
                && expected.bound_by == ceiling.bound_by
        })
    };
    if !file.ceilings.iter().filter(|ceilings| ceilings.device == row.device).any(follows) {
        problem("its ceiling does not follow from the ceilings of its device");
    }
    if let Some(vendor) = &ceiling.vendor {
        let case = |row: &ResultRow| row.case.replacen(&format!("/{}@", row.variant), "/@", 1);
        let named = |other: &&ResultRow| other.variant == vendor.variant && case(other) == case(row);
        let rate = file.results.iter().find(named).and_then(|other| other.rate);
        if rate.is_none_or(|rate| rate.flop_per_s.to_bits() != vendor.flop_per_s.to_bits()) {
            problem("the rate of the library beside it is not that of the library's row");
        }
    }
    if ceiling.is_exceeded() {
        problem("its rate is above its ceiling");
    }
}
