//! The peak of the matrix units: C ← C + A·B, many times over, with the sums in registers.
//!
//! # What proves the work
//!
//! Rounds come in pairs: one adds A·B, the next A·E with E = D − B, so that a pair adds A·D. D has one 1 a column, at row
//! n mod k. A and B are the inputs rounded to whole numbers, A to −1, 0 and 1, B to −2 … 2, and C starts as an input
//! rounded to a whole number: every sum on the way is a whole number that each type holds exactly, in any order of
//! summation, and the output is exactly C + pairs · A·D. A pair left out shows in nearly every row.

mod plan;

use super::Fields;
use crate::compare::Comparison;
use crate::fields::{Reader, named, object};
use crate::{
    Case, NamedShape, Operation, Phase, Plan, Precision, Profile, ShapeError, Tensor, TensorSpec, Verdict, Work,
};
use accelbench_backends::{Caps, DType};
use rayon::prelude::*;
use serde_json::{Map, Value, json};

pub use plan::{MatrixPlan, missing_units};

/// Rows of a tile of C.
pub const M: usize = 64;
/// Columns of a tile of C.
pub const N: usize = 256;
/// Rounds come in multiples of this: a loop's body.
pub const BODY: u32 = 32;
/// Sums reach half as many as the rounds; with what else they hold they stay exact in binary16.
const LONGEST: u32 = 4000;

/// Length of the sums that a round adds: what one instruction multiplies of this type, but for doubles.
pub const fn depth(precision: Precision) -> usize {
    match precision {
        Precision::F64 => 16,
        _ => 32 / precision.storage().bytes() as usize,
    }
}

/// What the sums are stored in, so that they are exact.
const fn sums(precision: Precision) -> DType {
    match precision {
        Precision::F16 => DType::F16,
        _ => precision.accumulate(),
    }
}

/// The most rounds: those whose sums are exact, or a few milliseconds.
fn longest(precision: Precision) -> u32 {
    if sums(precision) == DType::F16 { LONGEST } else { 4 * LONGEST }
}

/// The operation `matrix`.
pub struct Matrix;

impl Operation for Matrix {
    fn name(&self) -> &'static str {
        "matrix"
    }

    fn summary(&self) -> &'static str {
        "C = C + A·B, many times over, with C in registers: the peak of the matrix units"
    }

    fn grammar(&self) -> &'static str {
        "matrix:tiles=T,rounds=R"
    }

    fn precisions(&self) -> &'static [Precision] {
        &[
            Precision::F64,
            Precision::Tf32,
            Precision::Bf16,
            Precision::F16,
            Precision::F16Acc16,
            Precision::F8E4M3,
            Precision::I8,
        ]
    }

    fn shapes(&self, _profile: Profile) -> Vec<NamedShape> {
        vec![NamedShape { fields: shape(16, 8 * BODY), origin: "peak", phase: Phase::Ladder }]
    }

    fn conformance(&self) -> Vec<Fields> {
        vec![shape(1, 2 * BODY), shape(3, BODY)]
    }

    fn case(&self, precision: Precision, fields: &Fields) -> Result<Box<dyn Case>, ShapeError> {
        Ok(Box::new(MatrixProblem::from_fields(precision, fields)?))
    }

    fn parse_shape_text(&self, text: &str) -> Result<Fields, ShapeError> {
        let (tiles, rounds) = text
            .split_once('x')
            .ok_or_else(|| ShapeError(format!("`{text}` is no matrix shape; write TILESxROUNDS")))?;
        Ok(named([("tiles", tiles), ("rounds", rounds)]))
    }
}

fn shape(tiles: u64, rounds: u32) -> Fields {
    named([("tiles", tiles.to_string()), ("rounds", rounds.to_string())])
}

/// The shapes whose best rate is the peak of the matrix units in this type; none where the device has no such units.
pub fn fields(precision: Precision, caps: &Caps) -> Vec<Fields> {
    if plan::missing_units(precision, caps).is_some() {
        return Vec::new();
    }
    // Some milliseconds: as many warps as a unit holds, and in f64 a sixteenth of the work in halves. A device that
    // does not tell its units is taken for a large one: idle units would make a low ceiling.
    let tiles = u64::from(caps.compute_units.unwrap_or(128)) * 8;
    vec![shape(tiles, if precision == Precision::F64 { 8 * BODY } else { longest(precision) / BODY * BODY })]
}

/// Tiles of [`M`] × [`N`] sums, and how often A·B is added to each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MatrixProblem {
    /// The numeric types.
    pub precision: Precision,
    /// Tiles of C.
    pub tiles: u64,
    /// Products added: a multiple of [`BODY`].
    pub rounds: u32,
}

impl MatrixProblem {
    fn from_fields(precision: Precision, fields: &Fields) -> Result<Self, ShapeError> {
        let fields = Reader::new("matrix", fields, &["tiles", "rounds"])?;
        Ok(Self {
            precision,
            tiles: fields.multiple("tiles", 1, 1 << 17)?,
            rounds: fields.multiple("rounds", BODY.into(), longest(precision).into())? as u32,
        })
    }
}

