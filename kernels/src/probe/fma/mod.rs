//! The peak of the vector units: independent chains x ← a·x + b, each in a register from its first step to its last.
//!
//! # What proves the work
//!
//! Rounds come in bodies of [`BODY`]. With a = −1, two steps take x to −x + b and back to x − b + b; the last step of a
//! body adds c = b + 1/64 instead, so a body adds 1/64 to x. x starts as an input rounded to a multiple of 1/64. Every
//! value on the way is then a multiple of 1/64 that each type holds exactly, fused or not, and the output is exactly
//! x + bodies/64: one body left out in one chain is seen, even in halves.
//!
//! a, b and c come in the parameter block, so that no compiler can know what a step does.

mod plan;

use super::Fields;
use crate::compare::Comparison;
use crate::fields::{Reader, named, object};
use crate::{
    Case, NamedShape, Operation, Phase, Plan, Precision, Profile, ShapeError, Tensor, TensorSpec, Verdict, Work,
};
use accelbench_backends::{Caps, DType, DeviceKind};
use rayon::prelude::*;
use serde_json::{Map, Value, json};

pub use plan::FmaPlan;

/// The steps of a body: unrolled in every kernel, so that its loop costs nothing.
pub const BODY: u32 = 32;
/// Every plan's chains and vectors divide this number of lanes.
pub const LANES: u64 = 16 * 240;
/// What x is a multiple of.
const UNIT: f64 = 1.0 / 64.0;
/// The coefficients of a step, and of the last step of a body.
const A: f32 = -1.0;
const B: f32 = 5.0;
const C: f32 = B + UNIT as f32;
/// Normal numbers beyond this are not met: less than one in 10¹¹.
const LARGEST_INPUT: f64 = 7.0;

/// The operation `fma`.
pub struct Fma;

impl Operation for Fma {
    fn name(&self) -> &'static str {
        "fma"
    }

    fn summary(&self) -> &'static str {
        "x = a·x + b, many times over, in registers: the peak of the vector units"
    }

    fn grammar(&self) -> &'static str {
        "fma:lanes=L,rounds=R"
    }

    fn precisions(&self) -> &'static [Precision] {
        &[Precision::F64, Precision::F32, Precision::F16Acc16]
    }

    fn shapes(&self, _profile: Profile) -> Vec<NamedShape> {
        vec![NamedShape { fields: shape(10 * LANES, 32 * BODY), origin: "peak", phase: Phase::Ladder }]
    }

    fn conformance(&self) -> Vec<Fields> {
        vec![shape(LANES, BODY), shape(2 * LANES, 33 * BODY)]
    }

    fn case(&self, precision: Precision, fields: &Fields) -> Result<Box<dyn Case>, ShapeError> {
        Ok(Box::new(FmaProblem::from_fields(precision, fields)?))
    }

    fn parse_shape_text(&self, text: &str) -> Result<Fields, ShapeError> {
        let (lanes, rounds) =
            text.split_once('x').ok_or_else(|| ShapeError(format!("`{text}` is no fma shape; write LANESxROUNDS")))?;
        Ok(named([("lanes", lanes), ("rounds", rounds)]))
    }
}

fn shape(lanes: u64, rounds: u32) -> Fields {
    named([("lanes", lanes.to_string()), ("rounds", rounds.to_string())])
}

/// The shapes whose best rate is the device's peak in this type, from a short one to a long one. Where the short one
/// already takes long, as with a type that a device computes by emulation, it is enough.
pub fn fields(precision: Precision, caps: &Caps) -> Vec<Fields> {
    let units = u64::from(caps.compute_units.unwrap_or(16));
    let (lanes, rounds) = match caps.kind {
        // Some milliseconds at 100 GFLOP/s a core, in pieces small enough to be shared out evenly.
        DeviceKind::Cpu => (units * 16 * LANES, vec![64 * BODY]),
        // Every unit has at least 2048 items of the plan with the most lanes an item.
        DeviceKind::Gpu | DeviceKind::Accelerator => {
            ((units * 2048 * 16).next_multiple_of(LANES), vec![32 * BODY, 512 * BODY])
        }
    };
    rounds.into_iter().map(|rounds| shape(lanes, rounds.min(longest(precision)))).collect()
}

/// The most rounds for which every value stays exact.
fn longest(precision: Precision) -> u32 {
    let range = match precision.accumulate() {
        DType::F16 => 2048.0,
        _ => f64::from(1 << 24),
    };
    // |−x + b| with x at its largest is inside.
    (range - (LARGEST_INPUT + f64::from(C)) / UNIT) as u32 * BODY
}

/// Lanes, and the steps of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FmaProblem {
    /// The numeric types: stored and computed in the same.
    pub precision: Precision,
    /// Scalar chains altogether: a multiple of [`LANES`].
    pub lanes: u64,
    /// Steps of a chain: a multiple of [`BODY`].
    pub rounds: u32,
}

impl FmaProblem {
    fn from_fields(precision: Precision, fields: &Fields) -> Result<Self, ShapeError> {
        let fields = Reader::new("fma", fields, &["lanes", "rounds"])?;
        Ok(Self {
            precision,
            lanes: fields.multiple("lanes", LANES, 1 << 31)?,
            rounds: fields.multiple("rounds", BODY.into(), longest(precision).into())? as u32,
        })
    }

