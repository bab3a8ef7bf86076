//! The inputs that a block of output pixels sums over, as a matrix.

use super::Shape;
use crate::host::element::{Element, Real};
use std::ops::Range;

/// An output pixel's image, row and column.
#[derive(Clone, Copy)]
pub(super) struct Pixel {
    pub(super) image: usize,
    pub(super) y: usize,
    pub(super) x: usize,
}

impl Pixel {
    pub(super) fn of(shape: &Shape, index: usize) -> Self {
        let [height, width] = shape.output;
        Self { image: index / (height * width), y: index / width % height, x: index % width }
    }
}

/// The input's coordinate along `axis` that an output's coordinate meets at a tap; none in the padding.
pub(super) fn meets(shape: &Shape, axis: usize, output: usize, tap: usize) -> Option<usize> {
    let padded = output * shape.stride[axis] + tap * shape.dilation[axis];
    padded.checked_sub(shape.pad[axis]).filter(|input| *input < shape.input[axis])
}

/// Outputs of one row of the image, from `pixel` on, which are `len` columns from `at` on.
struct Segment {
    pixel: Pixel,
    at: usize,
    len: usize,
}

fn segments(shape: &Shape, pixels: &Range<usize>) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut next = pixels.start;
    while next < pixels.end {
        let pixel = Pixel::of(shape, next);
        let len = (shape.output[1] - pixel.x).min(pixels.end - next);
        segments.push(Segment { pixel, at: next - pixels.start, len });
        next += len;
    }
    segments
}

/// What one tap of the kernel puts into a row of columns, of any channel.
#[derive(Default)]
struct Tap {
    /// Columns, and the element of the channel where they start.
    runs: Vec<(Range<usize>, usize)>,
    /// Columns in the padding, to be cleared after the runs are copied.
    padding: Vec<Range<usize>>,
}

impl Tap {
    /// Where neighbouring rows of the image lie as far apart in the input as in the columns, as they do with stride 1
    /// and an output as wide as the input, they are copied as one run, with the padding between them.
    fn of(shape: &Shape, segments: &[Segment], r: usize, s: usize) -> Self {
        let image = shape.groups * shape.c * shape.input[0] * shape.input[1];
        let mut tap = Self::default();
        for segment in segments {
            let columns = segment.at..segment.at + segment.len;
            let inside = |x: &usize| meets(shape, 1, segment.pixel.x + x, s).is_some();
            // Those inside are consecutive, for the input grows with the output.
            let first = (0..segment.len).find(inside);
            let last = (0..segment.len).rev().find(inside);
            let row = meets(shape, 0, segment.pixel.y, r);
            let (Some(row), Some(first), Some(last)) = (row, first, last) else {
                tap.padding.push(columns);
                continue;
            };
            let filled = columns.start + first..columns.start + last + 1;
            let x = (segment.pixel.x + first) * shape.stride[1] + s * shape.dilation[1] - shape.pad[1];
            let from = segment.pixel.image * image + row * shape.input[1] + x;
            for gap in [columns.start..filled.start, filled.end..columns.end] {
                if !gap.is_empty() {
                    tap.padding.push(gap);
                }
            }
            match tap.runs.last_mut() {
                Some((run, start))
                    if shape.stride[1] == 1 && from >= *start && from - *start == filled.start - run.start =>
                {
                    run.end = filled.end;
                }
                _ => tap.runs.push((filled, from)),
            }
        }
        tap
    }
}

/// Puts rows `rows` of the reduction, ordered channel, r, s, into rows of columns `stride` apart, a column for each of
/// `pixels`. `x` starts at the group's first channel.
pub(super) fn gather_nchw<E: Element>(
    shape: &Shape,
    x: &[E],
    pixels: &Range<usize>,
    rows: &Range<usize>,
    columns: &mut [E::Real],
    stride: usize,
) {
    let taps = shape.taps();
    let channel_len = shape.input[0] * shape.input[1];
    let segments = segments(shape, pixels);
    for tap in 0..taps {
        let first = rows.start.saturating_sub(tap).next_multiple_of(taps) + tap;
        if first >= rows.end {
            continue;
        }
        let plan = Tap::of(shape, &segments, tap / shape.kernel[1], tap % shape.kernel[1]);
        for row in (first..rows.end).step_by(taps) {
            let channel = &x[row / taps * channel_len..];
            let columns = &mut columns[(row - rows.start) * stride..][..pixels.len()];
            for (run, from) in &plan.runs {
                let to = &mut columns[run.clone()];
                match shape.stride[1] {
                    1 => E::widen(&channel[*from..*from + run.len()], to),
                    2 => every_other(&channel[*from..][..2 * run.len() - 1], to),
                    stride => {
                        for (to, from) in to.iter_mut().zip(channel[*from..].iter().step_by(stride)) {
                            *to = from.real();
                        }
                    }
                }
            }
            for gap in &plan.padding {
                columns[gap.clone()].fill(E::Real::ZERO);
            }
        }
    }
}

/// The elements at even places, by a step that the compiler knows and can make vectors of.
fn every_other<E: Element>(from: &[E], to: &mut [E::Real]) {
    let (pairs, last) = from.as_chunks::<2>();
    for (to, [even, _]) in to.iter_mut().zip(pairs) {
        *to = even.real();
    }
    if let ([last], Some(to)) = (last, to.last_mut()) {
        *to = last.real();
    }
}

/// Puts rows `rows` of the reduction, ordered r, s, channel, into columns `stride` apart, a column for each of `pixels`.
/// `x` starts at the group's first channel.
pub(super) fn gather_nhwc<E: Element>(
    shape: &Shape,
    x: &[E],
    pixels: &Range<usize>,
    rows: &Range<usize>,
    columns: &mut [E::Real],
    stride: usize,
) {
    let [height, width] = shape.input;
    let channels = shape.groups * shape.c;
    for (pixel, column) in pixels.clone().zip(columns.chunks_mut(stride)) {
        let pixel = Pixel::of(shape, pixel);
        let mut row = rows.start;
        while row < rows.end {
            let (tap, channel) = (row / shape.c, row % shape.c);
            let len = (shape.c - channel).min(rows.end - row);
            let to = &mut column[row - rows.start..][..len];
            let y = meets(shape, 0, pixel.y, tap / shape.kernel[1]);
            match y.zip(meets(shape, 1, pixel.x, tap % shape.kernel[1])) {
                Some((y, x_)) => {
                    let from = ((pixel.image * height + y) * width + x_) * channels + channel;
                    E::widen(&x[from..from + len], to);
                }
                None => to.fill(E::Real::ZERO),
            }
            row += len;
        }
    }
}
