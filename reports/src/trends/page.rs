//! The page.

use super::{Change, SERIES, Series, Trends, chart};
use crate::html::{Frame, contents_and_search, scroll};
use crate::inert::{self, inert};
use crate::text::Lang;
use crate::text::page::{Words, fill, words};
use crate::units;
use maud::{Markup, html};

impl Trends {
    /// The page, which needs no other file and no network. Texts from files are made inert.
    pub fn html(&self, lang: Lang) -> String {
        let t = words(lang);
        let shown = &self.series[..self.series.len().min(SERIES)];
        let left_out = self.left_out + self.series.len() - shown.len();
        let worse = shown.iter().filter(|series| self.got_worse(series)).count();
        let better = shown.iter().filter(|series| series.last_change().is_some()).count() - worse;
        let drifting = shown.iter().filter(|series| series.drift.is_some()).count();
        let main = html! {
            div class="answer" id="answer" {
                h1 { (fill(t.trends_answer, &[worse, better, drifting].map(|count| count.to_string()))) }
                p class="how" { (t.trends_about) }
                p class="how" { (t.trends_how) }
            }
            (contents_and_search(t, &[("series", t.trends_series), ("charts", t.trends_charts), ("changes", t.trends_changes)]))
            div class="body" {
                section id="series" aria-labelledby="h-series" { h2 id="h-series" { (t.trends_series) } (self.table(shown, t)) @if left_out > 0 { p class="note" { (fill(t.trends_left_out, &[left_out.to_string()])) } } }
                section id="charts" aria-labelledby="h-charts" { h2 id="h-charts" { (t.trends_charts) } div class="grid" { @for (at, series) in shown.iter().enumerate() { (self.figure(at, series, t)) } } }
                section id="changes" aria-labelledby="h-changes" { h2 id="h-changes" { (t.trends_changes) } (self.changes(shown, t)) }
            }
        };
        let results = shown.iter().map(|series| series.points.len()).sum::<usize>();
        let counts = fill(t.trends_counts, &[shown.len(), results].map(|count| count.to_string()));
        Frame { lang, title: t.trends_title, counts: &counts, links: &html! {}, skip_to: "#answer" }.render(&main)
    }

    fn got_worse(&self, series: &Series) -> bool {
        series.last_change().is_some_and(|change| self.metric.is_worse(change.ratio()))
    }

    fn table(&self, shown: &[Series], t: &Words) -> Markup {
        let table = html! {
            table class="sort find" {
                caption class="vh" { (t.trends_series) }
                thead { tr {
                    th scope="col" { (t.trends_case) }
                    th scope="col" class="w" { (t.trends_device) }
                    th scope="col" { (t.trends_runs) }
                    th scope="col" { (t.trends_level) }
                    th scope="col" { (t.trends_last_change) }
                    th scope="col" { (t.trends_drift) }
                    th scope="col" { (t.trends_driver_change) }
                } }
                tbody { @for (at, series) in shown.iter().enumerate() {
                    tr {
                        th scope="row" lang="en" { a href={ "#t" (at) } { (name(&series.name)) } }
                        td class="w" lang="en" { (name(&series.device)) small { (name(&series.driver)) } }
                        td { (series.points.iter().filter(|point| point.value.is_some()).count()) " / " (series.points.len()) }
                        td data-v=(series.level) { (self.metric.text(series.level, &series.name)) }
                        @match series.last_change() {
                            Some(change) => td data-v=(change.ratio()) { (self.ratio(change.ratio(), t)) small { (series.day(change)) @if change.gradual { ", " (t.trends_gradual) } } },
                            None => td data-v="1" { span class="none" { (t.trends_none) } },
                        }
                        @match series.drift {
                            Some(drift) => td data-v=(drift.ratio) { (self.ratio(drift.ratio, t)) small { (fill(t.trends_over, &[drift.runs.to_string()])) " p=" (p(drift.p)) } },
                            None => td data-v="1" { span class="none" { (t.trends_none) } },
                        }
                        @match &series.follows {
                            Some((driver, ratio)) => td data-v=(ratio) { (self.ratio(*ratio, t)) small lang="en" { (name(driver)) } },
                            None => td data-v="1" { span class="none" { (t.trends_none) } },
                        }
                    }
                } }
            }
        };
        scroll(t.trends_series, &table)
    }

    fn figure(&self, at: usize, series: &Series, t: &Words) -> Markup {
        let title = name(&series.name);
        html! {
            @if let Some(drawn) = chart::draw(series, self.metric, &title, t.trends_desc) {
                figure id={ "t" (at) } { figcaption lang="en" { (title) small { (name(&series.device)) } } (drawn) }
            }
        }
    }

    fn changes(&self, shown: &[Series], t: &Words) -> Markup {
        let all = || shown.iter().flat_map(|series| series.changes.iter().map(move |change| (series, change)));
        if all().next().is_none() {
            return html! { p { (t.trends_no_change) } };
        }
        let table = html! {
            table class="sort find" {
                caption class="vh" { (t.trends_changes) }
                thead { tr {
                    th scope="col" { (t.trends_case) }
                    th scope="col" class="w" { (t.trends_when) }
                    th scope="col" { (t.trends_before) }
                    th scope="col" { (t.trends_after) }
                    th scope="col" { (t.trends_ratio) }
                    th scope="col" { "p" }
                    th scope="col" class="w" { (t.trends_commits) }
                } }
                tbody { @for (series, change) in all() {
                    tr {
                        th scope="row" lang="en" { (name(&series.name)) }
                        td class="w" { (series.day(change)) @if change.gradual { small { (t.trends_gradual) } } }
                        td data-v=(change.level_before) { (self.metric.text(change.level_before, &series.name)) }
                        td data-v=(change.level_after) { (self.metric.text(change.level_after, &series.name)) }
                        td data-v=(change.ratio()) { (self.ratio(change.ratio(), t)) }
                        td data-v=(change.p) { (p(change.p)) }
                        td class="w" { code { (series.commits(change)) } }
                    }
                } }
            }
        };
        scroll(t.trends_changes, &table)
    }

    /// A ratio, and in words whether it is for the worse.
    fn ratio(&self, ratio: f64, t: &Words) -> Markup {
        html! { (units::ratio(ratio)) " " (if self.metric.is_worse(ratio) { t.trends_worse } else { t.trends_better }) }
    }
}

impl Series {
    fn last_change(&self) -> Option<&Change> {
        self.changes.last()
    }

    /// The day of the first run after a change.
    fn day(&self, change: &Change) -> String {
        let point = change.at.and_then(|at| self.points.get(at));
        point.map(|point| point.started.chars().take(10).collect()).unwrap_or_default()
    }

    /// The commits on both sides of a change, as far as they are known.
    fn commits(&self, change: &Change) -> String {
        let commit = |at: Option<usize>| {
            let commit = at.and_then(|at| self.points.get(at)).and_then(|point| point.commit.as_deref());
            inert(&commit.unwrap_or("?").chars().take(12).collect::<String>(), inert::NAME)
        };
        format!("{}..{}", commit(change.at.and_then(|at| at.checked_sub(1))), commit(change.at))
    }
}

fn name(text: &str) -> String {
    inert(text, inert::NAME)
}

fn p(value: f64) -> String {
    if value < 0.001 { "<0.001".to_owned() } else { format!("{value:.3}") }
}
