//! The conformance suite: every operation, in every type, by every plan, on every device, held against the f64 truth.
//!
//! A backend or an operation from outside this project runs through it with a registry or a catalogue of its own.

use crate::require;
use accelbench::App;
use accelbench::measure::{self, Session};
use accelbench_backends::{Caps, DeviceInfo, DeviceKind, Error, Language, Presence};
use accelbench_kernels::{Case, Operation, Plan, Precision, Profile, Tensor, probe};
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::str::FromStr;

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

/// The environment variable that sets how many odd shapes each operation is held against in each type.
const ODD: &str = "ACCELBENCH_ODD_SHAPES";
/// As many as a test run has the time for; 500 and more are for a change of kernels or plans.
const USUAL_ODD: u64 = 24;

/// The environment variable that sets how many plans that only a search chooses each operation is held against in each
/// type.
const SPACE: &str = "ACCELBENCH_SPACE_PLANS";
/// Each is compiled for its own.
const USUAL_SPACE: u64 = 8;

/// The environment variable that sets up to how many floating-point operations a shape of the profiles is computed.
const CATALOGUE_FLOP: &str = "ACCELBENCH_CATALOGUE_FLOP";
/// What a slow device does in a moment.
const USUAL_CATALOGUE_FLOP: f64 = 3e8;

/// Bytes of a shape's tensors for each of these operations: larger ones take longer to fill than to compute.
const BYTES_PER_FLOP: f64 = 1.5;

/// The share of that which libraries of the machine compute.
const OF_LIBRARIES: f64 = 0.1;

/// One trial for each device, operation and type: what backends must compute to be called conforming, by every plan; the
/// shapes of the profiles; odd shapes; odd shapes by plans that only a search chooses; and on the first CPU that compiles
/// kernels which only GPUs are given, those. One session does them all: most of the time goes into compiling, and they
/// share kernels.
///
/// Devices take turns: two trials at once on a device whose compiler does one thing at a time would wait for each other.
pub fn trials(app: App) -> Vec<Trial> {
    let registry = (app.registry)();
    let mut devices = Vec::new();
    for id in registry.ids() {
        match registry.probe(id) {
            Some(Presence::Present { devices: present, .. }) => devices.extend(present),
            Some(Presence::Absent(absence)) => eprintln!("left out: {id}: {}", absence.detail),
            None => {}
        }
    }
    let first = devices.iter().position(|device| compiles_kernels_of_gpus(&device.caps));
    let mut trials = Vec::new();
    for operation in (app.catalogue)().iter() {
        for &precision in operation.precisions() {
            let devices = devices.iter().enumerate();
            trials
                .extend(devices.map(|(index, device)| trial(app, device, operation, precision, first == Some(index))));
        }
    }
    trials
}

fn trial(app: App, device: &DeviceInfo, operation: &dyn Operation, precision: Precision, gpus: bool) -> Trial {
    // What the device lacks is tested for being refused, under a name that says so.
    let what = if may_refuse(&device.caps, operation, precision) { "/unsupported" } else { "" };
    let (id, name) = (device.id.clone(), operation.name());
    Trial::test(format!("{id}/{name}/{precision}{what}"), move || {
        let catalogue = (app.catalogue)();
        let operation = catalogue.operation(name).map_err(|error| error.0)?;
        let session = Session::new((app.registry)().open(&id).map_err(|error| error.to_string())?);
        let caps = session.device().caps();
        for (set, suite) in suites(caps, operation, precision, gpus) {
            let computed = suite(&session, operation, precision).map_err(|error| format!("{set}: {error}"))?;
            if computed == 0 && !may_refuse(caps, operation, precision) {
                return Err(Failed::from(format!(
                    "{set}: the device computes in {precision} and no shape was computed"
                )));
            }
        }
        Ok(())
    })
}

/// What an operation is held against on a device.
fn suites(caps: &Caps, operation: &dyn Operation, precision: Precision, gpus: bool) -> Vec<(&'static str, Suite)> {
    let mut suites = vec![("every plan", conform as Suite), ("the profiles' shapes", conform_to_the_catalogue)];
    if operation.odd(0).is_some() {
        suites.extend([("odd shapes", conform_oddly as Suite), ("plans of a search", conform_in_the_space)]);
    }
    if gpus && has_kernels_of_gpus(caps, operation, precision) {
        suites.push(("kernels of GPUs", conform_as_a_gpu));
    }
    suites
}

