//! Kernels of OpenCL C with inline PTX, as CUDA C on the emulated device, held against the f64 truth: each shape of the
//! conformance suite, by the preferred plan and a third of the others.

use crate::Check;
use crate::device::{nothing_left, open};
use crate::opencl;
use accelbench::measure::{self, Session};
use accelbench_kernels::{Catalogue, Plan, Precision, Program, probe};

/// What has such kernels, and into how many trials its shapes are split, which run at the same time.
const OPERATIONS: [(&str, Precision, usize); 5] = [
    ("gemm", Precision::F16, 4),
    ("gemm", Precision::F16Acc16, 4),
    ("attention", Precision::F16, 4),
    ("matrix", Precision::F16, 1),
    ("matrix", Precision::F16Acc16, 1),
];

pub(crate) fn trials() -> Vec<Check> {
    let mut trials: Vec<Check> = Vec::new();
    for (operation, precision, parts) in OPERATIONS {
        for part in 0..parts {
            let task = format!("inline-ptx {operation}/{precision}/{part}");
            let check = {
                let task = task.clone();
                move |fakes: &crate::fakes::Fakes| nothing_left(&fakes.run("whole", &task, &[])?.1)
            };
            trials.push((task, Box::new(check)));
        }
    }
    trials
}

/// A plan whose kernels are put into CUDA C.
struct InCuda(Box<dyn Plan>);

impl Plan for InCuda {
    fn variant(&self) -> String {
        self.0.variant()
    }

    fn name(&self) -> String {
        self.0.name()
    }

    fn program(&self) -> Program {
        let program = self.0.program();
        Program { kernels: program.kernels.iter().map(opencl::in_cuda).collect(), ..program }
    }
}

pub(crate) fn child(task: &str) {
    let [name, precision, part] = task.split('/').collect::<Vec<_>>()[..] else {
        panic!("OPERATION/PRECISION/PART and not `{task}`");
    };
    let precision: Precision = precision.parse().expect("a precision");
    let part: usize = part.parse().expect("a part");
    let known = OPERATIONS.iter().find(|(operation, of, _)| *operation == name && *of == precision);
    let &(.., parts) = known.expect("the parent names one");
    let (builtin, probes) = (Catalogue::builtin(), probe::catalogue());
    let operation = builtin.operation(name).or_else(|_| probes.operation(name)).expect("an operation");
    let session = Session::new(open(0));
    let caps = opencl::seen(session.device().caps());
    let shapes = operation.conformance();
    let mut computed = 0;
    for (index, fields) in shapes.iter().enumerate().filter(|(index, _)| index * parts / shapes.len() == part) {
        let case = operation.case(precision, fields).expect("a shape of the suite");
        let inputs = measure::inputs(&*case, index as u64);
        let plans = case.plans(&caps).into_iter().filter(|plan| plan.program().kernels.iter().all(opencl::has_ptx));
        for (_, plan) in plans.enumerate().filter(|(number, _)| *number == 0 || number % 3 == index % 3) {
            let place = format!("{} by {}", case.shape_text(), plan.name());
            let verdict = measure::verify_once(&session, &*case, &InCuda(plan), &inputs);
            let verdict = verdict.unwrap_or_else(|error| panic!("{place}: {error}"));
            assert!(verdict.ok, "{place}: {}", verdict.worst);
            computed += 1;
        }
    }
    assert!(computed > 0, "no plan has inline PTX");
}
