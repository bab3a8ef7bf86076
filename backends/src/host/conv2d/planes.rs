//! Convolution of planes, as products: filters are the rows of A, and pixels, a panel at a time, the columns of B.
//!
//! Filters are copied into panels once. Then each task takes panel after panel of pixels, gathers the inputs that they sum
//! over in memory that stays in a core's cache, and multiplies them with all filters. Where those inputs are the pixels
//! themselves, they lie in memory as a panel's rows do.

use super::Shape;
use super::columns::{Pixel, gather};
use crate::Result;
use crate::host::block::{Pool, SMALL_COPY, each};
use crate::host::element::Element;
use crate::host::tiles::{Ahead, Lanes, Left, Order, ROWS, Rows, Scratch, Target, columns, multiply, pack_a, panel_a};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

/// Tasks for each thread, so that one that is slowed down leaves its share to others. Few where several tasks gather the
/// same pixels.
const TASKS_PER_THREAD: usize = 8;
const FEW_TASKS_PER_THREAD: usize = 2;
/// Panels of pixels that are worth a copy of the filters; for fewer they are read where they are stored, or copied by each
/// task for itself.
const SOME_PIXELS: usize = 3;

/// A task's memory: a panel of inputs, one of filters, and a tile of Y.
#[derive(Default)]
pub(super) struct Own {
    inputs: Scratch,
    filters: Scratch,
    tile: Scratch,
}

/// How the work is shared out: products of a panel of filters and a panel of pixels, those of the same pixels one after
/// the other.
#[derive(Clone, Copy)]
pub(super) struct Split {
    /// Panels of filters of a group, and of pixels of an output channel.
    filters: usize,
    pixels: usize,
    /// Products of all groups, and how many of them one task does at least.
    pub(super) products: usize,
    least: usize,
    pub(super) tasks: usize,
}

impl Split {
    pub(super) fn of(shape: &Shape, width: usize, threads: usize) -> Self {
        let (filters, pixels) = (shape.k.div_ceil(ROWS), shape.pixels().div_ceil(width));
        let (panels, enough) = (shape.groups * pixels, TASKS_PER_THREAD * threads);
        let products = panels * filters;
        let (least, tasks) = if panels < enough { (1, FEW_TASKS_PER_THREAD * threads) } else { (filters, enough) };
        Self { filters, pixels, products, least, tasks: tasks.min(products) }
    }

    /// The products of a task.
    pub(super) fn of_task(&self, task: usize) -> Range<usize> {
        let start = |task: usize| task * (self.products / self.least) / self.tasks * self.least;
        start(task)..start(task + 1)
    }
}

pub(super) fn run<E: Element<Real: Lanes>>(
    shape: &Shape,
    x: &[E],
    w: &[E],
    y: &mut [E],
    shared: &mut Scratch,
    own: &Pool<Own>,
) -> Result<()> {
    let (width, reduction) = (columns::<E::Real>(), shape.reduction());
    let split = Split::of(shape, width, rayon::current_num_threads());
    let panel = panel_a::<E::Real>(reduction);
    let panels = if split.pixels < SOME_PIXELS { 0 } else { shape.groups * split.filters };
    let filters = shared.elements::<E::Real>(panels * panel)?;
    each(filters.len() < SMALL_COPY, filters.par_chunks_mut(panel).enumerate(), |(index, to)| {
        pack_filters(shape, w, index / split.filters, index % split.filters, to);
        Ok(())
    })?;
    let all = Planes { shape, split, x, w, filters, y: y.as_mut_ptr() };
    each(false, (0..split.tasks).into_par_iter(), |task| {
        own.with(Own::default, |own| {
            let inputs = own.inputs.elements::<E::Real>(reduction * width)?;
            let filters = own.filters.elements::<E::Real>(panel)?;
            let tile = own.tile.elements::<E>(ROWS * width)?;
            Arch::new().dispatch(Task { all: &all, products: split.of_task(task), inputs, filters, tile });
            Ok(())
        })
    })
}

/// Copies a panel of a group's filters.
fn pack_filters<E: Element>(shape: &Shape, w: &[E], group: usize, panel: usize, to: &mut [E::Real]) {
    let (filter, reduction) = (panel * ROWS, shape.reduction());
    let w = &w[(group * shape.k + filter) * reduction..];
    pack_a(Order::ByRow, w, reduction, ROWS.min(shape.k - filter), 0..reduction, to);
}

/// The tensors, and the filters in panels where all of them are copied.
struct Planes<'a, E: Element> {
    shape: &'a Shape,
    split: Split,
    x: &'a [E],
    w: &'a [E],
    filters: &'a [E::Real],
    y: *mut E,
}

// SAFETY: tasks write disjoint elements of Y.
unsafe impl<E: Element> Sync for Planes<'_, E> {}

