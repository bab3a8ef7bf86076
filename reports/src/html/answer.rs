//! The head of the page: the answer in words, one picture, and who is ahead at what.

use super::number::{digits, times};
use super::{Page, fill, scroll};
use crate::report::{Finding, Rank, Standing, Verdict};
use crate::{svg, units};
use maud::{Markup, html};

pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = page.t;
    let Some(head) = headline(page) else {
        return html! { h1 id="h-answer" { (t.no_figures) } p class="how" { (t.no_figures_why) } (rejected(page)) };
    };
    html! {
        h1 id="h-answer" { (sentence(page, head)) }
        @for line in how(page, head) { p class="how" { (line) } }
        (nothing_in_common(page))
        (rejected(page))
        div class="pair" {
            (bars(page, head))
            (leaders(page))
        }
        (page.left_out(page.report.subjects.len() - page.shown.len()))
    }
}

/// What the page opens with: the first standing that compares anything, or else the first.
fn headline<'a>(page: &Page<'a>) -> Option<&'a Standing> {
    let standings = &page.report.standings;
    standings
        .iter()
        .find(|standing| standing.ranks.first().is_some_and(|rank| rank.over_next.is_some()))
        .or(standings.first())
}

/// Who is fastest, by how much.
fn sentence(page: &Page<'_>, standing: &Standing) -> String {
    let task = page.task(&standing.op, &standing.dtype);
    let label = |subject| page.report.label(subject).to_owned();
    match standing.finding() {
        Some(Finding::Ahead { first, second, by }) => {
            fill(page.t.fastest, &[task, label(first), times(by.ratio.value), label(second)])
        }
        Some(Finding::Even { first, second, .. }) => fill(page.t.no_difference, &[task, label(first), label(second)]),
        Some(Finding::Apart { first, second }) => fill(page.t.not_common, &[task, label(first), label(second)]),
        Some(Finding::Alone { first, .. }) => {
            let rate = standing.ranks.first().map_or_else(String::new, |rank| best_rate(page, rank));
            fill(page.t.alone, &[task, label(first), rate])
        }
        None => page.t.no_figures.to_owned(),
    }
}

fn best_rate(page: &Page<'_>, rank: &Rank) -> String {
    let row = page.report.row(rank.best);
    let dtype = &page.report.cases[row.case].dtype;
    row.measured.as_ref().map_or_else(String::new, |measured| units::rate(measured.flop_per_s, dtype))
}

/// How sure that is, and what it cost in energy.
fn how(page: &Page<'_>, standing: &Standing) -> Vec<String> {
    let t = page.t;
    let mut lines = Vec::new();
    if let Some(mean) = standing.ranks.first().and_then(|rank| rank.over_next.as_ref()) {
        let [low, high] = [mean.ratio.low, mean.ratio.high].map(times);
        lines.push(fill(t.how_sure, &[low, high, mean.cases.to_string(), page.conditions(standing)]));
    }
    let same = |other: &&Standing| other.op == standing.op && other.dtype == standing.dtype;
    for other in page.report.standings.iter().filter(same).filter(|other| *other != standing) {
        if let Some(first) = other.ranks.first() {
            let name = page.report.label(first.subject).to_owned();
            lines.push(fill(t.apart, &[page.conditions(other), name, best_rate(page, first)]));
        }
    }
    lines.push(match page.report.energy.standings.iter().find(same) {
        Some(energy) => least_energy(page, energy),
        None => t.no_energy.to_owned(),
    });
    lines
}

fn least_energy(page: &Page<'_>, standing: &Standing) -> String {
    let Some(first) = standing.ranks.first() else { return page.t.no_energy.to_owned() };
    let name = page.report.label(first.subject).to_owned();
    let cost = page.report.row(first.best).energy.as_ref().and_then(|energy| energy.pj_per_flop());
    let cost = cost.map_or_else(String::new, |cost| digits(cost.value));
    match (standing.ranks.get(1), &first.over_next) {
        (Some(second), Some(mean)) => {
            let next = page.report.label(second.subject).to_owned();
            let [value, low, high] = [mean.ratio.value, mean.ratio.low, mean.ratio.high].map(times);
            let text = if mean.ratio.verdict() == Verdict::NoDifference {
                page.t.energy_no_difference
            } else {
                page.t.least_energy
            };
            fill(text, &[name, cost, value, next, low, high])
        }
        _ => fill(page.t.energy_alone, &[name, cost]),
    }
}

fn nothing_in_common(page: &Page<'_>) -> Markup {
    html! { @if page.report.subjects.len() > 1 && page.report.common_cases == 0 { div class="callout" { p { (page.x.sentences.nothing_common) } } } }
}

fn rejected(page: &Page<'_>) -> Markup {
    let rejected = &page.report.rejected;
    html! {
        @if !rejected.is_empty() {
            div class="callout" {
                p { (fill(page.t.rejected, &[rejected.len().to_string()])) }
                ul lang="en" { @for file in rejected.iter().take(10) { li { code { (file.file) } ": " (file.reason) } } }
                (page.left_out(rejected.len().saturating_sub(10)))
            }
        }
    }
}

