//! One product by all threads.

use super::ahead::Ahead;
use super::panels::panel_a;
use super::scratch::Scratch;
use super::tile::{Left, Order, ROWS, Rows, Target, columns, multiply};
use super::vectors::Lanes;
use crate::Result;
use crate::host::block::{Pool, SMALL_COPY, each, evenly, pieces};
use crate::host::element::Element;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

/// How much is multiplied at a time.
#[derive(Clone, Copy)]
pub(in crate::host) struct Limits {
    /// Bytes of A's panels that are multiplied with all of B's before the next ones.
    pub(in crate::host) chunk_bytes: usize,
    /// Bytes of B's panels that are made at a time.
    pub(in crate::host) b_bytes: usize,
    /// Steps along k, where C can hold sums meanwhile.
    pub(in crate::host) depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { chunk_bytes: 2 << 20, b_bytes: 64 << 20, depth: 2048 }
    }
}

/// Panels of A that are worth another pass over B's.
const FEW_PANELS: usize = 8;
/// Columns that are worth another copy of A's panels.
const FEW_COLUMNS: usize = 512;
/// Tasks for each thread: so many that one that is slowed down leaves its share to others.
const TASKS_PER_THREAD: usize = 4;
/// Floating-point operations that are not worth another thread's start.
const SMALL_FLOP: usize = 1 << 20;

/// C = A·B, where functions copy A and B to panels.
pub(in crate::host) struct Product<E, A, B> {
    /// Rows of C and A, columns of C and B, and steps.
    m: usize,
    n: usize,
    k: usize,
    order: Order,
    pack_a: A,
    pack_b: B,
    c: *mut E,
    stride: usize,
    limits: Limits,
    /// Columns of a tile.
    width: usize,
}

// SAFETY: tasks write disjoint tiles of C.
unsafe impl<E: Send + Sync, A: Sync, B: Sync> Sync for Product<E, A, B> {}

/// What is multiplied at a time: steps along k of some columns.
struct Block {
    depth: Range<usize>,
    columns: Range<usize>,
}

