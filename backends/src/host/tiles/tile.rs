//! The product of two panels: a tile of C in vector registers.

use super::ahead::{Ahead, LINE, prefetch};
use super::vectors::Lanes;
use crate::host::element::{Element, Real};
use pulp::{Arch, Simd, WithSimd};
use std::marker::PhantomData;

/// Rows of every tile, and of a panel of A: few, so that a row of B in registers is used often enough with its vectors
/// many.
pub(in crate::host) const ROWS: usize = 6;

/// Columns of a tile on this CPU, and of a panel of B.
pub(in crate::host) fn columns<T: Lanes>() -> usize {
    let (vectors, lanes) = vectors_and_lanes::<T>();
    vectors * lanes
}

/// Elements of a vector on this CPU.
pub(in crate::host) fn lanes<T: Lanes>() -> usize {
    vectors_and_lanes::<T>().1
}

/// Vectors of a tile's row on this CPU, and elements of one.
fn vectors_and_lanes<T: Lanes>() -> (usize, usize) {
    struct Ask<T>(PhantomData<T>);
    impl<T: Lanes> WithSimd for Ask<T> {
        type Output = (usize, usize);

        fn with_simd<S: Simd>(self, _simd: S) -> (usize, usize) {
            (vectors::<S>(), T::lanes::<S>())
        }
    }
    Arch::new().dispatch(Ask::<T>(PhantomData))
}

/// Vectors of a tile's row: of 32 registers the tile takes 24, of 16 it takes 12, and B's row and A's element the others.
const fn vectors<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 4 } else { 2 }
}

/// Steps along k that a panel of A has together: a cache line of each row.
pub(in crate::host) const fn steps<T>() -> usize {
    LINE / size_of::<T>()
}

/// Where an element of a panel of A lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::host) enum Order {
    /// A block of [`steps`] of each row, a row after the other: as A is stored.
    ByRow,
    /// All rows of a step, a step after the other: as A's transpose is stored.
    ByStep,
}

/// Rows of A as a tile reads them.
#[derive(Clone, Copy)]
pub(in crate::host) enum Left {
    /// A panel.
    Panel(Order),
    /// [`ROWS`] rows where they are stored, so many elements apart.
    Stored(usize),
    /// [`ROWS`] neighbouring columns of what is stored, whose rows, one a step, are so many elements apart.
    Transposed(usize),
}

/// A tile of C.
pub(in crate::host) struct Target<E> {
    /// Its first element.
    pub(in crate::host) c: *mut E,
    /// Elements from a row to the next.
    pub(in crate::host) stride: usize,
    /// Rows and columns that C has there: at most a tile's.
    pub(in crate::host) rows: usize,
    pub(in crate::host) columns: usize,
    /// Whether the product is added to what is there. Not where elements are stored narrower than they are summed.
    pub(in crate::host) add: bool,
}

/// A row of B for each step.
#[derive(Clone, Copy)]
pub(in crate::host) struct Rows<T> {
    pub(in crate::host) first: *const T,
    /// Elements from a row to the next: a tile's [`columns`] in a panel.
    pub(in crate::host) apart: usize,
}

/// Writes the product of a panel of A and rows of B, `k` steps long, and asks for what comes next.
///
/// # Safety
/// A holds `k` steps, a panel of it as many as make whole blocks of [`steps`], and each of `k` rows of B has [`columns`]; the
/// target is nobody else's meanwhile.
#[inline(always)]
pub(in crate::host) unsafe fn multiply<E: Element<Real: Lanes>, S: Simd>(
    simd: S,
    left: Left,
    k: usize,
    a: *const E::Real,
    b: Rows<E::Real>,
    target: &Target<E>,
    ahead: &mut Ahead,
) {
    // SAFETY: the caller's.
    unsafe {
        match vectors::<S>().min(target.columns.div_ceil(E::Real::lanes::<S>())) {
            1 => tile::<E, S, 1>(simd, left, k, a, b, target, ahead),
            2 => tile::<E, S, 2>(simd, left, k, a, b, target, ahead),
            _ => tile::<E, S, 4>(simd, left, k, a, b, target, ahead),
        }
    }
}

