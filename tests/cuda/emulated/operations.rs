//! Every operation's CUDA kernels on the emulated device, held against the f64 truth: each type, each shape of the
//! conformance suite, the preferred plan and a third of the others.

use crate::Check;
use crate::device::{nothing_left, open};
use accelbench::measure::{self, Session};
use accelbench_kernels::{Catalogue, Precision, probe};
use std::collections::BTreeSet;

/// Into how many trials an operation's shapes are split, in their order, so that they run at the same time.
const PARTS: usize = 4;

pub(crate) fn trials() -> Vec<Check> {
    let mut trials: Vec<Check> = Vec::new();
    for operation in Catalogue::builtin().iter().chain(probe::catalogue().iter()) {
        for precision in operation.precisions() {
            for part in 0..PARTS {
                let task = format!("operation {}/{precision}/{part}", operation.name());
                let check = {
                    let task = task.clone();
                    move |fakes: &crate::fakes::Fakes| nothing_left(&fakes.run("whole", &task, &[])?.1)
                };
                trials.push((task, Box::new(check)));
            }
        }
    }
    trials
}

pub(crate) fn child(task: &str) {
    let [name, precision, part] = task.split('/').collect::<Vec<_>>()[..] else {
        panic!("OPERATION/PRECISION/PART and not `{task}`");
    };
    let precision: Precision = precision.parse().expect("a precision");
    let part: usize = part.parse().expect("a part");
    let (builtin, probes) = (Catalogue::builtin(), probe::catalogue());
    let operation = builtin.operation(name).or_else(|_| probes.operation(name)).expect("an operation");
    let session = Session::new(open(0));
    let shapes = operation.conformance();
    let mut families = BTreeSet::new();
    for (index, fields) in shapes.iter().enumerate() {
        if index * PARTS / shapes.len() != part {
            continue;
        }
        let case = operation.case(precision, fields).expect("a shape of the suite");
        let inputs = measure::inputs(&*case, index as u64);
        for (number, plan) in case.plans(session.device().caps()).iter().enumerate() {
            // The preferred plan on every shape and each other one on every third: all would take a quarter of an hour.
            if number > 0 && number % 3 != index % 3 {
                continue;
            }
            families.insert(plan.variant());
            let place = format!("{} by {}", case.shape_text(), plan.name());
            let verdict = measure::verify_once(&session, &*case, &**plan, &inputs);
            let verdict = verdict.unwrap_or_else(|error| panic!("{place}: {error}"));
            assert!(verdict.ok, "{place}: {}", verdict.worst);
        }
    }
    let halves = matches!(precision, Precision::F16 | Precision::F16Acc16);
    let expected: &[&str] = match name {
        "gemm" if halves => &["mma", "tiled", "wgmma"],
        "gemm" if precision == Precision::F64 => &["mma", "tiled"],
        "attention" if precision == Precision::F16 => &["mma", "tiled", "wgmma"],
        "attention" if halves => &["mma", "tiled"],
        "gemm" | "attention" => &["tiled"],
        "conv2d" if halves => &["depthwise", "mma", "tiled"],
        "conv2d" => &["depthwise", "tiled"],
        "matrix" if halves => &["mma", "wgmma"],
        "matrix" => &["mma"],
        probe => &[probe],
    };
    // A part may have no shape.
    let computed = (0..shapes.len()).any(|index| index * PARTS / shapes.len() == part);
    assert!(!computed || families.iter().eq(expected), "{families:?}");
}
