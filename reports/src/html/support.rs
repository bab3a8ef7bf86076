//! What each device can do, as a matrix.

use super::{Page, fill, scroll};
use crate::Status;
use crate::report::SupportCell;
use maud::{Markup, html};

pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = page.t;
    let support = &page.report.support;
    let subjects: Vec<usize> = page
        .shown
        .iter()
        .copied()
        .filter(|&subject| support.iter().any(|one| one.cells.iter().any(|cell| cell.subject == subject)))
        .collect();
    let table = html! {
        table {
            caption { (t.support_caption) }
            thead { tr { th scope="col" { (t.task) } @for &subject in &subjects { th scope="col" class={ "w " (page.d(subject)) } { (page.name(subject)) } } } }
            tbody { @for one in support { tr class=(page.group(&one.op, &one.dtype)) {
                th scope="row" { (page.task(&one.op, &one.dtype)) }
                @for &subject in &subjects {
                    @match one.cells.iter().find(|cell| cell.subject == subject) {
                        Some(cell) => (shown(page, cell)),
                        None => td class={ "off " (page.d(subject)) } { (page.x.names.not_run) },
                    }
                }
            } } }
        }
    };
    html! { p { (t.support_how) } (scroll(t.support_caption, &table)) (reasons(page)) }
}

fn shown(page: &Page<'_>, cell: &SupportCell) -> Markup {
    let class = match cell.status {
        Status::Ok if cell.faults == 0 => "yes",
        Status::Ok => "part",
        Status::Unsupported | Status::Skipped => "no",
        _ => "bad",
    };
    html! {
        td class={ (class) " " (page.d(cell.subject)) } {
            (page.status(cell.status))
            small { (fill(page.t.measured_of, &[cell.measured.to_string(), cell.rows.to_string()])) @if cell.faults > 0 { ", " (fill(page.t.faults, &[cell.faults.to_string()])) } }
        }
    }
}

/// Why figures are missing, each reason once for a device and an operation.
fn reasons(page: &Page<'_>) -> Markup {
    let t = page.t;
    let cells = page.report.support.iter().flat_map(|one| one.cells.iter().map(move |cell| (one, cell)));
    let why: Vec<_> = cells
        .filter(|(_, cell)| page.is_shown(cell.subject))
        .filter_map(|(one, cell)| Some((one, cell, page.report.row(cell.why?))))
        .collect();
    let table = html! {
        table {
            caption { (t.reasons_caption) }
            thead { tr { th scope="col" { (t.task) } th scope="col" class="w" { (page.c.device) } th scope="col" class="w" { (t.outcome) } th scope="col" class="w" { (page.c.reason) } } }
            tbody { @for (one, cell, row) in why.iter().take(200) { tr class={ (page.group(&one.op, &one.dtype)) " " (page.d(cell.subject)) } {
                th scope="row" { (page.task(&one.op, &one.dtype)) }
                td class="w" { (page.name(cell.subject)) }
                td class="w" { (page.status(row.status)) }
                td class="w" lang="en" { @if let Some(reason) = &row.reason { (reason) } @if let Some(command) = &row.command { " " code { (command) } } }
            } } }
        }
    };
    html! { @if !why.is_empty() { (scroll(t.reasons_caption, &table)) (page.left_out(why.len().saturating_sub(200))) } }
}
