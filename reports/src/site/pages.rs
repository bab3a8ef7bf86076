//! The index, and a page for each device.

use super::Digest;
use super::digest::{Best, OfDevice};
use crate::html::{Frame, contents_and_search, scroll};
use crate::sha256_hex;
use crate::text::Lang;
use crate::text::page::{Words, fill, words};
use crate::units;
use maud::{Markup, html};
use std::collections::HashMap;

/// Rows that a table of a site has at most.
const ROWS: usize = 5000;

/// All of a site.
pub(super) struct Site<'a> {
    pub(super) lang: Lang,
    pub(super) title: Option<&'a str>,
    /// The newest first.
    pub(super) runs: &'a [Digest],
    pub(super) devices: &'a [Device<'a>],
}

/// A device over all runs: those of one name behind one API are one.
pub(super) struct Device<'a> {
    /// The name of its page.
    page: String,
    /// In its runs, the newest first.
    of: Vec<(&'a Digest, &'a OfDevice)>,
    /// The best of each operation and type, and the run that it is of.
    best: Vec<(&'a Best, &'a Digest)>,
}

impl Device<'_> {
    /// Its page's place in the site.
    pub(super) fn path(&self) -> String {
        format!("devices/{}.html", self.page)
    }

    fn newest(&self) -> &OfDevice {
        self.of[0].1
    }
}

/// The devices of runs, by name and API.
pub(super) fn devices(runs: &[Digest]) -> Vec<Device<'_>> {
    let mut at: HashMap<(&str, &str), usize> = HashMap::new();
    let mut devices: Vec<Device<'_>> = Vec::new();
    for run in runs {
        for device in &run.devices {
            let key = (&*device.name, &*device.api);
            let index = *at.entry(key).or_insert_with(|| {
                let hash = sha256_hex(format!("{}\n{}", device.api, device.name).as_bytes());
                let page = format!("{}-{}", slug(&format!("{}-{}", device.name, device.api)), &hash[..8]);
                devices.push(Device { page, of: Vec::new(), best: Vec::new() });
                devices.len() - 1
            });
            let known = &mut devices[index];
            known.of.push((run, device));
            for best in &device.best {
                match known.best.iter_mut().find(|(other, _)| other.is_like(best)) {
                    None => known.best.push((best, run)),
                    Some(other) if other.0.flop_per_s < best.flop_per_s => *other = (best, run),
                    Some(_) => {}
                }
            }
        }
    }
    devices.sort_by(|one, other| {
        let key = |device: &Device<'_>| (device.newest().name.to_lowercase(), device.page.clone());
        key(one).cmp(&key(other))
    });
    devices
}

