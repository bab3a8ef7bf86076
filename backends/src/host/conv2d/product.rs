//! Convolution as products of matrices.

use super::columns::{Pixel, gather_nchw, gather_nhwc};
use super::{Layout, Shape};
use crate::host::block::{Matrix, Pool, Update, evenly, multiply, pieces};
use crate::host::element::{Element, Real};
use rayon::prelude::*;
use std::ops::Range;

/// Output pixels of a block at most: enough that weights are fetched seldom, and a multiple of what the library's kernels
/// take at a time.
pub(super) const PIXELS: usize = 448;
/// Bytes of a block of columns at most, so that it and the library's packed copy of it stay in a core's own cache.
const COLUMN_BYTES: usize = 384 << 10;
/// Output pixels that are worth a thread of their own: fewer threads then share out the channels.
const SHARE: usize = 128;
/// Output channels that are worth a thread of their own.
const CHANNELS: usize = 32;
/// Elements of the widest vector: blocks are a multiple of it.
const LANES: usize = 16;

/// A thread's memory, of a size that depends on the number of output channels, never on the image's size.
pub(super) struct Scratch<T> {
    columns: Vec<T>,
    sums: Vec<T>,
}

/// Output pixels of all images, a group, and output channels of the group.
pub(super) struct Task {
    pub(super) pixels: Range<usize>,
    pub(super) group: usize,
    pub(super) channels: Range<usize>,
}

/// The output, of which each task writes its own pixels and channels.
struct Output<E>(*mut E);

// SAFETY: tasks write disjoint elements.
unsafe impl<E: Send> Sync for Output<E> {}

impl<E> Output<E> {
    /// The elements from `start` on.
    ///
    /// # Safety
    /// They are inside the output, and the caller's task alone writes them.
    #[allow(clippy::mut_from_ref)]
    unsafe fn slice(&self, start: usize, len: usize) -> &mut [E] {
        // SAFETY: the caller's.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), len) }
    }
}

pub(super) fn run<E: Element>(shape: &Shape, x: &[E], w: &[E::Real], y: &mut [E], pool: &Pool<Scratch<E::Real>>) {
    let tasks = tasks(shape, rayon::current_num_threads());
    let y = Output(y.as_mut_ptr());
    tasks.into_par_iter().with_max_len(1).for_each(|task| {
        let make = || Scratch { columns: Vec::new(), sums: Vec::new() };
        pool.with(make, |scratch| run_task(shape, x, w, &y, &task, scratch));
    });
}

/// Shares the output out: blocks of pixels, as many as threads or a multiple, and where those are too few for all
/// threads, blocks of channels.
pub(super) fn tasks(shape: &Shape, threads: usize) -> Vec<Task> {
    // A product in place reads and writes one image at a time.
    let (spans, span) =
        if in_place_nchw(shape) { (shape.n, shape.output[0] * shape.output[1]) } else { (1, shape.pixels()) };
    let mut blocks = span.div_ceil(PIXELS);
    let alike = spans * shape.groups;
    if !alike.is_multiple_of(threads) {
        blocks = blocks.next_multiple_of(threads).min(span.div_ceil(SHARE)).max(blocks);
    }
    let block = if blocks < 8 * threads { span.div_ceil(blocks).next_multiple_of(LANES) } else { PIXELS };
    let parts = threads.div_ceil(alike * span.div_ceil(block)).min(shape.k.div_ceil(CHANNELS));
    let part = shape.k.div_ceil(parts);
    let mut tasks = Vec::new();
    for group in 0..shape.groups {
        for channels in pieces(0..shape.k, part) {
            for start in (0..spans).map(|index| index * span) {
                tasks.extend(pieces(0..span, block).map(|pixels| Task {
                    pixels: start + pixels.start..start + pixels.end,
                    group,
                    channels: channels.clone(),
                }));
            }
        }
    }
    tasks
}

fn in_place_nchw(shape: &Shape) -> bool {
    shape.is_pointwise() && shape.layout == Layout::Nchw
}

fn run_task<E: Element>(
    shape: &Shape,
    x: &[E],
    w: &[E::Real],
    y: &Output<E>,
    task: &Task,
    scratch: &mut Scratch<E::Real>,
) {
    let reduction = shape.reduction();
    let w = &w[(task.group * shape.k + task.channels.start) * reduction..][..task.channels.len() * reduction];
    match shape.layout {
        Layout::Nchw => nchw(shape, x, w, y, task, scratch),
        Layout::Nhwc => nhwc(shape, x, w, y, task, scratch),
    }
}

/// Rows of the reduction that a block of columns takes at a time: evenly many.
fn depth<T>(reduction: usize, pixels: usize) -> usize {
    evenly(reduction, (COLUMN_BYTES / size_of::<T>() / pixels).max(LANES))
}

/// The first product sets the sums, later ones add to them.
fn update<T: Real>(rows: &Range<usize>) -> Update<T> {
    if rows.start == 0 { Update::Set(T::ONE) } else { Update::Add }
}