/// The picture: each subject's speed against the first one's, over the cases that both measured.
pub(super) fn bars(page: &Page<'_>, standing: &Standing) -> Markup {
    let t = page.t;
    let ranks: Vec<&Rank> = standing.ranks.iter().filter(|rank| page.is_shown(rank.subject)).collect();
    let Some(first) = standing.ranks.first() else { return html! {} };
    let speed = |rank: &Rank| rank.behind_first.map(|mean| mean.inverse().ratio);
    let full = ranks.iter().filter_map(|rank| speed(rank)).map(|ratio| ratio.high).fold(1.0, f64::max);
    let task = page.task(&standing.op, &standing.dtype);
    let by_energy = standing.clock.is_none();
    let caption =
        fill(if by_energy { t.bars_energy } else { t.bars }, &[task, page.report.label(first.subject).to_owned()]);
    html! {
        figure {
            table class="bars" {
                caption { (caption) small { (page.conditions(standing)) } }
                thead { tr { th scope="col" class="w" { (page.c.device) } th scope="col" class="w" { (t.chart) } th scope="col" { (t.relative) } th scope="col" { (if by_energy { t.best_energy } else { t.best_rate }) } } }
                tbody {
                    @for rank in ranks {
                        @let at = page.place[rank.subject].unwrap_or_default();
                        @let ratio = speed(rank);
                        tr class=(page.d(rank.subject)) {
                            th scope="row" { (page.name(rank.subject)) @if rank.few { small { (fill(t.few_cases, &[rank.cases.to_string()])) } } }
                            @if rank.subject == first.subject {
                                td class="pic" { (svg::bar(at, 1.0, None, full)) }
                                td { b { "1" } }
                            } @else if let (Some(ratio), Some(mean)) = (ratio, rank.behind_first) {
                                td class="pic" { (svg::bar(at, ratio.value, Some([ratio.low, ratio.high]), full)) }
                                td { (times(ratio.value)) small { (times(ratio.low)) "–" (times(ratio.high)) ", n = " (mean.cases) } }
                            } @else {
                                td class="pic none" { (t.none_in_common) }
                                td class="none" { "–" }
                            }
                            td { (best(page, rank, by_energy)) }
                        }
                    }
                }
            }
            (page.left_out(standing.left_out))
        }
    }
}

fn best(page: &Page<'_>, rank: &Rank, by_energy: bool) -> Markup {
    if !by_energy {
        return page.figure(rank.best, &best_rate(page, rank));
    }
    let cost = page.report.row(rank.best).energy.as_ref().and_then(|energy| energy.pj_per_flop());
    html! { @if let Some(cost) = cost { (page.figure(rank.best, &format!("{} pJ/FLOP", digits(cost.value)))) } }
}

/// Who is ahead at each operation and type.
fn leaders(page: &Page<'_>) -> Markup {
    let t = page.t;
    let energy = |standing: &Standing| {
        page.report.energy.standings.iter().find(|energy| energy.op == standing.op && energy.dtype == standing.dtype)
    };
    let any_energy = !page.report.energy.standings.is_empty();
    // A device that is alone by its kind of clock leads nobody, unless nothing else is known of that operation and type.
    let alone = |standing: &Standing| standing.ranks.len() < 2;
    let same = |one: &Standing, other: &Standing| one.op == other.op && one.dtype == other.dtype;
    let told = |standing: &&Standing| {
        !standing.ranks.is_empty()
            && (!alone(standing) || !page.report.standings.iter().any(|other| same(standing, other) && !alone(other)))
    };
    let mut standings: Vec<&Standing> = page.report.standings.iter().filter(told).collect();
    let left_out = standings.len().saturating_sub(LEADERS);
    standings.truncate(LEADERS);
    let table = html! {
        table class="sort" {
            caption { (t.leaders) small { (t.leaders_how) } }
            thead { tr {
                th scope="col" class="w" { (t.task) }
                th scope="col" class="w" { (t.first) }
                th scope="col" { (t.lead) }
                @if any_energy { th scope="col" class="w" { (t.energy_first) } }
            } }
            tbody {
                @for standing in &standings {
                    @if let Some(first) = standing.ranks.first() {
                        tr class=(page.group(&standing.op, &standing.dtype)) {
                            th scope="row" { (page.task(&standing.op, &standing.dtype)) small { @if let Some(kind) = standing.clock { (page.clock(kind)) } } }
                            td class="w" { (page.name(first.subject)) }
                            td data-v=(first.over_next.map_or(0.0, |mean| mean.ratio.value)) { (lead(page, standing, first)) }
                            @if any_energy { td class="w" { @if let Some(least) = energy(standing).and_then(|energy| energy.ranks.first()) { (page.name(least.subject)) } @else { span class="none" { (t.not_measured) } } } }
                        }
                    }
                }
            }
        }
    };
    html! { div { (scroll(t.leaders, &table)) (page.left_out(left_out)) } }
}

/// Rows of the table of leaders.
const LEADERS: usize = 40;

fn lead(page: &Page<'_>, standing: &Standing, first: &Rank) -> Markup {
    html! {
        @match (standing.ranks.get(1), &first.over_next) {
            (Some(_), Some(mean)) if mean.ratio.verdict() == Verdict::NoDifference => { ((page.x.names.verdict)(Verdict::NoDifference)) small { (times(mean.ratio.low)) "–" (times(mean.ratio.high)) ", n = " (mean.cases) } }
            (Some(_), Some(mean)) => { (times(mean.ratio.value)) "×" small { (times(mean.ratio.low)) "–" (times(mean.ratio.high)) ", n = " (mean.cases) } }
            (Some(_), None) => { span class="none" { (page.t.none_in_common) } }
            _ => { span class="none" { (page.t.alone_short) } }
        }
    }
}
