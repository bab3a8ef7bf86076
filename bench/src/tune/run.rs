//! Driving a tuning: case by case within the time, each search's steps taken by the device's worker process.

use super::device::DeviceKey;
use super::known::{Best, Known};
use super::log::{Settled, Stage, Trial, Verdict};
use super::model::{self, Rates};
use super::search::{Candidate, Ended, Fault, Options, Outcome, Search, Step};
use super::table::{Entry, PlanId, Table};
use crate::case_id::{ANY_VARIANT, NO_VARIANT};
use crate::ceilings::Place;
use crate::measure::{Effort, Lane, Part, Turns};
use crate::plan::Planned;
use crate::probe::Machine;
use crate::worker::{Failure, TurnsRequest, Workers};
use crate::{App, CaseId, host};
use accelbench_backends::{DeviceId, DeviceInfo};
use accelbench_kernels::{Case, Catalogue, Precision, Profile};
use accelbench_reports::{Ceilings, PlanSource, Status};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// A case that is given less can't be tuned: a duel alone takes seconds.
const LEAST_S: f64 = 10.0;
/// A challenger may take so many times as long as the incumbent's proof, which compiled, ran and checked it, too.
const PATIENCE: f64 = 20.0;
/// And at least so long.
const LEAST_PATIENCE: Duration = Duration::from_secs(15);
/// What the last request may take beyond the budget.
const GRACE: Duration = Duration::from_secs(1);
/// Runs of the kernel that a search takes at least.
const FEWEST_RUNS: f64 = 40.0;
/// Turns of the incumbent alone.
const PROOF_TURNS: usize = 3;
/// A challenger that takes so many times as long as the incumbent has one turn only.
const HOPELESS: f64 = 1.5;

/// How a tuning is made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Time for all of it.
    pub budget: Duration,
    /// How long a worker may take over one request.
    pub timeout: Duration,
    /// Of the inputs.
    pub seed: u64,
    /// Kernel families that may win; empty for all.
    pub variants: Vec<String>,
}

/// A case that is tuned for its bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The case, of [`ANY_VARIANT`].
    pub id: CaseId,
    /// Floating-point operations of one run.
    pub flop: f64,
    /// Bytes that the engine needs in main memory.
    pub host_bytes: u64,
    /// What a log has of it already, in order.
    pub logged: Vec<Trial>,
}

/// What a tuning has to say while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// A case has its turn.
    Begun {
        /// The case.
        id: &'a CaseId,
        /// The plan that would be used now.
        incumbent: &'a str,
        /// Where it was known from.
        source: PlanSource,
        /// Plans that may win.
        candidates: usize,
    },
    /// A plan was measured.
    Trial(Box<Trial>),
    /// A case is done, and what won is kept.
    Settled(Box<Settled>),
    /// Something that hinders nothing.
    Note(String),
}

impl Problem {
    /// A case of [`ANY_VARIANT`], with what is planned of one of its variants and what a log has of it.
    pub fn new(id: CaseId, planned: &Planned, logged: Vec<Trial>) -> Self {
        Self { id, flop: planned.flop, host_bytes: planned.host_bytes, logged }
    }
}

/// The first case of each bucket, in order.
pub fn problems(catalogue: &Catalogue, planned: &[Planned]) -> Vec<Problem> {
    let mut known = BTreeSet::new();
    let mut problems = Vec::new();
    for planned in planned.iter().filter(|planned| planned.id.variant != NO_VARIANT) {
        let id = CaseId { variant: ANY_VARIANT.to_owned(), ..planned.id.clone() };
        let Ok(case) = catalogue.case(&id.op, id.precision, &id.shape) else { continue };
        if known.insert((id.device.clone(), id.op.clone(), id.precision, case.bucket())) {
            problems.push(Problem::new(id, planned, Vec::new()));
        }
    }
    problems
}

