//! One thread's products of small matrices, tile by tile, of operands that are mostly read where they lie.

use super::ahead::Ahead;
use super::tile::{Left, ROWS, Rows, Target, columns, multiply};
use super::vectors::Lanes;
use crate::host::element::Element;
use pulp::{Arch, Simd, WithSimd};
use std::ops::Range;

/// The left matrix: as many rows as whole tiles have.
pub(in crate::host) struct Tall<'a, T> {
    pub(in crate::host) elements: &'a [T],
    /// How they lie, but for panels.
    pub(in crate::host) left: Left,
}

impl<'a, T: Lanes> Tall<'a, T> {
    /// A part of some rows of a matrix, which are `stride` elements apart: in place, unless they are to be widened or the
    /// matrix ends before a whole tile does.
    pub(in crate::host) fn stored<E: Element<Real = T>>(
        matrix: &'a [E],
        stride: usize,
        rows: Range<usize>,
        depth: &Range<usize>,
        copy: &'a mut [T],
    ) -> Self {
        let last = rows.start + rows.len().next_multiple_of(ROWS) - 1;
        if let Some(matrix) = E::in_place(matrix).filter(|all| last * stride + depth.end <= all.len()) {
            return Self { elements: &matrix[rows.start * stride + depth.start..], left: Left::Stored(stride) };
        }
        for (row, to) in rows.zip(copy.chunks_exact_mut(depth.len())) {
            E::widen(&matrix[row * stride..][depth.clone()], to);
        }
        Self { elements: copy, left: Left::Stored(depth.len()) }
    }
}

/// The right matrix: panels of a tile's columns, with a row for each step.
pub(in crate::host) struct Wide<'a, T> {
    pub(in crate::host) elements: &'a [T],
    /// Elements from a panel to the next.
    pub(in crate::host) panel: usize,
    /// Elements from a row to the next.
    pub(in crate::host) apart: usize,
}

/// Writes the product of `m` rows and `n` columns, `k` steps long, to rows of `c` that are `stride` elements apart, or adds
/// it to them. Asks meanwhile for `next` in memory.
pub(in crate::host) fn product<T: Lanes>(
    [m, n, k]: [usize; 3],
    a: &Tall<'_, T>,
    b: &Wide<'_, T>,
    c: &mut [T],
    stride: usize,
    add: bool,
    next: &[impl Sized],
) {
    let (rows, width) = (m.next_multiple_of(ROWS), columns::<T>());
    let holds = |len: usize, count: usize, apart: usize, each: usize| (count - 1) * apart + each <= len;
    let a_holds = match a.left {
        Left::Stored(row) => holds(a.elements.len(), rows, row, k),
        Left::Transposed(step) => holds(a.elements.len(), k, step, rows),
        Left::Panel(_) => false,
    };
    let before_last = (n.div_ceil(width) - 1) * b.panel;
    let b_holds = holds(b.elements.len().saturating_sub(before_last), k, b.apart, width);
    assert!(a_holds && b_holds && holds(c.len(), m, stride, n), "a product of {m} by {k} by {n}");
    let steps = m.div_ceil(ROWS) * n.div_ceil(width) * k;
    let ahead = Ahead::rows(next.as_ptr(), next.len(), 0, 1, steps);
    Arch::new().dispatch(Tiles { size: [m, n, k], a, b, c, stride, width, add, ahead });
}

/// The arguments of [`product`], which is compiled for each instruction set. The operands are as long as it asserts.
struct Tiles<'a, T> {
    size: [usize; 3],
    a: &'a Tall<'a, T>,
    b: &'a Wide<'a, T>,
    c: &'a mut [T],
    stride: usize,
    width: usize,
    add: bool,
    ahead: Ahead,
}

impl<T: Lanes> WithSimd for Tiles<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { size: [m, n, k], a, b, c, stride, width, add, mut ahead } = self;
        let apart = match a.left {
            Left::Stored(row) => row,
            _ => 1,
        };
        for (panel, column) in (0..n).step_by(width).enumerate() {
            let right = Rows { first: b.elements[panel * b.panel..].as_ptr(), apart: b.apart };
            for row in (0..m).step_by(ROWS) {
                let left = a.elements[row * apart..].as_ptr();
                let target = Target {
                    c: c[row * stride + column..].as_mut_ptr(),
                    stride,
                    rows: ROWS.min(m - row),
                    columns: width.min(n - column),
                    add,
                };
                // SAFETY: the operands hold whole tiles, as `product` asserts, and the target is borrowed exclusively.
                unsafe { multiply(simd, a.left, k, left, right, &target, &mut ahead) };
            }
        }
    }
}
