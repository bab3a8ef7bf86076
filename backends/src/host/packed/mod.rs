//! GEMM of the program's own: copies of A and B in panels, and tiles of C in vector registers.
//!
//! After `GotoBLAS` (K. Goto and R. van de Geijn, ACM Trans. Math. Softw. 34(3), 2008), for caches as they are today: a
//! panel of B stays in the second-level cache, and A's panels, some at a time, are streamed past it from the last one.

mod panels;
#[cfg(test)]
mod tests;
mod thin;
mod tile;
mod vectors;

use super::block::{Pool, evenly, pieces};
use super::element::{Element, Precision};
use super::memory::HostMemory;
use super::sizes::Sizes;
use crate::host_block::HostBlock;
use crate::{Error, LibraryCall, Result};
use bytemuck::Pod;
use half::f16;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::cell::RefCell;
use std::ops::Range;
use tile::{Order, ROWS, Target};
use vectors::Lanes;

/// Its name as a library of the host.
pub(super) const PACKED: &str = "packed";

/// How much is multiplied at a time.
#[derive(Clone, Copy)]
struct Limits {
    /// Bytes of A's panels that are multiplied with all of B's before the next ones.
    chunk_bytes: usize,
    /// Bytes of B's panels that are made at a time.
    b_bytes: usize,
    /// Steps along k, where C can hold sums meanwhile.
    depth: usize,
}

const LIMITS: Limits = Limits { chunk_bytes: 2 << 20, b_bytes: 64 << 20, depth: 2048 };
/// Panels of A that are worth another pass over B's.
const FEW_PANELS: usize = 8;
/// Columns that are worth another copy of A's panels.
const FEW_COLUMNS: usize = 512;
/// Tasks for each thread: so many that one that is slowed down leaves its share to others.
const TASKS_PER_THREAD: usize = 4;
/// Floating-point operations, and elements of a copy, that are not worth another thread's start.
const SMALL_FLOP: usize = 1 << 20;
const SMALL_COPY: usize = 1 << 17;

/// C = A·B, row-major.
pub(super) struct PackedGemm {
    sizes: Sizes,
    precision: Precision,
    shared: RefCell<Scratch>,
    own: Pool<Scratch>,
}

impl PackedGemm {
    pub(super) fn prepare(call: &LibraryCall) -> Result<Self> {
        Ok(Self {
            sizes: Sizes::of(call)?,
            precision: Precision::of(call)?,
            shared: RefCell::default(),
            own: Pool::new(),
        })
    }

    pub(super) fn run(&self, buffers: &[&HostMemory]) -> Result<()> {
        match self.precision {
            Precision::F64 => self.multiply::<f64>(buffers),
            Precision::F32 => self.multiply::<f32>(buffers),
            Precision::F16 => self.multiply::<f16>(buffers),
        }
    }

    fn multiply<E: Element<Real: Lanes>>(&self, buffers: &[&HostMemory]) -> Result<()> {
        let (a, b, c) = self.sizes.operands::<E>(buffers)?;
        if thin::suits(&self.sizes) {
            thin::multiply(&self.sizes, a, b, c);
            return Ok(());
        }
        let product = Product::new(self.sizes, LIMITS, a, b, c);
        product.run(&mut self.shared.borrow_mut(), &self.own)
    }
}

/// Memory for panels, kept from run to run.
#[derive(Default)]
struct Scratch(Option<HostBlock>);

impl Scratch {
    /// So many elements, whatever they hold.
    fn elements<T: Pod>(&mut self, len: usize) -> Result<&mut [T]> {
        let bytes = len * size_of::<T>();
        if self.0.as_ref().is_none_or(|block| block.len() < bytes) {
            self.0 = None;
            self.0 = HostBlock::new(bytes);
        }
        let block = self.0.as_ref().ok_or(Error::OutOfMemory { asked: bytes as u64, free: None })?;
        // SAFETY: the block has so many bytes, aligned for every vector and initialised, and is borrowed exclusively.
        Ok(unsafe { std::slice::from_raw_parts_mut(block.start().as_ptr().cast(), len) })
    }
}

/// One product.
struct Product<'a, E> {
    sizes: Sizes,
    /// Columns of a tile.
    width: usize,
    limits: Limits,
    a: &'a [E],
    b: &'a [E],
    c: *mut E,
}

// SAFETY: tasks write disjoint tiles of C.
unsafe impl<E: Send + Sync> Sync for Product<'_, E> {}

/// What is multiplied at a time: steps along k of some columns.
struct Block {
    depth: Range<usize>,
    columns: Range<usize>,
}

impl<'a, E: Element<Real: Lanes>> Product<'a, E> {
    fn new(sizes: Sizes, limits: Limits, a: &'a [E], b: &'a [E], c: &'a mut [E]) -> Self {
        Self { sizes, width: tile::columns::<E::Real>(), limits, a, b, c: c.as_mut_ptr() }
    }

