//! The conformance suite: every operation, in every type, by every plan, on every device, held against the f64 truth.
//!
//! A backend or an operation from outside this project runs through it with a registry or a catalogue of its own.

use crate::require;
use accelbench::App;
use accelbench::measure::{self, Session};
use accelbench_backends::{Caps, DeviceInfo, Language, Presence};
use accelbench_kernels::{Operation, Precision, probe};
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;

/// The suite as a program, with the flags of Rust's own test programs.
pub fn main(app: App) -> ExitCode {
    run(required(app).into_iter().chain(trials(app)).collect())
}

/// The suite over the program's own backends and operations, and over the probes of its ceilings.
pub fn builtin() -> ExitCode {
    let app = App::builtin();
    run(required(app)
        .into_iter()
        .chain(trials(app))
        .chain(trials(App { catalogue: probe::catalogue, ..app }))
        .collect())
}

fn run(trials: Vec<Trial>) -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// One trial for each required device.
fn required(app: App) -> Vec<Trial> {
    let trial = |requirement: String| {
        Trial::test(format!("required/{requirement}"), move || {
            require::found(&requirement, &(app.registry)()).map_err(Failed::from)
        })
    };
    require::list().into_iter().filter(|word| word != "nvrtc").map(trial).collect()
}

/// One trial for each device, operation and type.
pub fn trials(app: App) -> Vec<Trial> {
    let registry = (app.registry)();
    let mut trials = Vec::new();
    for id in registry.ids() {
        match registry.probe(id) {
            Some(Presence::Present { devices, .. }) => {
                for device in devices {
                    trials.extend(device_trials(app, &device));
                }
            }
            Some(Presence::Absent(absence)) => eprintln!("left out: {id}: {}", absence.detail),
            None => {}
        }
    }
    trials
}

fn device_trials(app: App, device: &DeviceInfo) -> Vec<Trial> {
    let mut trials = Vec::new();
    for operation in (app.catalogue)().iter() {
        for &precision in operation.precisions() {
            let (device, name) = (device.clone(), operation.name());
            // What the device lacks is tested for being refused, under a name that says so.
            let what = if may_refuse(&device.caps, operation, precision) { "/unsupported" } else { "" };
            trials.push(Trial::test(format!("{}/{name}/{precision}{what}", device.id), move || {
                let catalogue = (app.catalogue)();
                let operation = catalogue.operation(name).map_err(|error| error.0)?;
                conform(app, &device, operation, precision).map_err(Failed::from)
            }));
        }
    }
    trials
}

fn conform(app: App, device: &DeviceInfo, operation: &dyn Operation, precision: Precision) -> Result<(), String> {
    let opened = (app.registry)().open(&device.id).map_err(|error| error.to_string())?;
    let session = Session::new(opened);
    let caps = session.device().caps().clone();
    let mut computed = 0;
    for (index, fields) in operation.conformance().iter().enumerate() {
        let case = operation.case(precision, fields).map_err(|error| error.0)?;
        let plans = case.plans(&caps);
        match (plans.is_empty(), case.unsupported(&caps)) {
            // What a device can't do must be said, and said only then.
            (true, Some(_)) => continue,
            (true, None) => return Err(format!("{}: no plan, and no reason for it", case.shape_text())),
            (false, Some(reason)) => {
                return Err(format!("{}: has plans, and is called unsupported: {reason}", case.shape_text()));
            }
            (false, None) => {}
        }
        let inputs = measure::inputs(&*case, index as u64);
        for plan in plans {
            let place = format!("{} by {}", case.shape_text(), plan.name());
            let verdict =
                measure::verify_once(&session, &*case, &*plan, &inputs).map_err(|error| format!("{place}: {error}"))?;
            if !verdict.ok {
                return Err(format!(
                    "{place}: {} (error {:e}, bound {:e})",
                    verdict.worst, verdict.max_error, verdict.bound
                ));
            }
            computed += 1;
        }
    }
    if computed == 0 && !may_refuse(&caps, operation, precision) {
        return Err(format!("the device computes in {precision} and no shape was computed"));
    }
    Ok(())
}

/// Whether a device may have no plan at all: it lacks the type, or the units that the operation is about, or
/// compiles no kernels and has no library for this.
fn may_refuse(caps: &Caps, operation: &dyn Operation, precision: Precision) -> bool {
    let calls_only = caps.languages.iter().all(|&language| language == Language::Library);
    precision.missing(caps).is_some()
        || (calls_only && caps.libraries(operation.name()).is_empty())
        || (operation.name() == "matrix" && probe::matrix::missing_units(precision, caps).is_some())
}
