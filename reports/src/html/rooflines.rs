//! Rooflines: what each device can do at best, and where its kernels stand under it.

use super::{Page, fill, scroll};
use crate::report::{self, Roofline, Slope};
use crate::svg::{self, HUES, Marker, Plot, Point, Series, Ticks};
use crate::units;
use maud::{Markup, html};

pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = page.t;
    let lines = || page.report.rooflines.iter().filter(|line| page.is_shown(line.subject));
    html! {
        p { (t.rooflines_how) }
        ul class="legend" {
            @for (at, op) in page.ops.iter().enumerate() { li class={ "o" (at) } { (svg::key(HUES - 2, Marker::of(at))) (page.op(op)) } }
            @for (at, dtype) in page.dtypes.iter().enumerate() { li class={ "t" (at) } { (svg::key(at, Marker::of(0))) (dtype) } }
        }
        div class="grid" { @for line in lines() { (figure(page, line)) } }
        (ceilings(page, &lines().collect::<Vec<_>>()))
    }
}

fn figure(page: &Page<'_>, line: &Roofline) -> Markup {
    let t = page.t;
    let title = fill(t.roofline_of, &[page.report.label(line.subject).to_owned()]);
    let series = roofs(page, line).into_iter().chain(points(page, line)).collect();
    let plot = Plot {
        title: &title,
        desc: t.roofline_desc,
        x: t.intensity_axis,
        x_ticks: Ticks::Decades,
        y: "FLOP/s",
        series,
    };
    html! {
        @if let Some(drawn) = plot.draw() { figure class=(page.d(line.subject)) { figcaption { (page.name(line.subject)) } (drawn) } }
    }
}

/// Each measured peak, from where the memory can feed it, and the memory's slope up to the highest one; the fastest
/// cache's slope dashed.
fn roofs(page: &Page<'_>, line: &Roofline) -> Vec<Series> {
    let measured = || line.roofs.iter().filter(|roof| roof.measured);
    let Some(highest) = measured().map(|roof| roof.flop_per_s).reduce(f64::max) else { return Vec::new() };
    let slope = |in_cache: bool| {
        let slopes = line.slopes.iter().filter(|slope| slope.measured && slope.working_set_bytes.is_some() == in_cache);
        slopes.map(|slope| slope.bytes_per_s).reduce(f64::max)
    };
    let Some(memory) = slope(false).or(slope(true)) else { return Vec::new() };
    let fastest = slope(true).unwrap_or(memory).max(memory);
    let intensities = || line.points.iter().map(|point| point.intensity_flop_per_byte);
    let left = intensities().chain([highest / fastest]).fold(f64::INFINITY, f64::min) / 2.0;
    let right = intensities().chain([highest / memory]).fold(0.0, f64::max) * 2.0;
    let draw = |class: &str, ends: [(f64, f64); 2], label: Option<String>| Series {
        class: class.to_owned(),
        hue: HUES - 2,
        marker: Marker::of(0),
        points: ends.map(|(x, y)| Point { x, y, row: None }).to_vec(),
        line: true,
        marks: false,
        label,
    };
    let mut series = vec![draw("roof", [(left, left * memory), (highest / memory, highest)], None)];
    if fastest > memory {
        series.push(draw("roof dash", [(left, left * fastest), (highest / fastest, highest)], None));
    }
    for roof in measured() {
        let ends = [(roof.flop_per_s / fastest, roof.flop_per_s), (right, roof.flop_per_s)];
        series.push(draw("roof", ends, Some(format!("{} {}", (page.x.names.unit)(roof.unit), roof.dtype))));
    }
    series
}

/// The rows, by operation (shape) and type (colour).
pub(super) fn grouped(page: &Page<'_>, points: &[Point]) -> Vec<Series> {
    let kinds = page.ops.iter().enumerate().flat_map(|op| page.dtypes.iter().enumerate().map(move |dtype| (op, dtype)));
    let series = kinds.map(|((op_at, op), (dtype_at, dtype))| {
        let of = |point: &Point| {
            point.row.is_some_and(|row| {
                let case = &page.report.cases[page.report.row(row).case];
                case.op == *op && case.dtype == *dtype
            })
        };
        Series {
            class: page.group(op, dtype),
            hue: dtype_at,
            marker: Marker::of(op_at),
            points: points.iter().copied().filter(of).collect(),
            line: false,
            marks: true,
            label: None,
        }
    });
    series.filter(|series| !series.points.is_empty()).collect()
}

fn points(page: &Page<'_>, line: &Roofline) -> Vec<Series> {
    let point =
        |point: &report::Point| Point { x: point.intensity_flop_per_byte, y: point.flop_per_s, row: Some(point.row) };
    grouped(page, &line.points.iter().map(point).collect::<Vec<_>>())
}

/// The same ceilings as a table.
fn ceilings(page: &Page<'_>, lines: &[&Roofline]) -> Markup {
    let t = page.t;
    let origin = |measured: bool| if measured { page.x.names.measured } else { t.documented };
    let level = |slope: &Slope| {
        slope
            .working_set_bytes
            .map_or_else(|| t.memory_level.to_owned(), |set| fill(t.cache_level, &[units::bytes(set)]))
    };
    let table = html! {
        table {
            caption { (t.ceilings_caption) }
            thead { tr { th scope="col" { (page.c.device) } th scope="col" class="w" { (t.ceiling) } th scope="col" { (page.c.value) } th scope="col" class="w" { (t.origin) } } }
            tbody {
                @for line in lines {
                    @for roof in &line.roofs { tr class=(page.d(line.subject)) {
                        th scope="row" { (page.name(line.subject)) }
                        td class="w" { (roof.dtype) " " ((page.x.names.unit)(roof.unit)) }
                        td { (units::rate(roof.flop_per_s, &roof.dtype)) }
                        td class="w" { (origin(roof.measured)) }
                    } }
                    @for slope in line.slopes.iter().filter(|slope| slope.working_set_bytes.is_none()) { tr class=(page.d(line.subject)) {
                        th scope="row" { (page.name(line.subject)) }
                        td class="w" { (level(slope)) }
                        td { (units::bytes_per_s(slope.bytes_per_s)) }
                        td class="w" { (origin(slope.measured)) }
                    } }
                }
            }
        }
    };
    html! { details class="box" { summary { (t.ceilings_caption) } (scroll(t.ceilings_caption, &table)) } }
}
