//! What a byte and a FLOP take: probes of several intensities under the device's meter, in time of their own.
//!
//! Each runs the plan that reached the ceiling, on arrays that no cache holds, and is one request to the worker. What was
//! measured before is not measured again, and what was not is tried again by every probing that asks for it: a meter may
//! have come since.

use super::{FAILURES, Stopped, sets, steps};
use crate::App;
use crate::energy::{Effort, Found, Mode};
use crate::measure::{self, Session};
use crate::worker::{Failure, Workers};
use accelbench_backends::DeviceId;
use accelbench_kernels::probe::fma;
use accelbench_kernels::probe::stream::Op;
use accelbench_kernels::{Precision, Profile, probe};
use accelbench_reports::{Ceilings, Energy, EnergyCeilings, EnergyPoint, EnergyStatus, Missing, Unit, energy_roofline};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Instant;

/// How many times the time for probing rates that for probing energy is.
const TIMES: f64 = 6.0;
/// Of the inputs.
const SEED: u64 = 1;
/// Starts the name of what is missing here.
const MISSING: &str = "energy ";

/// A probe of one intensity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Point {
    /// A kernel of the memory probe.
    Triad,
    /// Reads as much as it writes.
    Mul,
    /// Only reads.
    Dot,
    /// Each element goes through so many bodies of the vector probe's multiply-adds on its way.
    Fma(u32),
}

use Point::{Dot, Fma, Mul, Triad};

/// All of them. The first four already lie on both sides of most ridges, which are at 1 to 30 FLOP a byte.
const ALL: [Point; 7] = [Triad, Fma(1), Fma(16), Fma(4), Mul, Dot, Fma(2)];

/// The seconds in which points are begun on a device; none means no limit.
fn seconds(profile: Profile, mode: Mode) -> Option<f64> {
    // Who asks for `full` wants it of every point.
    (mode != Mode::Full).then(|| TIMES * steps::seconds(profile))
}

impl Point {
    fn op(self) -> Option<Op> {
        match self {
            Triad => Some(Op::Triad),
            Mul => Some(Op::Mul),
            Dot => Some(Op::Dot),
            Fma(_) => None,
        }
    }

    /// The type that memory was probed in, and the plan that reached the ceiling. Where there was no time for a memory
    /// kernel, the most telling one's plan does for it.
    fn best(self, ceilings: &Ceilings) -> Option<(Precision, String)> {
        let name = self.to_string();
        let own = ceilings.memory.iter().find(|found| found.kernel == name);
        let memory = own.or(ceilings.memory.first())?;
        let peak = || ceilings.peaks.iter().find(|peak| peak.unit == Unit::Vector && peak.dtype == memory.dtype);
        let plan = if self.op().is_some() { &memory.plan } else { &peak()?.plan };
        Some((memory.dtype.parse().ok()?, plan.clone()))
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.op()) {
            (Fma(bodies), _) => write!(f, "fma-{}", bodies * fma::BODY),
            (_, op) => f.write_str(op.map_or("", Op::name)),
        }
    }
}

/// A point to be measured, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PointRequest {
    point: Point,
    precision: Precision,
    plan: String,
    /// How well.
    pub mode: Mode,
}

/// Whether all of a device's energy is known at least as well as this mode measures it.
pub fn is_known(ceilings: &Ceilings, mode: Mode) -> bool {
    unknown(ceilings, mode).next().is_none()
}

/// The points that are not known as well as this mode measures them; `off` measures none.
fn unknown(ceilings: &Ceilings, mode: Mode) -> impl Iterator<Item = Point> {
    let known = ceilings.energy.as_ref().map_or(&[][..], |energy| &energy.points);
    let enough = move |point: &EnergyPoint| Mode::named(&point.mode).is_some_and(|of| of >= mode);
    let is_known = move |point: &Point| known.iter().any(|old| old.kernel == point.to_string() && enough(old));
    ALL.into_iter().filter(move |point| mode != Mode::Off && !is_known(point))
}

