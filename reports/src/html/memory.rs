//! Memory, caches, transfers and what small things cost.

use super::number::digits;
use super::{Page, fill, scroll};
use crate::svg::{Marker, Plot, Point, Series, Ticks};
use crate::units::{bytes, bytes_per_s, per_s, time};
use crate::{Bandwidth, Ceilings, Direction, HostMemory};
use maud::{Markup, html};

type Probed<'a> = Vec<(usize, &'a Ceilings)>;

pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = page.t;
    let probed: Probed<'_> = page
        .shown
        .iter()
        .filter_map(|&subject| Some((subject, page.report.subjects[subject].ceilings.as_ref()?)))
        .collect();
    if probed.is_empty() {
        return html! { p { (t.memory_none) } };
    }
    html! {
        p { (t.memory_how) }
        (bandwidths(page, &probed))
        h3 { (t.sweep) }
        (sweep(page, &probed))
        h3 { (t.transfers) }
        (transfers(page, &probed))
        h3 { (t.latency) }
        (latency(page, &probed))
        (missing(page, &probed))
    }
}

const KERNELS: [&str; 5] = ["copy", "mul", "add", "triad", "dot"];

fn fastest<'a>(points: impl Iterator<Item = &'a Bandwidth>) -> Option<&'a Bandwidth> {
    points.max_by(|one, other| one.bytes_per_s.total_cmp(&other.bytes_per_s))
}

fn subjects_table(
    page: &Page<'_>,
    probed: &Probed<'_>,
    caption: &str,
    heads: &[String],
    cell: impl Fn(&Ceilings, usize) -> Option<Markup>,
) -> Markup {
    let table = html! {
        table class="sort" {
            caption { (caption) }
            thead { tr { th scope="col" { (page.c.device) } @for head in heads { th scope="col" { (head) } } } }
            tbody { @for &(subject, ceilings) in probed { tr class=(page.d(subject)) {
                th scope="row" { (page.name(subject)) }
                @for at in 0..heads.len() { @match cell(ceilings, at) { Some(figure) => (figure), None => td class="none" { "–" } } }
            } } }
        }
    };
    scroll(caption, &table)
}

fn bandwidths(page: &Page<'_>, probed: &Probed<'_>) -> Markup {
    let heads = KERNELS.map(str::to_owned);
    subjects_table(page, probed, page.t.memory_caption, &heads, |ceilings, at| {
        let point = fastest(ceilings.memory.iter().filter(|point| point.kernel == KERNELS[at]))?;
        Some(
            html! { td data-v=(point.bytes_per_s) { (bytes_per_s(point.bytes_per_s)) small { (bytes(point.working_set_bytes)) ", " (point.dtype) } } },
        )
    })
}

/// The fastest kernel of each rung, from the smallest set to the memory.
fn rungs(ceilings: &Ceilings) -> Vec<(u32, &Bandwidth)> {
    let points = || ceilings.sweep.iter().chain(&ceilings.memory);
    let rung = |point: &Bandwidth| point.working_set_bytes.max(1).ilog2();
    let mut sizes: Vec<u32> = points().map(rung).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes.into_iter().filter_map(|size| Some((size, fastest(points().filter(|point| rung(point) == size))?))).collect()
}

