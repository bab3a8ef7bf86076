//! Devices side by side: for each operation and type, the order over all common cases and the rates of each case.

use super::number::Scale;
use super::{Page, answer, fill, scroll};
use crate::inert::Text;
use crate::report::{Case, ClockKind, Standing};
use crate::units;
use maud::{Markup, html};

/// Cases that a table shows at most.
const CASES: usize = 200;

pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = page.t;
    let mut groups: Vec<Vec<&Standing>> = Vec::new();
    for standing in &page.report.standings {
        let same = |group: &&mut Vec<&Standing>| {
            group.first().is_some_and(|first| {
                first.op == standing.op
                    && first.dtype == standing.dtype
                    && first.cache == standing.cache
                    && first.fill == standing.fill
            })
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(standing),
            None => groups.push(vec![standing]),
        }
    }
    let op = |at: usize| groups[at].first().map(|standing| &standing.op);
    html! {
        p { (t.sides_how) }
        @for (at, group) in groups.iter().enumerate() {
            @if let Some(first) = group.first() {
                @if at == 0 || op(at) != op(at - 1) {
                    h3 class=(only_op(page, &first.op)) { (page.op(&first.op)) }
                }
                div class=(page.group(&first.op, &first.dtype)) {
                    h4 { (page.task(&first.op, &first.dtype)) @if repeated(&groups, first) { " – " (page.cache(first.cache)) (t.comma) (first.fill) } }
                    @for standing in group.iter().filter(|standing| standing.ranks.len() > 1) { (answer::bars(page, standing)) }
                    (rates(page, group))
                }
            }
        }
    }
}

fn only_op(page: &Page<'_>, op: &Text) -> String {
    page.ops.iter().position(|known| known == op).map_or_else(String::new, |at| format!("o{at}"))
}

/// Whether another group has the same operation and type, so that conditions must tell them apart.
fn repeated(groups: &[Vec<&Standing>], one: &Standing) -> bool {
    groups.iter().filter(|group| group[0].op == one.op && group[0].dtype == one.dtype).count() > 1
}

/// The rate of each subject in each case. A subject timed by two kinds of clock has two columns.
fn rates(page: &Page<'_>, group: &[&Standing]) -> Markup {
    let t = page.t;
    let report = page.report;
    let columns: Vec<(usize, ClockKind)> = group
        .iter()
        .filter_map(|standing| Some((standing, standing.clock?)))
        .flat_map(|(standing, kind)| {
            let mut subjects: Vec<usize> =
                standing.ranks.iter().map(|rank| rank.subject).filter(|&subject| page.is_shown(subject)).collect();
            subjects.sort_unstable();
            subjects.into_iter().map(move |subject| (subject, kind))
        })
        .collect();
    let mut cases: Vec<usize> = group.iter().flat_map(|standing| standing.cases.iter().copied()).collect();
    cases.sort_unstable();
    cases.dedup();
    let rate = |case: &Case, (subject, kind): (usize, ClockKind)| {
        let row = report.fastest(case.cell(subject)?, kind)?;
        Some((row, report.row(row).measured.as_deref()?))
    };
    let all = || cases.iter().map(|&case| &report.cases[case]);
    let scale = Scale::of(
        all().flat_map(|case| columns.iter().filter_map(move |&column| Some(rate(case, column)?.1.flop_per_s))),
    );
    let best = |case: &Case, kind: ClockKind| {
        columns
            .iter()
            .filter(|column| column.1 == kind)
            .filter_map(|&column| rate(case, column))
            .map(|(_, measured)| measured.flop_per_s)
            .fold(0.0, f64::max)
    };
    let compared = |kind: ClockKind| columns.iter().filter(|column| column.1 == kind).count() > 1;
    let Some(first) = group.first() else { return html! {} };
    let caption =
        fill(t.rates_caption, &[page.task(&first.op, &first.dtype), scale.unit(units::work_per_s(&first.dtype))]);
    let table = html! {
        table class="sort" {
            caption { (caption) small { (t.rates_how) } }
            thead { tr {
                th scope="col" { (page.c.shape) }
                @for &(subject, kind) in &columns { th scope="col" class=(page.d(subject)) { (page.name(subject)) small { (page.clock(kind)) } } }
            } }
            tbody {
                @for case in all().take(CASES) {
                    tr {
                        th scope="row" { (case.shape) @if let Some(origin) = &case.origin { small class="muted" lang="en" { (origin) } } }
                        @for &column in &columns {
                            @match rate(case, column) {
                                Some((row, measured)) => {
                                    @let [low, high] = measured.rate_interval();
                                    @let figure = page.figure(row, &scale.show(measured.flop_per_s));
                                    td class=(page.d(column.0)) {
                                        @if compared(column.1) && measured.flop_per_s >= best(case, column.1) { b class="first" { (figure) } } @else { (figure) }
                                        small { (scale.show(low)) "–" (scale.show(high)) }
                                    }
                                }
                                None => td class={ "none " (page.d(column.0)) } { (missing(page, case, column.0)) },
                            }
                        }
                    }
                }
            }
        }
    };
    html! { (scroll(&caption, &table)) (page.left_out(cases.len().saturating_sub(CASES))) }
}

/// Why a subject has no figure in a case.
fn missing(page: &Page<'_>, case: &Case, subject: usize) -> &'static str {
    match case.cell(subject) {
        None => page.x.names.not_run,
        Some(cell) if !cell.measured.is_empty() => page.t.other_clock,
        Some(cell) => {
            cell.missing.first().map_or(page.x.names.not_run, |&row| page.status(page.report.row(row).status))
        }
    }
}
