//! The softmax of columns whose rows come a block at a time.

use crate::host::element::{Element, Real};
use pulp::{Arch, NullaryFnOnce};
use std::ops::Range;

/// Columns that are taken together: two of the widest vectors.
pub(super) const LANES: usize = 32;

/// What is known of each column after some of its rows.
pub(super) struct State<T> {
    /// The largest score. There are whole [`LANES`] of these, and of the sums.
    max: Vec<T>,
    /// The sum of the exponentials of the scores less the largest.
    sum: Vec<T>,
    /// The product of those exponentials with V: a row of `width` for each column.
    pub(super) output: Vec<T>,
    width: usize,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { max: Vec::new(), sum: Vec::new(), output: Vec::new(), width: 0 }
    }
}

impl<T: Real> State<T> {
    /// So many columns, and no rows yet.
    pub(super) fn clear(&mut self, columns: usize, width: usize) {
        self.width = width;
        let whole = columns.next_multiple_of(LANES);
        for (values, len, value) in [
            (&mut self.max, whole, T::NEG_INFINITY),
            (&mut self.sum, whole, T::ZERO),
            (&mut self.output, columns * width, T::ZERO),
        ] {
            values.clear();
            values.resize(len, value);
        }
    }

    /// Replaces `scores`, rows `stride` apart of these columns, by their exponentials relative to the largest score of each
    /// column so far, and takes the columns' sums and outputs along. The first column is a multiple of [`LANES`].
    pub(super) fn exponentials(&mut self, columns: Range<usize>, scores: &mut [T], stride: usize) {
        Arch::new().dispatch(Exponentials { state: self, columns, scores, stride });
    }

    /// What two states of the same columns, over different rows, are together.
    pub(super) fn merged(mut self, other: &Self) -> Self {
        let outputs = self.output.chunks_mut(self.width).zip(other.output.chunks(self.width));
        for (column, (output, other_output)) in outputs.enumerate() {
            let (one, another) = (self.max[column], other.max[column]);
            let max = larger(one, another);
            let (scale, other_scale) = ((one - base(max)).exp(), (another - base(max)).exp());
            self.max[column] = max;
            self.sum[column] = self.sum[column] * scale + other.sum[column] * other_scale;
            for (out, other) in output.iter_mut().zip(other_output) {
                *out = *out * scale + *other * other_scale;
            }
        }
        self
    }

    /// Divides each output by its sum, into `to`.
    pub(super) fn finish<E: Element<Real = T>>(&mut self, to: &mut [E]) {
        for ((out, sum), to) in self.output.chunks_mut(self.width).zip(&self.sum).zip(to.chunks_mut(self.width)) {
            for out in out.iter_mut() {
                *out = *out / *sum;
            }
            E::narrow(out, to);
        }
    }
}

/// Takes scores away, in rows `stride` apart: of each column only the first `visible` rows stay.
pub(super) fn mask<T: Real>(scores: &mut [T], stride: usize, visible: &[u32]) {
    let least = visible.iter().min().map_or(0, |least| *least as usize);
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (row, scores) in (0_u32..).zip(scores.chunks_exact_mut(stride)).skip(least) {
                for (score, visible) in scores.iter_mut().zip(visible) {
                    *score = if row < *visible { *score } else { T::NEG_INFINITY };
                }
            }
        },
    );
}

/// The arguments of [`State::exponentials`], which is compiled for each instruction set.
struct Exponentials<'a, T> {
    state: &'a mut State<T>,
    columns: Range<usize>,
    scores: &'a mut [T],
    stride: usize,
}

impl<T: Real> NullaryFnOnce for Exponentials<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { state, columns, scores, stride } = self;
        let State { max, sum, output, width } = state;
        let first = columns.start;
        let (max, sum) = (max[first..].as_chunks_mut::<LANES>().0, sum[first..].as_chunks_mut::<LANES>().0);
        let outputs = output[first * *width..columns.end * *width].chunks_mut(LANES * *width);
        for (index, ((max, sum), output)) in max.iter_mut().zip(sum).zip(outputs).enumerate() {
            // In variables, which are registers, whole vectors at a time.
            let (before, mut largest) = (*max, *max);
            for scores in scores.chunks_exact(stride) {
                let scores = &scores.as_chunks::<LANES>().0[index];
                largest = std::array::from_fn(|lane| larger(largest[lane], scores[lane]));
            }
            *max = largest;
            let base: [T; LANES] = std::array::from_fn(|lane| base(largest[lane]));
            let mut added = [T::ZERO; LANES];
            for scores in scores.chunks_exact_mut(stride) {
                let scores = &mut scores.as_chunks_mut::<LANES>().0[index];
                for ((score, added), base) in scores.iter_mut().zip(&mut added).zip(base) {
                    *score = (*score - base).exp();
                    *added = *added + *score;
                }
            }
            let scale: [T; LANES] = std::array::from_fn(|lane| (before[lane] - base[lane]).exp());
            for ((sum, scale), added) in sum.iter_mut().zip(scale).zip(added) {
                *sum = T::mul_add(*sum, scale, added);
            }
            for (output, scale) in output.chunks_mut(*width).zip(scale).filter(|(_, scale)| *scale != T::ONE) {
                for out in output {
                    *out = *out * scale;
                }
            }
        }
    }
}

/// What exponentials are relative to: the largest score, but 0 where all are -∞, so that they are 0 and not NaN.
#[inline(always)]
fn base<T: Real>(max: T) -> T {
    if max == T::NEG_INFINITY { T::ZERO } else { max }
}

/// The larger of two; the first one where they can't be compared.
#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if a < b { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state of one column after `scores`, with the scores' exponentials weighing the values 1, 2, 3 and so on from
    /// `first` on.
    fn after(first: usize, scores: &[f64]) -> State<f64> {
        let mut state = State::default();
        let mut rows: Vec<f64> = scores.iter().flat_map(|score| [*score; LANES]).collect();
        state.clear(1, 1);
        state.exponentials(0..1, &mut rows, LANES);
        let weights = rows.chunks(LANES).map(|row| row[0]);
        state.output[0] = weights.zip(first..).map(|(weight, value)| weight * value as f64).sum();
        state
    }

    #[test]
    fn parts_merge_into_the_whole_in_either_order() {
        let scores = [0.5, -2.0, 3.0, f64::NEG_INFINITY, f64::NEG_INFINITY, 1.0];
        let result = |mut state: State<f64>| {
            let mut output = [0.0_f64];
            state.finish(&mut output);
            output[0]
        };
        let whole = result(after(1, &scores));
        for middle in 1..scores.len() {
            let (left, right) = (|| after(1, &scores[..middle]), || after(1 + middle, &scores[middle..]));
            for merged in [left().merged(&right()), right().merged(&left())] {
                assert!((result(merged) - whole).abs() < 1e-14, "parted at {middle}");
            }
        }
        let nothing = || after(4, &scores[3..5]);
        assert!((result(nothing().merged(&after(1, &scores))) - whole).abs() < 1e-14);
    }

    #[test]
    fn rows_beyond_what_a_column_sees_are_masked() {
        let mut scores = [1.0_f64; 4 * 3];
        mask(&mut scores, 3, &[4, 1]);
        let left = scores.map(f64::is_finite);
        assert_eq!(left.as_chunks::<3>().0, [[true; 3], [true, false, true], [true, false, true], [true, false, true]]);
    }
}
