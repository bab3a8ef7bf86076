//! Energy: what it took where it was measured, and why it is not known elsewhere.

use super::number::{Scale, digits};
use super::{Page, answer, fill, rooflines, scroll};
use crate::EnergyFigures;
use crate::report::{EnergyModel, EnergyProbe, EnergyState, Row};
use crate::svg::{self, HUES, Marker, Plot, Point, Series, Ticks};
use crate::units::percent;
use maud::{Markup, html};

/// Rows of the table of measured energies.
const ROWS: usize = 400;
/// Estimates that a page shows.
const ESTIMATES: usize = 40;

pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = page.t;
    let energy = &page.report.energy;
    let measured: Vec<usize> = (0..page.report.rows.len())
        .filter(|&index| {
            let row = page.report.row(index);
            page.is_shown(row.subject) && figures(row).is_some()
        })
        .collect();
    html! {
        p { (t.energy_how) }
        @if measured.is_empty() && models(page).next().is_none() { div class="callout" { p { (page.x.sentences.no_energy) } } } @else {
            @for standing in energy.standings.iter().filter(|standing| !standing.ranks.is_empty()) {
                div class=(page.group(&standing.op, &standing.dtype)) { (answer::bars(page, standing)) }
            }
            (roofline(page, &measured))
            (fitted(page))
            @if !measured.is_empty() { (table(page, &measured)) }
        }
        (states(page, &energy.states))
        (estimates(page, &energy.estimates))
    }
}

fn models<'a>(page: &'a Page<'_>) -> impl Iterator<Item = &'a EnergyModel> {
    page.report.energy.models.iter().filter(|model| page.is_shown(model.subject))
}

fn figures(row: &Row) -> Option<&EnergyFigures> {
    row.energy.as_ref()?.figures.as_ref()
}

/// The energy roofline: what a joule buys, over how much a kernel computes for each byte.
fn roofline(page: &Page<'_>, measured: &[usize]) -> Markup {
    let t = page.t;
    let point = |&row: &usize| {
        let (case, energy) = (&page.report.cases[page.report.row(row).case], figures(page.report.row(row))?);
        Some(Point { x: case.flop? / case.bytes?, y: energy.flop_per_s_per_w, row: Some(row) })
    };
    let plots = page.shown.iter().filter_map(|&subject| {
        let of = |row: &&usize| page.report.row(**row).subject == subject;
        let points: Vec<Point> = measured.iter().filter(of).filter_map(point).collect();
        let title = fill(t.energy_roofline_of, &[page.report.label(subject).to_owned()]);
        let plot = Plot {
            title: &title,
            desc: t.energy_roofline_desc,
            x: t.intensity_axis,
            x_ticks: Ticks::Decades,
            y: "FLOP/s/W",
            series: models(page)
                .filter(|model| model.subject == subject)
                .flat_map(|model| model_series(model, &points))
                .chain(rooflines::grouped(page, &points))
                .collect(),
        };
        Some(html! { figure class=(page.d(subject)) { figcaption { (page.name(subject)) } (plot.draw()?) } })
    });
    html! {
        h3 { (t.energy_roofline) }
        ul class="legend" {
            @for (at, op) in page.ops.iter().enumerate() { li class={ "o" (at) } { (svg::key(HUES - 2, Marker::of(at))) (page.op(op)) } }
            @for (at, dtype) in page.dtypes.iter().enumerate() { li class={ "t" (at) } { (svg::key(at, Marker::of(0))) (dtype) } }
        }
        div class="grid" { @for plot in plots { (plot) } }
    }
}

/// Places of a fitted curve.
const CURVE: usize = 33;

