//! What works by groups of four warps and bulk copies, on the emulated device: what the conformance suite's small shapes
//! don't reach, which is slots that are filled many times, several tiles for a thread block, and split sums.

use crate::Check;
use crate::device::{nothing_left, open};
use accelbench::measure::{self, Session};
use accelbench_kernels::{Catalogue, Precision};
use std::collections::BTreeSet;

/// Operations with the type, shapes, and the launches of their plans; the emulated device has two compute units.
const CASES: [(&str, &str, &[usize]); 23] = [
    ("gemm/f16", "264x392x456-nn", &[1]),
    ("gemm/f16", "264x392x456-nt", &[1]),
    ("gemm/f16", "264x392x456-tn", &[1]),
    ("gemm/f16", "264x392x456-tt", &[1]),
    ("gemm/f16", "72x64x1096-nn", &[1, 2]),
    ("gemm/f16", "72x64x1096-nt", &[1, 2]),
    ("gemm/f16", "72x64x1096-tn", &[1, 2]),
    ("gemm/f16", "72x64x1096-tt", &[1, 2]),
    ("conv2d/f16", "2x72x10x12-80x1x1-nhwc", &[1]),
    ("conv2d/f16", "1x520x8x9-72x1x1-nchw", &[1, 2]),
    ("attention/f16", "1x4x2-150x1300x64-causal", &[1]),
    ("attention/f16", "1x3x3-260x900x128", &[1]),
    ("attention/f16", "1x2x1-140x500x200-causal", &[1]),
    ("gemm/bf16", "264x392x456-nn", &[1]),
    ("gemm/bf16", "72x64x1096-nt", &[1, 2]),
    ("conv2d/bf16", "1x520x8x9-72x1x1-nchw", &[1, 2]),
    ("attention/bf16", "1x3x3-260x900x128", &[1]),
    ("gemm/tf32", "264x392x456-nt", &[1]),
    ("gemm/tf32", "72x64x1096-nt", &[1, 2]),
    ("gemm/f8e4m3", "264x392x480-nt", &[1]),
    ("gemm/f8e4m3", "72x64x1104-nt", &[1, 2]),
    ("gemm/i8", "264x392x480-nt", &[1]),
    ("gemm/i8", "72x64x1104-nt", &[1, 2]),
];

pub(crate) fn trials() -> Vec<Check> {
    let trial = |(operation, shape, _): (&str, &str, &[usize])| -> Check {
        let task = format!("wgmma {operation}/{shape}");
        (task.clone(), Box::new(move |fakes| nothing_left(&fakes.run("whole", &task, &[])?.1)))
    };
    CASES.into_iter().map(trial).collect()
}

pub(crate) fn child(id: &str) {
    let find = |(operation, shape, _): &&(&str, &str, &[usize])| format!("{operation}/{shape}") == id;
    let &(operation, shape, launches) = CASES.iter().find(find).expect("the parent names a case");
    let catalogue = Catalogue::builtin();
    let (name, precision) = operation.split_once('/').expect("an operation and a type");
    let precision: Precision = precision.parse().expect("a type");
    let operation = catalogue.operation(name).expect("an operation");
    let case = operation.case(precision, &operation.parse_shape_text(shape).expect("a shape")).expect("a shape");
    let session = Session::new(open(0));
    let inputs = measure::inputs(&*case, 1);
    let mut seen = BTreeSet::new();
    for plan in case.plans(session.device().caps()).iter().filter(|plan| plan.variant() == "wgmma") {
        seen.insert(plan.program().launches.len());
        let verdict = measure::verify_once(&session, &*case, &**plan, &inputs).expect("it runs");
        assert!(verdict.ok, "{}: {}", plan.name(), verdict.worst);
    }
    assert!(seen.iter().eq(launches), "{seen:?}");
}
