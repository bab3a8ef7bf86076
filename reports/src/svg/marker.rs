//! Shapes of points: with the colours, so that a series is known without them.

use super::{HUES, short};
use maud::{Markup, html};
use std::fmt::Write as _;

/// What a series' points look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker(usize);

/// Outlines about 7 units across, relative to their first point; each starts and ends at the centre's place.
const SHAPES: [&str; 8] = [
    "m-3 0a3 3 0 1 1 0 .1z",
    "m-3-3h6v6h-6z",
    "m0-4l4 7h-8z",
    "m0-4l4 4-4 4-4-4z",
    "m0 4l4-7h-8z",
    "m-1-4h2v3h3v2h-3v3h-2v-3h-3v-2h3z",
    "m-4-2h8v4h-8z",
    "m-2-4h4v8h-4z",
];

impl Marker {
    /// The shape of series number `index`: shapes shift against the colours where those begin again.
    pub(crate) fn of(index: usize) -> Self {
        Self((index + index / HUES) % SHAPES.len())
    }

    /// The outlines of all points, as one path's data.
    pub(crate) fn path(self, points: impl Iterator<Item = (f64, f64)>) -> String {
        points.fold(String::new(), |mut path, (x, y)| {
            // Writing to a string can't fail.
            let _ = write!(path, "M{} {}{}", short(x), short(y), SHAPES[self.0]);
            path
        })
    }
}

/// The sign of a series, as legends and tables show it beside its name.
pub(crate) fn key(hue: usize, marker: Marker) -> Markup {
    html! {
        svg class={ "k s" (hue % HUES) } viewBox="0 0 10 10" aria-hidden="true" {
            path d=(marker.path(std::iter::once((5.0, 5.0)))) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_first_64_series_differ_in_colour_or_shape() {
        let looks: BTreeSet<(usize, usize)> = (0..64).map(|index| (index % HUES, Marker::of(index).0)).collect();
        assert_eq!(looks.len(), 64);
    }

    #[test]
    fn every_point_has_its_outline() {
        let path = Marker::of(1).path([(1.0, 2.5), (3.25, 4.0)].into_iter());
        assert_eq!(path, "M1 2.5m-3-3h6v6h-6zM3.2 4m-3-3h6v6h-6z");
    }
}