/// A text as part of a file's name: small letters, digits and hyphens, of which there is at least one.
pub(super) fn slug(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            out.push(letter.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() == 60 {
            break;
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { sha256_hex(text.as_bytes())[..12].to_owned() } else { out.to_owned() }
}

/// A run's page, its file and its table, in the site.
pub(super) fn of_run(page: &str) -> [String; 3] {
    [format!("runs/{page}.html"), format!("data/{page}.jsonl"), format!("data/{page}.csv")]
}

/// The links at the head of a run's page.
pub(super) fn links(lang: Lang, data: &str, table: &str) -> Markup {
    let t = words(lang);
    html! { a href="../index.html" { (t.site) } " · " a href={ "../" (data) } { (t.site_file) } " · " a href={ "../" (table) } { "CSV" } }
}

impl Site<'_> {
    fn t(&self) -> &'static Words {
        words(self.lang)
    }

    /// The index.
    pub(super) fn index(&self) -> String {
        let t = self.t();
        let results = self.runs.iter().map(|run| run.measured).sum::<usize>();
        let counts =
            fill(t.site_counts, &[self.devices.len(), self.runs.len(), results].map(|count| count.to_string()));
        let main = html! {
            div class="answer" id="answer" { h1 { (t.site) } p class="how" { (t.site_about) } p class="how" { (t.site_no_ranking) } }
            (contents_and_search(t, &[("devices", t.devices_caption), ("runs", t.site_runs), ("data", t.site_data)]))
            div class="body" {
                section id="devices" aria-labelledby="h-devices" { h2 id="h-devices" { (t.devices_caption) } (self.table_of_devices()) }
                section id="runs" aria-labelledby="h-runs" { h2 id="h-runs" { (t.site_runs) } (self.table_of_runs(self.runs.iter(), self.runs.len(), "", t.site_runs)) }
                section id="data" aria-labelledby="h-data" {
                    h2 id="h-data" { (t.site_data) }
                    p { (t.site_schema) ": " a href="schema/run.v1.json" { "run.v1.json" } ". " a href="site.json" { "site.json" } }
                }
            }
        };
        let title = self.title.unwrap_or(t.site);
        Frame { lang: self.lang, title, counts: &counts, links: &html! {}, skip_to: "#answer" }.render(&main)
    }

    /// The page of a device.
    pub(super) fn device(&self, device: &Device<'_>) -> String {
        let t = self.t();
        let x = self.lang.texts();
        let newest = device.newest();
        let main = html! {
            div class="answer" id="answer" {
                h1 lang="en" { (newest.name) }
                p class="how" { span lang="en" { (newest.vendor) ", " (newest.api) ", " (newest.driver) } ", " (x.kind(&newest.kind)) @if let Some(size) = newest.memory_bytes { ", " (units::bytes(size)) } }
            }
            (contents_and_search(t, &[("best", t.site_best), ("runs", t.site_runs)]))
            div class="body" {
                section id="best" aria-labelledby="h-best" { h2 id="h-best" { (t.site_best) } p { (t.site_of_device) } (self.table_of_best(device)) }
                section id="runs" aria-labelledby="h-runs" { h2 id="h-runs" { (t.site_runs) } (self.table_of_runs(device.of.iter().map(|(run, _)| *run), device.of.len(), "../", t.site_runs)) }
            }
        };
        let counts = fill(t.results, &[device.of.iter().map(|(_, device)| device.measured).sum::<usize>().to_string()]);
        let title = format!("{} · {}", newest.name, newest.api);
        let links = html! { "· " a href="../index.html" { (t.site) } };
        Frame { lang: self.lang, title: &title, counts: &counts, links: &links, skip_to: "#answer" }.render(&main)
    }

    fn table_of_devices(&self) -> Markup {
        let t = self.t();
        let x = self.lang.texts();
        let c = &x.columns;
        let rows = self.devices.iter().take(ROWS);
        let table = html! {
            table class="sort find" {
                caption class="vh" { (t.devices_caption) }
                thead { tr {
                    th scope="col" { (c.device) }
                    th scope="col" class="w" { (c.api) }
                    th scope="col" class="w" { (c.driver) }
                    th scope="col" class="w" { (c.kind) }
                    th scope="col" { (x.titles.runs) }
                    th scope="col" { (t.site_fastest) }
                    th scope="col" { (t.site_bandwidth) }
                    th scope="col" class="w" { (t.site_last) }
                } }
                tbody {
                    @for device in rows {
                        @let newest = device.newest();
                        @let fastest = device.best.iter().map(|(best, _)| best).max_by(|one, other| one.flop_per_s.total_cmp(&other.flop_per_s));
                        @let bandwidth = device.of.iter().filter_map(|(_, device)| device.bytes_per_s).reduce(f64::max);
                        tr {
                            th scope="row" lang="en" { a href=(device.path()) { (newest.name) } small { (newest.vendor) } }
                            td class="w" lang="en" { (newest.api) }
                            td class="w" lang="en" { (newest.driver) }
                            td class="w" { (x.kind(&newest.kind)) }
                            td { (device.of.len()) }
                            @match fastest {
                                Some(best) => td data-v=(best.flop_per_s) { (units::rate(best.flop_per_s, &best.dtype)) small { (best.dtype) " " (x.op(&best.op)) } },
                                None => td data-v="0" { span class="none" { (t.not_measured) } },
                            }
                            @match bandwidth {
                                Some(rate) => td data-v=(rate) { (units::bytes_per_s(rate)) },
                                None => td data-v="0" { span class="none" { (t.not_measured) } },
                            }
                            td class="w" { (run_link(device.of[0].0, "")) }
                        }
                    }
                }
            }
        };
        html! { (scroll(t.devices_caption, &table)) (self.left_out(self.devices.len())) }
    }

    fn table_of_runs<'a>(&self, runs: impl Iterator<Item = &'a Digest>, count: usize, up: &str, name: &str) -> Markup {
        let t = self.t();
        let c = &self.lang.texts().columns;
        let table = html! {
            table class="sort find" {
                caption class="vh" { (name) }
                thead { tr {
                    th scope="col" { (c.run) }
                    th scope="col" class="w" { (c.device) }
                    th scope="col" class="w" { (c.host) }
                    th scope="col" class="w" { (t.profile) }
                    th scope="col" class="w" { (c.version) }
                    th scope="col" { (t.measured_cases) }
                    th scope="col" { (t.problems) }
                    th scope="col" class="w" { (t.site_data) }
                } }
                tbody {
                    @for run in runs.take(ROWS) {
                        @let [_, data, table] = of_run(&run.page);
                        tr {
                            th scope="row" { (run_link(run, up)) small { (run.page) } }
                            td class="w" lang="en" { @for (at, device) in run.devices.iter().enumerate() { @if at > 0 { ", " } (device.name) " (" (device.id) ")" } }
                            td class="w" lang="en" { (run.cpu) }
                            td class="w" { (run.profile) }
                            td class="w" { (run.version) }
                            td data-v=(run.measured) { (run.measured) " / " (run.rows) }
                            td { (run.problems) }
                            td class="w" { a href={ (up) (data) } aria-label={ "JSONL " (run.page) } { "JSONL" } " " a href={ (up) (table) } aria-label={ "CSV " (run.page) } { "CSV" } }
                        }
                    }
                }
            }
        };
        html! { (scroll(name, &table)) (self.left_out(count)) }
    }

    fn table_of_best(&self, device: &Device<'_>) -> Markup {
        let t = self.t();
        let x = self.lang.texts();
        let table = html! {
            table class="sort find" {
                caption class="vh" { (t.site_best) }
                thead { tr {
                    th scope="col" { (t.task) }
                    th scope="col" { (t.site_fastest) }
                    th scope="col" class="w" { (x.columns.shape) }
                    th scope="col" class="w" { (x.columns.variant) }
                    th scope="col" class="w" { (x.columns.cache) }
                    th scope="col" class="w" { (x.columns.clock) }
                    th scope="col" class="w" { (x.columns.run) }
                } }
                tbody {
                    @for (best, run) in device.best.iter().take(ROWS) {
                        tr {
                            th scope="row" { (best.dtype) " " (x.op(&best.op)) }
                            td data-v=(best.flop_per_s) { (units::rate(best.flop_per_s, &best.dtype)) small { (units::rate(best.interval[0], &best.dtype)) "–" (units::rate(best.interval[1], &best.dtype)) } }
                            td class="w" { (best.shape) small { (best.fill) } }
                            td class="w" lang="en" { (best.variant) }
                            td class="w" { ((x.names.cache)(best.cache)) }
                            td class="w" { ((x.names.clock)(best.kind)) }
                            td class="w" { (run_link(run, "../")) }
                        }
                    }
                }
            }
        };
        scroll(t.site_best, &table)
    }

    fn left_out(&self, count: usize) -> Markup {
        let more = count.saturating_sub(ROWS);
        html! { @if more > 0 { p class="note" { (fill(self.t().left_out, &[more.to_string()])) } } }
    }
}

fn run_link(run: &Digest, up: &str) -> Markup {
    let day = run.started.split('.').next().unwrap_or_default().trim_end_matches('Z').replace('T', " ");
    html! { a href={ (up) "runs/" (run.page) ".html" } { (day) } }
}
