//! Charts as SVG, written by `maud`, which escapes every text by itself.
//!
//! Colours come from the page's style sheet: a series is drawn in `currentColor`, and its class `s0` … `s7` sets that.
//! Crates that draw whole charts bring their own colours, fonts and sizes; the few shapes needed here are shorter than
//! what it takes to change those.

mod bar;
mod marker;
mod scale;
mod xy;

pub(crate) use bar::bar;
pub(crate) use marker::{Marker, key};
pub(crate) use scale::{Axis, Ticks};
pub(crate) use xy::{Plot, Point, Series};

/// A coordinate with as many digits as a screen shows.
pub(crate) fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

/// The colours and shapes repeat after so many series, and both together much later.
pub(crate) const HUES: usize = 8;
