//! The truth in f64, and bounds.

use super::{Op, SCALAR, StreamProblem};
use crate::compare::{Comparison, accumulation_bound};
use crate::{Tensor, Verdict};
use rayon::prelude::*;

/// Totals that a device keeps apart for one part: vectors of 16 in 16 registers.
const TOTALS: f64 = 256.0;

pub(super) fn verify(problem: &StreamProblem, inputs: &[Tensor], output: &Tensor) -> Verdict {
    let comparison = match problem.op {
        Op::Dot => sums(problem, inputs, output),
        _ => elements(problem, inputs, output),
    };
    comparison.verdict("elementwise")
}

fn elements(problem: &StreamProblem, inputs: &[Tensor], output: &Tensor) -> Comparison {
    let dtype = problem.precision.storage();
    let s = f64::from(SCALAR);
    (0..problem.elements as usize)
        .into_par_iter()
        .fold(Comparison::new, |mut comparison, i| {
            let x = inputs[0].get(i);
            let y = inputs.get(1).map_or(0.0, |y| y.get(i));
            // The truth, and the sizes of what is rounded on the way: a product, which a fused one spares, and a sum.
            let (truth, rounded) = match problem.op {
                Op::Mul => (s * x, (s * x).abs()),
                Op::Add => (x + y, (x + y).abs()),
                Op::Triad => (x + s * y, (s * y).abs() + (x + s * y).abs()),
                Op::Copy | Op::Dot => (x, 0.0),
            };
            let bound = dtype.ulp() * rounded + dtype.min_positive();
            comparison.element(output.get(i), truth, bound, || format!("element {i}"));
            comparison
        })
        .reduce(Comparison::new, Comparison::merge)
}

/// Every pass adds the same sum of n products, with the same error: see [`compare`](crate::compare) for that. Adding it is
/// rounded, too, and since all passes add the same number, their roundings need not cancel: half a unit of the growing
/// total each time, at worst. A device keeps some totals apart and adds them up in the end; of [`TOTALS`] that are
/// independent, the sizes add up to √[`TOTALS`] times the norm of the products at most.
fn sums(problem: &StreamProblem, inputs: &[Tensor], output: &Tensor) -> Comparison {
    let part = problem.part() as usize;
    let passes = f64::from(problem.passes);
    let dtype = problem.precision.storage();
    let accumulation = accumulation_bound(problem.precision, part as u64);
    (0..problem.parts as usize)
        .into_par_iter()
        .fold(Comparison::new, |mut comparison, index| {
            let (sum, square) = (index * part..(index + 1) * part).fold((0.0, 0.0), |(sum, square), i| {
                let product = inputs[0].get(i) * inputs[1].get(i);
                (sum + product, square + product * product)
            });
            let truth = passes * sum;
            let totals = passes * (sum.abs() + TOTALS.sqrt() * square.sqrt());
            let bound = passes * accumulation * square.sqrt()
                + dtype.ulp() * (passes / 2.0 * totals + truth.abs())
                + dtype.min_positive();
            comparison.element(output.get(index), truth, bound, || format!("part {index}"));
            comparison
        })
        .reduce(Comparison::new, Comparison::merge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Case, Precision, fill};

    fn problem(op: Op) -> StreamProblem {
        StreamProblem { precision: Precision::F32, op, elements: 16 * 400 * 4, parts: 4, passes: 100 }
    }

    fn inputs(problem: &StreamProblem) -> Vec<Tensor> {
        (0..).zip(problem.inputs()).map(|(i, spec)| fill::normal(&spec, 9, i)).collect()
    }

    /// A device's output in f32: products rounded before they are added.
    fn computed(problem: &StreamProblem, inputs: &[Tensor], passes: u32) -> Vec<f32> {
        let x = |i| inputs[0].get(i) as f32;
        let y = |i| inputs[1].get(i) as f32;
        if problem.op == Op::Dot {
            let part = problem.part() as usize;
            let pass = |start: usize| (start..start + part).fold(0.0, |sum, i| sum + x(i) * y(i));
            let sum = |index: usize| (0..passes).fold(0.0, |sum, _| sum + pass(index * part));
            return (0..problem.parts as usize).map(sum).collect();
        }
        let element = |i| match problem.op {
            Op::Mul => SCALAR * x(i),
            Op::Add => x(i) + y(i),
            Op::Triad => x(i) + SCALAR * y(i),
            Op::Copy | Op::Dot => x(i),
        };
        (0..problem.elements as usize).map(element).collect()
    }

    #[test]
    fn right_outputs_verify_and_one_wrong_element_does_not() {
        for op in Op::ALL {
            let problem = problem(op);
            let inputs = inputs(&problem);
            let mut output = computed(&problem, &inputs, problem.passes);
            let verdict = problem.verify(&inputs, &Tensor::F32(output.clone()));
            assert!(verdict.ok && verdict.checked == output.len() as u64, "{op:?}: {verdict:?}");
            let last = output.len() - 1;
            output[last] *= 1.01;
            let verdict = problem.verify(&inputs, &Tensor::F32(output));
            assert!(!verdict.ok && verdict.worst.contains(&last.to_string()), "{op:?}: {verdict:?}");
        }
    }

    #[test]
    fn a_pass_left_out_of_a_sum_is_found() {
        let problem = problem(Op::Dot);
        let inputs = inputs(&problem);
        let output = computed(&problem, &inputs, problem.passes - 1);
        assert!(!problem.verify(&inputs, &Tensor::F32(output)).ok);
    }
}
