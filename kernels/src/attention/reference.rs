//! The f64 truth of attention: every row where that is cheap, else sampled rows and a check that all elements must pass.
//!
//! A row of O is Σ wⱼ·vⱼ with w = softmax(s), over n keys. The error of an element comes from three places, each a sum of
//! independent roundings (see [`compare`](crate::compare) for u, λ and what they mean):
//!
//! - a score's error, relative to its weight: εⱼ = u·(√(d + 2)·‖pⱼ‖ + 4 + 3·|sⱼ − max s|), where pⱼ are the d products of
//!   sⱼ; the exponential function is taken to be as exact as WGSL and CUDA promise (3 + 2·|x| units). It moves the element
//!   by wⱼ·εⱼ·(vⱼ − o).
//! - the sums of the products and of the weights: u·√(n + 2)·wⱼ·(|vⱼ| + |o|).
//! - with 16-bit storage, the weights' rounding to that type before the second product, as matrix units need it:
//!   r·wⱼ·(|vⱼ| + |o|), with r that type's unit; 0 otherwise.
//!
//! ```text
//! |error| ≤ λ·√(Σ wⱼ²·(εⱼ²·(vⱼ − o)² + (u²·(n + 2) + r²)·(vⱼ² + o²)))  +  u_out·|o|  +  the smallest normal number
//! ```
//!
//! No projection speaks for all elements, since softmax is not linear. What every element must pass: a row is a weighted
//! mean of V's rows, so it lies between the smallest and the largest value of its column.

use super::AttentionProblem;
use crate::compare::{Comparison, LAMBDA};
use crate::{Tensor, Verdict, fill};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Up to this many multiplications every row is computed: about 0.2 s on one core.
const ELEMENTWISE: u64 = 1 << 26;
/// Multiplications that sampled rows may take, which bounds their number.
const SAMPLED: u64 = 1 << 28;
/// Sampled rows, at least and at most.
const ROWS: (u64, u64) = (32, 512);
/// Draws the samples; no input has this seed.
const SEED: u64 = 0x5EED_0A77_E571_0A57;

/// Holds O against the definition.
pub(super) fn verify(problem: &AttentionProblem, inputs: &[Tensor], output: &Tensor) -> Verdict {
    let [q, k, v] = inputs else { return Comparison::new().verdict("elementwise") };
    let sizes = [q.len(), k.len(), v.len(), output.len()];
    if sizes.iter().zip(problem.elements()).any(|(&size, expected)| size as u64 != expected) {
        return Comparison::new().verdict("elementwise");
    }
    let truth = Truth { problem, q: q.to_f64(), k: k.to_f64(), v: v.to_f64() };
    let rows = u64::from(problem.batch) * u64::from(problem.heads) * u64::from(problem.seq_q);
    let row_cost = 2 * u64::from(problem.seq_kv) * u64::from(problem.head_dim);
    if rows * row_cost <= ELEMENTWISE {
        truth.rows(output, (0..rows).collect()).verdict("elementwise")
    } else {
        let count = (SAMPLED / row_cost).clamp(ROWS.0, ROWS.1);
        truth.rows(output, truth.sample(rows, count)).merge(truth.hull(output)).verdict("sampled+hull")
    }
}

struct Truth<'a> {
    problem: &'a AttentionProblem,
    q: Vec<f64>,
    k: Vec<f64>,
    v: Vec<f64>,
}

