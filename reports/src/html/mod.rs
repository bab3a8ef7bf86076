//! The comparison as one page that needs no other file and no network.
//!
//! `maud` writes the mark-up: it checks it when the program is compiled and escapes every text by itself. All figures
//! and tables stand in the page; its script only adds filters, sorting, tooltips and the choice of a theme.
//!
//! A page is bounded however many runs it is made from: what it leaves out is counted where it is missing.

mod answer;
mod chips;
mod devices;
mod energy;
mod evidence;
mod lean;
mod library;
mod memory;
mod method;
mod number;
mod rooflines;
mod scaling;
mod shares;
mod sides;
mod support;

use crate::inert::Text;
use crate::report::{ClockKind, Mean, Report, Standing};
use crate::svg::{self, Marker};
use crate::text::page::{Words, fill, words};
use crate::text::{Columns, Lang, Texts};
use crate::{CacheMode, Status};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use number::times;

/// Subjects that a page shows at most: as many columns as a table can bear.
pub const SUBJECTS: usize = 20;

/// The page.
pub fn render(report: &Report, lang: Lang) -> String {
    lean::lean(&Page::new(report, lang).draw(&html! {}).into_string())
}

/// The page as one of a site's, with links at its head.
pub(crate) fn render_in_site(report: &Report, lang: Lang, links: &Markup) -> String {
    lean::lean(&Page::new(report, lang).draw(links).into_string())
}

/// What frames every page: the sheet, the head with a line about the page and links, the foot and the script.
pub(crate) struct Frame<'a> {
    pub(crate) lang: Lang,
    pub(crate) title: &'a str,
    /// How much the page is made from.
    pub(crate) counts: &'a str,
    pub(crate) links: &'a Markup,
    /// The place of the page's content.
    pub(crate) skip_to: &'a str,
}

impl Frame<'_> {
    /// A whole page around the content of `main`.
    pub(crate) fn draw(&self, main: &Markup) -> Markup {
        let t = words(self.lang);
        html! {
            (DOCTYPE)
            html lang=(self.lang.texts().tag) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="generator" content="accelbench";
                    title { (self.title) }
                    // A page opened from a disk must not even ask for an icon.
                    style { (PreEscaped(include_str!("style.css"))) }
                }
                body {
                    a class="skip" href=(self.skip_to) { (t.skip) }
                    header class="top" {
                        strong { (self.title) }
                        span { (self.counts) " " (self.links) }
                        button id="theme" type="button" hidden aria-pressed="false" { (t.dark) }
                    }
                    main { (main) }
                    footer { p { (t.made_by) " accelbench " (env!("CARGO_PKG_VERSION")) ". " (t.self_contained) } }
                    script { (PreEscaped(include_str!("script.js"))) }
                }
            }
        }
    }

    /// The page's text.
    pub(crate) fn render(&self, main: &Markup) -> String {
        lean::lean(&self.draw(main).into_string())
    }
}

/// A table that scrolls by itself where it is wider than the page.
pub(crate) fn scroll(name: &str, table: &Markup) -> Markup {
    html! { div class="scroll" tabindex="0" role="group" aria-label=(name) { (table) } }
}

/// What stands beside a page of tables: its contents by id and name, and the search, which the script shows.
pub(crate) fn contents_and_search(t: &Words, sections: &[(&str, &str)]) -> Markup {
    html! {
        div class="side" { div {
            nav aria-label=(t.contents) {
                h2 { (t.contents) }
                ol { @for (id, name) in sections { li { a href={ "#" (id) } { (name) } } } }
            }
            form role="search" hidden {
                label for="search" { (t.search) }
                input id="search" type="search" autocomplete="off";
                p id="found" role="status" {}
            }
        } }
    }
}

