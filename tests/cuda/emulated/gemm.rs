//! GEMM's CUDA kernels, run on the emulated device and held against the f64 truth: every plan, type and layout.

use crate::Check;
use crate::device::{nothing_left, open};
use accelbench_backends::{Buffer, Command, Device, Kernel, Launch};
use accelbench_kernels::{BufferRole, Case, Catalogue, Precision, Program, Tensor, fill};
use std::collections::BTreeMap;

/// The smallest; primes, which end inside every tile and leave rows unaligned; multiples of 8, which leave them aligned,
/// over several tiles of every plan.
const SHAPES: [&str; 4] = ["1x1x1", "5x3x70", "131x67x37", "136x264x72"];
const LAYOUTS: [&str; 4] = ["nn", "nt", "tn", "tt"];

pub(crate) fn trials() -> Vec<Check> {
    let mut trials: Vec<Check> = Vec::new();
    for precision in Precision::ALL {
        for layout in LAYOUTS {
            let task = format!("{precision}/{layout}");
            trials.push((
                format!("gemm/{task}"),
                Box::new(move |fakes| nothing_left(&fakes.run("whole", &format!("gemm {task}"), &[])?.1)),
            ));
        }
    }
    trials
}

pub(crate) fn child(task: &str) {
    let (precision, layout) = task.split_once('/').expect("PRECISION/LAYOUT");
    let precision: Precision = precision.parse().expect("a precision");
    let device = open(0);
    let catalogue = Catalogue::builtin();
    let mut kernels = Kernels::default();
    let mut families = std::collections::BTreeSet::new();
    for shape in SHAPES {
        let case = catalogue.case("gemm", precision, &format!("{shape}-{layout}")).expect("a shape");
        let inputs: Vec<Tensor> = (0..).zip(case.inputs()).map(|(index, spec)| fill::normal(&spec, 1, index)).collect();
        for plan in case.plans(device.caps()) {
            families.insert(plan.variant());
            let output = run(&*device, &mut kernels, &*case, &plan.program(), &inputs);
            let verdict = case.verify(&inputs, &output);
            assert!(verdict.ok, "{shape}-{layout} by {}: {}", plan.name(), verdict.worst);
        }
    }
    let halves = matches!(precision, Precision::F16 | Precision::F16Acc16);
    let expected: &[&str] = if halves { &["mma", "tiled"] } else { &["tiled"] };
    assert!(families.iter().map(String::as_str).eq(expected.iter().copied()), "{families:?}");
}

/// Compiled kernels by their definitions: shapes share them.
type Kernels = BTreeMap<String, Kernel>;

fn run(device: &dyn Device, kernels: &mut Kernels, case: &dyn Case, program: &Program, inputs: &[Tensor]) -> Tensor {
    let buffers: Vec<Buffer> = program
        .buffers
        .iter()
        .map(|spec| {
            let buffer = device.alloc(spec.bytes).expect("there is memory");
            if let BufferRole::Input(index) = spec.role {
                device.upload(&buffer, 0, inputs[index].bytes()).expect("an input fits");
            }
            buffer
        })
        .collect();
    for launch in &program.launches {
        let spec = &program.kernels[launch.kernel];
        let kernel = kernels
            .entry(format!("{} {:?}", spec.entry, spec.defines))
            .or_insert_with(|| device.compile(spec).unwrap_or_else(|error| panic!("{error}")));
        let buffers: Vec<&Buffer> = launch.buffers.iter().map(|&index| &buffers[index]).collect();
        let launch = Launch { kernel, grid: launch.grid, buffers: &buffers, params: &launch.params };
        let ticket = device.submit(&[Command::Launch(launch)]).expect("the launch is right");
        device.wait(ticket).expect("the kernel ends");
    }
    let spec = case.output();
    let mut output = Tensor::zeros(spec.dtype, spec.elements as usize);
    let place = program.buffers.iter().position(|buffer| buffer.role == BufferRole::Output).expect("an output");
    device.download(&buffers[place], 0, output.bytes_mut()).expect("an output fits");
    output
}