/// The same with no more vectors than the target has columns for.
#[inline(always)]
unsafe fn tile<E: Element<Real: Lanes>, S: Simd, const VECTORS: usize>(
    simd: S,
    left: Left,
    k: usize,
    a: *const E::Real,
    b: Rows<E::Real>,
    target: &Target<E>,
    ahead: &mut Ahead,
) {
    let block = steps::<E::Real>();
    // Distances that are constants for panels.
    // SAFETY: the caller's.
    unsafe {
        match left {
            Left::Panel(Order::ByRow) => {
                sums::<E, S, VECTORS>(simd, k, a, [block, 1, ROWS * block], b, target, ahead);
            }
            Left::Panel(Order::ByStep) => {
                sums::<E, S, VECTORS>(simd, k, a, [1, ROWS, ROWS * block], b, target, ahead);
            }
            Left::Stored(row) => sums::<E, S, VECTORS>(simd, k, a, [row, 1, block], b, target, ahead),
            Left::Transposed(step) => sums::<E, S, VECTORS>(simd, k, a, [1, step, step * block], b, target, ahead),
        }
    }
}

/// The same, where A's elements are so far apart from a row to the next, a step to the next, and a block to the next: it is
/// inlined, so that constants are.
#[inline(always)]
unsafe fn sums<E: Element<Real: Lanes>, S: Simd, const VECTORS: usize>(
    simd: S,
    k: usize,
    mut a: *const E::Real,
    [row_a, step_a, block_a]: [usize; 3],
    b: Rows<E::Real>,
    target: &Target<E>,
    ahead: &mut Ahead,
) {
    let lanes = E::Real::lanes::<S>();
    let block = steps::<E::Real>();
    let zero = E::Real::splat(simd, E::Real::ZERO);
    let mut sums = [[zero; VECTORS]; ROWS];
    let (mut left, mut row) = (k, b.first);
    while left > 0 {
        let steps = left.min(block);
        // The block of A after next. A comes from beyond the second-level cache, and what a processor fetches ahead by itself
        // ends with each page of 4 KiB.
        for r in 0..ROWS {
            let line = if step_a == 1 { r * row_a } else { r * block };
            prefetch(a.wrapping_add(2 * block_a + line));
        }
        ahead.ask(steps);
        for step in 0..steps {
            // SAFETY: the panels hold all steps.
            unsafe {
                let b: [_; VECTORS] = std::array::from_fn(|v| {
                    row.add(v * lanes).cast::<<E::Real as Lanes>::Vector<S>>().read_unaligned()
                });
                for (r, sums) in sums.iter_mut().enumerate() {
                    let x = E::Real::splat(simd, *a.add(r * row_a + step * step_a));
                    for (sum, b) in sums.iter_mut().zip(b) {
                        *sum = E::Real::fma(simd, x, b, *sum);
                    }
                }
            }
            row = row.wrapping_add(b.apart);
        }
        a = a.wrapping_add(block_a);
        left -= steps;
    }
    if E::IN_PLACE && target.columns == VECTORS * lanes {
        for (r, sums) in sums.iter().enumerate() {
            if r < target.rows {
                // SAFETY: a row of the target; elements in place are of the type that they are summed in.
                unsafe {
                    let to = target.c.add(r * target.stride).cast::<E::Real>();
                    for (v, sum) in sums.iter().enumerate() {
                        let to = to.add(v * lanes).cast::<<E::Real as Lanes>::Vector<S>>();
                        let one = E::Real::splat(simd, E::Real::ONE);
                        let sum = if target.add { E::Real::fma(simd, one, to.read_unaligned(), *sum) } else { *sum };
                        to.write_unaligned(sum);
                    }
                }
            }
        }
    } else {
        // Of a copy: what has an address is in no register.
        let sums = sums;
        for (r, sums) in sums.iter().enumerate().take(target.rows) {
            // SAFETY: a vector is so many elements, and the slices are a row of the tile and of the target.
            unsafe {
                let sums = std::slice::from_raw_parts(sums.as_ptr().cast::<E::Real>(), target.columns);
                let to = std::slice::from_raw_parts_mut(target.c.add(r * target.stride), target.columns);
                write(sums, to, target.add);
            }
        }
    }
}

/// Stores a row of sums, or adds them to it.
fn write<E: Element>(sums: &[E::Real], to: &mut [E], add: bool) {
    if add {
        for (to, sum) in to.iter_mut().zip(sums) {
            *to = E::stored(to.real() + *sum);
        }
    } else {
        E::narrow(sums, to);
    }
}
