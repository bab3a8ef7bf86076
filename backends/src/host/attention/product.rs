//! One thread's product of matrices.

use crate::host::element::Real;
use gemm::Parallelism;

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
