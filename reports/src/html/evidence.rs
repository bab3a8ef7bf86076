//! Every number with what it rests on: its samples, its verification and its command line.
//!
//! Here most of a page's bytes are, so here it is bounded: results are taken until their share is used up, and with many
//! results each shows fewer of its samples.

use super::number::{Scale, digits};
use super::{Page, fill, scroll};
use crate::inert::Text;
use crate::report::{Measured, Report, Row};
use crate::units::{self, percent};
use maud::{Markup, html};
use std::collections::{BTreeMap, HashSet};

/// Bytes that the results may take.
const BYTES: usize = 1_800_000;
/// Bytes of them that the samples may take.
const SAMPLES: usize = 300_000;
/// Bytes of a sample as it is shown.
const SAMPLE: usize = 6;
/// Samples that a result shows at least, where it has so many.
const LEAST: usize = 8;
/// Bytes of a result's mark-up and numbers.
const ROW: usize = 210;

/// The results that the page has room for: whether each row is one, and how many samples each shows.
pub(super) fn kept(report: &Report, is_shown: impl Fn(usize) -> bool) -> (Vec<bool>, usize) {
    let cells = report.cases.iter().flat_map(|case| &case.cells).filter(|cell| is_shown(cell.subject));
    let wanted: Vec<usize> = cells.flat_map(|cell| cell.measured.iter().copied()).collect();
    let samples = (SAMPLES / SAMPLE / wanted.len().max(1)).max(LEAST);
    let mut kept = vec![false; report.rows.len()];
    let mut commands: HashSet<(usize, &str)> = HashSet::new();
    let mut bytes = 0;
    for row in wanted {
        let found = report.row(row);
        let listed = found.measured.as_ref().map_or(0, |measured| measured.samples_ns.len().min(samples));
        bytes += ROW + listed * SAMPLE + report.label(found.subject).len() + found.variant.len();
        if let Some(command) = &found.command
            && commands.insert((found.case, command))
        {
            bytes += command.len() + 40;
        }
        if bytes > BYTES {
            break;
        }
        kept[row] = true;
    }
    (kept, samples)
}

pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = page.t;
    let report = page.report;
    let mut rows: Vec<usize> = (0..report.rows.len()).filter(|&row| page.evident[row]).collect();
    rows.sort_by_key(|&row| (report.row(row).case, report.row(row).subject, row));
    let measured = report.rows.iter().filter(|row| row.measured.is_some()).count();
    let case = |row: usize| &report.cases[report.row(row).case];
    let groups = rows.chunk_by(|&one, &other| case(one).op == case(other).op && case(one).dtype == case(other).dtype);
    html! {
        p { (t.evidence_how) }
        (page.left_out(measured - rows.len()))
        @for group in groups { (table(page, group)) }
    }
}

fn table(page: &Page<'_>, rows: &[usize]) -> Markup {
    let t = page.t;
    let report = page.report;
    let figures = || rows.iter().filter_map(|&row| report.row(row).measured.as_deref());
    let scale = Scale::of(figures().map(|measured| measured.flop_per_s));
    let unit = if figures().all(|measured| measured.median_ns < 1e6) { (1e3, "µs") } else { (1e6, "ms") };
    let Some(&first) = rows.first() else { return html! {} };
    let first = &report.cases[report.row(first).case];
    let (op, dtype): (&Text, &Text) = (&first.op, &first.dtype);
    let task = page.task(op, dtype);
    let table = html! {
        table class="sort ev" {
            caption class="vh" { (fill(t.evidence_caption, std::slice::from_ref(&task))) }
            thead { tr {
                th scope="col" { (page.c.device) }
                th scope="col" { (page.c.variant) }
                th scope="col" { (scale.unit(units::work_per_s(dtype))) }
                th scope="col" { (page.c.interval) }
                th scope="col" { (page.c.median) ", " (unit.1) }
                th scope="col" { (page.c.samples) }
                th scope="col" { (t.of_ceiling) }
                th scope="col" { (t.batch) }
                th scope="col" { (t.checked) }
                th scope="col" { (t.error_bound) }
                th scope="col" { (page.c.clock) }
            } }
            @for of_case in rows.chunk_by(|&one, &other| report.row(one).case == report.row(other).case) { (case(page, of_case, scale, unit)) }
        }
    };
    html! {
        details class={ "box " (page.group(op, dtype)) } {
            summary { (task) " · " (fill(t.results, &[rows.len().to_string()])) }
            (scroll(&task, &table))
        }
    }
}

/// The results of a case, under its shape and its command lines.
fn case(page: &Page<'_>, rows: &[usize], scale: Scale, unit: (f64, &str)) -> Markup {
    let report = page.report;
    let Some(&first) = rows.first() else { return html! {} };
    let case = &report.cases[report.row(first).case];
    let mut commands: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for row in rows.iter().map(|&row| report.row(row)) {
        if let Some(command) = &row.command {
            commands.entry(command).or_default().push(row.subject);
        }
    }
    html! {
        tbody {
            tr { th scope="rowgroup" colspan="11" {
                (case.shape) @if let Some(origin) = &case.origin { " · " span lang="en" { (origin) } } " · " (page.cache(case.cache)) " · " (case.fill)
                @if !commands.is_empty() {
                    details { summary { (page.t.commands) } ul { @for (command, subjects) in &commands { li {
                        @if subjects.len() < rows.len() && commands.len() > 1 && subjects.len() == 1 { (report.label(subjects[0])) ": " }
                        code { (command) }
                    } } } }
                }
            } }
            @for &index in rows {
                @let row = report.row(index);
                @if let Some(measured) = row.measured.as_deref() { (result(page, index, row, measured, scale, unit)) }
            }
        }
    }
}

fn result(page: &Page<'_>, index: usize, row: &Row, measured: &Measured, scale: Scale, unit: (f64, &str)) -> Markup {
    let [low, high] = measured.rate_interval();
    let verified = &measured.verified;
    html! {
        tr id={ "r" (index) } class=(page.d(row.subject)) {
            th scope="row" { (page.report.label(row.subject)) }
            td { (row.variant) }
            td { (scale.show(measured.flop_per_s)) }
            td { (scale.show(low)) "–" (scale.show(high)) }
            td { (digits(measured.median_ns / unit.0)) }
            td { (samples(page, measured, unit.0)) }
            td { @if let Some(ceiling) = &measured.ceiling { (percent(ceiling.fraction)) } }
            td { (measured.batch) " / " (measured.warmup_runs) @if !measured.steady { " !" } }
            td { (verified.checked) " " (verified.method) }
            td { (format!("{:.1e}", verified.max_error)) " ≤ " (format!("{:.1e}", verified.bound)) }
            td { (measured.clock) }
        }
    }
}

/// The samples in the order of measuring; of many, some that are evenly spaced, with the least and the greatest of all.
fn samples(page: &Page<'_>, measured: &Measured, factor: f64) -> Markup {
    let all = &measured.samples_ns;
    let count = all.len().min(page.samples);
    let listed: Vec<String> = (0..count).map(|at| digits(all[at * all.len() / count] / factor)).collect();
    let end = |pick: fn(f64, f64) -> f64| digits(all.iter().copied().reduce(pick).unwrap_or_default() / factor);
    html! {
        details {
            summary { (all.len()) }
            p { (listed.join(" ")) @if count < all.len() { " (" (end(f64::min)) "–" (end(f64::max)) ")" } }
        }
    }
}
