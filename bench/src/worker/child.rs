//! The worker's side.

use super::protocol::{Answer, CaseRequest, MARK, Request, TurnsRequest};
use crate::energy::{Found, Metered};
use crate::measure::{self, Inputs, Lane, Outcome, Session, Settings, take_turns};
use crate::{App, ceilings};
use accelbench_backends::{Absence, AbsenceReason, DeviceId};
use accelbench_kernels::fill::Fill;
use accelbench_kernels::{self as kernels, Case, Catalogue, Plan};
use accelbench_reports::{CacheMode, Energy, EnergyStatus, Provenance, ResultRow, Status, Unit};
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};

/// Probes one backend and says what it found.
pub fn probe_main(app: App, backend: &str) -> ExitCode {
    let _ = requests();
    let presence = (app.registry)().probe(backend).unwrap_or_else(|| {
        let detail = format!("this program has no backend `{backend}`");
        Absence::new(AbsenceReason::NotCompiledIn, detail, "see `accelbench doctor` for those it has").into()
    });
    say(&Answer::Probed(presence))
}

/// What the parent asks for. When its end of the pipe closes, this process ends at once, even in the middle of a driver's
/// call that never returns: no worker outlives its parent.
fn requests() -> Receiver<Request> {
    let (sender, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Some(request) = line.ok().and_then(|line| serde_json::from_str(&line).ok()) else { break };
            // Where nobody takes requests, the end of the pipe is still to be waited for.
            let _ = sender.send(request);
        }
        std::process::exit(1);
    });
    requests
}

/// Opens a device and measures what the parent asks for, until its end of the pipe closes.
pub fn worker_main(app: App, device: &DeviceId) -> ExitCode {
    let requests = requests();
    let session = match (app.registry)().open(device) {
        Ok(device) => Session::new(device),
        Err(error) => return say(&Answer::Closed(error.to_string())),
    };
    say(&Answer::Ready(Box::new(session.device().info().clone())));
    let catalogue = (app.catalogue)();
    let mut meter = None;
    let mut inputs = Inputs::default();
    let mut cold = true;
    for request in requests {
        let device_lost = match request {
            Request::Case(request) => {
                let id = &request.case;
                let case = match catalogue.case(&id.op, id.precision, &id.shape) {
                    Ok(case) => case,
                    Err(error) => return say(&Answer::Closed(error.0)),
                };
                let outcome = measure(&session, &*case, &request);
                let (unit, device_lost) = (outcome.unit.map(unit), outcome.device_lost);
                say(&Answer::Row { row: Box::new(row(&*case, &request, outcome)), unit, device_lost });
                device_lost
            }
            Request::Turns(request) => {
                let id = &request.case;
                let case = match catalogue.case(&id.op, id.precision, &id.shape) {
                    Ok(case) => case,
                    Err(error) => return say(&Answer::Closed(error.0)),
                };
                let (lanes, device_lost) = turns(&session, &*case, &request, &mut inputs);
                say(&Answer::Turns { lanes, device_lost });
                device_lost
            }
            Request::Meter(mode) => {
                let found = meter.insert(Metered::find(&session, (app.meters)(), mode, cold));
                say(&Answer::Metered(found.is_ok()));
                false
            }
            Request::Point(request) => {
                let found = meter.get_or_insert_with(|| Metered::find(&session, (app.meters)(), request.mode, cold));
                let (point, device_lost) = ceilings::take_point(app, &session, &request, found);
                say(&Answer::Point { point, device_lost });
                device_lost
            }
            Request::Energy { case: request, mode } => {
                let found = meter.get_or_insert_with(|| Metered::find(&session, (app.meters)(), mode, cold));
                let (energy, device_lost) = energy(&catalogue, &session, &request, found);
                say(&Answer::Energy { energy: Box::new(energy), device_lost });
                device_lost
            }
            Request::Step { step, seconds } => {
                let (found, device_lost) = ceilings::take(app, &session, step, seconds);
                say(&Answer::Found { ceilings: Box::new(found), device_lost });
                device_lost
            }
        };
        if device_lost {
            break;
        }
        cold = false;
    }
    ExitCode::SUCCESS
}

fn measure(session: &Session, case: &dyn Case, request: &CaseRequest) -> Outcome {
    match choose(session, case, request) {
        Ok(plan) => {
            let settings =
                Settings { seed: request.seed, fill: request.fill, cache: request.cache, effort: request.effort };
            measure::measure(session, case, &*plan, &settings)
        }
        Err(reason) => Outcome { fault: Some((Status::Unsupported, reason)), ..Outcome::default() },
    }
}

