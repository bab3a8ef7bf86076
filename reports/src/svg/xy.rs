//! Charts of points and lines over two logarithmic axes.

use super::{Axis, HUES, Marker, Ticks, short};
use maud::{Markup, html};

/// A chart. It is drawn for a phone's width and scales up.
pub(crate) struct Plot<'a> {
    /// What it shows, in a few words: its name for screen readers.
    pub title: &'a str,
    /// Where its figures stand as a table.
    pub desc: &'a str,
    /// What the horizontal axis is of, with its unit.
    pub x: &'a str,
    /// How its values are named.
    pub x_ticks: Ticks,
    /// What the vertical axis is of, with its unit.
    pub y: &'a str,
    /// What is drawn, in order.
    pub series: Vec<Series>,
}

/// Points or a line.
pub(crate) struct Series {
    /// Classes by which the page shows or hides it.
    pub class: String,
    /// Which of the colours it has.
    pub hue: usize,
    /// The shape of its points.
    pub marker: Marker,
    /// The points, from left to right where a line joins them.
    pub points: Vec<Point>,
    /// Whether a line joins the points.
    pub line: bool,
    /// Whether the points themselves are drawn.
    pub marks: bool,
    /// Its name, after its last point.
    pub label: Option<String>,
}

/// A point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Where it stands.
    pub x: f64,
    /// Where it stands.
    pub y: f64,
    /// The number of the result that it shows.
    pub row: Option<usize>,
}

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 46.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 212.0;
/// A letter of a label is about as wide.
const LETTER: f64 = 5.6;
/// Labels at lines' ends keep this distance.
const LINE_HEIGHT: f64 = 11.0;

impl Plot<'_> {
    /// The chart; nothing where no point can be drawn.
    pub(crate) fn draw(&self) -> Option<Markup> {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let x = Axis::over(self.x_ticks, points().map(|point| point.x), LEFT, self.right())?;
        let y = Axis::over(Ticks::Decades, points().map(|point| point.y), BOTTOM, TOP)?;
        Some(html! {
            svg class="plot" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(self.title) {
                desc { (self.desc) }
                (self.frame(&x, &y))
                @for series in &self.series { (series.draw(&x, &y)) }
                (self.end_labels(&x, &y))
            }
        })
    }

    /// Where the axes end: labels at lines' ends have their room beside them.
    fn right(&self) -> f64 {
        let letters = self.series.iter().filter_map(|series| Some(series.label.as_ref()?.chars().count())).max();
        (WIDTH - 6.0 - letters.unwrap_or(0) as f64 * LETTER).max(WIDTH / 2.0)
    }

    fn frame(&self, x: &Axis, y: &Axis) -> Markup {
        let right = short(self.right());
        html! {
            g class="ax" {
                @for (value, name) in x.ticks() {
                    @let at = short(x.place(value));
                    path d={ "M" (at) " " (TOP) "V" (BOTTOM) } {}
                    text x=(at) y=(BOTTOM + 13.0) text-anchor="middle" { (name) }
                }
                @for (value, name) in y.ticks() {
                    @let at = y.place(value);
                    path d={ "M" (LEFT) " " (short(at)) "H" (right) } {}
                    text x=(LEFT - 4.0) y=(short(at + 3.5)) text-anchor="end" { (name) }
                }
                path class="base" d={ "M" (LEFT) " " (TOP) "V" (BOTTOM) "H" (right) } {}
                text class="t" x=(right) y=(BOTTOM + 29.0) text-anchor="end" { (self.x) }
                text class="t" x="2" y="11" { (self.y) }
            }
        }
    }

    /// Names at the lines' ends, moved apart where they would touch.
    fn end_labels(&self, x: &Axis, y: &Axis) -> Markup {
        let mut labels: Vec<(f64, f64, &Series, &str)> = self
            .series
            .iter()
            .filter_map(|series| match (&series.label, series.points.last()) {
                (Some(name), Some(last)) => Some((x.place(last.x), y.place(last.y), series, name.as_str())),
                _ => None,
            })
            .collect();
        labels.sort_by(|one, other| one.1.total_cmp(&other.1));
        for index in 1..labels.len() {
            labels[index].1 = labels[index].1.max(labels[index - 1].1 + LINE_HEIGHT);
        }
        html! {
            @for (x, y, series, name) in labels {
                text class={ "l s" (series.hue % HUES) " " (series.class) } x=(short(x + 5.0)) y=(short(y + 3.5)) { (name) }
            }
        }
    }
}

impl Series {
    fn draw(&self, x: &Axis, y: &Axis) -> Markup {
        let drawn: Vec<&Point> = self
            .points
            .iter()
            .filter(|point| [point.x, point.y].into_iter().all(|value| value.is_finite() && value > 0.0))
            .collect();
        let places = || drawn.iter().map(|point| (x.place(point.x), y.place(point.y)));
        let line: Vec<String> = places().map(|(x, y)| format!("{} {}", short(x), short(y))).collect();
        let rows: Vec<String> = drawn.iter().filter_map(|point| point.row).map(|row| row.to_string()).collect();
        html! {
            g class={ "s" (self.hue % HUES) " " (self.class) } {
                @if self.line { path class="ln" d={ "M" (line.join("L")) } {} }
                @if self.marks {
                    path class="m" data-r=[(!rows.is_empty()).then(|| rows.join(" "))] d=(self.marker.path(places())) {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(index: usize, label: &str, ys: [f64; 2]) -> Series {
        let point = |(at, y): (usize, f64)| Point { x: 10f64.powi(at as i32), y, row: Some(at + 10 * index) };
        Series {
            class: format!("d{index}"),
            hue: index,
            marker: Marker::of(index),
            points: ys.into_iter().enumerate().map(point).collect(),
            line: true,
            marks: true,
            label: Some(label.to_owned()),
        }
    }

    fn plot(series: Vec<Series>) -> Plot<'static> {
        Plot { title: "rate < size", desc: "as a table below", x: "size", x_ticks: Ticks::Decades, y: "FLOP/s", series }
    }

    #[test]
    fn points_name_their_results_and_text_is_escaped() {
        let text = plot(vec![series(1, "A", [1.0, 100.0])]).draw().unwrap().into_string();
        assert!(text.contains("data-r=\"10 11\""), "{text}");
        assert!(text.contains("aria-label=\"rate &lt; size\""), "{text}");
        assert!(plot(Vec::new()).draw().is_none());
    }

    #[test]
    fn labels_keep_their_distance() {
        let text = plot(vec![series(0, "A", [1.0, 100.0]), series(1, "B", [1.0, 101.0])]).draw().unwrap().into_string();
        let at = |class: &str| -> f64 {
            let tail = text.split(&format!("class=\"l {class}\"")).nth(1).unwrap();
            tail.split("y=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        };
        assert!((at("s0 d0") - at("s1 d1")).abs() >= LINE_HEIGHT - 0.1, "{text}");
    }
}
