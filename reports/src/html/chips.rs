//! The same chip through its several APIs.

use super::{Page, answer, fill};
use maud::{Markup, html};

pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = page.t;
    let chips: Vec<_> = page
        .report
        .chip_standings
        .iter()
        .filter(|one| {
            page.report.chips[one.chip].subjects.iter().filter(|&&subject| page.is_shown(subject)).count() > 1
        })
        .collect();
    if chips.is_empty() {
        return html! { p { (t.chips_none) } };
    }
    html! {
        p { (t.chips_how) }
        @for one in chips {
            @let chip = &page.report.chips[one.chip];
            @let apis: Vec<&str> = chip.apis.iter().map(|api| &**api).collect();
            h3 lang="en" { (chip.name) }
            p class="note" {
                (fill(t.chip_apis, &[apis.join(", ")])) " "
                @if let Some(known) = chip.known_by { (fill(t.known_as, &[(page.x.names.known_by)(known).to_owned()])) }
            }
            div class="grid" {
                @for standing in one.standings.iter().filter(|standing| standing.ranks.iter().any(|rank| rank.over_next.is_some())) {
                    div class=(page.group(&standing.op, &standing.dtype)) { (answer::bars(page, standing)) }
                }
            }
        }
    }
}
