//! Every operation's CUDA kernels on the emulated device, held against the f64 truth: each type, each shape of the
//! conformance suite, the preferred plan, a third of the others or fewer, and every library.

use crate::Check;
use crate::device::{nothing_left, open};
use accelbench::measure::{self, Session};
use accelbench_backends::Error;
use accelbench_kernels::{Catalogue, Precision, probe};
use std::collections::BTreeSet;

/// Into how many trials an operation's shapes are split, in their order, so that they run at the same time.
const PARTS: usize = 4;
/// The compute capability that kernels of all kinds are for.
const NEWEST: &str = "9.0";

pub(crate) fn trials() -> Vec<Check> {
    let mut trials: Vec<Check> = Vec::new();
    for operation in Catalogue::builtin().iter().chain(probe::catalogue().iter()) {
        for precision in operation.precisions() {
            for part in 0..PARTS {
                // An architecture that multiplies numbers of 8 bits by instructions that the newest one does not have.
                let others: &[&str] = if *precision == Precision::F8E4M3 { &["8.9"] } else { &[] };
                for capability in [NEWEST].iter().chain(others) {
                    let task = format!("operation {}/{precision}/{part}/{capability}", operation.name());
                    let check = {
                        let task = task.clone();
                        move |fakes: &crate::fakes::Fakes| {
                            nothing_left(&fakes.run("whole", &task, &[("ACCELBENCH_FAKE_DEVICES", capability)])?.1)
                        }
                    };
                    trials.push((task, Box::new(check)));
                }
            }
        }
    }
    trials
}

pub(crate) fn child(task: &str) {
    let [name, precision, part, capability] = task.split('/').collect::<Vec<_>>()[..] else {
        panic!("OPERATION/PRECISION/PART/CAPABILITY and not `{task}`");
    };
    let precision: Precision = precision.parse().expect("a precision");
    let part: usize = part.parse().expect("a part");
    let (builtin, probes) = (Catalogue::builtin(), probe::catalogue());
    let operation = builtin.operation(name).or_else(|_| probes.operation(name)).expect("an operation");
    let session = Session::new(open(0));
    let shapes = operation.conformance();
    // Kernels of f16 with other instructions: each plan but the preferred one on one shape.
    let is_twin = matches!(precision, Precision::Bf16 | Precision::F16Acc16);
    let (mut families, mut offered) = (BTreeSet::new(), BTreeSet::new());
    for (index, fields) in shapes.iter().enumerate() {
        if index * PARTS / shapes.len() != part {
            continue;
        }
        let case = operation.case(precision, fields).expect("a shape of the suite");
        let inputs = measure::inputs(&*case, index as u64);
        let caps = session.device().caps();
        let plans = case.plans(caps);
        offered.extend(plans.iter().map(|plan| plan.variant()));
        let (libraries, own): (Vec<_>, Vec<_>) =
            plans.into_iter().partition(|plan| caps.libraries(name).contains(&plan.variant()));
        // The preferred plan on every shape and each other one on every third: all would take a quarter of an hour.
        let has_turn = |number: usize| {
            number == 0 || if is_twin { number * PARTS % shapes.len() == index } else { number % 3 == index % 3 }
        };
        let own = own.into_iter().enumerate().filter(|(number, _)| has_turn(*number));
        for plan in libraries.into_iter().chain(own.map(|(_, plan)| plan)) {
            let place = format!("{} by {}", case.shape_text(), plan.name());
            let verdict = match measure::verify_once(&session, &*case, &*plan, &inputs) {
                // What a library has no algorithm for.
                Err(Error::Unsupported { .. }) if caps.libraries(name).contains(&plan.variant()) => continue,
                verdict => verdict.unwrap_or_else(|error| panic!("{place}: {error}")),
            };
            assert!(verdict.ok, "{place}: {}", verdict.worst);
            families.insert(plan.variant());
        }
    }
    let halves = matches!(precision, Precision::Bf16 | Precision::F16 | Precision::F16Acc16);
    let expected: &[&str] = match name {
        "gemm" if halves => &["cublaslt", "mma", "tiled", "wgmma"],
        "gemm" if precision.needs_matrix_units() => {
            let along_k =
                (0..shapes.len()).any(|index| index * PARTS / shapes.len() == part && shapes[index]["trans"] == "nt");
            match (along_k, precision) {
                // All layouts but one.
                (false, Precision::F8E4M3) if capability == NEWEST => &[],
                (false, Precision::F8E4M3 | Precision::I8) => &["mma"],
                (true, Precision::F8E4M3) if capability == NEWEST => &["cublaslt", "wgmma"],
                (true, Precision::F8E4M3) | (false, _) => &["cublaslt", "mma"],
                (true, _) => &["cublaslt", "mma", "wgmma"],
            }
        }
        "gemm" if precision == Precision::F64 => &["cublaslt", "mma", "tiled"],
        "gemm" => &["cublaslt", "tiled"],
        // In other types, the library fuses no attention.
        "attention" if halves => &["cudnn", "mma", "tiled", "wgmma"],
        "attention" => &["tiled"],
        "conv2d" if halves => &["cudnn", "depthwise", "mma", "tiled"],
        "conv2d" => &["cudnn", "depthwise", "tiled"],
        "matrix" if precision == Precision::F64 => &["mma"],
        "matrix" if precision == Precision::F8E4M3 && capability == NEWEST => &["wgmma"],
        "matrix" if precision == Precision::F8E4M3 => &["mma"],
        "matrix" => &["mma", "wgmma"],
        probe => &[probe],
    };
    let variants = |fields| {
        let case = operation.case(precision, fields).expect("a shape of the suite");
        case.plans(session.device().caps()).into_iter().map(|plan| plan.variant()).collect::<Vec<_>>()
    };
    let everywhere: BTreeSet<String> = shapes.iter().flat_map(variants).collect();
    assert!(expected.iter().all(|family| everywhere.contains(*family)), "{everywhere:?}");
    // A part may have no shape, or none for a family.
    let computed = (0..shapes.len()).any(|index| index * PARTS / shapes.len() == part);
    let expected = expected.iter().filter(|family| offered.contains(**family));
    let all = families.iter().eq(expected.clone());
    let some = !families.is_empty() && families.iter().all(|family| expected.clone().any(|known| known == family));
    assert!(!computed || if is_twin { some } else { all }, "{families:?}");
}