/// What all sections need.
struct Page<'a> {
    report: &'a Report,
    lang: Lang,
    /// The texts that all formats share, of them the heads of columns, and those of the page.
    x: &'static Texts,
    c: &'static Columns,
    t: &'static Words,
    /// Indices of the subjects shown, in order.
    shown: Vec<usize>,
    /// Where each subject stands among them.
    place: Vec<Option<usize>>,
    /// Whether each row has its evidence on the page.
    evident: Vec<bool>,
    /// How many samples of a result are listed.
    samples: usize,
    /// Operations and types, in order: their classes are numbers.
    ops: Vec<Text>,
    dtypes: Vec<Text>,
}

impl<'a> Page<'a> {
    fn new(report: &'a Report, lang: Lang) -> Self {
        let shown = shown(report);
        let mut place = vec![None; report.subjects.len()];
        for (at, &subject) in shown.iter().enumerate() {
            place[subject] = Some(at);
        }
        let (evident, samples) = evidence::kept(report, |subject| place[subject].is_some());
        let (mut ops, mut dtypes) = (Vec::new(), Vec::new());
        for support in &report.support {
            if !ops.contains(&support.op) {
                ops.push(support.op.clone());
            }
            if !dtypes.contains(&support.dtype) {
                dtypes.push(support.dtype.clone());
            }
        }
        Self {
            report,
            lang,
            x: lang.texts(),
            c: &lang.texts().columns,
            t: words(lang),
            shown,
            place,
            evident,
            samples,
            ops,
            dtypes,
        }
    }

    fn draw(&self, links: &Markup) -> Markup {
        let t = self.t;
        let titles = &self.x.titles;
        let sections = [
            ("sides", titles.cases, sides::section(self)),
            ("devices", t.devices, devices::section(self)),
            ("rooflines", titles.rooflines, rooflines::section(self)),
            ("shares", titles.shares, shares::section(self)),
            ("energy", titles.energy, energy::section(self)),
            ("library", titles.libraries, library::section(self)),
            ("scaling", titles.scaling, scaling::section(self)),
            ("memory", t.memory, memory::section(self)),
            ("chips", titles.chips, chips::section(self)),
            ("support", titles.support, support::section(self)),
            ("evidence", t.evidence, evidence::section(self)),
            ("method", titles.method, method::section(self)),
        ];
        let title = self.report.title.as_deref().unwrap_or(titles.report);
        let main = html! {
            section id="answer" class="answer" aria-labelledby="h-answer" { (answer::section(self)) }
            div class="side" { div {
                nav aria-label=(t.contents) {
                    h2 { (t.contents) }
                    ol { @for (id, name, _) in &sections { li { a href={ "#" (id) } { (name) } } } }
                }
                (self.filters())
            } }
            div class="body" {
                @for (id, name, content) in &sections {
                    section id=(id) aria-labelledby={ "h-" (id) } { h2 id={ "h-" (id) } { (name) } (content) }
                }
            }
        };
        Frame { lang: self.lang, title, counts: &self.counts(), links, skip_to: "#answer" }.draw(&main)
    }

    /// How much the page is made from.
    fn counts(&self) -> String {
        let measured = self.report.rows.iter().filter(|row| row.measured.is_some()).count();
        let counts = [self.report.subjects.len(), self.report.runs.len(), measured, self.report.common_cases];
        fill(self.t.counts, &counts.map(|count| count.to_string()))
    }

    /// Boxes that show and hide what belongs to a device, an operation or a type. They need the script, which shows them.
    fn filters(&self) -> Markup {
        let t = self.t;
        let chips = |name: &str, boxes: Vec<(String, Markup)>| {
            html! {
                fieldset { legend { (name) }
                    div class="chips" { @for (class, label) in boxes { label { input type="checkbox" checked value=(class); (label) } } }
                }
            }
        };
        let subjects = self.shown.iter().map(|&subject| (self.d(subject), self.name(subject))).collect();
        let ops =
            self.ops.iter().enumerate().map(|(at, op)| (format!("o{at}"), html! { span { (self.op(op)) } })).collect();
        let dtypes =
            self.dtypes.iter().enumerate().map(|(at, dtype)| (format!("t{at}"), html! { span { (dtype) } })).collect();
        html! {
            form id="filter" hidden aria-label=(t.filter) {
                h2 { (t.filter) }
                (chips(self.c.device, subjects))
                (chips(self.c.op, ops))
                (chips(self.c.dtype, dtypes))
                button type="reset" hidden { (t.show_all) }
            }
        }
    }

