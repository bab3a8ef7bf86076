//! The inputs that output pixels sum over, as rows of a matrix.

use super::Shape;
use super::columns::{Pixel, meets};
use crate::host::element::{Element, Real};
use crate::host::tiles::{Lanes, parts_of_row, steps};
use std::ops::Range;

/// Puts what `pixels` sum over into a panel of A: of a window, ordered r, s, channel, the elements of `depth`. `x` starts at
/// the group's first channel.
pub(super) fn gather_windows<E: Element<Real: Lanes>>(
    shape: &Shape,
    x: &[E],
    pixels: Range<usize>,
    depth: Range<usize>,
    panel: &mut [E::Real],
) {
    let [height, width] = shape.input;
    let channels = shape.groups * shape.c;
    // Where neighbours in a row of X are neighbours in a window too, they are copied together.
    let together = if shape.groups == 1 && shape.dilation[1] == 1 { shape.kernel[1] } else { 1 };
    let run = together * shape.c;
    for (row, pixel) in pixels.enumerate() {
        let pixel = Pixel::of(shape, pixel);
        for first in (depth.start / run * run..depth.end).step_by(run) {
            let tap = first / shape.c;
            let (r, s) = (tap / shape.kernel[1], tap % shape.kernel[1]);
            let y = meets(shape, 0, pixel.y, r);
            let inside = |s: usize| y.is_some() && meets(shape, 1, pixel.x, s).is_some();
            // Those inside are consecutive.
            let left = (s..s + together).position(inside).unwrap_or(together);
            let right = (s..s + together).rposition(inside).map_or(left, |last| last + 1);
            let from = y.filter(|_| left < right).map_or(&[][..], |y| {
                let x_ = pixel.x * shape.stride[1] + (s + left) * shape.dilation[1] - shape.pad[1];
                &x[((pixel.image * height + y) * width + x_) * channels..][..(right - left) * shape.c]
            });
            let filled = first + left * shape.c..first + right * shape.c;
            for (part, is_filled) in
                [(first..filled.start, false), (filled.clone(), true), (filled.end..first + run, false)]
            {
                let (start, end) = (part.start.max(depth.start), part.end.min(depth.end));
                let mut next = start;
                for to in parts_of_row(panel, row, start - depth.start, end.saturating_sub(start)) {
                    if is_filled {
                        put(&from[next - filled.start..][..to.len()], to);
                        next += to.len();
                    } else {
                        to.fill(E::Real::ZERO);
                    }
                }
            }
        }
    }
}

/// Converts `from` into `to`, which is as long: often a block of steps, of which the compiler knows the length.
#[inline(always)]
fn put<E: Element<Real: Lanes>>(from: &[E], to: &mut [E::Real]) {
    let block = steps::<E::Real>();
    match E::in_place(from) {
        Some(from) if from.len() == block => to[..block].copy_from_slice(&from[..block]),
        _ => E::widen(from, to),
    }
}
