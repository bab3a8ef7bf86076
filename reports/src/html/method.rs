//! What was done, and what the page can't say, in plain words.

use super::Page;
use maud::{Markup, html};

pub(super) fn section(page: &Page<'_>) -> Markup {
    html! {
        ul { @for line in page.x.method { li { (line) } } }
        h3 { (page.x.titles.limits) }
        ul { @for line in page.x.limits { li { (line) } } }
    }
}