/// Tunes cases and hands each event to `tell`, which puts trials on disk.
///
/// # Errors
/// The first error of `tell`. What goes wrong with a case is its verdict.
pub fn run<E>(
    app: App,
    machine: &Machine,
    problems: &[Problem],
    settings: &Settings,
    known: &Known,
    stopped: &dyn Fn() -> bool,
    tell: impl FnMut(Event<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut driver = Driver {
        app,
        machine,
        settings,
        known,
        catalogue: (app.catalogue)(),
        workers: Workers::new(machine, settings.timeout, stopped),
        end: Instant::now() + settings.budget,
        rates: BTreeMap::new(),
        ceilings: BTreeMap::new(),
        tell,
    };
    let mut devices: Vec<&DeviceId> = problems.iter().map(|problem| &problem.id.device).collect();
    devices.dedup();
    for (place, device) in devices.iter().enumerate() {
        let own: Vec<&Problem> = problems.iter().filter(|problem| problem.id.device == **device).collect();
        let end = Instant::now() + driver.left() / (devices.len() - place) as u32;
        for (before, problem) in own.iter().enumerate() {
            let left = end.saturating_duration_since(Instant::now()).as_secs_f64();
            // What a case leaves over is its successors'.
            let share = (left / (own.len() - before) as f64).max(LEAST_S).min(left);
            match driver.case(problem, share) {
                Err(End::Told(error)) => return Err(error),
                Err(End::Stopped) => return Ok(()),
                Ok(()) => {}
            }
        }
    }
    Ok(())
}

/// Why a tuning ends early.
enum End<E> {
    /// The user ended it.
    Stopped,
    /// What it had to say can't be kept.
    Told(E),
}

/// Why a search ends early.
enum Over<E> {
    End(End<E>),
    /// The device can't be opened any more.
    Closed(String),
}

impl<E> From<End<E>> for Over<E> {
    fn from(end: End<E>) -> Self {
        Self::End(end)
    }
}

struct Driver<'a, T> {
    app: App,
    machine: &'a Machine,
    settings: &'a Settings,
    known: &'a Known,
    catalogue: Catalogue,
    workers: Workers<'a>,
    /// When the budget is used up.
    end: Instant,
    /// The best rate so far of each device, operation and type, in FLOP/s.
    rates: BTreeMap<(DeviceId, String, Precision), f64>,
    /// What is kept of each device that had its turn.
    ceilings: BTreeMap<DeviceId, Option<Ceilings>>,
    tell: T,
}

/// A case with all that a search of it needs.
struct Site<'a> {
    problem: &'a Problem,
    device: &'a DeviceInfo,
    case: Box<dyn Case>,
    candidates: Vec<Candidate>,
    incumbent: usize,
    source: PlanSource,
    /// When its share is used up.
    end: Instant,
    /// What the incumbent's proof took.
    proof: Duration,
}

impl Site<'_> {
    fn incumbent(&self) -> &str {
        &self.candidates[self.incumbent].plan
    }

    /// Its verdict, before anything else is known.
    fn settled(&self, verdict: Verdict, reason: Option<String>) -> Settled {
        Settled {
            case: self.problem.id.to_string(),
            verdict,
            reason,
            incumbent: Some(self.incumbent().to_owned()),
            source: Some(self.source),
            plan: Some(self.incumbent().to_owned()),
            gain: None,
            candidates: self.candidates.len(),
            tried: 0,
            faults: BTreeMap::new(),
            seconds: 0.0,
        }
    }
}

