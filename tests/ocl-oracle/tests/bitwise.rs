//! Every operation's OpenCL kernels through `ocl` and through the seam: the same text, definitions, inputs and launches
//! must give the same bits.
//!
//! The two paths share no code of the host's, so an argument that one of them passes wrongly, a size that it mixes up or
//! a wait that it forgets shows as a difference.

use accelbench::measure::{self, Session};
use accelbench_backends::{Caps, DeviceInfo, Presence, Registry};
use accelbench_kernels::{Catalogue, Operation, Precision};
use accelbench_ocl_oracle::Ocl;
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Every so many of the conformance shapes: a prime, so that they take turns in size and in layout.
const STRIDE: usize = 7;

fn main() -> ExitCode {
    let mut trials = Vec::new();
    match Registry::builtin().probe("opencl") {
        Some(Presence::Present { devices, .. }) => trials.extend(devices.iter().flat_map(device_trials)),
        Some(Presence::Absent(absence)) => trials.push(Trial::test("opencl", move || Err(absence.detail.into()))),
        None => trials.push(Trial::test("opencl", || Err("built without its OpenCL backend".into()))),
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn device_trials(device: &DeviceInfo) -> Vec<Trial> {
    let catalogue = Catalogue::builtin();
    let mut trials = Vec::new();
    // `ocl` passes values as vectors of at most 4 words here: GEMM's parameter blocks. The others' are longer.
    for operation in catalogue.iter().filter(|operation| operation.name() == "gemm") {
        for &precision in operation.precisions() {
            if precision.missing(&device.caps).is_some() {
                continue;
            }
            let (device, name) = (device.clone(), operation.name());
            trials.push(Trial::test(format!("{}/{name}/{precision}", device.id), move || {
                let catalogue = Catalogue::builtin();
                let operation = catalogue.operation(name).map_err(|error| error.0)?;
                compare(&device, operation, precision).map_err(Failed::from)
            }));
        }
    }
    trials
}

fn compare(device: &DeviceInfo, operation: &dyn Operation, precision: Precision) -> Result<(), String> {
    let opened = Registry::builtin().open(&device.id).map_err(|error| error.to_string())?;
    let session = Session::new(opened);
    // What a library enqueues is no source that both paths could have.
    let caps = Caps { libraries: BTreeMap::new(), ..session.device().caps().clone() };
    let ocl = Ocl::open(device)?;
    let mut compared = 0;
    for (seed, fields) in operation.conformance().iter().step_by(STRIDE).enumerate() {
        let case = operation.case(precision, fields).map_err(|error| error.0)?;
        let inputs = measure::inputs(&*case, seed as u64);
        for plan in case.plans(&caps) {
            let place = format!("{} by {}", case.shape_text(), plan.name());
            let failed = |error: &dyn ToString| format!("{place}: {}", error.to_string());
            let program = plan.program();
            let loaded = session.load(&program, &inputs, None).map_err(|error| failed(&error))?;
            session.run_batch(&loaded, 1).map_err(|error| failed(&error))?;
            let seam = session.output(&loaded, &*case).map_err(|error| failed(&error))?;
            let ocl = ocl.run(&program, &inputs).map_err(|error| failed(&error))?;
            if let Some(byte) = seam.bytes().iter().zip(&ocl).position(|(seam, ocl)| seam != ocl) {
                return Err(format!("{place}: the outputs differ from byte {byte} on"));
            }
            // Two paths that both do nothing agree too.
            let verdict = case.verify(&inputs, &seam);
            if seam.bytes().len() != ocl.len() || !verdict.ok {
                return Err(format!("{place}: {}", verdict.worst));
            }
            compared += 1;
        }
    }
    if compared == 0 { Err("no shape has a plan".to_owned()) } else { Ok(()) }
}