impl Case for MatrixProblem {
    fn op(&self) -> &'static str {
        "matrix"
    }

    fn precision(&self) -> Precision {
        self.precision
    }

    fn shape_text(&self) -> String {
        format!("{}x{}", self.tiles, self.rounds)
    }

    fn shape(&self) -> Map<String, Value> {
        object(json!({ "tiles": self.tiles, "rounds": self.rounds }))
    }

    fn work(&self) -> Work {
        Work::moving_once(
            2.0 * (M * N * depth(self.precision)) as f64 * self.tiles as f64 * f64::from(self.rounds),
            self,
        )
    }

    fn inputs(&self) -> Vec<TensorSpec> {
        let depth = depth(self.precision);
        vec![
            self.precision.input("A", (M * depth) as u64),
            self.precision.input("B", (depth * N) as u64),
            self.output(),
        ]
    }

    fn output(&self) -> TensorSpec {
        TensorSpec { name: "C", dtype: sums(self.precision), elements: self.tiles * (M * N) as u64 }
    }

    fn plans(&self, caps: &Caps) -> Vec<Box<dyn Plan>> {
        plan::candidates(self, caps)
    }

    fn missing(&self, caps: &Caps) -> Option<String> {
        self.precision.missing(caps).or_else(|| plan::missing_units(self.precision, caps))
    }

    fn verify(&self, inputs: &[Tensor], output: &Tensor) -> Verdict {
        let (pairs, depth) = (f64::from(self.rounds / 2), depth(self.precision));
        // The truth is exact; any bound between 0 and 1 would do.
        let bound = self.precision.storage().min_positive();
        (0..self.tiles as usize * M * N)
            .into_par_iter()
            .fold(Comparison::new, |mut comparison, element| {
                let (row, column) = (element / N % M, element % N);
                let a = inputs[0].get(row * depth + column % depth).round_ties_even().clamp(-1.0, 1.0);
                let truth = inputs[2].get(element).round_ties_even() + pairs * a;
                comparison.element(output.get(element), truth, bound, || {
                    format!("tile {}, row {row}, column {column}", element / (M * N))
                });
                comparison
            })
            .reduce(Comparison::new, Comparison::merge)
            .verdict("elementwise")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fill;
    use half::f16;

    /// What a device gives that adds A·D `pairs` times.
    fn computed(problem: &MatrixProblem, inputs: &[Tensor], pairs: u32) -> Vec<f64> {
        let depth = depth(problem.precision);
        let element = |index: usize| {
            let (row, column) = (index / N % M, index % N);
            let a = |l: usize| inputs[0].get(row * depth + l).round_ties_even().clamp(-1.0, 1.0);
            let b = |l: usize| inputs[1].get(l * N + column).round_ties_even().clamp(-2.0, 2.0);
            let e = |l: usize| f64::from(u8::from(column % depth == l)) - b(l);
            let pair: f64 = (0..depth).map(|l| a(l) * b(l) + a(l) * e(l)).sum();
            inputs[2].get(index).round_ties_even() + f64::from(pairs) * pair
        };
        (0..problem.tiles as usize * M * N).map(element).collect()
    }

    #[test]
    fn a_pair_left_out_and_a_wrong_element_are_found() {
        let problem = MatrixProblem { precision: Precision::F16, tiles: 2, rounds: LONGEST / BODY * BODY };
        let inputs: Vec<_> = (0..).zip(problem.inputs()).map(|(i, spec)| fill::normal(&spec, 5, i)).collect();
        let halves = |values: Vec<f64>| Tensor::F16(values.into_iter().map(f16::from_f64).collect());
        let pairs = problem.rounds / 2;
        let right = computed(&problem, &inputs, pairs);
        assert!(problem.verify(&inputs, &halves(right.clone())).ok);
        assert!(!problem.verify(&inputs, &halves(computed(&problem, &inputs, pairs - 1))).ok);
        let mut wrong = right;
        wrong[M * N + 77] += 1.0;
        let verdict = problem.verify(&inputs, &halves(wrong));
        assert!(!verdict.ok && verdict.worst.starts_with("tile 1, row 0, column 77"), "{verdict:?}");
    }

    #[test]
    fn the_longest_chain_of_sums_is_exact_in_halves() {
        let depth = depth(Precision::F16) as f64;
        let transient = 2.0 * depth + 3.0 * depth;
        assert!(f64::from(LONGEST / 2) + 7.0 + transient / 2.0 <= 2048.0);
        // Of sums of numbers of 8 bits, matrix units may keep no more than 14 bits.
        let rounds = f64::from(longest(Precision::F8E4M3));
        assert!(rounds / 2.0 + 7.0 + 2.5 * super::depth(Precision::F8E4M3) as f64 <= 2.0 / Precision::F8E4M3.sum_ulp());
    }
}
