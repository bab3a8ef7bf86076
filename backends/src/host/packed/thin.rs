//! Products with few rows by a transposed B: each element of B is used so seldom that a copy of it would cost more than
//! the product. They are dot products, of rows as they lie in memory.

use crate::host::element::{Element, Real};
use crate::host::sizes::Sizes;
use crate::host::tiles::Lanes;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Rows of A up to which a copy of B is not worth it.
const FEW_ROWS: usize = 4;
/// Columns of C whose products go along together: so many streams from memory.
const TOGETHER: usize = 4;
/// Elements of a row that are multiplied at a time: those of all streams stay in the first-level cache.
const PIECE: usize = 1024;
/// Bytes of B that are worth a task.
const TASK_BYTES: usize = 256 << 10;

pub(super) fn suits(sizes: &Sizes) -> bool {
    sizes.m <= FEW_ROWS && sizes.trans_b
}

/// C = A·B.
pub(super) fn multiply<E: Element<Real: Lanes>>(sizes: &Sizes, a: &[E], b: &[E], c: &mut [E]) {
    let &Sizes { m, n, k, trans_a, .. } = sizes;
    let row = |i: usize| -> Vec<E::Real> {
        (0..k).map(|depth| a[if trans_a { depth * m + i } else { i * k + depth }].real()).collect()
    };
    let rows: Vec<Vec<E::Real>> = (0..m).map(row).collect();
    let columns = (TASK_BYTES / size_of::<E>() / k).next_multiple_of(TOGETHER).max(TOGETHER);
    let tasks: Vec<_> = b.par_chunks(columns * k).map(|b| Arch::new().dispatch(Dots { rows: &rows, b, k })).collect();
    for (sums, first) in tasks.iter().zip((0..n).step_by(columns)) {
        for (sums, c) in sums.chunks_exact(sums.len() / m).zip(c.chunks_exact_mut(n)) {
            E::narrow(sums, &mut c[first..][..sums.len()]);
        }
    }
}

/// The products of all rows of A with some columns of B: a row of sums for each row of A.
struct Dots<'a, E: Element> {
    rows: &'a [Vec<E::Real>],
    b: &'a [E],
    k: usize,
}

impl<E: Element<Real: Lanes>> WithSimd for Dots<'_, E> {
    type Output = Vec<E::Real>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let columns = self.b.len() / self.k;
        let mut sums = vec![E::Real::ZERO; self.rows.len() * columns];
        let mut wide = [[E::Real::ZERO; PIECE]; TOGETHER];
        for (first, b) in self.b.chunks(TOGETHER * self.k).enumerate() {
            let together = b.len() / self.k;
            for start in (0..self.k).step_by(PIECE) {
                let len = PIECE.min(self.k - start);
                let mut pieces: [&[E::Real]; TOGETHER] = [&[]; TOGETHER];
                for ((piece, b), wide) in pieces.iter_mut().zip(b.chunks_exact(self.k)).zip(&mut wide) {
                    *piece = E::widened(&b[start..][..len], wide);
                }
                // What is missing at the end is multiplied twice and not kept.
                let pieces = pieces.map(|piece| if piece.is_empty() { pieces[0] } else { piece });
                for (i, row) in self.rows.iter().enumerate() {
                    let dots = dots::<E::Real, S>(simd, &row[start..][..len], pieces);
                    let sums = &mut sums[i * columns + first * TOGETHER..][..together];
                    for (sum, dot) in sums.iter_mut().zip(dots) {
                        *sum = *sum + dot;
                    }
                }
            }
        }
        sums
    }
}

/// The products of `x` with each of `y`, which are as long.
#[inline(always)]
fn dots<T: Lanes, S: Simd>(simd: S, x: &[T], y: [&[T]; TOGETHER]) -> [T; TOGETHER] {
    /// Sums that don't wait for each other.
    const CHAINS: usize = 2;
    let lanes = T::lanes::<S>();
    let whole = x.len() / (lanes * CHAINS) * (lanes * CHAINS);
    let mut sums = [[T::splat(simd, T::ZERO); CHAINS]; TOGETHER];
    for start in (0..whole).step_by(lanes * CHAINS) {
        for chain in 0..CHAINS {
            // SAFETY: `whole` lies within all slices, which are as long.
            unsafe {
                let at = start + chain * lanes;
                let x = x.as_ptr().add(at).cast::<T::Vector<S>>().read_unaligned();
                for (sums, y) in sums.iter_mut().zip(y) {
                    let y = y.as_ptr().add(at).cast::<T::Vector<S>>().read_unaligned();
                    sums[chain] = T::fma(simd, x, y, sums[chain]);
                }
            }
        }
    }
    let mut dots = [T::ZERO; TOGETHER];
    // Of a copy: what is indexed, or has an address, is in no register.
    for ((dot, [first, second]), y) in dots.iter_mut().zip(sums).zip(y) {
        let rest = x[whole..].iter().zip(&y[whole..]);
        *dot = rest.fold(T::sum(simd, first) + T::sum(simd, second), |sum, (x, y)| T::mul_add(*x, *y, sum));
    }
    dots
}
