//! Rates over size.

use super::{Page, fill};
use crate::report::{Scaling, ScalingLine};
use crate::svg::{Marker, Plot, Point, Series, Ticks};
use crate::units;
use maud::{Markup, html};

/// Charts that a page shows at most.
const CHARTS: usize = 48;

pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = page.t;
    let scaling = &page.report.scaling;
    if scaling.is_empty() {
        return html! { p { (t.scaling_none) } };
    }
    html! {
        p { (t.scaling_how) }
        (page.legend(page.shown.iter().copied()))
        div class="grid" { @for one in scaling.iter().take(CHARTS) { (figure(page, one)) } }
        (page.left_out(scaling.len().saturating_sub(CHARTS)))
    }
}

fn figure(page: &Page<'_>, scaling: &Scaling) -> Markup {
    let t = page.t;
    let title =
        fill(if scaling.ladder { t.scaling_ladder } else { t.scaling_all }, &[page.task(&scaling.op, &scaling.dtype)]);
    let series =
        scaling.lines.iter().filter(|line| page.is_shown(line.subject)).map(|line| series(page, line, scaling.ladder));
    let plot = Plot {
        title: &title,
        desc: t.scaling_desc,
        x: t.work_axis,
        x_ticks: Ticks::Decades,
        y: units::work_per_s(&scaling.dtype),
        series: series.collect(),
    };
    html! {
        @if let Some(drawn) = plot.draw() {
            figure class=(page.group(&scaling.op, &scaling.dtype)) { figcaption { (title) small { (page.clock(scaling.clock)) (t.comma) (page.cache(scaling.cache)) } } (drawn) }
        }
    }
}

fn series(page: &Page<'_>, line: &ScalingLine, ladder: bool) -> Series {
    let at = page.place[line.subject].unwrap_or_default();
    let point = |flop: f64, row: usize| {
        Some(Point { x: flop, y: page.report.row(row).measured.as_ref()?.flop_per_s, row: Some(row) })
    };
    Series {
        class: page.d(line.subject),
        hue: at,
        marker: Marker::of(at),
        points: line.points.iter().filter_map(|place| point(place.flop, place.row)).collect(),
        // A line joins cases that differ in size only.
        line: ladder && line.points.is_sorted_by(|one, next| one.flop < next.flop),
        marks: true,
        label: ladder.then(|| (at + 1).to_string()),
    }
}