    fn run(&self, shared: &mut Scratch, own: &Pool<Scratch>) -> Result<()> {
        let Sizes { m, n, k, .. } = self.sizes;
        let panels_a = m.div_ceil(ROWS);
        if panels_a * panels::panel_a::<E::Real>(k) * size_of::<E::Real>() <= self.limits.chunk_bytes {
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
        let Sizes { m, n, k, .. } = self.sizes;
        let panels_a = m.div_ceil(ROWS);
        let panel_a = panels::panel_a::<E::Real>(k);
        let all_a = shared.elements::<E::Real>(panels_a * panel_a)?;
        each(all_a.len() < SMALL_COPY, all_a.par_chunks_mut(panel_a).enumerate(), |(panel, to)| {
            self.pack_a(panel, 0..k, to);
            Ok(())
        })?;
        let all_a = &*all_a;
        let panels_b = (0..n.div_ceil(self.width)).into_par_iter();
        each(2 * m * n * k < SMALL_FLOP, panels_b, |panel| {
            own.with(Scratch::default, |own| {
                let b = own.elements::<E::Real>(k * self.width)?;
                let columns = self.columns(panel, 0..n);
                self.pack_b(&columns, 0..k, b);
                Arch::new().dispatch(Tiles { product: self, a: all_a, b, rows: 0..m, columns, depth: 0..k });
                Ok(())
            })
        })
    }

    /// B's panels are packed first, and each task packs the panels of A that it needs.
    fn by_rows(&self, block: &Block, shared: &mut Scratch, own: &Pool<Scratch>) -> Result<()> {
        let (depth, m) = (block.depth.len(), self.sizes.m);
        let panel_b = depth * self.width;
        let panels_b = block.columns.len().div_ceil(self.width);
        let all_b = shared.elements::<E::Real>(panels_b * panel_b)?;
        each(false, all_b.par_chunks_mut(panel_b).enumerate(), |(panel, to)| {
            self.pack_b(&self.columns(panel, block.columns.clone()), block.depth.clone(), to);
            Ok(())
        })?;
        let all_b = &*all_b;
        let panel_a = panels::panel_a::<E::Real>(depth);
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
                    self.pack_a(panel, block.depth.clone(), to);
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
        let panels_a = self.sizes.m.div_ceil(ROWS);
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

    fn order(&self) -> Order {
        if self.sizes.trans_a { Order::ByStep } else { Order::ByRow }
    }

    fn pack_a(&self, panel: usize, depth: Range<usize>, to: &mut [E::Real]) {
        let Sizes { m, k, trans_a, .. } = self.sizes;
        let (row, rows) = (panel * ROWS, ROWS.min(m - panel * ROWS));
        let (a, stride) = if trans_a { (&self.a[row..], m) } else { (&self.a[row * k..], k) };
        panels::pack_a(self.order(), a, stride, rows, depth, to);
    }

    fn pack_b(&self, columns: &Range<usize>, depth: Range<usize>, to: &mut [E::Real]) {
        let Sizes { n, k, trans_b, .. } = self.sizes;
        let (b, stride) = if trans_b { (&self.b[columns.start * k..], k) } else { (&self.b[columns.start..], n) };
        panels::pack_b(trans_b, b, stride, columns.len(), depth, self.width, to);
    }
}

/// All tiles of some rows and columns, from their panels.
struct Tiles<'a, E: Element> {
    product: &'a Product<'a, E>,
    a: &'a [E::Real],
    b: &'a [E::Real],
    rows: Range<usize>,
    columns: Range<usize>,
    depth: Range<usize>,
}

impl<E: Element<Real: Lanes>> WithSimd for Tiles<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Sizes { n, .. } = self.product.sizes;
        let order = self.product.order();
        let k = self.depth.len();
        let width = self.product.width;
        let panels_b = self.b.chunks_exact(width * k);
        for (column, b) in self.columns.clone().step_by(width).zip(panels_b) {
            let panels_a = self.a.chunks_exact(panels::panel_a::<E::Real>(k));
            for (row, a) in self.rows.clone().step_by(ROWS).zip(panels_a) {
                // SAFETY: the tile lies inside C's rows and columns, and in no other task's.
                unsafe {
                    let target = Target {
                        c: self.product.c.add(row * n + column),
                        stride: n,
                        rows: ROWS.min(self.rows.end - row),
                        columns: width.min(self.columns.end - column),
                        add: self.depth.start > 0,
                    };
                    tile::multiply(simd, order, k, a.as_ptr(), b.as_ptr(), &target);
                }
            }
        }
    }
}

/// Does all of some work: by all threads, unless it is too small for that.
fn each<I: IndexedParallelIterator>(
    small: bool,
    work: I,
    run: impl Fn(I::Item) -> Result<()> + Send + Sync,
) -> Result<()> {
    let pieces = if small { usize::MAX } else { 1 };
    work.with_min_len(pieces).with_max_len(pieces).try_for_each(run)
}