impl<E: Element<Real: Lanes>> Planes<'_, E> {
    /// Where a channel's plane of an image begins in X.
    fn plane(&self, image: usize, group: usize) -> usize {
        let Shape { groups, c, .. } = self.shape;
        (image * groups + group) * c * self.shape.plane()
    }

    /// The pixels' inputs, where they lie in X as the rows of a panel do.
    fn in_place(&self, group: usize, pixels: &Range<usize>, width: usize) -> Option<Rows<E::Real>> {
        let area = self.shape.area();
        let (image, first) = (pixels.start / area, pixels.start % area);
        let x = E::in_place(&self.x[self.plane(image, group)..])?;
        let fits = self.shape.is_pointwise() && first + width <= area;
        fits.then(|| Rows { first: x[first..].as_ptr(), apart: area })
    }

    /// What the panel after `pixels` needs that these did not, within so many steps.
    fn ahead(&self, group: usize, pixels: &Range<usize>, width: usize, steps: usize) -> Ahead {
        let shape = self.shape;
        let (area, first) = (shape.area(), pixels.end);
        let mut inputs = shape.inputs(&(first..first + width));
        if first / area == pixels.start / area {
            inputs.start = inputs.start.max(shape.inputs(pixels).end);
        }
        let first = self.x.as_ptr().wrapping_add(self.plane(first / area, group) + inputs.start);
        Ahead::rows(first, inputs.len(), shape.plane(), shape.c, steps)
    }

    /// Where an output of a filter lies.
    fn place(&self, pixel: usize, filter: usize) -> usize {
        let (area, filters) = (self.shape.area(), self.shape.groups * self.shape.k);
        (pixel / area * filters + filter) * area + pixel % area
    }

    /// Writes a tile of pixels that are of several images.
    fn scatter(&self, tile: &[E], pixels: &Range<usize>, filters: Range<usize>, width: usize) {
        let area = self.shape.area();
        let mut start = pixels.start;
        while start < pixels.end {
            let len = (area - start % area).min(pixels.end - start);
            for (filter, row) in filters.clone().zip(tile.chunks_exact(width)) {
                let from = &row[start - pixels.start..][..len];
                // SAFETY: these outputs are this task's.
                let to = unsafe { std::slice::from_raw_parts_mut(self.y.add(self.place(start, filter)), len) };
                to.copy_from_slice(from);
            }
            start += len;
        }
    }
}

/// Some products.
struct Task<'a, E: Element> {
    all: &'a Planes<'a, E>,
    products: Range<usize>,
    inputs: &'a mut [E::Real],
    filters: &'a mut [E::Real],
    tile: &'a mut [E],
}

impl<E: Element<Real: Lanes>> WithSimd for Task<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let &Planes { shape, split, w, y, .. } = self.all;
        let (width, reduction, area) = (columns::<E::Real>(), shape.reduction(), shape.area());
        let panel_f = panel_a::<E::Real>(reduction);
        let Range { start: mut next, end } = self.products;
        while next < end {
            let (panel, first) = (next / split.filters, next % split.filters);
            let some = first..split.filters.min(first + end - next);
            next += some.len();
            let (group, panel) = (panel / split.pixels, panel % split.pixels);
            let pixels = panel * width..shape.pixels().min((panel + 1) * width);
            let one_image = pixels.start / area == (pixels.end - 1) / area;
            let b = self.all.in_place(group, &pixels, width).unwrap_or_else(|| {
                gather(simd, shape, &self.all.x[self.all.plane(0, group)..], &pixels, self.inputs, width);
                Rows { first: self.inputs.as_ptr(), apart: width }
            });
            let follows = next < end && panel + 1 < split.pixels;
            let steps = some.len() * reduction;
            let mut ahead = if follows { self.all.ahead(group, &pixels, width, steps) } else { Ahead::nothing() };
            for panel in some {
                let w_row = (group * shape.k + panel * ROWS) * reduction;
                let (left, a) = match E::in_place(w) {
                    _ if !self.all.filters.is_empty() => {
                        let filters = &self.all.filters[(group * split.filters + panel) * panel_f..];
                        (Left::Panel(Order::ByRow), filters.as_ptr())
                    }
                    Some(w) if shape.k >= (panel + 1) * ROWS => (Left::Stored(reduction), w[w_row..].as_ptr()),
                    _ => {
                        pack_filters(shape, w, group, panel, self.filters);
                        (Left::Panel(Order::ByRow), self.filters.as_ptr())
                    }
                };
                let filters = group * shape.k + panel * ROWS..group * shape.k + shape.k.min((panel + 1) * ROWS);
                // SAFETY: the panels are as long as the reduction, and these outputs are this task's.
                unsafe {
                    let (c, stride) = if one_image {
                        (y.add(self.all.place(pixels.start, filters.start)), area)
                    } else {
                        (self.tile.as_mut_ptr(), width)
                    };
                    let target = Target { c, stride, rows: filters.len(), columns: pixels.len(), add: false };
                    multiply(simd, left, reduction, a, b, &target, &mut ahead);
                }
                if !one_image {
                    self.all.scatter(self.tile, &pixels, filters, width);
                }
            }
        }
    }
}

impl Shape {
    /// Elements of a plane between the first and the last one that these pixels sum over, as far as they are of the first
    /// one's image.
    fn inputs(&self, pixels: &Range<usize>) -> Range<usize> {
        let area = self.area();
        let last = pixels.end.min((pixels.start / area + 1) * area).min(self.pixels()) - 1;
        let (first, last) = (Pixel::of(self, pixels.start), Pixel::of(self, last));
        let start = |axis: usize, at: usize| (at * self.stride[axis]).saturating_sub(self.pad[axis]);
        let end = |axis: usize, at: usize| {
            let reach = at * self.stride[axis] + (self.kernel[axis] - 1) * self.dilation[axis];
            reach.saturating_sub(self.pad[axis]).min(self.input[axis] - 1)
        };
        let start = start(0, first.y).min(self.input[0] - 1) * self.input[1] + start(1, first.x);
        start..end(0, last.y) * self.input[1] + end(1, last.x) + 1
    }
}