    /// A subject's sign and label.
    fn name(&self, subject: usize) -> Markup {
        html! { span lang="en" { @if let Some(at) = self.place[subject] { (svg::key(at, Marker::of(at))) } (self.report.label(subject)) } }
    }

    /// The class by which a subject is shown and hidden.
    fn d(&self, subject: usize) -> String {
        self.place[subject].map_or_else(String::new, |at| format!("d{at}"))
    }

    /// The classes by which an operation and a type are shown and hidden.
    fn group(&self, op: &Text, dtype: &Text) -> String {
        let at = |among: &[Text], name: &Text| among.iter().position(|known| known == name).unwrap_or(among.len());
        format!("o{} t{}", at(&self.ops, op), at(&self.dtypes, dtype))
    }

    /// An operation's name for people.
    fn op(&self, op: &'a str) -> &'a str {
        self.x.op(op)
    }

    /// An operation and a type.
    fn task(&self, op: &'a str, dtype: &str) -> String {
        format!("{dtype} {}", self.op(op))
    }

    /// What all cases of a standing have in common beside operation and type.
    fn conditions(&self, standing: &Standing) -> String {
        self.x.conditions(standing)
    }

    fn clock(&self, kind: ClockKind) -> &'static str {
        (self.x.names.clock)(kind)
    }

    fn cache(&self, cache: CacheMode) -> &'static str {
        (self.x.names.cache)(cache)
    }

    fn status(&self, status: Status) -> &'static str {
        (self.x.names.status)(status)
    }

    /// A figure that leads to its evidence, where that is on the page.
    fn figure(&self, row: usize, figure: &str) -> Markup {
        html! { @if self.evident[row] { a href={ "#r" (row) } { (figure) } } @else { (figure) } }
    }

    /// A mean with its interval and count, as a cell's content.
    fn mean(mean: &Mean) -> Markup {
        html! { (times(mean.ratio.value)) "×" small { (times(mean.ratio.low)) "–" (times(mean.ratio.high)) ", " "n = " (mean.cases) } }
    }

    /// The signs of the subjects that a chart shows, with the numbers at its lines' ends.
    fn legend(&self, subjects: impl Iterator<Item = usize>) -> Markup {
        html! {
            ul class="legend" {
                @for subject in subjects {
                    @if let Some(at) = self.place[subject] { li class=(self.d(subject)) { span { (svg::key(at, Marker::of(at))) " " (at + 1) } span lang="en" { (self.report.label(subject)) } } }
                }
            }
        }
    }

    fn is_shown(&self, subject: usize) -> bool {
        self.place[subject].is_some()
    }

    /// Says that `more` things are not on the page.
    fn left_out(&self, more: usize) -> Markup {
        html! { @if more > 0 { p class="note" { (fill(self.t.left_out, &[more.to_string()])) } } }
    }
}

/// The subjects to show: all, or the best-placed of each standing in turn.
fn shown(report: &Report) -> Vec<usize> {
    let count = report.subjects.len();
    if count <= SUBJECTS {
        return (0..count).collect();
    }
    let longest = report.standings.iter().map(|standing| standing.ranks.len()).max().unwrap_or(0);
    let by_rank =
        (0..longest).flat_map(|at| report.standings.iter().filter_map(move |standing| standing.ranks.get(at)));
    let mut shown = Vec::new();
    for subject in by_rank.map(|rank| rank.subject).chain(0..count) {
        if shown.len() < SUBJECTS && !shown.contains(&subject) {
            shown.push(subject);
        }
    }
    shown.sort_unstable();
    shown
}

#[cfg(test)]
mod tests;
