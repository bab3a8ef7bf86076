//! The inputs that output pixels sum over, as columns of a matrix.

use super::Shape;
use crate::host::element::{Element, Real};
use crate::host::tiles::Lanes;
use pulp::Simd;
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
        let image = shape.groups * shape.c * shape.plane();
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

/// A part of a panel's row, in one vector: elements that lie in a plane as they do in the row.
struct Source<M> {
    /// From where the vector's first element would lie in the first plane.
    start: isize,
    lanes: M,
}

/// Where the rows of a panel come from, of any channel.
struct Sources<M> {
    all: Vec<Source<M>>,
    /// How many of them there are for a vector, those of a row and of the rows of all taps one after the other.
    of_vector: Vec<usize>,
}

impl<M> Sources<M> {
    fn of(shape: &Shape, pixels: &Range<usize>, vectors: usize, lanes: usize, mask: impl Fn(u64) -> M) -> Self {
        let image = shape.groups * shape.c * shape.plane();
        let segments = segments(shape, pixels);
        let mut sources = Self { all: Vec::new(), of_vector: Vec::new() };
        let mut found: Vec<(isize, u64)> = Vec::new();
        for tap in 0..shape.taps() {
            let (r, s) = (tap / shape.kernel[1], tap % shape.kernel[1]);
            for vector in (0..vectors).map(|vector| vector * lanes..(vector + 1) * lanes) {
                found.clear();
                for segment in &segments {
                    let columns = vector.start.max(segment.at)..vector.end.min(segment.at + segment.len);
                    let Some(row) = meets(shape, 0, segment.pixel.y, r) else { continue };
                    // Of the segment's first column in the padded row, and of the row itself.
                    let first = segment.pixel.x + s * shape.dilation[1];
                    let (left, right) = (shape.pad[1], shape.pad[1] + shape.input[1]);
                    let start = columns.start.max(segment.at + left.saturating_sub(first));
                    let end = columns.end.min(segment.at + right.saturating_sub(first));
                    if start >= end {
                        continue;
                    }
                    let from = segment.pixel.image * image + row * shape.input[1] + first + start - segment.at - left;
                    let from = from as isize - (start - vector.start) as isize;
                    let lanes = (u64::MAX >> (64 - (end - start))) << (start - vector.start);
                    match found.last_mut() {
                        Some((last, all)) if *last == from => *all |= lanes,
                        _ => found.push((from, lanes)),
                    }
                }
                sources.all.extend(found.iter().map(|(start, lanes)| Source { start: *start, lanes: mask(*lanes) }));
                sources.of_vector.push(found.len());
            }
        }
        sources
    }
}

/// As [`gather`], by vectors, where neighbours in a row of Y are neighbours in X and elements are in place.
#[inline(always)]
fn gather_vectors<T: Lanes, S: Simd>(
    simd: S,
    shape: &Shape,
    x: &[T],
    pixels: &Range<usize>,
    panel: &mut [T],
    width: usize,
) {
    let lanes = T::lanes::<S>();
    let sources = Sources::of(shape, pixels, width / lanes, lanes, |bits| T::lanes_of(simd, bits));
    let plane = shape.plane();
    for (channel, rows) in panel.chunks_exact_mut(shape.taps() * width).enumerate() {
        let channel = x[channel * plane..].as_ptr();
        let mut all = sources.all.iter();
        for (to, count) in rows.chunks_exact_mut(lanes).zip(&sources.of_vector) {
            let mut sum = T::splat(simd, T::ZERO);
            for source in all.by_ref().take(*count) {
                // SAFETY: these lanes lie in this channel's plane of an image of X.
                let part = unsafe { T::load(simd, source.lanes, channel.wrapping_offset(source.start)) };
                sum = T::or(simd, sum, part);
            }
            // SAFETY: a vector is so many elements.
            unsafe { to.as_mut_ptr().cast::<T::Vector<S>>().write_unaligned(sum) };
        }
    }
}

/// Puts what `pixels` sum over, ordered channel, r, s, into rows that are `width` apart, a column for each pixel. `x` starts
/// at the group's first channel.
#[inline(always)]
pub(super) fn gather<E: Element<Real: Lanes>, S: Simd>(
    simd: S,
    shape: &Shape,
    x: &[E],
    pixels: &Range<usize>,
    panel: &mut [E::Real],
    width: usize,
) {
    match E::in_place(x) {
        Some(x) if shape.stride[1] == 1 => gather_vectors(simd, shape, x, pixels, panel, width),
        _ => gather_runs(shape, x, pixels, panel, width),
    }
}

/// The same, by runs of neighbours.
#[inline(always)]
fn gather_runs<E: Element>(shape: &Shape, x: &[E], pixels: &Range<usize>, columns: &mut [E::Real], width: usize) {
    let taps = shape.taps();
    let plane = shape.plane();
    let segments = segments(shape, pixels);
    for tap in 0..taps {
        let plan = Tap::of(shape, &segments, tap / shape.kernel[1], tap % shape.kernel[1]);
        for (channel, row) in columns.chunks_exact_mut(width).skip(tap).step_by(taps).enumerate() {
            let channel = &x[channel * plane..];
            for (run, from) in &plan.runs {
                let (from, to) = (&channel[*from..], &mut row[run.start..]);
                match shape.stride[1] {
                    1 => E::widen(&from[..run.len()], &mut to[..run.len()]),
                    2 => every_other(from, to, run.len()),
                    stride => {
                        for (to, from) in to[..run.len()].iter_mut().zip(from.iter().step_by(stride)) {
                            *to = from.real();
                        }
                    }
                }
            }
            for gap in &plan.padding {
                // A loop, for it is short.
                for zero in &mut row[gap.clone()] {
                    *zero = E::Real::ZERO;
                }
            }
        }
    }
}

/// Copies `len` elements at even places, and perhaps more behind them: what a run writes beyond its end the next one
/// overwrites.
#[inline(always)]
fn every_other<E: Element>(from: &[E], to: &mut [E::Real], len: usize) {
    /// Elements that are copied together, a number that the compiler knows.
    const TOGETHER: usize = 16;
    let room = len.next_multiple_of(TOGETHER);
    if from.len() >= 2 * room && to.len() >= room {
        let from = from[..2 * room].as_chunks::<{ 2 * TOGETHER }>().0;
        for (to, from) in to[..room].as_chunks_mut::<TOGETHER>().0.iter_mut().zip(from) {
            *to = std::array::from_fn(|index| from[2 * index].real());
        }
    } else {
        for (to, from) in to[..len].iter_mut().zip(from.iter().step_by(2)) {
            *to = from.real();
        }
    }
}
