//! Every number with what it rests on: its samples, its verification and its command line.

use super::number::{Scale, digits};
use super::{Page, RESULTS, fill};
use crate::inert::Text;
use crate::report::{Measured, Row};
use crate::svg;
use crate::units::{percent, time};
use maud::{Markup, html};

/// Bytes that all samples of a page may take: with few results, each shows all of its samples.
const SAMPLES: usize = 600_000;
/// Bytes of a sample as it is shown.
const SAMPLE: usize = 6;
/// Samples that a result shows at least, where it has so many.
const LEAST: usize = 8;

pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = page.t;
    let report = page.report;
    let mut rows: Vec<usize> = (0..report.rows.len()).filter(|&row| page.evident[row]).collect();
    rows.sort_by_key(|&row| (report.row(row).case, report.row(row).subject, row));
    let measured = report.rows.iter().filter(|row| row.measured.is_some()).count();
    let limit = (SAMPLES / SAMPLE / rows.len().max(1)).max(LEAST);
    let groups: Vec<&[usize]> = rows
        .chunk_by(|&one, &other| {
            let case = |row: usize| &report.cases[report.row(row).case];
            case(one).op == case(other).op && case(one).dtype == case(other).dtype
        })
        .collect();
    html! {
        p { (t.evidence_how) }
        @if measured > rows.len() { p class="note" { (fill(t.evidence_left_out, &[(measured - rows.len()).to_string(), RESULTS.to_string()])) } }
        @for group in groups { (table(page, group, limit)) }
    }
}

fn table(page: &Page<'_>, rows: &[usize], limit: usize) -> Markup {
    let t = page.t;
    let report = page.report;
    let figures = |row: usize| report.row(row).measured.as_deref();
    let scale = Scale::of(rows.iter().filter_map(|&row| Some(figures(row)?.flop_per_s)));
    let case = |row: &Row| &report.cases[row.case];
    let Some(&first) = rows.first() else { return html! {} };
    let (op, dtype): (&Text, &Text) = (&case(report.row(first)).op, &case(report.row(first)).dtype);
    let task = page.task(op, dtype);
    let table = html! {
        table class="sort ev" {
            caption class="vh" { (fill(t.evidence_caption, &[task.clone()])) }
            thead { tr {
                th scope="col" { (page.c.shape) }
                th scope="col" class="w" { (page.c.device) }
                th scope="col" class="w" { (page.c.variant) }
                th scope="col" { (scale.unit("FLOP/s")) }
                th scope="col" { (page.c.interval) }
                th scope="col" class="w" { (page.c.samples) }
                th scope="col" { (t.median_time) }
                th scope="col" { (t.of_ceiling) }
                th scope="col" { (t.checked) }
                th scope="col" { (t.error_bound) }
                th scope="col" class="w" { (page.c.clock) }
            } }
            tbody {
                @for &index in rows {
                    @let row = report.row(index);
                    @if let Some(measured) = figures(index) {
                        @let [low, high] = measured.rate_interval();
                        @let ns = measured.median_ns;
                        tr id={ "r" (index) } class=(page.d(row.subject)) {
                            th scope="row" { (case(row).shape) }
                            td class="w" { (page.report.label(row.subject)) }
                            td class="w" { (row.variant) }
                            td { (scale.show(measured.flop_per_s)) }
                            td { (scale.show(low)) "–" (scale.show(high)) }
                            td class="w" { (samples(page, row, measured, limit)) }
                            td data-v=(digits(ns)) { (time(ns)) }
                            td { @if let Some(ceiling) = &measured.ceiling { (percent(ceiling.fraction)) } }
                            td { (measured.verified.checked) }
                            td { (format!("{:.1e}", measured.verified.max_error)) " ≤ " (format!("{:.1e}", measured.verified.bound)) }
                            td class="w" { (measured.clock) }
                        }
                    }
                }
            }
        }
    };
    html! {
        details class={ "box " (page.group(op, dtype)) } {
            summary { (task) " · " (fill(t.results, &[rows.len().to_string()])) }
            (Page::scroll(&task, &table))
        }
    }
}

/// The samples, what surrounded them, and the command that gives them again.
fn samples(page: &Page<'_>, row: &Row, measured: &Measured, limit: usize) -> Markup {
    let t = page.t;
    let all = &measured.samples_ns;
    let shown: Vec<f64> =
        if all.len() <= limit { all.clone() } else { (0..limit).map(|at| all[at * all.len() / limit]).collect() };
    let [low, high] = [f64::min, f64::max].map(|pick| all.iter().copied().reduce(pick).unwrap_or_default());
    let (factor, unit) = match measured.median_ns {
        ns if ns < 1e3 => (1.0, "ns"),
        ns if ns < 1e6 => (1e3, "µs"),
        ns if ns < 1e9 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    let listed: Vec<String> = shown.iter().map(|ns| digits(ns / factor)).collect();
    html! {
        details {
            summary { (all.len()) }
            @if shown.len() > LEAST { (svg::spark(&shown)) }
            p {
                (unit) ": " (listed.join(" "))
                @if shown.len() < all.len() { " " (fill(t.samples_some, &[shown.len().to_string(), digits(low / factor), digits(high / factor)])) }
            }
            p { (fill(if measured.steady { t.batch } else { t.batch_unsteady }, &[measured.batch.to_string(), measured.warmup_runs.to_string()])) " " (measured.verified.method) }
            @if let Some(command) = &row.command { code { (command) } }
        }
    }
}