impl<E, T: FnMut(Event<'_>) -> Result<(), E>> Driver<'_, T> {
    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Tunes a case within its share of seconds.
    fn case(&mut self, problem: &Problem, share: f64) -> Result<(), End<E>> {
        let start = Instant::now();
        let machine = self.machine;
        let Some(device) = machine.devices().find(|device| device.id == problem.id.device) else { return Ok(()) };
        let Some(site) = self.site(problem, device, start + Duration::from_secs_f64(share)) else { return Ok(()) };
        let begun = Event::Begun {
            id: &problem.id,
            incumbent: site.incumbent(),
            source: site.source,
            candidates: site.candidates.len(),
        };
        (self.tell)(begun).map_err(End::Told)?;
        let settled = if site.candidates.len() < 2 {
            site.settled(Verdict::Single, None)
        } else if let Some(reason) = self.too_much(problem, share) {
            site.settled(Verdict::Skipped, Some(reason))
        } else {
            self.search(site, share)?
        };
        let settled = Settled { seconds: start.elapsed().as_secs_f64(), ..settled };
        (self.tell)(Event::Settled(Box::new(settled))).map_err(End::Told)
    }

    /// What there is to choose from; none where the device has no plan for the case.
    fn site<'a>(&mut self, problem: &'a Problem, device: &'a DeviceInfo, end: Instant) -> Option<Site<'a>> {
        let (id, caps) = (&problem.id, &device.caps);
        let case = self.catalogue.case(&id.op, id.precision, &id.shape).ok()?;
        let libraries = caps.libraries(&id.op);
        let preferred: Vec<(String, String)> =
            case.plans(caps).iter().map(|plan| (plan.name(), plan.variant())).collect();
        // A library has a row of its own in every run. Where there is nothing else, libraries race.
        let any_own = preferred.iter().any(|(_, variant)| !libraries.contains(variant));
        let takes_part = |variant: &String| !any_own || !libraries.contains(variant);
        let (incumbent, source) = match self.known.best(device, &*case) {
            Some(Best { plan, source, .. }) => (plan, source),
            None => (preferred.iter().find(|(_, variant)| takes_part(variant))?.0.clone(), PlanSource::Default),
        };
        let rates = self.device_rates(device, id.precision);
        let chosen = |variant: &String| self.settings.variants.is_empty() || self.settings.variants.contains(variant);
        let mut candidates = Vec::new();
        for plan in case.space(caps) {
            let (name, variant) = (plan.name(), plan.variant());
            if name == incumbent || takes_part(&variant) && chosen(&variant) {
                candidates.push(Candidate {
                    preferred: preferred.iter().any(|(known, _)| *known == name),
                    sizes: plan.sizes(),
                    model_s: plan.demand().map(|demand| model::seconds(&demand, caps, rates)),
                    plan: name,
                    variant,
                });
            }
        }
        let incumbent = candidates.iter().position(|candidate| candidate.plan == incumbent)?;
        Some(Site { problem, device, case, candidates, incumbent, source, end, proof: Duration::ZERO })
    }

    /// The device's rates by its kept ceilings, where there are any.
    fn device_rates(&mut self, device: &DeviceInfo, precision: Precision) -> Rates {
        let kept = || Place::of(self.app, device).load(Profile::Quick);
        let kept = self.ceilings.entry(device.id.clone()).or_insert_with(kept);
        let Some(ceilings) = kept else { return Rates::default() };
        let names = [precision.name(), precision.accumulate().name()];
        let peaks = ceilings.peaks.iter().filter(|peak| names.contains(&peak.dtype.as_str()));
        let usual = Rates::default();
        let above = |floor: f64, best: f64| if best > 0.0 { best } else { floor };
        Rates {
            flop_per_s: above(usual.flop_per_s, peaks.map(|peak| peak.flop_per_s).fold(0.0, f64::max)),
            bytes_per_s: above(
                usual.bytes_per_s,
                ceilings.memory.iter().map(|memory| memory.bytes_per_s).fold(0.0, f64::max),
            ),
        }
    }

    /// Why a case is left out before anything is spent on it.
    fn too_much(&self, problem: &Problem, share: f64) -> Option<String> {
        let id = &problem.id;
        if let Some(rate) = self.rates.get(&(id.device.clone(), id.op.clone(), id.precision)) {
            let seconds = FEWEST_RUNS * problem.flop / rate;
            if seconds > share {
                return Some(format!(
                    "it would take at least {seconds:.0} s at the {:.1} GFLOP/s seen so far, and its share is {share:.0} s",
                    rate * 1e-9
                ));
            }
        }
        if share < LEAST_S / 2.0 {
            return Some("the budget is used up".to_owned());
        }
        // Two plans at a time have their inputs and outputs each.
        let available = host::available_memory()?;
        (2 * problem.host_bytes > available).then(|| {
            format!(
                "it needs {:.1} GiB of main memory and {:.1} GiB are available",
                2.0 * problem.host_bytes as f64 / f64::from(1 << 30),
                available as f64 / f64::from(1 << 30)
            )
        })
    }

    fn search(&mut self, mut site: Site<'_>, share: f64) -> Result<Settled, End<E>> {
        let logged = &site.problem.logged;
        // What is known from the log took its time in the session that measured it.
        let known_s: f64 = logged.iter().map(|trial| trial.seconds).sum();
        let options = Options { budget_s: share + known_s, ..Options::default() };
        let mut search = Search::new(site.candidates.clone(), site.incumbent, options);
        let mut logged: VecDeque<&Trial> = logged.iter().collect();
        loop {
            if (self.workers.stopped)() {
                return Err(End::Stopped);
            }
            let step = search.step();
            let Some(asked) = Asked::of(step, &site) else { break };
            let (outcome, seconds) = if let Some(trial) = logged.pop_front().filter(|trial| asked.is(trial)) {
                site.proof = if step == Step::Prove { Duration::from_secs_f64(trial.seconds) } else { site.proof };
                (outcome_of(trial), trial.seconds)
            } else {
                // A search that goes another way has no use for the rest.
                logged.clear();
                match self.measure(&asked, &mut site) {
                    Ok(measured) => measured,
                    Err(Over::End(end)) => return Err(end),
                    Err(Over::Closed(reason)) => return Ok(site.settled(Verdict::Failed, Some(reason))),
                }
            };
            search.record(outcome, seconds);
        }
        self.settle(&site, &search)
    }

    /// Has the worker take a step, and keeps what came of it.
    fn measure(&mut self, asked: &Asked, site: &mut Site<'_>) -> Result<(Outcome, f64), Over<E>> {
        let start = Instant::now();
        if asked.stage == Stage::Duel {
            self.workers.dismiss();
        }
        let id = &site.problem.id;
        let request = TurnsRequest {
            case: id.clone(),
            plans: asked.against.iter().chain([&asked.plan]).map(|plan| (plan.clone(), Part::Whole)).collect(),
            seed: self.settings.seed,
            turns: turns(asked.stage, asked.pairs),
        };
        // A proof may take the case's share, and is then no fault: the case is too large for it.
        let patience = match asked.stage {
            Stage::Proof => site.end.saturating_duration_since(start).max(LEAST_PATIENCE),
            Stage::Trial | Stage::Duel => site.proof.mul_f64(PATIENCE).max(LEAST_PATIENCE),
        };
        let patience = patience.min(self.settings.timeout);
        let deadline = patience.min(self.left() + GRACE);
        let out_of_time = deadline < patience || asked.stage == Stage::Proof && patience < self.settings.timeout;
        let stopped = self.workers.stopped;
        let answer = self.workers.on(&id.device).and_then(|worker| worker.take_turns(request, deadline, stopped));
        if answer.as_ref().map_or(true, |(_, device_lost)| *device_lost) {
            self.workers.dismiss();
        }
        let fault = |status, reason: String| Outcome::Fault(Fault { status, reason });
        let outcome = match answer {
            Ok((lanes, _)) => {
                if asked.stage == Stage::Proof {
                    self.remember(site.problem, &lanes);
                }
                outcome_of_lanes(&lanes)
            }
            Err(Failure::Interrupted) => return Err(End::Stopped.into()),
            Err(Failure::Closed(reason)) => return Err(Over::Closed(reason)),
            Err(Failure::Timeout(_)) if out_of_time => Outcome::NoTime,
            Err(failure @ Failure::Timeout(_)) => fault(Status::Timeout, failure.to_string()),
            Err(failure) => fault(Status::Crashed, failure.to_string()),
        };
        let taken = start.elapsed();
        if asked.stage == Stage::Proof {
            site.proof = taken;
        }
        let trial = match &outcome {
            Outcome::Pairs(pairs) => Some((pairs.clone(), None)),
            Outcome::Fault(fault) => Some((Vec::new(), Some(fault.clone()))),
            // Another session may have the time.
            Outcome::NoTime => None,
        };
        if let Some((pairs, fault)) = trial {
            let trial = Trial {
                case: id.to_string(),
                stage: asked.stage,
                plan: asked.plan.clone(),
                against: asked.against.clone(),
                pairs,
                fault,
                seconds: taken.as_secs_f64(),
            };
            (self.tell)(Event::Trial(Box::new(trial))).map_err(End::Told)?;
        }
        Ok((outcome, taken.as_secs_f64()))
    }

    /// What the search found; what won is kept.
    fn settle(&mut self, site: &Site<'_>, search: &Search) -> Result<Settled, End<E>> {
        let faults = search.faults().map(|(candidate, fault)| (candidate.plan.clone(), fault.clone())).collect();
        let found = |verdict, reason| Settled { tried: search.tried(), faults, ..site.settled(verdict, reason) };
        let Some((winner, win)) = search.winner() else {
            return Ok(match search.ended() {
                Some(Ended::Incumbent) => {
                    let reason = search.faults().next().map(|(_, fault)| format!("{}: {}", fault.status, fault.reason));
                    let too_large = search.faults().any(|(_, fault)| fault.status == Status::Skipped);
                    found(if too_large { Verdict::Skipped } else { Verdict::Failed }, reason)
                }
                Some(Ended::TooShort) => {
                    found(Verdict::Skipped, Some("its share of the budget is too short for one challenger".to_owned()))
                }
                Some(Ended::Budget) => found(Verdict::Kept, Some("its share of the budget is used up".to_owned())),
                Some(Ended::Exhausted) | None => found(Verdict::Kept, None),
            });
        };
        let settled =
            Settled { plan: Some(winner.plan.clone()), gain: Some(win.into()), ..found(Verdict::Better, None) };
        let caps = &site.device.caps;
        let identify = |name: &str| Some(PlanId::of(&*site.case.plan(caps, name)?));
        let default = site.case.plans(caps).first().map(|plan| PlanId::of(&**plan));
        let kept = match (identify(&winner.plan), identify(site.incumbent()), default) {
            (Some(winner), Some(over), Some(default)) => {
                let (host, suite) = (host::host(), host::suite());
                let entry = Entry {
                    op: site.problem.id.op.clone(),
                    dtype: site.problem.id.precision,
                    bucket: site.case.bucket(),
                    shape: site.problem.id.shape.clone(),
                    winner,
                    over,
                    default,
                    by: win.into(),
                    tuned: jiff::Timestamp::now().to_string(),
                    program: suite.version,
                    commit: suite.git_commit,
                };
                Table::keep(&DeviceKey::of(self.machine, site.device), &host.cpu, entry)
            }
            _ => Err("a plan has no kernel".to_owned()),
        };
        if let Err(error) = kept {
            let note = format!("what won of {} is not kept: {error}", site.problem.id);
            (self.tell)(Event::Note(note)).map_err(End::Told)?;
        }
        Ok(settled)
    }

    fn remember(&mut self, problem: &Problem, lanes: &[Lane]) {
        let id = &problem.id;
        let fastest = lanes.iter().flat_map(|lane| lane.ns.iter().copied()).fold(f64::INFINITY, f64::min);
        let best = self.rates.entry((id.device.clone(), id.op.clone(), id.precision)).or_default();
        *best = best.max(problem.flop / (fastest * 1e-9));
    }
}

/// A step, by the names that logs have.
struct Asked {
    stage: Stage,
    plan: String,
    against: Option<String>,
    pairs: usize,
}

impl Asked {
    /// None where nothing is asked for any more.
    fn of(step: Step, site: &Site<'_>) -> Option<Self> {
        let incumbent = || site.incumbent().to_owned();
        let challenge = |stage, plan: usize, pairs| {
            let plan = site.candidates[plan].plan.clone();
            Self { stage, plan, against: Some(incumbent()), pairs }
        };
        match step {
            Step::Prove => Some(Self { stage: Stage::Proof, plan: incumbent(), against: None, pairs: PROOF_TURNS }),
            Step::Trial { plan, pairs } => Some(challenge(Stage::Trial, plan, pairs)),
            Step::Duel { plan, pairs, .. } => Some(challenge(Stage::Duel, plan, pairs)),
            Step::Done => None,
        }
    }

    /// Whether a trial answers it.
    fn is(&self, trial: &Trial) -> bool {
        let enough = trial.fault.is_some() || self.stage == Stage::Proof || !trial.pairs.is_empty();
        (self.stage, &self.plan, &self.against) == (trial.stage, &trial.plan, &trial.against) && enough
    }
}

/// How plans take turns: duels are of longer ones.
fn turns(stage: Stage, rounds: usize) -> Turns {
    let (warmup_min_s, warmup_max_s, batch_s) = match stage {
        Stage::Duel => (0.05, 0.3, 0.02),
        Stage::Proof | Stage::Trial => (0.0, 0.1, 0.005),
    };
    let effort = Effort { warmup_min_s, warmup_max_s, batch_s, ..Effort::of(Profile::Quick) };
    Turns { rounds, effort, hopeless: HOPELESS, rest_s: 0.0 }
}

/// What was measured, as a search takes it. The incumbent, which ran by itself before, is not at fault beside a
/// challenger.
fn outcome_of_lanes(lanes: &[Lane]) -> Outcome {
    let fault = |status, reason: String| Outcome::Fault(Fault { status, reason });
    let faulty = |lane: &Lane| lane.fault.clone();
    match lanes {
        [alone] => faulty(alone).map_or(Outcome::Pairs(Vec::new()), |(status, reason)| fault(status, reason)),
        [incumbent, challenger] => match (faulty(challenger), faulty(incumbent)) {
            (Some((status, reason)), _) => fault(status, reason),
            (None, Some((status, reason))) => fault(status, format!("beside it, {} fails: {reason}", incumbent.plan)),
            (None, None) => {
                let pairs = incumbent.ns.iter().zip(&challenger.ns);
                Outcome::Pairs(pairs.map(|(before, after)| (after / before).ln()).collect())
            }
        },
        _ => fault(Status::Failed, "it was not measured".to_owned()),
    }
}

fn outcome_of(trial: &Trial) -> Outcome {
    trial.fault.clone().map_or_else(|| Outcome::Pairs(trial.pairs.clone()), Outcome::Fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(plan: &str, ns: &[f64]) -> Lane {
        Lane { plan: plan.to_owned(), source_sha256: None, fault: None, ns: ns.to_vec() }
    }

    #[test]
    fn pairs_are_ratios_to_the_incumbent() {
        let outcome = outcome_of_lanes(&[lane("old", &[2.0, 4.0, 4.0]), lane("new", &[1.0, 4.0])]);
        assert_eq!(outcome, Outcome::Pairs(vec![0.5f64.ln(), 0.0]));
        assert_eq!(outcome_of_lanes(&[lane("old", &[2.0])]), Outcome::Pairs(Vec::new()));
    }

    #[test]
    fn whatever_fails_beside_it_is_the_challenger_s_fault() {
        let wrong = Lane::faulty("new", Status::Wrong, "row 1");
        let lost = Lane::faulty("old", Status::Failed, "lost");
        for lanes in [vec![lane("old", &[1.0]), wrong.clone()], vec![lost.clone(), wrong]] {
            assert!(matches!(outcome_of_lanes(&lanes), Outcome::Fault(fault) if fault.status == Status::Wrong));
        }
        let outcome = outcome_of_lanes(&[lost, lane("new", &[1.0])]);
        assert!(matches!(outcome, Outcome::Fault(fault) if fault.reason.contains("beside it, old fails: lost")));
        assert!(matches!(outcome_of_lanes(&[]), Outcome::Fault(_)));
    }

    #[test]
    fn a_bucket_has_one_problem() {
        let catalogue = Catalogue::builtin();
        let planned = |case: &str| {
            let id: CaseId = case.parse().unwrap();
            Planned { id, flop: 1.0, host_bytes: 1, fields: BTreeMap::new(), named: None, best: None }
        };
        let planned = [
            planned("gemm/f32/1000x1000x1000/tiled@opencl:0"),
            planned("gemm/f32/1024x1024x1024/tiled@opencl:0"),
            planned("gemm/f32/1024x1024x1024/clib@opencl:0"),
            planned("gemm/f32/1024x1024x1024/tiled@opencl:1"),
            planned("gemm/f64/1024x1024x1024/tiled@opencl:0"),
            planned("gemm/f16/1024x1024x1024/none@opencl:0"),
        ];
        let ids: Vec<String> = problems(&catalogue, &planned).iter().map(|problem| problem.id.to_string()).collect();
        let expected = [
            "gemm/f32/1000x1000x1000/any@opencl:0",
            "gemm/f32/1024x1024x1024/any@opencl:1",
            "gemm/f64/1024x1024x1024/any@opencl:0",
        ];
        assert_eq!(ids, expected);
    }
}
