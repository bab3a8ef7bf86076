//! The f64 truth of a GEMM: every element where that is cheap, else samples and a projection over all of them.

use super::GemmProblem;
use crate::compare::{Comparison, projection_bound, sum_bound};
use crate::{Tensor, Verdict, fill, samples};
use rayon::prelude::*;

/// Up to this many multiplications every element is computed: about 0.1 s on one core.
const ELEMENTWISE: u64 = 1 << 26;
/// The usual sizes of tiles.
const TILES: &[usize] = &[8, 16, 32, 48, 64, 96, 128, 192, 256];
/// Draws the samples and the projection; no input has this seed.
const SEED: u64 = 0x5EED_0F7B_E7E5_7ED5;

/// Holds C against A·B.
pub(super) fn verify(problem: &GemmProblem, inputs: &[Tensor], output: &Tensor) -> Verdict {
    let (m, n, k) = (problem.m as usize, problem.n as usize, problem.k as usize);
    let ([a, b], Ok(elements)) = (inputs, usize::try_from(problem.elements()[2])) else {
        return Comparison::new().verdict("elementwise");
    };
    if output.len() != elements || a.len() != m * k || b.len() != k * n {
        return Comparison::new().verdict("elementwise");
    }
    let truth = Truth { problem, m, n, k, a: rows(a, m, k, problem.trans_a), b: rows(b, k, n, problem.trans_b) };
    if u64::from(problem.m) * u64::from(problem.n) * u64::from(problem.k) <= ELEMENTWISE {
        truth.elementwise(output).verdict("elementwise")
    } else {
        truth.samples(output).merge(truth.freivalds(output)).verdict("sampled+freivalds")
    }
}

/// Transposed copies go by square blocks of this side, so that neither side strides through memory.
const BLOCK: usize = 32;

/// A matrix as f64, row-major, whichever way it is stored.
fn rows(matrix: &Tensor, rows: usize, columns: usize, transposed: bool) -> Vec<f64> {
    let stored = matrix.to_f64();
    if !transposed {
        return stored;
    }
    let mut out = vec![0.0; stored.len()];
    out.par_chunks_mut(columns * BLOCK).enumerate().for_each(|(block, out)| {
        let first = block * BLOCK;
        for start in (0..columns).step_by(BLOCK) {
            for (row, out) in out.chunks_mut(columns).enumerate() {
                for column in start..columns.min(start + BLOCK) {
                    out[column] = stored[column * rows + first + row];
                }
            }
        }
    });
    out
}

struct Truth<'a> {
    problem: &'a GemmProblem,
    m: usize,
    n: usize,
    k: usize,
    a: Vec<f64>,
    b: Vec<f64>,
}

