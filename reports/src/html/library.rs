//! This program's portable kernels against the libraries of the devices' makers.

use super::number::times;
use super::{Page, scroll};
use crate::report::{LibraryComparison, Verdict};
use crate::units;
use maud::{Markup, html};

/// Comparisons that a page shows at most.
const COMPARED: usize = 120;
/// Cases of a comparison that a page shows at most.
const CASES: usize = 100;

pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = page.t;
    let libraries: Vec<&LibraryComparison> =
        page.report.libraries.iter().filter(|one| page.is_shown(one.subject)).collect();
    if libraries.is_empty() {
        return html! { p { (t.library_none) } };
    }
    let table = html! {
        table class="sort" {
            caption { (t.library_caption) }
            thead { tr { th scope="col" { (t.task) } th scope="col" class="w" { (page.c.device) } th scope="col" { (t.kernel_to_library) } th scope="col" class="w" { (t.verdict) } } }
            tbody { @for one in libraries.iter().take(COMPARED) {
                tr class={ (page.group(&one.op, &one.dtype)) " " (page.d(one.subject)) } {
                    th scope="row" { (page.task(&one.op, &one.dtype)) small class="muted" { (page.clock(one.clock)) } }
                    td class="w" { (page.name(one.subject)) }
                    td { (Page::mean(&one.mean)) }
                    td class="w" { (verdict(page, one.mean.ratio.verdict())) }
                }
            } }
        }
    };
    html! {
        p { (t.library_how) }
        (scroll(t.library_caption, &table))
        @for one in libraries.iter().take(COMPARED) { (cases(page, one)) }
        (page.left_out(libraries.len().saturating_sub(COMPARED)))
    }
}

fn verdict(page: &Page<'_>, verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => page.t.kernel_faster,
        Verdict::Worse => page.t.library_faster,
        Verdict::NoDifference => (page.x.names.verdict)(Verdict::NoDifference),
    }
}

fn cases(page: &Page<'_>, one: &LibraryComparison) -> Markup {
    let t = page.t;
    let rate = |row: usize| {
        page.report
            .row(row)
            .measured
            .as_ref()
            .map_or_else(String::new, |measured| units::rate(measured.flop_per_s, &one.dtype))
    };
    let name = format!("{}, {}", page.task(&one.op, &one.dtype), page.report.label(one.subject));
    let table = html! {
        table class="sort" {
            caption class="vh" { (name) }
            thead { tr { th scope="col" { (page.c.shape) } th scope="col" { (t.portable_kernel) } th scope="col" { (t.the_library) } th scope="col" { (t.kernel_to_library) } } }
            tbody { @for case in one.cases.iter().take(CASES) { tr {
                th scope="row" { (page.report.cases[case.case].shape) }
                td { (page.figure(case.kernel, &rate(case.kernel))) }
                td { (page.figure(case.library, &rate(case.library))) }
                td { (times(case.ratio.value)) "×" small { (times(case.ratio.low)) "–" (times(case.ratio.high)) } }
            } } }
        }
    };
    html! {
        details class={ "box " (page.group(&one.op, &one.dtype)) " " (page.d(one.subject)) } {
            summary { (name) }
            (scroll(&name, &table))
            (page.left_out(one.cases.len().saturating_sub(CASES)))
        }
    }
}