impl<E, A, B> Product<E, A, B>
where
    E: Element<Real: Lanes>,
    A: Fn(Range<usize>, Range<usize>, &mut [E::Real]) + Sync,
    B: Fn(Range<usize>, Range<usize>, &mut [E::Real]) + Sync,
{
    /// A product of `[m, n, k]`, to rows of C that are `stride` elements apart.
    ///
    /// `pack_a` is told rows, at most [`ROWS`], and steps, and makes a panel in `order`; `pack_b` is told columns, at most
    /// those of a tile, and steps.
    ///
    /// # Safety
    /// While the product lives its rows of C are valid, and nobody else's.
    pub(in crate::host) unsafe fn new(
        [m, n, k]: [usize; 3],
        order: Order,
        pack_a: A,
        pack_b: B,
        c: *mut E,
        stride: usize,
        limits: Limits,
    ) -> Self {
        Self { m, n, k, order, pack_a, pack_b, c, stride, limits, width: columns::<E::Real>() }
    }

    pub(in crate::host) fn run(&self, shared: &mut Scratch, own: &Pool<Scratch>) -> Result<()> {
        let &Self { m, n, k, .. } = self;
        let panels_a = m.div_ceil(ROWS);
        if panels_a * panel_a::<E::Real>(k) * size_of::<E::Real>() <= self.limits.chunk_bytes {
            return self.by_columns(shared, own);
        }
        let depth = if E::IN_PLACE { evenly(k, self.limits.depth) } else { k };
        let columns = evenly(n, self.limits.b_bytes / size_of::<E::Real>() / depth).next_multiple_of(self.width);
        for columns in pieces(0..n, columns) {
            for depth in pieces(0..k, depth) {
                self.by_rows(&Block { depth, columns: columns.clone() }, shared, own)?;
            }
        }
        Ok(())
    }

    /// All of A fits a chunk: it is packed once, and each task packs the panels of B that it needs alone.
    fn by_columns(&self, shared: &mut Scratch, own: &Pool<Scratch>) -> Result<()> {
        let &Self { m, n, k, .. } = self;
        let panels_a = m.div_ceil(ROWS);
        let panel_a = panel_a::<E::Real>(k);
        let all_a = shared.elements::<E::Real>(panels_a * panel_a)?;
        each(all_a.len() < SMALL_COPY, all_a.par_chunks_mut(panel_a).enumerate(), |(panel, to)| {
            (self.pack_a)(self.rows(panel), 0..k, to);
            Ok(())
        })?;
        let all_a = &*all_a;
        let panels_b = (0..n.div_ceil(self.width)).into_par_iter();
        each(2 * m * n * k < SMALL_FLOP, panels_b, |panel| {
            own.with(Scratch::default, |own| {
                let b = own.elements::<E::Real>(k * self.width)?;
                let columns = self.columns(panel, 0..n);
                (self.pack_b)(columns.clone(), 0..k, b);
                Arch::new().dispatch(Tiles { product: self, a: all_a, b, rows: 0..m, columns, depth: 0..k });
                Ok(())
            })
        })
    }

    /// B's panels are packed first, and each task packs the panels of A that it needs.
    fn by_rows(&self, block: &Block, shared: &mut Scratch, own: &Pool<Scratch>) -> Result<()> {
        let (depth, m) = (block.depth.len(), self.m);
        let panel_b = depth * self.width;
        let panels_b = block.columns.len().div_ceil(self.width);
        let all_b = shared.elements::<E::Real>(panels_b * panel_b)?;
        each(false, all_b.par_chunks_mut(panel_b).enumerate(), |(panel, to)| {
            (self.pack_b)(self.columns(panel, block.columns.clone()), block.depth.clone(), to);
            Ok(())
        })?;
        let all_b = &*all_b;
        let panel_a = panel_a::<E::Real>(depth);
        let (chunk, parts) = self.shares(panel_a, panels_b);
        let part = panels_b.div_ceil(parts);
        let chunks = m.div_ceil(chunk * ROWS);
        each(false, (0..chunks * parts).into_par_iter(), |task| {
            let rows = task / parts * chunk * ROWS..m.min((task / parts + 1) * chunk * ROWS);
            let panels = task % parts * part..panels_b.min((task % parts + 1) * part);
            if panels.is_empty() {
                return Ok(());
            }
            own.with(Scratch::default, |own| {
                let a = own.elements::<E::Real>(chunk * panel_a)?;
                for (panel, to) in (rows.start / ROWS..rows.end.div_ceil(ROWS)).zip(a.chunks_exact_mut(panel_a)) {
                    (self.pack_a)(self.rows(panel), block.depth.clone(), to);
                }
                let columns = block.columns.start + panels.start * self.width
                    ..block.columns.end.min(block.columns.start + panels.end * self.width);
                let b = &all_b[panels.start * panel_b..panels.end * panel_b];
                Arch::new().dispatch(Tiles { product: self, a, b, rows, columns, depth: block.depth.clone() });
                Ok(())
            })
        })
    }

    /// Panels of A in a chunk, and parts that B's panels are shared out in.
    fn shares(&self, panel_a: usize, panels_b: usize) -> (usize, usize) {
        let tasks = rayon::current_num_threads() * TASKS_PER_THREAD;
        let panels_a = self.m.div_ceil(ROWS);
        let most = (self.limits.chunk_bytes / (panel_a * size_of::<E::Real>())).max(1);
        let chunk = most.min(panels_a.div_ceil(tasks).max(FEW_PANELS));
        // As many for each thread: the last one alone would let the others wait.
        let chunks = panels_a.div_ceil(chunk).next_multiple_of(rayon::current_num_threads());
        let few = (FEW_COLUMNS / self.width).max(1);
        (panels_a.div_ceil(chunks), tasks.div_ceil(chunks).min(panels_b.div_ceil(few)))
    }

    /// The columns of a panel of those of a block.
    fn columns(&self, panel: usize, of: Range<usize>) -> Range<usize> {
        let start = of.start + panel * self.width;
        start..of.end.min(start + self.width)
    }

    /// The rows of a panel.
    fn rows(&self, panel: usize) -> Range<usize> {
        panel * ROWS..self.m.min((panel + 1) * ROWS)
    }
}

/// All tiles of some rows and columns, from their panels.
struct Tiles<'a, E: Element, A, B> {
    product: &'a Product<E, A, B>,
    a: &'a [E::Real],
    b: &'a [E::Real],
    rows: Range<usize>,
    columns: Range<usize>,
    depth: Range<usize>,
}

impl<E: Element<Real: Lanes>, A, B> WithSimd for Tiles<'_, E, A, B> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let &Product { order, c, stride, width, .. } = self.product;
        let k = self.depth.len();
        let panel_a = panel_a::<E::Real>(k);
        let steps = self.rows.len().div_ceil(ROWS) * k;
        let mut panels_b = self.b.chunks_exact(width * k).peekable();
        for column in self.columns.clone().step_by(width) {
            let Some(b) = panels_b.next() else { break };
            // The next panel of B comes from further away than this one.
            let next = panels_b.peek();
            let mut ahead =
                next.map_or_else(Ahead::nothing, |next| Ahead::rows(next.as_ptr(), next.len(), 0, 1, steps));
            let b = Rows { first: b.as_ptr(), apart: width };
            for (row, a) in self.rows.clone().step_by(ROWS).zip(self.a.chunks_exact(panel_a)) {
                // SAFETY: the tile lies inside C's rows and columns, and in no other task's.
                unsafe {
                    let target = Target {
                        c: c.add(row * stride + column),
                        stride,
                        rows: ROWS.min(self.rows.end - row),
                        columns: width.min(self.columns.end - column),
                        add: self.depth.start > 0,
                    };
                    multiply(simd, Left::Panel(order), k, a.as_ptr(), b, &target, &mut ahead);
                }
            }
        }
    }
}