/// Measures what is not known yet of a device's energy, and puts it into its ceilings. The number is of requests that
/// failed.
///
/// # Errors
/// [`Stopped`] by the user.
pub fn energy(
    workers: &mut Workers<'_>,
    device: &DeviceId,
    profile: Profile,
    mode: Mode,
    ceilings: &mut Ceilings,
) -> Result<u32, Stopped> {
    let wanted: Vec<Point> = unknown(ceilings, mode).collect();
    let Some(effort) = Effort::of(mode).filter(|_| !wanted.is_empty()) else { return Ok(0) };
    ceilings.missing.retain(|missing| !missing.what.starts_with(MISSING));
    let mut known = ceilings.energy.take().map(|energy| energy.points).unwrap_or_default();
    let limit = seconds(profile, mode);
    let deadline = workers.timeout + effort.longest();
    let start = Instant::now();
    let mut failures = 0;
    let mut measured: Vec<EnergyPoint> = Vec::new();
    // The first that was not measured, and why nothing more is tried.
    let mut first: Option<Energy> = None;
    let mut over: Option<String> = None;
    let failed = |reason: String| Energy::without(EnergyStatus::Failed, reason);
    for point in wanted {
        let used_up = limit.filter(|&limit| start.elapsed().as_secs_f64() >= limit);
        let energy = match (&over, used_up, point.best(ceilings)) {
            (Some(why), ..) => failed(why.clone()),
            (_, Some(limit), _) => failed(format!("the {limit:.0} s for it are used up")),
            (.., None) => failed("its probe has reached no ceiling".to_owned()),
            (.., Some((precision, plan))) => {
                let request = PointRequest { point, precision, plan, mode };
                let stopped = workers.stopped;
                let answer = workers.on(device).and_then(|worker| worker.point(request, deadline, stopped));
                if answer.as_ref().map_or(true, |(_, device_lost)| *device_lost) {
                    workers.dismiss();
                }
                let mut give_up = false;
                let energy = match answer {
                    Ok((Ok(point), _)) if point.energy.status == EnergyStatus::Measured => {
                        measured.push(*point);
                        continue;
                    }
                    Ok((Ok(point), _)) => point.energy,
                    Ok((Err(energy), _)) => *energy,
                    Err(Failure::Interrupted) => return Err(Stopped),
                    Err(failure) => {
                        failures += 1;
                        give_up = matches!(failure, Failure::Closed(_)) || failures > FAILURES;
                        failed(failure.to_string())
                    }
                };
                // What keeps the first point from being measured keeps the others, too, and each would take long to find
                // that. But power that does not settle under one load may do so under another.
                give_up |= measured.is_empty() && energy.status != EnergyStatus::NonStationary;
                over = energy.reason.clone().filter(|_| give_up);
                energy
            }
        };
        let reason = energy.reason.clone().unwrap_or_default();
        ceilings.missing.push(Missing { what: format!("{MISSING}of {point}"), reason });
        first.get_or_insert(energy);
    }
    // Figures of different meters are not mixed.
    let meter = |point: &EnergyPoint| point.energy.meter.as_ref().map(|meter| meter.id.clone());
    known.retain(|old| measured.iter().all(|new| meter(new) == meter(old) && new.kernel != old.kernel));
    known.extend(measured);
    if known.is_empty() {
        // One reason says it all.
        ceilings.missing.retain(|missing| !missing.what.starts_with(MISSING));
    }
    ceilings.energy = Some(together(known, first, &mut ceilings.missing));
    Ok(failures)
}

/// Points with what follows from them.
fn together(points: Vec<EnergyPoint>, first: Option<Energy>, missing: &mut Vec<Missing>) -> EnergyCeilings {
    if points.is_empty() {
        let Energy { status, reason, tried, .. } =
            first.unwrap_or_else(|| Energy::without(EnergyStatus::Failed, "nothing was measured"));
        return EnergyCeilings { status, reason, tried, points, roofline: None };
    }
    let roofline = energy_roofline::of(&points).map_err(|reason| {
        missing.push(Missing { what: format!("{MISSING}roofline"), reason });
    });
    let status = EnergyStatus::Measured;
    EnergyCeilings { status, reason: None, tried: Vec::new(), points, roofline: roofline.ok() }
}