/// A model's curve over all intensities, and the probes that it was fitted to.
fn model_series(model: &EnergyModel, points: &[Point]) -> Vec<Series> {
    let intensities = || {
        let probes = model.probes.iter().map(|probe| probe.intensity_flop_per_byte);
        probes.chain(points.iter().map(|point| point.x)).filter(|value| value.is_finite() && *value > 0.0)
    };
    let (left, right) = (intensities().fold(f64::INFINITY, f64::min), intensities().fold(0.0, f64::max));
    let at = |place: usize| left * (right / left).powf(place as f64 / (CURVE - 1) as f64);
    let curve = (0..CURVE).filter_map(|place| Some(Point { x: at(place), y: model.flop_per_j(at(place))?, row: None }));
    let probe = |probe: &EnergyProbe| Point { x: probe.intensity_flop_per_byte, y: probe.flop_per_s_per_w, row: None };
    let series = |points: Vec<Point>, line: bool| Series {
        class: "roof".to_owned(),
        hue: HUES - 2,
        marker: Marker::of(HUES - 1),
        points,
        line,
        marks: !line,
        label: None,
    };
    let all = vec![series(curve.collect(), true), series(model.probes.iter().map(probe).collect(), false)];
    all.into_iter().filter(|series| !series.points.is_empty()).collect()
}

/// What a FLOP and a byte take by the fitted models, and what was measured for them.
fn fitted(page: &Page<'_>) -> Markup {
    let t = page.t;
    if models(page).next().is_none() {
        return html! {};
    }
    let with_error = |(value, error): (f64, f64)| html! { (digits(value)) small { "± " (digits(error)) } };
    let table = html! {
        table {
            caption { (t.energy_model) small { (t.energy_model_how) } }
            thead { tr { th scope="col" { (page.c.device) } th scope="col" { "pJ/FLOP" } th scope="col" { "pJ/B" } th scope="col" { (t.constant_power) } th scope="col" { (t.fit_error) } } }
            tbody {
                @for model in models(page) {
                    tr class=(page.d(model.subject)) {
                        th scope="row" { (page.name(model.subject)) }
                        @if let Some(fit) = model.roofline {
                            td { (with_error((fit.pj_per_flop, fit.pj_per_flop_error))) }
                            td { (with_error((fit.pj_per_byte, fit.pj_per_byte_error))) }
                            td { @if let Some(constant) = fit.constant_w { (digits(constant)) " W" @if let Some(error) = fit.constant_w_error { small { "± " (digits(error)) " W" } } } @else { (page.x.none) } }
                            td { (percent(fit.fit_error)) }
                        } @else { td colspan="4" class="none" { (t.no_fit) } }
                    }
                }
            }
        }
    };
    let probes = html! {
        table class="sort" {
            caption class="vh" { (t.energy_probes) }
            thead { tr {
                th scope="col" { (page.c.device) } th scope="col" class="w" { (page.c.kernel) } th scope="col" class="w" { (page.c.dtype) } th scope="col" { (t.intensity_axis) }
                th scope="col" { "pJ/B" } th scope="col" { "GFLOP/s/W" } th scope="col" { (t.uncertainty) }
            } }
            tbody {
                @for model in models(page) { @for probe in &model.probes {
                    tr class=(page.d(model.subject)) {
                        th scope="row" { (page.name(model.subject)) }
                        td class="w" lang="en" { (probe.kernel) }
                        td class="w" lang="en" { (probe.dtype) }
                        td { (digits(probe.intensity_flop_per_byte)) }
                        td { @if let Some(cost) = probe.pj_per_byte { (digits(cost)) } @else { (page.x.none) } }
                        td { (digits(probe.flop_per_s_per_w / 1e9)) }
                        td { "±" (percent(probe.combined)) }
                    }
                } }
            }
        }
    };
    html! {
        (scroll(t.energy_model, &table))
        details class="box" { summary { (t.energy_probes) } (scroll(t.energy_probes, &probes)) }
    }
}