/// Holds an operation in a type against the f64 truth, and says how many times it was computed.
type Suite = fn(&Session, &dyn Operation, Precision) -> Result<u64, String>;

/// Every shape of the conformance list by every plan.
fn conform(session: &Session, operation: &dyn Operation, precision: Precision) -> Result<u64, String> {
    let mut computed = 0;
    for (index, fields) in operation.conformance().iter().enumerate() {
        let case = operation.case(precision, fields).map_err(|error| error.0)?;
        let inputs = measure::inputs(&*case, index as u64);
        for plan in plans(&*case, session.device().caps())? {
            computed += u64::from(verify(session, &*case, &*plan, &inputs)?);
        }
    }
    Ok(computed)
}

/// Every shape of the profiles at its smallest batch, by the preferred kernel and, of those that are not large, by every
/// library.
fn conform_to_the_catalogue(session: &Session, operation: &dyn Operation, precision: Precision) -> Result<u64, String> {
    let limit = setting(CATALOGUE_FLOP, USUAL_CATALOGUE_FLOP)?;
    let mut computed = 0;
    let mut seen = BTreeSet::new();
    for shape in operation.shapes(Profile::Full) {
        let case = operation.case(precision, &operation.at_small_batch(&shape.fields)).map_err(|error| error.0)?;
        let work = case.work();
        let moment = work.flop <= limit && work.bytes <= limit * BYTES_PER_FLOP;
        if !moment || !seen.insert(case.shape_text()) {
            continue;
        }
        let caps = session.device().caps();
        let (mut chosen, own): (Vec<_>, Vec<_>) =
            plans(&*case, caps)?.into_iter().partition(|plan| is_library(caps, &*case, &**plan));
        chosen.extend(own.into_iter().next());
        // On software devices, those of the machine may be far slower than what is preferred there.
        if work.flop > limit * OF_LIBRARIES {
            chosen.retain(|plan| !caps.external.contains_key(&plan.variant()));
        }
        // What a device has no room for is skipped in a run, too.
        chosen.retain(|plan| session.too_large(&plan.program(), 0).is_none());
        if chosen.is_empty() {
            continue;
        }
        let inputs = measure::inputs(&*case, 0);
        for plan in &chosen {
            computed += u64::from(verify(session, &*case, &**plan, &inputs)?);
        }
    }
    Ok(computed)
}

/// Odd shapes, each by one plan, which change from shape to shape.
fn conform_oddly(session: &Session, operation: &dyn Operation, precision: Precision) -> Result<u64, String> {
    let mut computed = 0;
    for (index, fields) in (0..setting(ODD, USUAL_ODD)?).map_while(|index| Some((index, operation.odd(index)?))) {
        let case = operation.case(precision, &fields).map_err(|error| error.0)?;
        let plans = plans(&*case, session.device().caps())?;
        if let Some(plan) = plans.get(index as usize % plans.len().max(1)) {
            computed += u64::from(verify(session, &*case, &**plan, &measure::inputs(&*case, index))?);
        }
    }
    Ok(computed)
}

/// Odd shapes, each by one of all plans that there are, far from the one before.
fn conform_in_the_space(session: &Session, operation: &dyn Operation, precision: Precision) -> Result<u64, String> {
    /// A prime above the number of plans, so that steps of it come to all of them.
    const STRIDE: u64 = 7919;
    let mut computed = 0;
    for (index, fields) in (0..setting(SPACE, USUAL_SPACE)?).map_while(|index| Some((index, operation.odd(index)?))) {
        let case = operation.case(precision, &fields).map_err(|error| error.0)?;
        let space = case.space(session.device().caps());
        if let Some(plan) = space.get((index * STRIDE) as usize % space.len().max(1)) {
            computed += u64::from(verify(session, &*case, &**plan, &measure::inputs(&*case, index))?);
        }
    }
    Ok(computed)
}