fn sweep(page: &Page<'_>, probed: &Probed<'_>) -> Markup {
    let t = page.t;
    let series = probed.iter().map(|&(subject, ceilings)| {
        let at = page.place[subject].unwrap_or_default();
        Series {
            class: page.d(subject),
            hue: at,
            marker: Marker::of(at),
            points: rungs(ceilings)
                .into_iter()
                .map(|(_, point)| Point { x: point.working_set_bytes as f64, y: point.bytes_per_s, row: None })
                .collect(),
            line: true,
            marks: true,
            label: Some((at + 1).to_string()),
        }
    });
    let plot = Plot {
        title: t.sweep_caption,
        desc: t.sweep_desc,
        x: t.set_axis,
        x_ticks: Ticks::Binary,
        y: "B/s",
        series: series.collect(),
    };
    let mut sizes: Vec<u32> = probed.iter().flat_map(|(_, ceilings)| rungs(ceilings)).map(|(size, _)| size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let heads: Vec<String> = sizes.iter().map(|&size| bytes(1 << size.min(63))).collect();
    html! {
        (page.legend(probed.iter().map(|&(subject, _)| subject)))
        @if let Some(drawn) = plot.draw() { div class="grid" { figure { figcaption { (t.sweep_caption) small { (t.sweep_how) } } (drawn) } } }
        (subjects_table(page, probed, t.sweep_table, &heads, |ceilings, at| {
            let (_, point) = rungs(ceilings).into_iter().find(|(size, _)| *size == sizes[at])?;
            Some(html! { td data-v=(point.bytes_per_s) { (bytes_per_s(point.bytes_per_s)) small { (point.kernel) } } })
        }))
    }
}

fn transfers(page: &Page<'_>, probed: &Probed<'_>) -> Markup {
    let t = page.t;
    let kinds: Vec<(Direction, HostMemory)> = [Direction::ToDevice, Direction::FromDevice, Direction::Both]
        .into_iter()
        .flat_map(|direction| [HostMemory::Pageable, HostMemory::Pinned].map(|memory| (direction, memory)))
        .collect();
    let name = |&(direction, memory): &(Direction, HostMemory)| {
        [(page.x.names.direction)(direction), (page.x.names.host_memory)(memory)].join(t.comma)
    };
    let heads: Vec<String> = kinds.iter().map(name).collect();
    subjects_table(page, probed, t.transfers_caption, &heads, |ceilings, at| {
        let best = ceilings
            .transfers
            .iter()
            .filter(|transfer| (transfer.direction, transfer.memory) == kinds[at])
            .max_by(|one, other| one.bytes_per_s.total_cmp(&other.bytes_per_s))?;
        Some(html! { td data-v=(best.bytes_per_s) { (bytes_per_s(best.bytes_per_s)) small { (bytes(best.bytes)) } } })
    })
}

fn latency(page: &Page<'_>, probed: &Probed<'_>) -> Markup {
    let heads =
        [page.x.names.smallest_upload, page.x.names.smallest_download, page.x.names.launch, page.x.names.launches]
            .map(str::to_owned);
    subjects_table(page, probed, page.t.latency_caption, &heads, |ceilings, at| {
        let latency = &ceilings.latency;
        let ns = [latency.smallest_upload_ns, latency.smallest_download_ns, latency.launch_round_trip_ns];
        match ns.get(at) {
            Some(ns) => ns.map(|ns| html! { td data-v=(digits(ns)) { (time(ns)) } }),
            None => latency.sustained_launches_per_s.map(|rate| html! { td data-v=(rate) { (per_s(rate)) } }),
        }
    })
}

/// What is not known of the devices, and why.
fn missing(page: &Page<'_>, probed: &Probed<'_>) -> Markup {
    let t = page.t;
    let count: usize = probed.iter().map(|(_, ceilings)| ceilings.missing.len()).sum();
    let table = html! {
        table {
            caption class="vh" { (t.missing_caption) }
            thead { tr { th scope="col" { (page.c.device) } th scope="col" class="w" { (page.c.fact) } th scope="col" class="w" { (page.c.reason) } } }
            tbody { @for &(subject, ceilings) in probed { @for missing in ceilings.missing.iter().take(40) {
                tr class=(page.d(subject)) { th scope="row" { (page.name(subject)) } td class="w" lang="en" { (missing.what) } td class="w" lang="en" { (missing.reason) } }
            } } }
        }
    };
    html! { @if count > 0 { details class="box" { summary { (t.missing_caption) " · " (fill(t.entries, &[count.to_string()])) } (scroll(t.missing_caption, &table)) } } }
}