/// The plans' times, in the order of their names in the request.
fn turns(session: &Session, case: &dyn Case, request: &TurnsRequest, inputs: &mut Inputs) -> (Vec<Lane>, bool) {
    let caps = session.device().caps();
    let mut plans = Vec::new();
    for (name, part) in &request.plans {
        let Some(plan) = case.plan(caps, name) else {
            let reason = format!("there is no plan {name} for this case on this device");
            let lanes = request.plans.iter().map(|(plan, _)| Lane::faulty(plan, Status::Unsupported, reason.clone()));
            return (lanes.collect(), false);
        };
        plans.push((plan, *part));
    }
    take_turns(session, case, &plans, inputs.of(case, Fill::Normal, request.seed), &request.turns)
}

fn energy(catalogue: &Catalogue, session: &Session, request: &CaseRequest, found: &Found) -> (Energy, bool) {
    let id = &request.case;
    let metered = match found {
        Ok(metered) => metered,
        Err(energy) => return ((**energy).clone(), false),
    };
    if request.cache == CacheMode::Cold {
        let reason = "with cold caches, what empties them before each run would be counted in";
        return (Energy::without(EnergyStatus::Unavailable, reason), false);
    }
    let plan = |case: &dyn Case| choose(session, case, request);
    match catalogue
        .case(&id.op, id.precision, &id.shape)
        .map_err(|error| error.0)
        .and_then(|case| Ok((plan(&*case)?, case)))
    {
        Ok((plan, case)) => {
            metered.energy(session, &*case, &*plan, || measure::filled(&*case, request.fill, request.seed))
        }
        Err(reason) => (Energy::without(EnergyStatus::Failed, reason), false),
    }
}

/// The plan that was asked for, or the variant's preferred one.
fn choose(session: &Session, case: &dyn Case, request: &CaseRequest) -> Result<Box<dyn Plan>, String> {
    let caps = session.device().caps();
    if let Some(reason) = case.unsupported(caps) {
        return Err(reason);
    }
    let variant = &request.case.variant;
    let found = match &request.plan {
        Some(name) => case.plan(caps, name).filter(|plan| plan.variant() == *variant),
        None => case.plans(caps).into_iter().find(|plan| plan.variant() == *variant),
    };
    found.ok_or_else(|| {
        let known: Vec<String> = case.plans(caps).iter().map(|plan| plan.name()).collect();
        let wanted = request.plan.as_ref().unwrap_or(variant);
        format!("there is no plan {wanted} for this case on this device; there are {}", known.join(", "))
    })
}

/// Units as files name them.
pub(crate) fn unit(unit: kernels::Unit) -> Unit {
    match unit {
        kernels::Unit::Vector => Unit::Vector,
        kernels::Unit::Matrix => Unit::Matrix,
        kernels::Unit::Any => Unit::Any,
    }
}

fn row(case: &dyn Case, request: &CaseRequest, outcome: Outcome) -> ResultRow {
    let id = &request.case;
    let (status, reason) = match outcome.fault {
        None => (Status::Ok, None),
        Some((status, reason)) => (status, Some(reason)),
    };
    ResultRow {
        case: id.to_string(),
        op: id.op.clone(),
        dtype: id.precision.name().to_owned(),
        shape: case.shape(),
        origin: None,
        phase: None,
        variant: id.variant.clone(),
        device: id.device.to_string(),
        status,
        reason,
        verify: outcome.verify,
        timing: outcome.timing,
        work: Some(measure::work(case)),
        rate: outcome.rate,
        ceiling: None,
        energy: None,
        provenance: Some(Provenance {
            source_sha256: outcome.source_sha256,
            plan: outcome.plan,
            plan_source: None,
            algorithm: outcome.algorithm,
            seed: request.seed,
            fill: request.fill.name().to_owned(),
            command: String::new(),
        }),
    }
}

fn say(answer: &Answer) -> ExitCode {
    let Ok(text) = serde_json::to_string(answer) else { return ExitCode::FAILURE };
    let mut out = io::stdout().lock();
    match writeln!(out, "\n{MARK}{text}").and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // The parent is gone, and with it the reason to go on.
        Err(_) => std::process::exit(1),
    }
}
