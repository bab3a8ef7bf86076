//! The product of two panels: a tile of C in vector registers.

use super::vectors::Lanes;
use crate::host::element::{Element, Real};
use pulp::{Arch, Simd, WithSimd};
use std::marker::PhantomData;

/// Rows of every tile, and of a panel of A: few, so that a row of B in registers is used often enough with its vectors
/// many.
pub(super) const ROWS: usize = 6;

/// Columns of a tile on this CPU, and of a panel of B.
pub(super) fn columns<T: Lanes>() -> usize {
    struct Ask<T>(PhantomData<T>);
    impl<T: Lanes> WithSimd for Ask<T> {
        type Output = usize;

        fn with_simd<S: Simd>(self, _simd: S) -> usize {
            vectors::<S>() * T::lanes::<S>()
        }
    }
    Arch::new().dispatch(Ask::<T>(PhantomData))
}

/// Vectors of a tile's row: of 32 registers the tile takes 24, of 16 it takes 12, and B's row and A's element the others.
const fn vectors<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 4 } else { 2 }
}

/// Steps along k that a panel of A has together: a cache line of each row.
pub(super) const fn steps<T>() -> usize {
    64 / size_of::<T>()
}

/// Where an element of a panel of A lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// A block of [`steps`] of each row, a row after the other: as A is stored.
    ByRow,
    /// All rows of a step, a step after the other: as A's transpose is stored.
    ByStep,
}

/// A tile of C.
pub(super) struct Target<E> {
    /// Its first element.
    pub(super) c: *mut E,
    /// Elements from a row to the next.
    pub(super) stride: usize,
    /// Rows and columns that C has there: at most a tile's.
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Whether the product is added to what is there. Never where elements are stored narrower than they are summed.
    pub(super) add: bool,
}

/// Writes the product of a panel of A and a panel of B, `k` steps long.
///
/// # Safety
/// The panels hold `k` steps, that of A rounded up to [`steps`]; the target is nobody else's meanwhile.
#[inline(always)]
pub(super) unsafe fn multiply<E: Element<Real: Lanes>, S: Simd>(
    simd: S,
    order: Order,
    k: usize,
    a: *const E::Real,
    b: *const E::Real,
    target: &Target<E>,
) {
    // SAFETY: the caller's.
    unsafe {
        match (vectors::<S>(), order) {
            (4, Order::ByRow) => tile::<E, S, 4, true>(simd, k, a, b, target),
            (4, Order::ByStep) => tile::<E, S, 4, false>(simd, k, a, b, target),
            (_, Order::ByRow) => tile::<E, S, 2, true>(simd, k, a, b, target),
            (_, Order::ByStep) => tile::<E, S, 2, false>(simd, k, a, b, target),
        }
    }
}

#[inline(always)]
unsafe fn tile<E: Element<Real: Lanes>, S: Simd, const VECTORS: usize, const BY_ROW: bool>(
    simd: S,
    k: usize,
    mut a: *const E::Real,
    mut b: *const E::Real,
    target: &Target<E>,
) {
    let lanes = E::Real::lanes::<S>();
    let block = steps::<E::Real>();
    let zero = E::Real::splat(simd, E::Real::ZERO);
    let mut sums = [[zero; VECTORS]; ROWS];
    let mut left = k;
    while left > 0 {
        prefetch(a.wrapping_add(2 * block * ROWS), block * ROWS);
        let steps = left.min(block);
        for step in 0..steps {
            // SAFETY: the panels hold all steps.
            unsafe {
                let row: [_; VECTORS] =
                    std::array::from_fn(|v| b.add(v * lanes).cast::<<E::Real as Lanes>::Vector<S>>().read_unaligned());
                for (r, sums) in sums.iter_mut().enumerate() {
                    let place = if BY_ROW { r * block + step } else { step * ROWS + r };
                    let x = E::Real::splat(simd, *a.add(place));
                    for (sum, b) in sums.iter_mut().zip(row) {
                        *sum = E::Real::fma(simd, x, b, *sum);
                    }
                }
                b = b.add(VECTORS * lanes);
            }
        }
        a = a.wrapping_add(block * ROWS);
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

/// Asks for so many elements, which will be read soon. A's panels come from beyond the second-level cache, and what a
/// processor fetches ahead by itself ends with each page of 4 KiB.
#[inline(always)]
fn prefetch<T>(from: *const T, elements: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..elements).step_by(64 / size_of::<T>()) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: no address is wrong for it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(line).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (from, elements);
}