    fn bodies(&self) -> u32 {
        self.rounds / BODY
    }
}

impl Case for FmaProblem {
    fn op(&self) -> &'static str {
        "fma"
    }

    fn precision(&self) -> Precision {
        self.precision
    }

    fn shape_text(&self) -> String {
        format!("{}x{}", self.lanes, self.rounds)
    }

    fn shape(&self) -> Map<String, Value> {
        object(json!({ "lanes": self.lanes, "rounds": self.rounds }))
    }

    fn work(&self) -> Work {
        Work::moving_once(2.0 * self.lanes as f64 * f64::from(self.rounds), self)
    }

    fn inputs(&self) -> Vec<TensorSpec> {
        vec![self.precision.input("x", self.lanes)]
    }

    fn output(&self) -> TensorSpec {
        self.precision.output("y", self.lanes)
    }

    fn plans(&self, caps: &Caps) -> Vec<Box<dyn Plan>> {
        plan::candidates(self, caps)
    }

    fn verify(&self, inputs: &[Tensor], output: &Tensor) -> Verdict {
        let added = f64::from(self.bodies()) * UNIT;
        // The truth is exact; any bound between 0 and a unit would do.
        let bound = self.precision.storage().min_positive();
        (0..self.lanes as usize)
            .into_par_iter()
            .fold(Comparison::new, |mut comparison, lane| {
                let truth = start(self.precision, inputs[0].get(lane)) + added;
                comparison.element(output.get(lane), truth, bound, || format!("lane {lane}"));
                comparison
            })
            .reduce(Comparison::new, Comparison::merge)
            .verdict("elementwise")
    }
}

/// Where a chain starts: the input as the nearest multiple of [`UNIT`], ties to even, in the type itself.
fn start(precision: Precision, input: f64) -> f64 {
    let scaled = input / UNIT;
    // Scaling by a power of two is exact but where it overflows, which normal numbers don't.
    debug_assert!(precision.storage() != DType::F16 || scaled.abs() < 65504.0);
    scaled.round_ties_even() * UNIT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fill;
    use half::f16;

    /// A device's output after so many bodies, each step rounded as `round` says.
    fn computed(problem: &FmaProblem, input: &Tensor, bodies: u32, round: impl Fn(f64) -> f64) -> Vec<f64> {
        let step = |x: f64, added: f32| round(f64::from(A) * x + f64::from(added));
        let lane = |lane| {
            (0..bodies)
                .fold(start(problem.precision, input.get(lane)), |x, _| step((1..BODY).fold(x, |x, _| step(x, B)), C))
        };
        (0..problem.lanes as usize).map(lane).collect()
    }

    fn halves(values: &[f64]) -> Tensor {
        Tensor::F16(values.iter().map(|&value| f16::from_f64(value)).collect())
    }

    #[test]
    fn a_body_left_out_and_a_wrong_lane_are_found_even_in_halves() {
        let precision = Precision::F16Acc16;
        let problem = FmaProblem { precision, lanes: LANES, rounds: longest(precision) };
        let input = fill::normal(&problem.inputs()[0], 3, 0);
        let half = |x| f16::from_f64(x).to_f64();
        let right = computed(&problem, &input, problem.bodies(), half);
        let inputs = [input];
        assert!(problem.verify(&inputs, &halves(&right)).ok);
        let less = computed(&problem, &inputs[0], problem.bodies() - 1, half);
        assert!(!problem.verify(&inputs, &halves(&less)).ok);
        let mut wrong = right;
        wrong[1234] += 2.0 * UNIT;
        let verdict = problem.verify(&inputs, &halves(&wrong));
        assert!(!verdict.ok && verdict.worst.starts_with("lane 1234"), "{verdict:?}");
    }

    #[test]
    fn no_step_rounds_in_single_precision() {
        let problem = FmaProblem { precision: Precision::F32, lanes: LANES, rounds: 100 * BODY };
        let input = fill::normal(&problem.inputs()[0], 4, 0);
        let right = computed(&problem, &input, 100, |x| f64::from(x as f32));
        let exact = computed(&problem, &input, 100, |x| x);
        assert_eq!(right, exact);
        let output = Tensor::F32(right.iter().map(|&value| value as f32).collect());
        assert!(problem.verify(&[input], &output).ok);
    }

    #[test]
    fn every_plan_divides_the_lanes() {
        for (width, chains) in plan::every_shape() {
            assert!(LANES.is_multiple_of(u64::from(width * chains)), "{width} x {chains}");
        }
    }

    #[test]
    fn halves_have_fewer_rounds_than_singles() {
        assert!(FmaProblem::from_fields(Precision::F16Acc16, &shape(LANES, 2048 * BODY)).is_err());
        assert!(FmaProblem::from_fields(Precision::F32, &shape(LANES, 2048 * BODY)).is_ok());
        assert!(FmaProblem::from_fields(Precision::F32, &shape(LANES + 1, BODY)).is_err());
    }
}
