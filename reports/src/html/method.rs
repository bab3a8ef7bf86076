//! What was done, and what the page can't say, in plain words.

use super::Page;
use maud::{Markup, html};

pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = page.t;
    html! {
        ul { @for line in t.method_lines { li { (line) } } }
        h3 { (t.limits) }
        ul { @for line in t.limit_lines { li { (line) } } }
    }
}
