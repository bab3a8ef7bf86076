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

/// C = A·B. A task's own memory holds a piece of the transpose of C, and one of B where it can't be read in place.
pub(super) fn multiply<E: Element<Real: Lanes>>(
    sizes: &Sizes,
    a: &[E],
    b: &[E],
    c: &mut [E],
    shared: &mut Scratch,
    own: &Pool<Scratch>,
) -> Result<()> {
    let &Sizes { m, n, k, trans_a, .. } = sizes;
    let width = columns::<E::Real>();
    let panels = shared.elements::<E::Real>(m.div_ceil(width) * k * width)?;
    each(panels.len() < SMALL_COPY, panels.par_chunks_mut(k * width).enumerate(), |(index, to)| {
        let first = index * width;
        let (start, stride) = if trans_a { (first, m) } else { (first * k, k) };
        pack_b(!trans_a, &a[start..], stride, width.min(m - first), 0..k, to);
        Ok(())
    })?;
    let all = Few { sizes, panels, b, c: c.as_mut_ptr() };
    let rows: Vec<Range<usize>> = pieces(0..n, ROWS_OF_B).collect();
    each(false, rows.into_par_iter(), |rows| own.with(Scratch::default, |own| all.run(rows, own)))
}

/// What the tasks share: B and C as they are stored, and panels of A, whose rows are their columns.
struct Few<'a, E: Element> {
    sizes: &'a Sizes,
    panels: &'a [E::Real],
    b: &'a [E],
    c: *mut E,
}

// SAFETY: tasks write disjoint columns of C.
unsafe impl<E: Element> Sync for Few<'_, E> {}

impl<E: Element<Real: Lanes>> Few<'_, E> {
    /// The columns of C that some rows of B are for.
    fn run(&self, rows: Range<usize>, own: &mut Scratch) -> Result<()> {
        let &Sizes { m, n, k, .. } = self.sizes;
        let (width, stride) = (columns::<E::Real>(), m.next_multiple_of(lanes::<E::Real>()));
        let most = PIECE_BYTES / size_of::<E::Real>();
        let own = own.elements::<E::Real>(rows.len() * stride + rows.len().next_multiple_of(ROWS) * most)?;
        let (sums, copy) = own.split_at_mut(rows.len() * stride);
        for depth in pieces(0..k, most) {
            let b = Tall::stored(self.b, k, rows.clone(), &depth, copy);
            let a = Wide { elements: &self.panels[depth.start * width..], panel: k * width, apart: width };
            let nothing: &[E] = &[];
            product([rows.len(), stride, depth.len()], &b, &a, sums, stride, depth.start > 0, nothing);
        }
        for i in 0..m {
            let first = self.c.wrapping_add(i * n + rows.start);
            // SAFETY: C has these columns, which are this task's.
            let to = unsafe { std::slice::from_raw_parts_mut(first, rows.len()) };
            for (to, sums) in to.iter_mut().zip(sums.chunks_exact(stride)) {
                *to = E::stored(sums[i]);
            }
        }
        Ok(())
    }
}
