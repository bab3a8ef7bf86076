//! The truth in f64, and bounds.

use super::{Op, SCALAR, StreamProblem};
use crate::compare::{Comparison, accumulation_bound};
use crate::{Tensor, Verdict};
use rayon::prelude::*;

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

/// Every pass adds the same sum of n products, with the same error, and is itself rounded when it is added: see
/// [`compare`](crate::compare) for the error of each of the two sums.
fn sums(problem: &StreamProblem, inputs: &[Tensor], output: &Tensor) -> Comparison {
    let part = problem.part() as usize;
    let passes = f64::from(problem.passes);
    let dtype = problem.precision.storage();
    let accumulation = accumulation_bound(problem.precision, part as u64)
        + accumulation_bound(problem.precision, u64::from(problem.passes));
    (0..problem.parts as usize)
        .into_par_iter()
        .fold(Comparison::new, |mut comparison, index| {
            let (sum, square) = (index * part..(index + 1) * part).fold((0.0, 0.0), |(sum, square), i| {
                let product = inputs[0].get(i) * inputs[1].get(i);
                (sum + product, square + product * product)
            });
            let truth = passes * sum;
            let bound = passes * accumulation * square.sqrt() + dtype.ulp() * truth.abs() + dtype.min_positive();
            comparison.element(output.get(index), truth, bound, || format!("part {index}"));
            comparison
        })
        .reduce(Comparison::new, Comparison::merge)
}
