//! `accelbench show`: what a result file holds.

use super::exit::UserError;
use super::report;
use super::term::{self, BAD, FAINT, GOOD, STRONG, styled};
use accelbench_reports::report::{Ended, Row};
use accelbench_reports::{LoadOptions, Report, Status, json, units};
use comfy_table::{CellAlignment, Table, presets};
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn show(path: &Path, as_json: bool) -> Result<ExitCode, UserError> {
    let report = report::read(&[path.to_owned()], &LoadOptions { strict: true, ..LoadOptions::default() })?;
    if as_json {
        let mut text = Vec::new();
        json::write(&report, &mut text).map_err(UserError::new)?;
        term::print(&String::from_utf8_lossy(&text))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = header(&report);
    for subject in 0..report.subjects.len() {
        let _ = writeln!(out, "\n{}", device(&report, subject));
        let _ = writeln!(out, "{}", rows(&report, subject));
    }
    out += &statuses(&report);
    term::print(&out)?;
    Ok(ExitCode::SUCCESS)
}

fn header(report: &Report) -> String {
    let run = &report.runs[0];
    let mut out = String::new();
    let mut line = |what: &str, value: &str| {
        let _ = writeln!(out, "{what:12} {value}");
    };
    line("run", &run.run_id);
    line("started", &run.started);
    let commit = run.git_commit.as_deref().unwrap_or("commit not known");
    let dirty = if run.git_dirty == Some(true) { ", changed" } else { "" };
    line("accelbench", &format!("{} ({commit}{dirty})", run.suite_version));
    line("command", &run.argv.join(" "));
    let host = &run.host;
    let memory = units::bytes(host.memory_bytes);
    let name = host.hostname.as_deref().unwrap_or("unnamed");
    line(
        "host",
        &format!("{name}: {}, {} threads, {memory}, {}", host.cpu, host.threads, host.os.as_deref().unwrap_or("")),
    );
    line("profile", &format!("{}, {} caches, seed {}", run.profile, run.cache.name(), run.seed));
    let ended = match run.ended {
        Ended::Complete => styled(GOOD, "complete"),
        Ended::Interrupted => styled(BAD, "interrupted"),
        Ended::Cut => styled(BAD, "cut off"),
    };
    line("ended", &format!("{ended}, {} of {} cases", run.rows, run.planned));
    for problem in &run.problems {
        line("problem", problem);
    }
    if run.more_problems > 0 {
        line("", &format!("and {} more; see `accelbench check`", run.more_problems));
    }
    out
}

fn device(report: &Report, subject: usize) -> String {
    let of = &report.subjects[subject];
    let probed =
        of.ceilings.as_ref().map_or("ceilings not probed".to_owned(), |of| format!("ceilings probed {}", of.probed));
    format!("{}  {}  {}", styled(STRONG, &of.device), of.name, styled(FAINT, &format!("{}; {probed}", of.driver)))
}

/// The rows with figures, and those with faults: of the rest, their number is enough.
fn rows(report: &Report, subject: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["kernel", "type", "shape", "variant", "median", "95% interval", "rate", "of ceiling"]);
    for row in report.rows.iter().filter(|row| row.subject == subject) {
        if row.measured.is_some() || row.status.is_fault() {
            let case = &report.cases[row.case];
            let key = [&case.op, &case.dtype, &case.shape, &row.variant].map(ToString::to_string);
            table.add_row(key.into_iter().chain(figures(row, &case.dtype)));
        }
    }
    for column in table.column_iter_mut().skip(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn figures(row: &Row, dtype: &str) -> [String; 4] {
    let Some(measured) = &row.measured else {
        return [
            row.status.name().to_owned(),
            row.reason.as_deref().unwrap_or("").to_owned(),
            String::new(),
            String::new(),
        ];
    };
    let [low, high] = measured.ci95_ns.map(units::time);
    let share = measured.ceiling.as_ref().map_or(String::new(), |ceiling| units::percent(ceiling.fraction));
    [units::time(measured.median_ns), format!("{low} – {high}"), units::rate(measured.flop_per_s, dtype), share]
}

/// Rows by status and reason, without those that have figures.
fn statuses(report: &Report) -> String {
    let mut out = String::new();
    for status in Status::ALL {
        let rows = report.rows.iter().filter(|row| row.status == status).count();
        if rows > 0 {
            let _ = write!(out, "{rows} {status}  ");
        }
    }
    out = format!("\n{}\n", out.trim_end());
    let mut reasons: Vec<(&str, &str, usize)> = Vec::new();
    for row in report.rows.iter().filter(|row| row.measured.is_none() && !row.status.is_fault()) {
        let reason = (row.status.name(), row.reason.as_deref().unwrap_or("no reason given"));
        match reasons.iter_mut().find(|known| (known.0, known.1) == reason) {
            Some(known) => known.2 += 1,
            None => reasons.push((reason.0, reason.1, 1)),
        }
    }
    for (status, reason, rows) in reasons {
        let _ = writeln!(out, "  {rows:4} {status}: {reason}");
    }
    out
}
