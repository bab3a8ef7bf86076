//! GEMM by groups of four warps and bulk copies on the emulated device: what the conformance suite's small shapes don't
//! reach, which is slots that are filled many times, several tiles for a thread block, and split sums.

use crate::Check;
use crate::device::{nothing_left, open};
use accelbench::measure::{self, Session};
use accelbench_kernels::{Catalogue, Precision};
use std::collections::BTreeSet;

/// m, n and k; the emulated device has two compute units.
const SHAPES: [[u32; 3]; 2] = [[264, 392, 456], [72, 64, 1096]];

pub(crate) fn trials() -> Vec<Check> {
    let mut trials: Vec<Check> = Vec::new();
    for trans in ["nn", "nt", "tn", "tt"] {
        for [m, n, k] in SHAPES {
            let task = format!("wgmma {m}x{n}x{k}-{trans}");
            let check = {
                let task = task.clone();
                move |fakes: &crate::fakes::Fakes| nothing_left(&fakes.run("whole", &task, &[])?.1)
            };
            trials.push((task, Box::new(check)));
        }
    }
    trials
}

pub(crate) fn child(shape: &str) {
    let catalogue = Catalogue::builtin();
    let operation = catalogue.operation("gemm").expect("an operation");
    let case = operation.case(Precision::F16, &operation.parse_shape_text(shape).expect("a shape")).expect("a shape");
    let session = Session::new(open(0));
    let inputs = measure::inputs(&*case, 1);
    let mut launches = BTreeSet::new();
    for plan in case.plans(session.device().caps()).iter().filter(|plan| plan.variant() == "wgmma") {
        launches.insert(plan.program().launches.len());
        let verdict = measure::verify_once(&session, &*case, &**plan, &inputs).expect("it runs");
        assert!(verdict.ok, "{}: {}", plan.name(), verdict.worst);
    }
    let split = shape.starts_with("72x");
    assert_eq!(launches.contains(&2), split, "{shape}: {launches:?}");
    assert!(launches.contains(&1), "{shape}: {launches:?}");
}
