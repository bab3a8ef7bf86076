//! Products with few rows by a transposed B: to turn B over would take longer than they pay for. So its rows are read as they
//! lie, as the rows of tiles, and A, which is small, is turned over: what comes out is the transpose of C, in pieces.

use crate::Result;
use crate::host::block::{Pool, SMALL_COPY, each, pieces};
use crate::host::element::Element;
use crate::host::sizes::Sizes;
use crate::host::tiles::{Lanes, ROWS, Scratch, Tall, Wide, columns, lanes, pack_b, product};
use rayon::prelude::*;
use std::ops::Range;

/// Columns of C for each of its rows, from which on these are few.
const COLUMNS_A_ROW: usize = 8;
/// Steps along k that are worth it, for a piece of C is turned over at their end.
const SOME_STEPS: usize = 256;
/// Rows of B that a task has.
const ROWS_OF_B: usize = 16 * ROWS;
/// Bytes of a row of B that are multiplied at a time: so many of a task's rows, and of a panel of A, stay in a core's own cache.
const PIECE_BYTES: usize = 4 << 10;

pub(super) fn suits(sizes: &Sizes) -> bool {
    sizes.trans_b && sizes.m * COLUMNS_A_ROW <= sizes.n && sizes.k >= SOME_STEPS
}

/// A task's memory: a piece of the transpose of C, and one of B where it can't be read in place.
#[derive(Default)]
pub(super) struct Own {
    sums: Scratch,
    copy: Scratch,
}

/// C = A·B.
pub(super) fn multiply<E: Element<Real: Lanes>>(
    sizes: &Sizes,
    a: &[E],
    b: &[E],
    c: &mut [E],
    shared: &mut Scratch,
    own: &Pool<Own>,
) -> Result<()> {
    let &Sizes { m, n, k, trans_a, .. } = sizes;
    let width = columns::<E::Real>();
    let panel = k * width;
    let panels = shared.elements::<E::Real>(m.div_ceil(width) * panel)?;
    each(panels.len() < SMALL_COPY, panels.par_chunks_mut(panel).enumerate(), |(index, to)| {
        let first = index * width;
        let (start, stride) = if trans_a { (first, m) } else { (first * k, k) };
        pack_b(!trans_a, &a[start..], stride, width.min(m - first), 0..k, to);
        Ok(())
    })?;
    let stride = m.next_multiple_of(lanes::<E::Real>());
    let task = Task { sizes, b, panels, panel, stride };
    let c = Target(c.as_mut_ptr());
    let rows: Vec<Range<usize>> = pieces(0..n, ROWS_OF_B).collect();
    each(false, rows.into_par_iter(), |rows| {
        own.with(Own::default, |own| {
            let sums = task.sums(&rows, own)?;
            for i in 0..m {
                // SAFETY: these columns of C are this task's.
                let to = unsafe { std::slice::from_raw_parts_mut(c.at(i * n + rows.start), rows.len()) };
                for (to, sums) in to.iter_mut().zip(sums.chunks_exact(stride)) {
                    *to = E::stored(sums[i]);
                }
            }
            Ok(())
        })
    })
}

/// C, of which each task writes some columns.
struct Target<E>(*mut E);

// SAFETY: tasks write disjoint columns.
unsafe impl<E: Send> Sync for Target<E> {}

impl<E> Target<E> {
    /// The place of an element, which C has.
    fn at(&self, index: usize) -> *mut E {
        self.0.wrapping_add(index)
    }
}

/// What all tasks read.
struct Task<'a, E: Element> {
    sizes: &'a Sizes,
    b: &'a [E],
    /// Panels of A, whose rows are their columns, and the elements of one.
    panels: &'a [E::Real],
    panel: usize,
    /// Elements from a row of the transpose of C to the next.
    stride: usize,
}

impl<E: Element<Real: Lanes>> Task<'_, E> {
    /// Some rows of the transpose of C.
    fn sums<'a>(&self, rows: &Range<usize>, own: &'a mut Own) -> Result<&'a [E::Real]> {
        let &Sizes { k, .. } = self.sizes;
        let (width, most) = (columns::<E::Real>(), PIECE_BYTES / size_of::<E::Real>());
        let Own { sums, copy } = own;
        let sums = sums.elements::<E::Real>(rows.len() * self.stride)?;
        let copy = copy.elements::<E::Real>(rows.len().next_multiple_of(ROWS) * most)?;
        for depth in pieces(0..k, most) {
            let b = Tall::stored(self.b, k, rows.clone(), &depth, copy);
            let a = Wide { elements: &self.panels[depth.start * width..], panel: self.panel, apart: width };
            let nothing: &[E] = &[];
            product([rows.len(), self.stride, depth.len()], &b, &a, sums, self.stride, depth.start > 0, nothing);
        }
        Ok(sums)
    }
}