fn table(page: &Page<'_>, measured: &[usize]) -> Markup {
    let t = page.t;
    let scale = Scale::of(measured.iter().filter_map(|&row| Some(figures(page.report.row(row))?.flop_per_s_per_w)));
    let table = html! {
        table class="sort" {
            caption { (t.energy_caption) small { (t.energy_interval) } }
            thead { tr {
                th scope="col" { (t.task) } th scope="col" class="w" { (page.c.shape) } th scope="col" class="w" { (page.c.device) }
                th scope="col" { "pJ/FLOP" } th scope="col" { (scale.unit("FLOP/s/W")) } th scope="col" { (t.mean_power) } th scope="col" { (t.joules_per_run) }
                th scope="col" { (t.uncertainty) } th scope="col" { (t.windows) } th scope="col" class="w" { (t.meter) }
            } }
            tbody {
                @for &index in measured.iter().take(ROWS) {
                    @let row = page.report.row(index);
                    @let case = &page.report.cases[row.case];
                    @if let (Some(energy), Some(cost)) = (figures(row), row.energy.as_ref().and_then(|energy| energy.pj_per_flop())) {
                        tr class={ (page.group(&case.op, &case.dtype)) " " (page.d(row.subject)) } {
                            th scope="row" { (page.task(&case.op, &case.dtype)) }
                            td class="w" { (page.figure(index, &case.shape)) }
                            td class="w" { (page.name(row.subject)) }
                            td { (digits(cost.value)) small { (digits(cost.low)) "–" (digits(cost.high)) } }
                            td { (scale.show(energy.flop_per_s_per_w)) }
                            td { (digits(energy.mean_power_w)) " W" }
                            td { (digits(energy.joules_per_run)) }
                            td { "±" (percent(energy.combined)) }
                            td { (energy.windows.len()) }
                            td class="w" lang="en" { @if let Some(meter) = row.energy.as_ref().and_then(|energy| energy.meter.as_ref()) { (meter.id) ", " (meter.kind) ", " (meter.scope) ", ±" (percent(meter.accuracy)) } }
                        }
                    }
                }
            }
        }
    };
    html! {
        details class="box" {
            summary { (t.energy_caption) " · " (fill(t.results, &[measured.len().to_string()])) }
            (scroll(t.energy_caption, &table))
            (page.left_out(measured.len().saturating_sub(ROWS)))
        }
    }
}

/// What became of each device's measurements.
fn states(page: &Page<'_>, states: &[EnergyState]) -> Markup {
    let t = page.t;
    let table = html! {
        table {
            caption { (t.energy_states) }
            thead { tr { th scope="col" { (page.c.device) } th scope="col" class="w" { (t.outcome) } } }
            tbody {
                @for &subject in &page.shown {
                    tr class=(page.d(subject)) {
                        th scope="row" { (page.name(subject)) }
                        td class="w" {
                            @match states.iter().find(|state| state.subject == subject) {
                                None => (t.energy_not_asked),
                                Some(state) => {
                                    @for tally in &state.tallies {
                                        div { ((page.x.names.energy_status)(tally.status)) ", " (fill(t.of_results, &[tally.rows.to_string()])) @if let Some(reason) = &tally.reason { ": " span lang="en" { (reason) } } }
                                    }
                                    @if !state.tried.is_empty() { details { summary { (t.tried) } ul lang="en" { @for tried in &state.tried { li { (tried) } } } } }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    html! { (scroll(t.energy_states, &table)) }
}

/// Upper bounds that nobody measured: apart from all measurements, and called what they are.
fn estimates(page: &Page<'_>, rows: &[usize]) -> Markup {
    let t = page.t;
    if rows.is_empty() {
        return html! {};
    }
    let table = html! {
        table {
            caption { (t.estimates) small { (t.estimates_how) } }
            thead { tr { th scope="col" { (page.c.shape) } th scope="col" class="w" { (page.c.device) } th scope="col" { (t.rated_power) } th scope="col" { (t.at_most_joules) } } }
            tbody {
                @for &index in rows.iter().take(ESTIMATES) {
                    @let row = page.report.row(index);
                    @let case = &page.report.cases[row.case];
                    @if let Some(estimate) = row.energy.as_ref().and_then(|energy| energy.estimate.as_ref()) {
                        tr { th scope="row" { (page.task(&case.op, &case.dtype)) " " (case.shape) } td class="w" { (page.name(row.subject)) } td { (digits(estimate.rated_power_w)) " W" } td { "≤ " (digits(estimate.joules_per_run)) " J" } }
                    }
                }
            }
        }
    };
    html! { (scroll(t.estimates, &table)) (page.left_out(rows.len().saturating_sub(ESTIMATES))) }
}
