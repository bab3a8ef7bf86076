//! Convolution with few channels in a group, summed without products of matrices.

use super::columns::meets;
use super::{Layout, Shape};
use crate::host::element::{Element, Real};
use pulp::{Arch, NullaryFnOnce};
use rayon::prelude::*;

/// Channels of a group from which on a product of matrices is worth its columns.
const NARROW: usize = 8;

pub(super) fn suits(shape: &Shape) -> bool {
    shape.groups > 1 && shape.k < NARROW && shape.c < NARROW
}

pub(super) fn run<E: Element>(shape: &Shape, x: &[E], w: &[E::Real], y: &mut [E]) {
    let y_row = shape.output[1];
    match shape.layout {
        Layout::Nchw => {
            let group_len = shape.k * shape.output[0] * y_row;
            y.par_chunks_mut(group_len).enumerate().for_each_init(
                || Rows::new(shape),
                |rows, (index, y)| {
                    for out in 0..shape.output[0] {
                        rows.sum(x, w, [index / shape.groups, index % shape.groups, out], |channel, sums| {
                            E::narrow(sums, &mut y[(channel * shape.output[0] + out) * y_row..][..y_row]);
                        });
                    }
                },
            );
        }
        Layout::Nhwc if shape.c == 1 && shape.k == 1 => depthwise_nhwc(shape, x, w, y),
        Layout::Nhwc => {
            let channels = shape.groups * shape.k;
            y.par_chunks_mut(y_row * channels).enumerate().for_each_init(
                || Rows::new(shape),
                |rows, (index, y)| {
                    let (image, out) = (index / shape.output[0], index % shape.output[0]);
                    for group in 0..shape.groups {
                        rows.sum(x, w, [image, group, out], |channel, sums| {
                            let y = y[group * shape.k + channel..].iter_mut().step_by(channels);
                            for (y, sum) in y.zip(sums) {
                                *y = E::stored(*sum);
                            }
                        });
                    }
                },
            );
        }
    }
}

/// The rows of the input that a row of a group's outputs sums over, as they are computed, with the padding on both sides.
struct Rows<'a, T> {
    shape: &'a Shape,
    inputs: Vec<T>,
    sums: Vec<T>,
}

impl<'a, T: Real> Rows<'a, T> {
    fn new(shape: &'a Shape) -> Self {
        let inputs = shape.c * shape.kernel[0] * Self::width(shape);
        Self { shape, inputs: vec![T::ZERO; inputs], sums: vec![T::ZERO; shape.output[1]] }
    }

    /// With one element more, so that the last of every other element has a neighbour too.
    fn width(shape: &Shape) -> usize {
        shape.input[1] + 2 * shape.pad[1] + 1
    }

    /// Sums the row `out` of each output channel of the group and hands it to `write`, with the channel's number.
    fn sum<E: Element<Real = T>>(
        &mut self,
        x: &[E],
        w: &[T],
        [image, group, out]: [usize; 3],
        mut write: impl FnMut(usize, &[T]),
    ) {
        let shape = self.shape;
        let [height, width] = shape.input;
        let channels = shape.groups * shape.c;
        let image = &x[image * channels * height * width..];
        for (index, row) in self.inputs.chunks_mut(Self::width(shape)).enumerate() {
            let (channel, r) = (group * shape.c + index / shape.kernel[0], index % shape.kernel[0]);
            let row = &mut row[shape.pad[1]..][..width];
            match (meets(shape, 0, out, r), shape.layout) {
                (Some(y), Layout::Nchw) => E::widen(&image[(channel * height + y) * width..][..width], row),
                (Some(y), Layout::Nhwc) => {
                    let from = image[y * width * channels + channel..].iter().step_by(channels);
                    for (to, from) in row.iter_mut().zip(from) {
                        *to = from.real();
                    }
                }
                (None, _) => row.fill(T::ZERO),
            }
        }
        for channel in 0..shape.k {
            let w = &w[(group * shape.k + channel) * shape.reduction()..][..shape.reduction()];
            Arch::new().dispatch(SumRows { shape, rows: &self.inputs, w, sums: &mut self.sums });
            write(channel, &self.sums);
        }
    }
}

/// Every weight adds its multiple of a row.
struct SumRows<'a, T> {
    shape: &'a Shape,
    rows: &'a [T],
    w: &'a [T],
    sums: &'a mut [T],
}

impl<T: Real> NullaryFnOnce for SumRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { shape, rows, w, sums } = self;
        let [kernel_h, kernel_w] = shape.kernel;
        sums.fill(T::ZERO);
        for (index, row) in rows.chunks(Rows::<T>::width(shape)).enumerate() {
            for s in 0..kernel_w {
                let w = match shape.layout {
                    Layout::Nchw => w[index * kernel_w + s],
                    Layout::Nhwc => w[(index % kernel_h * kernel_w + s) * shape.c + index / kernel_h],
                };
                let row = &row[s * shape.dilation[1]..];
                // The compiler makes vectors of steps that it knows.
                match shape.stride[1] {
                    1 => add_products(sums, row.iter(), w),
                    2 => add_products(sums, row.as_chunks::<2>().0.iter().map(|[x, _]| x), w),
                    stride => add_products(sums, row.iter().step_by(stride), w),
                }
            }
        }
    }
}

#[inline(always)]
fn add_products<'a, T: Real>(sums: &mut [T], row: impl Iterator<Item = &'a T>, w: T) {
    for (sum, x) in sums.iter_mut().zip(row) {
        *sum = T::mul_add(*x, w, *sum);
    }
}

/// One channel in and out of each group: every tap adds the products of two vectors of all channels.
fn depthwise_nhwc<E: Element>(shape: &Shape, x: &[E], w: &[E::Real], y: &mut [E]) {
    let [height, width] = shape.input;
    let (channels, taps) = (shape.groups, shape.taps());
    let mut by_tap = vec![E::Real::ZERO; channels * taps];
    for (tap, row) in by_tap.chunks_mut(channels).enumerate() {
        for (channel, weight) in row.iter_mut().enumerate() {
            *weight = w[channel * taps + tap];
        }
    }
    let make = || [vec![E::Real::ZERO; channels], vec![E::Real::ZERO; channels]];
    let rows = y.par_chunks_mut(shape.output[1] * channels).enumerate();
    rows.for_each_init(make, |[sums, wide], (index, y)| {
        let (image, out) = (index / shape.output[0], index % shape.output[0]);
        for (column, y) in y.chunks_mut(channels).enumerate() {
            sums.fill(E::Real::ZERO);
            for (tap, w) in by_tap.chunks(channels).enumerate() {
                let row = meets(shape, 0, out, tap / shape.kernel[1]);
                let Some((row, column)) = row.zip(meets(shape, 1, column, tap % shape.kernel[1])) else { continue };
                let from = ((image * height + row) * width + column) * channels;
                let x = E::widened(&x[from..from + channels], wide);
                Arch::new().dispatch(AddProducts { sums, x, w });
            }
            E::narrow(sums, y);
        }
    });
}

/// Adds the products of `x` and `w`.
struct AddProducts<'a, T> {
    sums: &'a mut [T],
    x: &'a [T],
    w: &'a [T],
}

impl<T: Real> NullaryFnOnce for AddProducts<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for ((sum, x), w) in self.sums.iter_mut().zip(self.x).zip(self.w) {
            *sum = T::mul_add(*x, *w, *sum);
        }
    }
}
