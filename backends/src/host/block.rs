//! What the functions made of many small products share: pieces of a whole, one thread's product, and each thread's memory.

use super::element::Real;
use gemm::Parallelism;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// The pieces of a whole, of which the last may be smaller.
pub(super) fn pieces(all: Range<usize>, piece: usize) -> impl Iterator<Item = Range<usize>> {
    all.clone().step_by(piece).map(move |start| start..all.end.min(start + piece))
}

/// The size of a piece of a whole that is no less than one, in as few pieces as sizes of at most `most` allow, and as even.
pub(super) fn evenly(all: usize, most: usize) -> usize {
    all.div_ceil(all.div_ceil(most.max(1)))
}

/// A matrix that is read: where it starts and the elements from a row, and from a column, to the next.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a, T> {
    pub(super) elements: &'a [T],
    pub(super) row: usize,
    pub(super) column: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// Rows of contiguous elements, `row` apart.
    pub(super) fn rows(elements: &'a [T], row: usize) -> Self {
        Self { elements, row, column: 1 }
    }

    /// Its transpose.
    pub(super) fn transposed(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }

    fn holds(&self, rows: usize, columns: usize) -> bool {
        rows == 0 || columns == 0 || (rows - 1) * self.row + (columns - 1) * self.column < self.elements.len()
    }
}

/// What becomes of a product.
#[derive(Clone, Copy)]
pub(super) enum Update<T> {
    /// The result is the product times this factor.
    Set(T),
    /// The product is added to the result.
    Add,
}

/// The product of the `m` by `k` matrix `a` and the `k` by `n` matrix `b`, computed by this thread alone, into rows of
/// `n` contiguous elements that start at `c` and are `c_row` apart.
///
/// # Safety
/// The rows at `c` are valid and nobody else accesses them meanwhile; with [`Update::Add`] they are initialised.
pub(super) unsafe fn multiply<T: Real>(
    [m, n, k]: [usize; 3],
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    c: *mut T,
    c_row: usize,
    update: Update<T>,
) {
    assert!(a.holds(m, k) && b.holds(k, n), "operands of a product of {m} by {k} by {n}");
    let (read, factor) = match update {
        Update::Set(factor) => (false, factor),
        Update::Add => (true, T::ONE),
    };
    // SAFETY: the operands hold what their strides reach, as asserted; the caller vouches for the result.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c,
            1,
            c_row as isize,
            read,
            a.elements.as_ptr(),
            a.column as isize,
            a.row as isize,
            b.elements.as_ptr(),
            b.column as isize,
            b.row as isize,
            T::ONE,
            factor,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Scratch memory that is made once for each thread at work and kept from run to run.
pub(super) struct Pool<T>(Mutex<Vec<T>>);

impl<T> Pool<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Runs `work` with scratch that nobody else has meanwhile.
    pub(super) fn with<R>(&self, make: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut scratch = free.unwrap_or_else(make);
        let result = work(&mut scratch);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        result
    }
}
