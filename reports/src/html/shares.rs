//! How near each device comes to its own ceiling.

use super::{Page, scroll};
use crate::inert::Text;
use crate::units::percent;
use maud::{Markup, html};

pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = page.t;
    let shares = &page.report.shares;
    let mut tasks: Vec<(&Text, &Text)> = Vec::new();
    for share in shares {
        if !tasks.contains(&(&share.op, &share.dtype)) {
            tasks.push((&share.op, &share.dtype));
        }
    }
    if tasks.is_empty() {
        return html! { p { (t.shares_none) } };
    }
    let subjects: Vec<usize> =
        page.shown.iter().copied().filter(|&subject| shares.iter().any(|share| share.subject == subject)).collect();
    let table = html! {
        table class="sort" {
            caption { (t.shares_caption) small { (t.shares_cell) } }
            thead { tr {
                th scope="col" { (t.task) }
                @for &subject in &subjects { th scope="col" class=(page.d(subject)) { (page.name(subject)) } }
            } }
            tbody {
                @for (op, dtype) in tasks {
                    tr class=(page.group(op, dtype)) {
                        th scope="row" { (page.task(op, dtype)) }
                        @for &subject in &subjects {
                            @match shares.iter().find(|share| share.subject == subject && share.op == *op && share.dtype == *dtype) {
                                Some(share) => td class=(page.d(subject)) {
                                    (percent(share.median))
                                    small { (percent(share.low)) "–" (page.figure(share.best, &percent(share.high))) ", " "n = " (share.cases) }
                                },
                                None => td class={ "none " (page.d(subject)) } { "–" },
                            }
                        }
                    }
                }
            }
        }
    };
    html! { p { (t.shares_how) } (scroll(t.shares_caption, &table)) }
}