impl Truth<'_> {
    fn elementwise(&self, output: &Tensor) -> Comparison {
        (0..self.m)
            .into_par_iter()
            .map(|row| {
                let mut sums = vec![0.0; self.n];
                let mut squares = vec![0.0; self.n];
                for (&a, b) in self.a[row * self.k..].iter().zip(self.b.chunks(self.n)).take(self.k) {
                    for ((sum, square), &b) in sums.iter_mut().zip(&mut squares).zip(b) {
                        let product = a * b;
                        *sum += product;
                        *square += product * product;
                    }
                }
                let mut comparison = Comparison::new();
                for (column, (&sum, &square)) in sums.iter().zip(&squares).enumerate() {
                    self.compare(&mut comparison, output, (row, column), sum, square);
                }
                comparison
            })
            .reduce(Comparison::new, Comparison::merge)
    }

    fn samples(&self, output: &Tensor) -> Comparison {
        let places = samples::places([self.m, self.n], TILES, SEED);
        let mut comparison = Comparison::new();
        for (row, column) in places {
            let (sum, square) = (0..self.k).fold((0.0, 0.0), |(sum, square), l| {
                let product = self.a[row * self.k + l] * self.b[l * self.n + column];
                (sum + product, square + product * product)
            });
            self.compare(&mut comparison, output, (row, column), sum, square);
        }
        comparison
    }

    fn compare(
        &self,
        comparison: &mut Comparison,
        output: &Tensor,
        (row, column): (usize, usize),
        sum: f64,
        square: f64,
    ) {
        let bound = sum_bound(self.problem.precision, self.problem.k.into(), square, sum);
        let got = output.get(row * self.n + column);
        comparison.element(got, sum, bound, || format!("row {row}, column {column}"));
    }

    /// C·x against A·(B·x) for a vector x of random signs: O(mn + mk + kn) for all elements at once.
    ///
    /// Every error e of C that is within its bound b contributes ±e to a row's residual, so by Hoeffding's inequality
    /// the residual is below 7·√(Σ b²); one wrong element of ordinary size is far above.
    fn freivalds(&self, output: &Tensor) -> Comparison {
        let x = fill::signs(self.n, SEED);
        // B·x, and the sums of the squares of B's rows.
        let projected: Vec<(f64, f64)> = self
            .b
            .par_chunks(self.n)
            .map(|row| row.iter().zip(&x).fold((0.0, 0.0), |(dot, square), (b, x)| (dot + b * x, square + b * b)))
            .collect();
        (0..self.m)
            .into_par_iter()
            .map(|row| {
                let a = &self.a[row * self.k..][..self.k];
                let (expected, norm) = a
                    .iter()
                    .zip(&projected)
                    .fold((0.0, 0.0), |(dot, norm), (a, (b, squares))| (dot + a * b, norm + a * a * squares));
                let (got, size) = (0..self.n).fold((0.0, 0.0), |(dot, size), column| {
                    let c = output.get(row * self.n + column);
                    (dot + c * x[column], size + c * c)
                });
                let bound = projection_bound(self.problem.precision, self.k as u64, self.n as u64, norm, size);
                let mut comparison = Comparison::new();
                comparison.projection(got - expected, bound, || {
                    format!("row {row}: projected to {got:e} instead of {expected:e}")
                });
                comparison
            })
            .reduce(Comparison::new, Comparison::merge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Case, Precision};
    use half::{bf16, f16};

    fn problem(precision: Precision, side: u32) -> GemmProblem {
        GemmProblem { precision, m: side, n: side, k: side, trans_a: false, trans_b: true }
    }

    fn inputs(problem: &GemmProblem) -> Vec<Tensor> {
        problem.inputs().iter().enumerate().map(|(i, spec)| fill::normal(spec, 3, i as u64)).collect()
    }

    /// The product with sums kept as `round` keeps them.
    fn product(problem: &GemmProblem, inputs: &[Tensor], round: impl Fn(f64) -> f64 + Sync) -> Vec<f64> {
        let (n, k) = (problem.n as usize, problem.k as usize);
        let (a, b) = (inputs[0].to_f64(), inputs[1].to_f64());
        (0..problem.m as usize * n)
            .into_par_iter()
            .map(|e| {
                let (row, column) = (&a[e / n * k..][..k], &b[e % n * k..][..k]);
                row.iter().zip(column).fold(0.0, |sum, (a, b)| round(sum + a * b))
            })
            .collect()
    }

    fn f32s(values: &[f64]) -> Tensor {
        Tensor::F32(values.iter().map(|&value| value as f32).collect())
    }

    #[test]
    fn large_products_are_projected_and_each_planted_fault_is_found() {
        let problem = problem(Precision::F32, 500);
        let inputs = inputs(&problem);
        let right = product(&problem, &inputs, |sum| f64::from(sum as f32));
        let verdict = verify(&problem, &inputs, &f32s(&right));
        assert!(verdict.ok && verdict.method == "sampled+freivalds", "{verdict:?}");

        // No sample lies at (250, 251): only the projection can see it.
        let mut wrong = right.clone();
        wrong[250 * 500 + 251] += 0.5;
        let verdict = verify(&problem, &inputs, &f32s(&wrong));
        assert!(!verdict.ok && verdict.worst.contains("row 250"), "{verdict:?}");

        let mut last_tile = right.clone();
        last_tile[500 * 500 - 1] += 1e-2;
        assert!(!verify(&problem, &inputs, &f32s(&last_tile)).ok);

        let mut unwritten = right.clone();
        unwritten[300 * 500..301 * 500].fill(f64::NAN);
        let verdict = verify(&problem, &inputs, &f32s(&unwritten));
        assert!(!verdict.ok && verdict.bound.is_finite(), "{verdict:?}");

        let transposed: Vec<f64> = (0..500 * 500).map(|e| right[e % 500 * 500 + e / 500]).collect();
        assert!(!verify(&problem, &inputs, &f32s(&transposed)).ok);
    }

    #[test]
    fn half_sums_where_single_ones_are_promised_are_found() {
        for side in [64, 500] {
            let problem = problem(Precision::F16, side);
            let inputs = inputs(&problem);
            let store = |values: &[f64]| Tensor::F16(values.iter().map(|&value| f16::from_f64(value)).collect());
            let single = product(&problem, &inputs, |sum| f64::from(sum as f32));
            let half = product(&problem, &inputs, |sum| f16::from_f64(sum).to_f64());
            assert!(verify(&problem, &inputs, &store(&single)).ok);
            assert!(!verify(&problem, &inputs, &store(&half)).ok, "side {side}");
            let relaxed = GemmProblem { precision: Precision::F16Acc16, ..problem };
            assert!(verify(&relaxed, &inputs, &store(&half)).ok, "side {side}");
        }
    }

    /// A float with the lowest bits of its significand rounded off, ties away from zero, or cut off.
    fn narrowed(x: f64, bits: u32, cut: bool) -> f64 {
        let step = 1 << (24 - bits);
        let up = if cut { 0 } else { step / 2 };
        f64::from(f32::from_bits(((x as f32).to_bits() + up) & !(step - 1)))
    }

    /// The product of operands that are narrowed to so many bits first.
    fn product_of_narrowed(problem: &GemmProblem, inputs: &[Tensor], bits: u32, cut: bool) -> Tensor {
        let narrow =
            |tensor: &Tensor| f32s(&tensor.to_f64().iter().map(|&x| narrowed(x, bits, cut)).collect::<Vec<_>>());
        let inputs: Vec<_> = inputs.iter().map(narrow).collect();
        f32s(&product(problem, &inputs, |sum| f64::from(sum as f32)))
    }

    #[test]
    fn operands_may_lose_what_tf32_does_not_have_and_no_more() {
        assert_eq!(narrowed(1.0 + 2_f64.powi(-11), 11, false).to_bits(), (1.0 + 2_f64.powi(-10)).to_bits());
        assert_eq!(narrowed(-1.0 - 2_f64.powi(-12), 11, false).to_bits(), (-1.0_f64).to_bits());
        for side in [200, 500] {
            let problem = problem(Precision::Tf32, side);
            let inputs = inputs(&problem);
            let of = |bits, cut| verify(&problem, &inputs, &product_of_narrowed(&problem, &inputs, bits, cut));
            assert!(of(24, false).ok && of(11, false).ok, "side {side}: {:?}", of(11, false));
            // Operands of bfloat16 have three bits less.
            assert!(!of(8, false).ok && !of(8, true).ok, "side {side}");
            let exact = GemmProblem { precision: Precision::F32, ..problem };
            assert!(!verify(&exact, &inputs, &product_of_narrowed(&problem, &inputs, 11, false)).ok, "side {side}");
        }
    }

    #[test]
    fn results_and_sums_of_bfloat16_are_told_apart() {
        for side in [64, 500] {
            let problem = problem(Precision::Bf16, side);
            let inputs = inputs(&problem);
            let store = |values: &[f64]| Tensor::Bf16(values.iter().map(|&value| bf16::from_f64(value)).collect());
            let single = product(&problem, &inputs, |sum| f64::from(sum as f32));
            assert!(verify(&problem, &inputs, &store(&single)).ok);
            // Cut off instead of rounded is faithful, too; another bit less is not.
            let narrow = |bits| store(&single.iter().map(|&value| narrowed(value, bits, true)).collect::<Vec<_>>());
            assert!(
                verify(&problem, &inputs, &narrow(8)).ok && !verify(&problem, &inputs, &narrow(6)).ok,
                "side {side}"
            );
            let half = product(&problem, &inputs, |sum| bf16::from_f64(sum).to_f64());
            assert!(!verify(&problem, &inputs, &store(&half)).ok, "side {side}");
        }
    }

    /// What matrix units add up that drop, of each number in a sum of 32 products and what was there before, all that
    /// lies so many bits below the largest.
    fn sum_that_drops(row: &[f64], column: &[f64], bits: i32) -> f64 {
        let products: Vec<f64> = row.iter().zip(column).map(|(a, b)| a * b).collect();
        products.chunks(32).fold(0.0, |sum, products| {
            let largest = products.iter().chain([&sum]).fold(0.0, |largest: f64, x| largest.max(x.abs()));
            let unit = 2_f64.powi(largest.log2().floor() as i32 - bits);
            let kept = |x: f64| (x / unit).trunc() * unit;
            if largest == 0.0 { 0.0 } else { kept(sum) + products.iter().map(|&x| kept(x)).sum::<f64>() }
        })
    }

    #[test]
    fn sums_of_numbers_of_eight_bits_may_lose_what_matrix_units_drop() {
        for k in [64, 500, 16384] {
            let problem = GemmProblem { k, ..problem(Precision::F8E4M3, 96) };
            let inputs = inputs(&problem);
            let (a, b, k) = (inputs[0].to_f64(), inputs[1].to_f64(), k as usize);
            let with = |bits| {
                let sum = |e: usize| bf16::from_f64(sum_that_drops(&a[e / 96 * k..][..k], &b[e % 96 * k..][..k], bits));
                verify(&problem, &inputs, &Tensor::Bf16((0..96 * 96).into_par_iter().map(sum).collect()))
            };
            assert!(with(24).ok && with(13).ok, "{k}: {:?}", with(13));
            // What bfloat16 would keep of sums.
            assert!(!with(7).ok, "{k}: {:?}", with(7));
        }
    }

    #[test]
    fn whole_numbers_are_exact_whatever_their_number() {
        for side in [64, 500] {
            let problem = problem(Precision::I8, side);
            let inputs = inputs(&problem);
            let whole = |values: &[f64]| Tensor::I32(values.iter().map(|&value| value as i32).collect());
            let right = product(&problem, &inputs, |sum| sum);
            let verdict = verify(&problem, &inputs, &whole(&right));
            assert!(verdict.ok, "{verdict:?}");
            assert_eq!([verdict.max_error, verdict.bound].map(f64::to_bits), [0; 2]);
            let mut wrong = right.clone();
            wrong[side as usize * side as usize / 2 + 7] += 1.0;
            assert!(!verify(&problem, &inputs, &whole(&wrong)).ok, "side {side}");
            let saturated: Vec<f64> = right.iter().map(|sum| sum.clamp(-32768.0, 32767.0)).collect();
            assert!(!verify(&problem, &inputs, &whole(&saturated)).ok, "side {side}");
        }
    }

    #[test]
    fn double_precision_is_held_to_double_precision() {
        let problem = problem(Precision::F64, 450);
        let inputs = inputs(&problem);
        let right = product(&problem, &inputs, |sum| sum);
        assert!(verify(&problem, &inputs, &Tensor::F64(right)).ok);
        let single = product(&problem, &inputs, |sum| f64::from(sum as f32));
        assert!(!verify(&problem, &inputs, &Tensor::F64(single)).ok);
    }

    #[test]
    fn a_long_thin_product_has_room_for_the_projection_s_own_rounding() {
        let problem =
            GemmProblem { precision: Precision::F64, m: 80, n: 1_000_000, k: 1, trans_a: false, trans_b: true };
        let inputs = inputs(&problem);
        let right = product(&problem, &inputs, |sum| sum);
        let verdict = verify(&problem, &inputs, &Tensor::F64(right));
        assert!(verdict.ok && verdict.method == "sampled+freivalds", "{verdict:?}");
    }
}
