//! The softmax of rows whose columns come a block at a time.

use crate::host::element::{Element, Real};
use pulp::{Arch, NullaryFnOnce};

/// Lanes that a row is taken in: two of the widest vectors.
const LANES: usize = 32;

/// What is known of each row after some of its columns.
pub(super) struct State<T> {
    /// The largest score.
    max: Vec<T>,
    /// The sum of the exponentials of the scores less the largest.
    sum: Vec<T>,
    /// The product of those exponentials with V: a row of `width` for each.
    pub(super) output: Vec<T>,
    width: usize,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { max: Vec::new(), sum: Vec::new(), output: Vec::new(), width: 0 }
    }
}

impl<T: Real> State<T> {
    /// No columns yet.
    pub(super) fn clear(&mut self, rows: usize, width: usize) {
        self.width = width;
        for (values, len, value) in [
            (&mut self.max, rows, T::NEG_INFINITY),
            (&mut self.sum, rows, T::ZERO),
            (&mut self.output, rows * width, T::ZERO),
        ] {
            values.clear();
            values.resize(len, value);
        }
    }

    /// Replaces `scores`, rows of `n` from row `first` on, by their exponentials relative to the largest score so far,
    /// and takes the rows' sums and outputs along. Of each row only the columns `visible` count; others become 0.
    pub(super) fn exponentials(
        &mut self,
        first: usize,
        scores: &mut [T],
        n: usize,
        visible: impl Iterator<Item = usize>,
    ) {
        Arch::new().dispatch(Exponentials { state: self, first, scores, n, visible });
    }

    /// What two states of the same rows, over different columns, are together.
    pub(super) fn merged(mut self, other: &Self) -> Self {
        for row in 0..self.max.len() {
            let max = if self.max[row] < other.max[row] { other.max[row] } else { self.max[row] };
            let (scale, other_scale) = ((self.max[row] - base(max)).exp(), (other.max[row] - base(max)).exp());
            self.max[row] = max;
            self.sum[row] = self.sum[row] * scale + other.sum[row] * other_scale;
            let columns = row * self.width..(row + 1) * self.width;
            for (out, other) in self.output[columns.clone()].iter_mut().zip(&other.output[columns]) {
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

/// The arguments of [`State::exponentials`], which is compiled for each instruction set.
struct Exponentials<'a, T, V> {
    state: &'a mut State<T>,
    first: usize,
    scores: &'a mut [T],
    n: usize,
    visible: V,
}

impl<T: Real, V: Iterator<Item = usize>> NullaryFnOnce for Exponentials<'_, T, V> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { state, first, scores, n, visible } = self;
        for ((row, scores), visible) in (first..).zip(scores.chunks_exact_mut(n)).zip(visible) {
            let (scores, masked) = scores.split_at_mut(visible);
            masked.fill(T::ZERO);
            let max = largest(scores, state.max[row]);
            let sum = exponentials(scores, base(max));
            let scale = (state.max[row] - base(max)).exp();
            state.max[row] = max;
            state.sum[row] = T::mul_add(state.sum[row], scale, sum);
            if scale != T::ONE {
                for out in &mut state.output[row * state.width..][..state.width] {
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

/// The largest of `values` and `least`.
#[inline(always)]
fn largest<T: Real>(values: &[T], least: T) -> T {
    let larger = |a: T, b: T| if a < b { b } else { a };
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [least; LANES];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, *value);
        }
    }
    lanes.iter().chain(rest).fold(least, |a, b| larger(a, *b))
}

/// Replaces each value by e^(value - max) and gives their sum.
#[inline(always)]
fn exponentials<T: Real>(values: &mut [T], max: T) -> T {
    let (chunks, rest) = values.as_chunks_mut::<LANES>();
    let mut lanes = [T::ZERO; LANES];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *value = (*value - max).exp();
            *lane = *lane + *value;
        }
    }
    for value in rest.iter_mut() {
        *value = (*value - max).exp();
    }
    lanes.iter().chain(rest.iter()).fold(T::ZERO, |a, b| a + *b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state of one row after `scores`, with the scores' exponentials weighing the values 1, 2, 3 and so on from
    /// `first` on.
    fn after(first: usize, scores: &[f64]) -> State<f64> {
        let (mut state, mut scores) = (State::default(), scores.to_vec());
        let n = scores.len();
        state.clear(1, 1);
        state.exponentials(0, &mut scores, n, std::iter::once(n));
        state.output[0] = scores.iter().zip(first..).map(|(weight, value)| weight * value as f64).sum();
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
}
