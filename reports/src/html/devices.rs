//! The devices and runs, and what differs between their surroundings.

use super::{Page, fill, scroll};
use crate::report::{Ended, Fact, FactValue, Run, What};
use crate::units::bytes;
use maud::{Markup, html};

/// Runs that a page names at most.
const RUNS: usize = 40;
/// Facts that a page names at most.
const FACTS: usize = 100;
/// Values of a fact that a page names at most.
const VALUES: usize = 12;

pub(super) fn section(page: &Page<'_>) -> Markup {
    html! { (differences(page)) (devices(page)) (runs(page)) }
}

/// What runs differ in is called out: it may be why their figures do.
fn differences(page: &Page<'_>) -> Markup {
    let t = page.t;
    let (differing, same): (Vec<&Fact>, Vec<&Fact>) = page.report.environment.iter().partition(|fact| fact.differs);
    let several = page.report.runs.len() > 1;
    html! {
        @if several {
            @if differing.is_empty() { p { (t.environment_same) } } @else {
                div class="callout" { p { strong { (fill(t.environment_differs, &[differing.len().to_string()])) } " " (t.environment_why) } }
                (facts(page, t.environment_differing, &differing))
            }
        } @else { p { (t.environment_one) } }
        details class="box" { summary { (if several { t.environment_common } else { t.environment }) } (facts(page, t.environment, &same)) }
    }
}

fn facts(page: &Page<'_>, name: &str, facts: &[&Fact]) -> Markup {
    let t = page.t;
    let several = page.report.runs.len() > 1;
    let table = html! {
        table {
            caption { (name) }
            thead { tr { th scope="col" { (page.c.fact) } th scope="col" class="w" { (page.c.value) } } }
            tbody {
                @for fact in facts.iter().take(FACTS) {
                    tr {
                        th scope="row" { ((page.x.names.what)(fact.what)) @if let Some(of) = &fact.of { small class="muted" lang="en" { (of) } } }
                        td class="w" {
                            @for value in fact.values.iter().take(VALUES) {
                                div {
                                    @match &value.value { Some(text) => code lang="en" { (shown(fact.what, text)) }, None => span class="none" { (t.not_told) } }
                                    @if several && fact.differs { " " small class="muted" { (of_runs(page, value)) } }
                                }
                            }
                            (page.left_out(fact.values.len().saturating_sub(VALUES)))
                        }
                    }
                }
            }
        }
    };
    html! { (scroll(name, &table)) (page.left_out(facts.len().saturating_sub(FACTS))) }
}

/// A value as people read it.
fn shown(what: What, text: &str) -> String {
    match what {
        What::Memory => text.parse().map_or_else(|_| text.to_owned(), bytes),
        _ => text.to_owned(),
    }
}

fn of_runs(page: &Page<'_>, value: &FactValue) -> String {
    let labels: Vec<&str> = value.runs.iter().take(VALUES).map(|&run| &*page.report.runs[run].label).collect();
    let more = if value.runs.len() > VALUES { " …" } else { "" };
    fill(page.t.in_runs, &[labels.join(", ") + more])
}

fn devices(page: &Page<'_>) -> Markup {
    let t = page.t;
    let table = html! {
        table class="sort" {
            caption { (t.devices_caption) }
            thead { tr {
                th scope="col" { (page.c.device) }
                th scope="col" class="w" { (page.c.run) }
                th scope="col" class="w" { (page.c.api) }
                th scope="col" class="w" { (page.c.driver) }
                th scope="col" class="w" { (page.c.kind) }
                th scope="col" { (t.device_memory) }
                th scope="col" { (t.stated_clock) }
                th scope="col" { (t.measured_cases) }
            } }
            tbody {
                @for &index in &page.shown {
                    @let subject = &page.report.subjects[index];
                    tr class=(page.d(index)) {
                        th scope="row" { (page.name(index)) small class="muted" lang="en" { (subject.name) } }
                        td class="w" { (page.report.runs[subject.run].label) small { code { (subject.device) } } }
                        td class="w" lang="en" { (subject.api) }
                        td class="w" lang="en" { (subject.driver) }
                        td class="w" { (page.x.kind(&subject.kind)) }
                        td data-v=(subject.memory_bytes.unwrap_or(0)) { @match subject.memory_bytes { Some(size) => (bytes(size)), None => span class="none" { (t.not_told) } } }
                        td {
                            @match subject.clock_mhz { Some(clock) => { (format!("{clock:.0}")) " MHz" }, None => span class="none" { (t.not_told) } }
                            @if let Some(policy) = &subject.clock_policy { small lang="en" { (policy) } }
                            @if let Some(limit) = subject.power_limit_w { small { (format!("{limit:.0}")) " W" } }
                        }
                        td { (subject.measured) " / " (subject.rows) }
                    }
                }
            }
        }
    };
    html! { (scroll(t.devices_caption, &table)) (page.left_out(page.report.subjects.len() - page.shown.len())) }
}

fn runs(page: &Page<'_>) -> Markup {
    let runs = &page.report.runs;
    html! {
        h3 { (page.x.titles.runs) }
        @for run in runs.iter().take(RUNS) { (one_run(page, run)) }
        (page.left_out(runs.len().saturating_sub(RUNS)))
    }
}

fn one_run(page: &Page<'_>, run: &Run) -> Markup {
    let t = page.t;
    let ended = match run.ended {
        Ended::Complete => t.ended_complete,
        Ended::Interrupted => t.ended_interrupted,
        Ended::Cut => t.ended_cut,
    };
    let argv: Vec<&str> = run.argv.iter().map(|word| &**word).collect();
    let facts: [(&str, Markup); 9] = [
        (
            page.c.file,
            html! { code { (run.file) } @if let Some(hash) = &run.file_sha256 { " " small { "SHA-256 " code { (hash) } } } },
        ),
        (page.c.started, html! { (run.started) }),
        (page.c.command, html! { code { (argv.join(" ")) } }),
        (
            page.c.version,
            html! { (run.suite_version) @if let Some(commit) = &run.git_commit { " " code { (commit) } } @if run.git_dirty == Some(true) { " " (t.dirty) } },
        ),
        (t.profile, html! { (run.profile) (t.comma) (page.cache(run.cache)) (t.comma) (t.seed) " " (run.seed) }),
        (
            page.c.host,
            html! { span lang="en" { @if let Some(name) = &run.host.hostname { (name) ", " } (run.host.cpu) ", " (run.host.arch) @if let Some(os) = &run.host.os { ", " (os) } } ", " (bytes(run.host.memory_bytes)) },
        ),
        (t.ended, html! { (ended) (t.comma) (fill(t.rows_of, &[run.rows.to_string(), run.planned.to_string()])) }),
        (
            t.absent,
            html! { @if run.absent.is_empty() { (t.none) } @for backend in &run.absent { div lang="en" { (backend.id) @if let Some(detail) = &backend.detail { ": " (detail) } } } },
        ),
        (
            t.problems,
            html! { @if run.problems.is_empty() { (t.none) } @for problem in &run.problems { div lang="en" { (problem) } } (page.left_out(run.more_problems)) },
        ),
    ];
    let name = fill(t.run_named, &[run.label.to_string()]);
    let table = html! { table { caption class="vh" { (name) } tbody { @for (what, value) in &facts { tr { th scope="row" { (what) } td class="w" { (value) } } } } } };
    html! {
        details class="box" {
            summary { (name) " · " span lang="en" { (run.file) } @if !run.problems.is_empty() { " · " (fill(t.problems_count, &[(run.problems.len() + run.more_problems).to_string()])) } }
            (scroll(&name, &table))
        }
    }
}
