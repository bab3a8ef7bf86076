//! The same chip through its several APIs.

use super::number::times;
use super::{Page, fill, scroll};
use crate::report::{ChipStandings, Standing};
use maud::{Markup, html};

pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = page.t;
    let several = |one: &&ChipStandings| subjects(page, one).len() > 1;
    let chips: Vec<&ChipStandings> = page.report.chip_standings.iter().filter(several).collect();
    if chips.is_empty() {
        return html! { p { (t.chips_none) } };
    }
    html! {
        p { (t.chips_how) }
        @for one in chips { (chip(page, one)) }
    }
}

/// The chip's subjects on this page.
fn subjects(page: &Page<'_>, one: &ChipStandings) -> Vec<usize> {
    page.report.chips[one.chip].subjects.iter().copied().filter(|&subject| page.is_shown(subject)).collect()
}

fn chip(page: &Page<'_>, one: &ChipStandings) -> Markup {
    let t = page.t;
    let chip = &page.report.chips[one.chip];
    let apis: Vec<&str> = chip.apis.iter().map(|api| &**api).collect();
    let subjects = subjects(page, one);
    let caption = fill(t.chips_caption, &[chip.name.to_string()]);
    // Of a chip's subjects that are timed by different clocks, some are alone and compare with none.
    let compared = one.standings.iter().filter(|standing| standing.ranks.iter().any(|rank| rank.over_next.is_some()));
    let table = html! {
        table class="sort" {
            caption { (caption) }
            thead { tr {
                th scope="col" { (t.task) }
                @for &subject in &subjects { th scope="col" class=(page.d(subject)) { (page.name(subject)) } }
            } }
            tbody { @for standing in compared { tr class=(page.group(&standing.op, &standing.dtype)) {
                th scope="row" { (page.task(&standing.op, &standing.dtype)) @if let Some(clock) = standing.clock { small class="muted" { (page.clock(clock)) } } }
                @for &subject in &subjects { td class=(page.d(subject)) { (speed(page, standing, subject)) } }
            } } }
        }
    };
    html! {
        h3 lang="en" { (chip.name) }
        p class="note" {
            (fill(t.chip_apis, &[apis.join(", ")])) " "
            @if let Some(known) = chip.known_by { (fill(t.known_as, &[(page.x.names.known_by)(known).to_owned()])) }
        }
        (scroll(&caption, &table))
    }
}

/// A subject's speed against the fastest one's.
fn speed(page: &Page<'_>, standing: &Standing, subject: usize) -> Markup {
    let rank = standing.ranks.iter().find(|rank| rank.subject == subject);
    let first = standing.ranks.first().is_some_and(|first| first.subject == subject);
    html! {
        @match rank {
            Some(rank) if first => (page.figure(rank.best, "1")),
            Some(rank) => {
                @match rank.behind_first {
                    Some(behind) => {
                        @let ratio = behind.inverse().ratio;
                        (page.figure(rank.best, &times(ratio.value))) small { (times(ratio.low)) "–" (times(ratio.high)) ", n = " (behind.cases) }
                    }
                    None => span class="none" { (page.t.none_in_common) },
                }
            }
            None => span class="none" { (page.x.none) },
        }
    }
}
