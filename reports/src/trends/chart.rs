//! A series as a chart: a point a run, from left to right, and the level that holds between change points.

use super::{Change, Metric, Point, Series};
use crate::svg::short;
use maud::{Markup, html};

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 352.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 126.0;
/// What hardly varies must not look as if it did: the axis spans at least this share of the value.
const LEAST_SPAN: f64 = 0.1;
/// Air above and below, as a share of the span.
const AIR: f64 = 0.08;

/// The chart; nothing where no value can be drawn.
pub(super) fn draw(series: &Series, metric: Metric, title: &str, desc: &str) -> Option<Markup> {
    let points = &series.points;
    let places = Places::over(points)?;
    let drawn = || points.iter().enumerate().filter_map(|(at, point)| Some((at, point, usable(point.value)?)));
    let changes = || series.changes.iter().filter_map(|change| Some((change, change.at?)));
    let first_day = points.first().map(day).unwrap_or_default();
    let last_day = points.last().map(day).unwrap_or_default();
    Some(html! {
        svg class="plot" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(title) {
            desc { (desc) }
            g class="ax" {
                @for value in places.named() {
                    @let y = short(places.y(value));
                    path d={ "M" (LEFT) " " (y) "H" (RIGHT) } {}
                    text x=(LEFT - 4.0) y=(short(places.y(value) + 3.5)) text-anchor="end" { (metric.text(value, &series.name)) }
                }
                path class="base" d={ "M" (LEFT) " " (TOP) "V" (BOTTOM) "H" (RIGHT) } {}
                text x=(LEFT) y=(BOTTOM + 14.0) { (first_day) }
                @if last_day != first_day { text x=(RIGHT) y=(BOTTOM + 14.0) text-anchor="end" { (last_day) } }
            }
            @for (change, at) in changes() {
                // Between the last run before and the first after.
                @let x = short(places.x(at as f64 - 0.5));
                g class=(hue(metric, change)) { path class="ln" stroke-dasharray="3 3" d={ "M" (x) " " (TOP) "V" (BOTTOM) } {} }
            }
            g class="s0" {
                @for (at, point, value) in drawn() {
                    @let x = short(places.x(at as f64));
                    @if let Some([low, high]) = point.interval.filter(|ends| ends.iter().all(|end| usable(Some(*end)).is_some())) {
                        path class="ln" stroke-opacity="0.45" d={ "M" (x) " " (short(places.y(low))) "V" (short(places.y(high))) } {}
                    }
                    circle class="m" cx=(x) cy=(short(places.y(value))) r="2.2" {}
                }
            }
            g class="s1" {
                @for (from, to, level) in levels(series) {
                    path class="ln" d={ "M" (short(places.x(from))) " " (short(places.y(level))) "H" (short(places.x(to))) } {}
                }
            }
        }
    })
}

/// The colour of a change: that of a warning where it is for the worse.
fn hue(metric: Metric, change: &Change) -> &'static str {
    if metric.is_worse(change.ratio()) { "s3" } else { "s2" }
}

/// From where to where a level holds, in runs.
fn levels(series: &Series) -> Vec<(f64, f64, f64)> {
    let last = series.points.len().saturating_sub(1) as f64;
    let mut from = 0.0;
    let mut levels = Vec::new();
    for change in &series.changes {
        let Some(at) = change.at else { continue };
        levels.push((from, (at as f64 - 0.5).max(from), change.level_before));
        from = at as f64 - 0.5;
    }
    levels.push((from.max(0.0), last, series.level));
    levels.retain(|&(.., level)| usable(Some(level)).is_some());
    levels
}

fn usable(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite() && (1e-100..=1e100).contains(value))
}

/// The day of a run.
fn day(point: &Point) -> String {
    point.started.chars().take_while(|&letter| letter != 'T').collect()
}

/// Where runs and values stand.
struct Places {
    runs: f64,
    low: f64,
    high: f64,
}

impl Places {
    fn over(points: &[Point]) -> Option<Self> {
        let values = || points.iter().filter_map(|point| usable(point.value));
        let (low, high) = (values().reduce(f64::min)?, values().reduce(f64::max)?);
        let (middle, span) = (0.5 * (low + high), (high - low).max(LEAST_SPAN * high));
        let half = span * (0.5 + AIR);
        Some(Self { runs: points.len() as f64, low: (middle - half).max(0.0), high: middle + half })
    }

    fn x(&self, run: f64) -> f64 {
        // A single run stands in the middle.
        let share = if self.runs > 1.0 { run / (self.runs - 1.0) } else { 0.5 };
        LEFT + 6.0 + share.clamp(0.0, 1.0) * (RIGHT - LEFT - 12.0)
    }

    /// An interval may reach beyond the values, and so beyond the chart.
    fn y(&self, value: f64) -> f64 {
        (BOTTOM - (value - self.low) / (self.high - self.low) * (BOTTOM - TOP)).clamp(TOP, BOTTOM)
    }

    /// The values at lines: evenly spaced, since what is shown is change.
    fn named(&self) -> [f64; 3] {
        [0.1, 0.5, 0.9].map(|share| self.low + share * (self.high - self.low))
    }
}