impl Truth<'_> {
    /// Rows where tilings go wrong, and random ones, one of each even part of all rows.
    fn sample(&self, rows: u64, count: u64) -> Vec<u64> {
        let seq_q = u64::from(self.problem.seq_q);
        let last = rows - seq_q;
        let mut sample: BTreeSet<u64> = BTreeSet::new();
        for tile in [1, 16, 64, 128] {
            let start = (seq_q - 1) / tile * tile;
            sample.extend([0, last].iter().flat_map(|head| [head + start, head + start.saturating_sub(1), *head]));
        }
        let part = rows.div_ceil(count);
        let random = fill::indices(count as usize, part as usize, SEED);
        sample.extend((0..count).zip(random).map(|(i, offset)| (i * part + offset as u64).min(rows - 1)));
        sample.into_iter().collect()
    }

    fn rows(&self, output: &Tensor, rows: Vec<u64>) -> Comparison {
        rows.into_par_iter()
            .map(|row| {
                let mut comparison = Comparison::new();
                self.row(&mut comparison, output, row as usize);
                comparison
            })
            .reduce(Comparison::new, Comparison::merge)
    }

    fn row(&self, comparison: &mut Comparison, output: &Tensor, row: usize) {
        let problem = self.problem;
        let (seq_q, dim) = (problem.seq_q as usize, problem.head_dim as usize);
        let (head, i) = (row / seq_q, row % seq_q);
        let visible = problem.visible(i as u32) as usize;
        let [k, v] = [&self.k, &self.v].map(|tensor| &tensor[self.kv_head(head)..][..visible * dim]);
        let q = &self.q[row * dim..][..dim];
        let scale = 1.0 / (dim as f64).sqrt();
        // Each score, and the norm of its products.
        let scores: Vec<(f64, f64)> = k
            .chunks(dim)
            .map(|k| {
                let (dot, square) = q.iter().zip(k).fold((0.0, 0.0), |(dot, square), (q, k)| {
                    let product = q * k;
                    (dot + product, square + product * product)
                });
                (dot * scale, f64::sqrt(square) * scale)
            })
            .collect();
        let highest = scores.iter().map(|&(score, _)| score).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = scores.iter().map(|&(score, _)| (score - highest).exp()).sum();
        let mut truth = vec![0.0; dim];
        for (&(score, _), v) in scores.iter().zip(v.chunks(dim)) {
            let weight = (score - highest).exp() / sum;
            truth.iter_mut().zip(v).for_each(|(truth, v)| *truth += weight * v);
        }
        let precision = problem.precision;
        let u = precision.accumulate().ulp();
        let weights_u = if precision.storage() == precision.accumulate() { 0.0 } else { precision.storage().ulp() };
        let sums = u * u * (visible as f64 + 2.0) + weights_u * weights_u;
        let mut squares = vec![0.0; dim];
        for (&(score, norm), v) in scores.iter().zip(v.chunks(dim)) {
            let below = highest - score;
            let weight = (-below).exp() / sum;
            let own = u * ((dim as f64 + 2.0).sqrt() * norm + 4.0 + 3.0 * below);
            for ((square, &v), &o) in squares.iter_mut().zip(v).zip(&truth) {
                *square += weight * weight * (own * own * (v - o) * (v - o) + sums * (v * v + o * o));
            }
        }
        for (d, (&truth, &square)) in truth.iter().zip(&squares).enumerate() {
            let bound = LAMBDA * f64::sqrt(square)
                + precision.storage().ulp() * truth.abs()
                + precision.storage().min_positive();
            let got = output.get(row * dim + d);
            comparison.element(got, truth, bound, || format!("{}, element {d}", self.describe(head, i)));
        }
    }

    /// Where the key and value head of a query head starts in K and V.
    fn kv_head(&self, head: usize) -> usize {
        let problem = self.problem;
        let (heads, group) = (problem.heads as usize, problem.group() as usize);
        let kv_head = head / heads * problem.kv_heads as usize + head % heads / group;
        kv_head * problem.seq_kv as usize * problem.head_dim as usize
    }

    fn describe(&self, head: usize, i: usize) -> String {
        let heads = self.problem.heads as usize;
        format!("sequence {}, head {}, query {i}", head / heads, head % heads)
    }

    /// Every element against the smallest and the largest value of its column of V.
    fn hull(&self, output: &Tensor) -> Comparison {
        let problem = self.problem;
        let (seq_q, dim) = (problem.seq_q as usize, problem.head_dim as usize);
        let heads = problem.batch as usize * problem.heads as usize;
        let u =
            problem.precision.storage().ulp() + problem.precision.accumulate().ulp() * f64::from(problem.seq_kv).sqrt();
        let compared = (0..heads).into_par_iter().map(|head| {
            let mut range = vec![(f64::INFINITY, f64::NEG_INFINITY); dim];
            for v in self.v[self.kv_head(head)..][..problem.seq_kv as usize * dim].chunks(dim) {
                range.iter_mut().zip(v).for_each(|((low, high), &v)| (*low, *high) = (low.min(v), high.max(v)));
            }
            let mut comparison = Comparison::new();
            for (i, d) in (0..seq_q).flat_map(|i| (0..dim).map(move |d| (i, d))) {
                let got = output.get((head * seq_q + i) * dim + d);
                let (low, high) = range[d];
                let (middle, reach) = (f64::midpoint(low, high), (high - low) / 2.0);
                let bound = reach + LAMBDA * u * (reach + middle.abs());
                comparison.projection(got - middle, bound, || {
                    let place = self.describe(head, i);
                    format!("{place}, element {d}: {got:e} is outside of V's {low:e} to {high:e}")
                });
            }
            comparison
        });
        compared.reduce(Comparison::new, Comparison::merge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Case, Operation, Precision, attention::Attention};
    use half::f16;

    fn problem(precision: Precision, text: &str) -> AttentionProblem {
        AttentionProblem::from_fields(precision, &Attention.parse_shape_text(text).unwrap()).unwrap()
    }

    fn inputs(problem: &AttentionProblem) -> Vec<Tensor> {
        problem.inputs().iter().enumerate().map(|(i, spec)| fill::normal(spec, 3, i as u64)).collect()
    }

    /// Online softmax, key by key, with weights and sums kept as told.
    fn online(
        p: &AttentionProblem,
        inputs: &[Tensor],
        weight: impl Fn(f64) -> f64,
        sum: impl Fn(f64) -> f64,
    ) -> Vec<f64> {
        let dim = p.head_dim as usize;
        let mut out = Vec::new();
        for (b, h, i) in (0..p.batch).flat_map(|b| (0..p.heads).flat_map(move |h| (0..p.seq_q).map(move |i| (b, h, i))))
        {
            let row = ((b * p.heads + h) * p.seq_q + i) as usize * dim;
            let (mut highest, mut total, mut sums) = (f64::NEG_INFINITY, 0.0, vec![0.0; dim]);
            for j in 0..p.seq_kv {
                if p.causal && j + p.seq_q > i + p.seq_kv {
                    break;
                }
                let key = ((b * p.kv_heads + h / p.group()) * p.seq_kv + j) as usize * dim;
                let dot = (0..dim).fold(0.0, |dot, d| sum(dot + inputs[0].get(row + d) * inputs[1].get(key + d)));
                let score = sum(dot / (dim as f64).sqrt());
                let higher = f64::max(highest, score);
                let (old, new) = (sum((highest - higher).exp()), sum((score - higher).exp()));
                highest = higher;
                total = sum(total * old + new);
                for (d, value) in sums.iter_mut().enumerate() {
                    *value = sum(*value * old + weight(new) * inputs[2].get(key + d));
                }
            }
            out.extend(sums.iter().map(|value| value / total));
        }
        out
    }

    fn single(x: f64) -> f64 {
        f64::from(x as f32)
    }

    fn half(x: f64) -> f64 {
        f16::from_f64(x).to_f64()
    }

    fn f32s(values: &[f64]) -> Tensor {
        Tensor::F32(values.iter().map(|&value| value as f32).collect())
    }

    fn f16s(values: &[f64]) -> Tensor {
        Tensor::F16(values.iter().map(|&value| f16::from_f64(value)).collect())
    }

    #[test]
    fn online_softmax_verifies_in_every_form() {
        for text in ["2x4x2-7x9x16", "1x2x1-33x65x80-causal", "1x3x3-1x300x64-causal", "2x2x2-5x5x1"] {
            let problem = problem(Precision::F32, text);
            assert_eq!(problem.shape_text(), text);
            let inputs = inputs(&problem);
            let mut o = online(&problem, &inputs, single, single);
            let verdict = verify(&problem, &inputs, &f32s(&o));
            assert!(verdict.ok && verdict.checked == o.len() as u64, "{text}: {verdict:?}");
            *o.last_mut().unwrap() += 1e-4;
            assert!(!verify(&problem, &inputs, &f32s(&o)).ok, "{text}");
        }
    }

    #[test]
    fn a_mask_that_is_off_by_one_and_a_wrong_scale_are_found() {
        let right = problem(Precision::F32, "1x1x1-20x30x64-causal");
        let inputs = inputs(&right);
        let shifted = AttentionProblem { seq_kv: 29, ..right };
        let mut o = online(&shifted, &inputs, single, single);
        assert!(!verify(&right, &inputs, &f32s(&o)).ok);
        o = online(&AttentionProblem { causal: false, ..right }, &inputs, single, single);
        assert!(!verify(&right, &inputs, &f32s(&o)).ok);
    }

    #[test]
    fn half_weights_are_allowed_with_half_storage_and_half_sums_are_not() {
        let problem = problem(Precision::F16, "1x1x1-16x700x64");
        let inputs = inputs(&problem);
        assert!(verify(&problem, &inputs, &f16s(&online(&problem, &inputs, half, single))).ok);
        assert!(!verify(&problem, &inputs, &f16s(&online(&problem, &inputs, half, half))).ok);
    }

    #[test]
    fn double_precision_is_held_to_double_precision() {
        let problem = problem(Precision::F64, "1x1x1-16x100x64-causal");
        let inputs = inputs(&problem);
        let o = online(&problem, &inputs, |x| x, |x| x);
        assert!(verify(&problem, &inputs, &Tensor::F64(o)).ok);
        let o = online(&problem, &inputs, single, |x| x);
        assert!(!verify(&problem, &inputs, &Tensor::F64(o)).ok);
    }

    #[test]
    fn large_ones_are_sampled_and_every_element_is_looked_at() {
        let problem = problem(Precision::F32, "1x1x1-800x900x64");
        let inputs = inputs(&problem);
        let right = online(&problem, &inputs, single, single);
        let verdict = verify(&problem, &inputs, &f32s(&right));
        assert!(verdict.ok && verdict.method == "sampled+hull", "{verdict:?}");
        let mut unwritten = right.clone();
        unwritten[401 * 64 + 3] = f64::NAN;
        assert!(!verify(&problem, &inputs, &f32s(&unwritten)).ok);
        // A last tile that lacks some keys.
        let short = AttentionProblem { seq_kv: 896, ..problem };
        assert!(!verify(&problem, &inputs, &f32s(&online(&short, &inputs, single, single))).ok);
    }
}