/// The worker's side: a point's energy, or why there is none for any. The flag says that nothing more can be run in this
/// process.
pub fn take_point(
    app: App,
    session: &Session,
    request: &PointRequest,
    found: &Found,
) -> (Result<Box<EnergyPoint>, Box<Energy>>, bool) {
    let metered = match found {
        Ok(metered) => metered,
        Err(energy) => return (Err(energy.clone()), false),
    };
    let &PointRequest { point, precision, ref plan, mode } = request;
    let caps = session.device().caps();
    let (operation, fields) = match point {
        Fma(bodies) => ("fma", sets::streamed(bodies, precision, caps)),
        _ => ("stream", point.op().map_or_else(probe::Fields::new, |op| sets::largest(op, precision, caps))),
    };
    let failed = |reason: String| (Err(Box::new(Energy::without(EnergyStatus::Failed, reason))), false);
    let case = (app.probes)()
        .operation(operation)
        .map_err(|error| error.to_string())
        .and_then(|operation| operation.case(precision, &fields).map_err(|error| error.0));
    let case = match case {
        Ok(case) => case,
        Err(reason) => return failed(reason),
    };
    let Some(chosen) = case.plans(caps).into_iter().find(|known| known.name() == *plan) else {
        return failed(format!("there is no plan {plan} for {}", case.shape_text()));
    };
    if let Some(reason) = session.too_large(&chosen.program(), 0) {
        return failed(reason);
    }
    let (energy, device_lost) = metered.energy(session, &*case, &*chosen, || measure::inputs(&*case, SEED));
    let work = measure::work(&*case);
    let joules = energy.figures.as_ref().map(|figures| figures.joules_per_run);
    let point = EnergyPoint {
        kernel: point.to_string(),
        dtype: precision.storage().name().to_owned(),
        plan: plan.clone(),
        mode: mode.name().to_owned(),
        work,
        pj_per_byte: joules.filter(|_| point.op().is_some()).map(|joules| joules / work.bytes * 1e12),
        energy,
    };
    (Ok(Box::new(point)), device_lost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use accelbench_reports::{Bandwidth, Peak, Verify, Work};

    fn measured(point: Point, mode: Mode) -> EnergyPoint {
        EnergyPoint {
            kernel: point.to_string(),
            dtype: "f64".to_owned(),
            plan: "native".to_owned(),
            mode: mode.name().to_owned(),
            work: Work { flop: 1.0, bytes: 1.0 },
            pj_per_byte: None,
            energy: Energy::without(EnergyStatus::Measured, ""),
        }
    }

    fn ceilings(points: Vec<EnergyPoint>) -> Ceilings {
        Ceilings { energy: Some(together(points, None, &mut Vec::new())), ..Ceilings::default() }
    }

    fn names(ceilings: &Ceilings, mode: Mode) -> Vec<String> {
        unknown(ceilings, mode).map(|point| point.to_string()).collect()
    }

    #[test]
    fn what_is_known_well_enough_is_not_measured_again() {
        let all = |mode: Mode| ceilings(ALL.map(|point| measured(point, mode)).to_vec());
        assert_eq!(names(&Ceilings::default(), Mode::Quick).len(), ALL.len());
        assert_eq!(names(&all(Mode::Quick), Mode::Full).len(), ALL.len());
        assert!(is_known(&all(Mode::Quick), Mode::Quick) && is_known(&all(Mode::Full), Mode::Quick));
        assert!(is_known(&Ceilings::default(), Mode::Off));
        let some = ceilings(ALL[1..].iter().map(|&point| measured(point, Mode::Quick)).collect());
        assert_eq!(names(&some, Mode::Quick), ["triad"]);
    }

    #[test]
    fn no_points_have_a_reason_and_too_few_no_roofline() {
        let first = Energy { tried: vec!["a meter".to_owned()], ..Energy::without(EnergyStatus::Contended, "shared") };
        let mut missing = Vec::new();
        let none = together(Vec::new(), Some(first), &mut missing);
        assert_eq!(
            (none.status, none.reason.as_deref(), none.tried.len()),
            (EnergyStatus::Contended, Some("shared"), 1)
        );
        assert!(missing.is_empty());
        let one = together(vec![measured(Triad, Mode::Quick)], None, &mut missing);
        assert_eq!((one.status, one.roofline, missing.len()), (EnergyStatus::Measured, None, 1));
        assert!(missing[0].what == "energy roofline" && missing[0].reason.contains("4 intensities"), "{missing:?}");
    }

    #[test]
    fn the_plan_is_the_one_that_reached_the_ceiling() {
        let verify = || Verify { method: "elementwise".to_owned(), checked: 1, max_error: Some(0.0), bound: 1.0 };
        let memory = Bandwidth {
            kernel: "triad".to_owned(),
            dtype: "f64".to_owned(),
            working_set_bytes: 1,
            bytes_per_s: 1.0,
            plan: "stream-2".to_owned(),
            verify: verify(),
        };
        let peak = |dtype: &str, plan: &str| Peak {
            dtype: dtype.to_owned(),
            unit: Unit::Vector,
            flop_per_s: 1.0,
            plan: plan.to_owned(),
            verify: verify(),
        };
        let peaks = vec![peak("f32", "fma-1x8"), peak("f64", "fma-1x4")];
        let ceilings = Ceilings { memory: vec![memory], peaks, ..Ceilings::default() };
        assert_eq!(Triad.best(&ceilings), Some((Precision::F64, "stream-2".to_owned())));
        assert_eq!(Fma(4).best(&ceilings), Some((Precision::F64, "fma-1x4".to_owned())));
        assert_eq!(Dot.best(&ceilings), Some((Precision::F64, "stream-2".to_owned())));
        assert_eq!(Fma(4).best(&Ceilings::default()), None);
    }
}