/// Weights times columns: a row of sums for each output channel.
fn nchw<E: Element>(shape: &Shape, x: &[E], w: &[E::Real], y: &Output<E>, task: &Task, scratch: &mut Scratch<E::Real>) {
    let (reduction, pixels, channels) = (shape.reduction(), task.pixels.len(), task.channels.len());
    let plane = shape.output[0] * shape.output[1];
    let channel_len = shape.input[0] * shape.input[1];
    let x = &x[task.group * shape.c * channel_len..];
    // Of the first pixel's image.
    let first = Pixel::of(shape, task.pixels.start).image;
    let y_at = |image: usize, channel: usize| {
        ((image * shape.groups + task.group) * shape.k + task.channels.start + channel) * plane
    };
    if let Some(x) = E::in_place(x).filter(|_| in_place_nchw(shape)) {
        let start = task.pixels.start - first * plane;
        let w = Matrix::rows(w, reduction);
        let columns = Matrix::rows(&x[first * shape.groups * shape.c * plane + start..], plane);
        // SAFETY: this task's pixels of its channels; elements are in place, so the cast is between the same types.
        unsafe {
            let y = y.0.add(y_at(first, 0) + start).cast();
            multiply([channels, pixels, reduction], w, columns, y, plane, Update::Set(E::Real::ONE));
        }
        return;
    }
    let depth = depth::<E::Real>(reduction, pixels);
    scratch.columns.resize(depth * pixels, E::Real::ZERO);
    scratch.sums.resize(channels * pixels, E::Real::ZERO);
    for rows in pieces(0..reduction, depth) {
        gather_nchw(shape, x, &task.pixels, &rows, &mut scratch.columns, pixels);
        let w = Matrix::rows(&w[rows.start..], reduction);
        let columns = Matrix::rows(&scratch.columns, pixels);
        // SAFETY: the sums are `channels` rows of `pixels`.
        unsafe {
            let sums = scratch.sums.as_mut_ptr();
            multiply([channels, pixels, rows.len()], w, columns, sums, pixels, update(&rows));
        }
    }
    for (channel, sums) in scratch.sums.chunks(pixels).enumerate() {
        let mut next = task.pixels.start;
        while next < task.pixels.end {
            let (image, start) = (next / plane, next % plane);
            let len = (plane - start).min(task.pixels.end - next);
            // SAFETY: this task's pixels of one of its channels.
            let y = unsafe { y.slice(y_at(image, channel) + start, len) };
            E::narrow(&sums[next - task.pixels.start..][..len], y);
            next += len;
        }
    }
}

/// Columns, each contiguous, times weights: a row of sums for each output pixel.
///
/// The library transposes the operand that vectors run along, so where there are fewer pixels than channels, that is
/// the columns, and the sums are transposed in the end.
fn nhwc<E: Element>(shape: &Shape, x: &[E], w: &[E::Real], y: &Output<E>, task: &Task, scratch: &mut Scratch<E::Real>) {
    let (reduction, pixels, channels) = (shape.reduction(), task.pixels.len(), task.channels.len());
    let (x_row, y_row) = (shape.groups * shape.c, shape.groups * shape.k);
    let x = &x[task.group * shape.c..];
    let y_start = task.pixels.start * y_row + task.group * shape.k + task.channels.start;
    let Scratch { columns, sums } = scratch;
    let by_channel = pixels < channels;
    let to_output = E::IN_PLACE && !by_channel;
    if !to_output {
        sums.resize(pixels * channels, E::Real::ZERO);
    }
    let mut add = |rows: Range<usize>, columns: Matrix<'_, E::Real>| {
        let w = Matrix::rows(&w[rows.start..], reduction);
        // SAFETY: the sums are `channels` rows of `pixels`, or the other way round, or this task's channels of its
        // pixels, and the cast is between the same types.
        unsafe {
            if by_channel {
                let shape = [channels, pixels, rows.len()];
                multiply(shape, w, columns.transposed(), sums.as_mut_ptr(), pixels, update(&rows));
            } else {
                let shape = [pixels, channels, rows.len()];
                let (sums, row) =
                    if to_output { (y.0.add(y_start).cast(), y_row) } else { (sums.as_mut_ptr(), channels) };
                multiply(shape, columns, w.transposed(), sums, row, update(&rows));
            }
        }
    };
    if let Some(x) = E::in_place(x).filter(|_| shape.is_pointwise()) {
        add(0..reduction, Matrix::rows(&x[task.pixels.start * x_row..], x_row));
    } else {
        let depth = depth::<E::Real>(reduction, pixels);
        columns.resize(depth * pixels, E::Real::ZERO);
        for rows in pieces(0..reduction, depth) {
            gather_nhwc(shape, x, &task.pixels, &rows, columns, depth);
            add(rows, Matrix::rows(columns, depth));
        }
    }
    if to_output {
        return;
    }
    for pixel in 0..pixels {
        // SAFETY: this task's channels of one of its pixels.
        let y = unsafe { y.slice(y_start + pixel * y_row, channels) };
        if by_channel {
            for (y, sum) in y.iter_mut().zip(sums[pixel..].iter().step_by(pixels)) {
                *y = E::stored(*sum);
            }
        } else {
            E::narrow(&sums[pixel * channels..][..channels], y);
        }
    }
}