/// Every fourth shape of the conformance list by one of the kernels that GPUs are given and this CPU is not, another one
/// from shape to shape: each takes long to compile.
fn conform_as_a_gpu(session: &Session, operation: &dyn Operation, precision: Precision) -> Result<u64, String> {
    let mut computed = 0;
    for (index, fields) in operation.conformance().iter().step_by(4).enumerate() {
        let case = operation.case(precision, fields).map_err(|error| error.0)?;
        let plans = plans_of_gpus(&*case, session.device().caps());
        if let Some(plan) = plans.get(index % plans.len().max(1)) {
            computed += u64::from(verify(session, &*case, &**plan, &measure::inputs(&*case, index as u64))?);
        }
    }
    Ok(computed)
}

/// Whether a CPU compiles kernels that only GPUs are given.
fn compiles_kernels_of_gpus(caps: &Caps) -> bool {
    caps.kind == DeviceKind::Cpu && caps.speaks(Language::OpenClC)
}

/// Whether there are such kernels for this.
fn has_kernels_of_gpus(caps: &Caps, operation: &dyn Operation, precision: Precision) -> bool {
    let mut cases = operation.conformance().into_iter().filter_map(|fields| operation.case(precision, &fields).ok());
    cases.any(|case| !plans_of_gpus(&*case, caps).is_empty())
}

/// The plans of a GPU with a CPU's capabilities whose kernels the CPU's own plans don't have.
fn plans_of_gpus(case: &dyn Case, caps: &Caps) -> Vec<Box<dyn Plan>> {
    let own: BTreeSet<String> = case.plans(caps).iter().map(|plan| plan.program().source_sha256()).collect();
    let mut plans = case.plans(&Caps { kind: DeviceKind::Gpu, ..caps.clone() });
    plans.retain(|plan| !own.contains(&plan.program().source_sha256()));
    plans
}

/// A number that the environment sets, or the usual one.
fn setting<T: FromStr>(name: &str, usual: T) -> Result<T, String> {
    match std::env::var(name) {
        Ok(text) => text.parse().map_err(|_| format!("{name} is `{text}`, which is no such number")),
        Err(_) => Ok(usual),
    }
}

/// A case's plans. What a device can't do must be said, and said only then.
fn plans(case: &dyn Case, caps: &Caps) -> Result<Vec<Box<dyn Plan>>, String> {
    let plans = case.plans(caps);
    match (plans.is_empty(), case.unsupported(caps)) {
        (true, None) => Err(format!("{}: no plan, and no reason for it", case.shape_text())),
        (false, Some(reason)) => Err(format!("{}: has plans, and is called unsupported: {reason}", case.shape_text())),
        _ => Ok(plans),
    }
}

fn is_library(caps: &Caps, case: &dyn Case, plan: &dyn Plan) -> bool {
    caps.libraries(case.op()).contains(&plan.variant())
}

/// Computes a case and holds it against the truth; false where a library says that it has nothing for this case.
fn verify(session: &Session, case: &dyn Case, plan: &dyn Plan, inputs: &[Tensor]) -> Result<bool, String> {
    let place = format!("{} by {}", case.shape_text(), plan.name());
    let verdict = match measure::verify_once(session, case, plan, inputs) {
        Err(Error::Unsupported { .. }) if is_library(session.device().caps(), case, plan) => return Ok(false),
        verdict => verdict.map_err(|error| format!("{place}: {error}"))?,
    };
    if verdict.ok {
        return Ok(true);
    }
    Err(format!("{place}: {} (error {:e}, bound {:e})", verdict.worst, verdict.max_error, verdict.bound))
}

/// Whether a device may have no plan at all: it lacks the type, or the units that the operation is about, or
/// compiles no kernels and has no library for this.
fn may_refuse(caps: &Caps, operation: &dyn Operation, precision: Precision) -> bool {
    let calls_only = caps.languages.iter().all(|&language| language == Language::Library);
    precision.missing(caps).is_some()
        || (calls_only && caps.libraries(operation.name()).is_empty())
        || (operation.name() == "matrix" && probe::matrix::missing_units(precision, caps).is_some())
}
