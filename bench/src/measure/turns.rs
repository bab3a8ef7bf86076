//! Plans of one case that take turns, so that whatever else happens on the machine happens to all of them.

use super::{Effort, Loaded, Outcome, Session, sampling};
use accelbench_backends::Error;
use accelbench_kernels::{Case, Plan, Tensor};
use accelbench_reports::Status;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How plans take turns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turns {
    /// Turns of each plan.
    pub rounds: usize,
    /// How long each is warmed up, and how long a turn lasts, which is a batch.
    pub effort: Effort,
    /// A plan that takes so many times as long as the first one gets one turn only.
    pub hopeless: f64,
    /// Seconds of rest before each turn: threads of libraries wait in a loop for a while after their work, and would take
    /// from whoever has the next turn.
    pub rest_s: f64,
}

/// What of a plan's program has turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// The launch that takes longest, alone.
    Longest,
}

/// What became of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// The plan in one word.
    pub plan: String,
    /// SHA-256 of its kernels' sources; none where there is no such plan.
    pub source_sha256: Option<String>,
    /// Why it has no times.
    pub fault: Option<(Status, String)>,
    /// Nanoseconds of one run in each of its turns, in order; only of a plan whose output is right.
    pub ns: Vec<f64>,
}

impl Lane {
    /// Of a plan that was not run.
    pub fn faulty(plan: &str, status: Status, reason: impl Into<String>) -> Self {
        Self { plan: plan.to_owned(), source_sha256: None, fault: Some((status, reason.into())), ns: Vec::new() }
    }
}

/// A plan on the device.
struct Runner {
    loaded: Loaded,
    batch: u64,
    run_ns: f64,
    ns: Vec<f64>,
}

/// Has plans take turns, and checks each output after its last one. The flag says that nothing more can be run on this
/// device in this process.
pub fn take_turns(
    session: &Session,
    case: &dyn Case,
    plans: &[(Box<dyn Plan>, Part)],
    inputs: &[Tensor],
    turns: &Turns,
) -> (Vec<Lane>, bool) {
    let mut device_lost = false;
    let mut lanes = Vec::new();
    let mut runners: Vec<Option<Runner>> = Vec::new();
    let mut beside = 0;
    for (plan, part) in plans {
        let program = plan.program();
        let mut lane = Lane {
            plan: plan.name(),
            source_sha256: Some(program.source_sha256()),
            fault: session.too_large(&program, beside).map(|reason| (Status::Skipped, reason)),
            ns: Vec::new(),
        };
        let runner = if lane.fault.is_some() || device_lost {
            None
        } else {
            note(start(session, &program, *part, inputs, &turns.effort), &mut lane, &mut device_lost)
        };
        beside += if runner.is_some() { program.bytes() } else { 0 };
        lanes.push(lane);
        runners.push(runner);
    }
    let first_ns = runners.first().and_then(|runner| runner.as_ref()).map_or(f64::INFINITY, |runner| runner.run_ns);
    let count = plans.len();
    for round in 0..turns.rounds {
        for place in 0..count {
            // There and back again: what comes after what evens out.
            let index = if round % 2 == 0 { place } else { count - 1 - place };
            let Some(runner) = runners[index].as_mut() else { continue };
            if device_lost || round > 0 && runner.run_ns > turns.hopeless * first_ns {
                continue;
            }
            std::thread::sleep(Duration::from_secs_f64(turns.rest_s));
            match note(turn(session, runner), &mut lanes[index], &mut device_lost) {
                Some(ns) => runner.ns.push(ns),
                None => runners[index] = None,
            }
        }
    }
    for (lane, runner) in lanes.iter_mut().zip(runners) {
        let Some(Runner { mut loaded, ns, .. }) = runner.filter(|_| !device_lost) else { continue };
        let output = session.complete(&mut loaded).and_then(|()| session.output(&loaded, case));
        if let Some(output) = note(output, lane, &mut device_lost) {
            let verdict = case.verify(inputs, &output);
            if verdict.ok {
                lane.ns = ns;
            } else {
                let reason = format!("{} (error {:e}, bound {:e})", verdict.worst, verdict.max_error, verdict.bound);
                lane.fault = Some((Status::Wrong, reason));
            }
        }
    }
    if device_lost {
        let lost = || Some((Status::Failed, "the device was lost".to_owned()));
        lanes.iter_mut().filter(|lane| lane.fault.is_none()).for_each(|lane| {
            lane.fault = lost();
            lane.ns.clear();
        });
    }
    (lanes, device_lost)
}

fn start(
    session: &Session,
    program: &accelbench_kernels::Program,
    part: Part,
    inputs: &[Tensor],
    effort: &Effort,
) -> Result<Runner, Error> {
    let mut loaded = session.load(program, inputs, None)?;
    if part == Part::Longest {
        session.narrow(&mut loaded)?;
    }
    let warm = sampling::warm_up(session, &loaded, effort)?;
    Ok(Runner { loaded, batch: warm.batch, run_ns: warm.run_ns, ns: Vec::new() })
}

/// A batch, after a run that brings back into the caches what another plan pushed out.
fn turn(session: &Session, runner: &Runner) -> Result<f64, Error> {
    session.run_bare(&runner.loaded, 1)?;
    let span = session.run_batch(&runner.loaded, runner.batch)?;
    sampling::checked(span, runner.batch)
}

/// Puts an error into a lane.
fn note<T>(result: Result<T, Error>, lane: &mut Lane, device_lost: &mut bool) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            let outcome = Outcome::from(error);
            *device_lost |= outcome.device_lost;
            lane.fault = outcome.fault;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::inputs;
    use accelbench_backends::{DeviceId, Registry};
    use accelbench_kernels::{BufferRole, BufferSpec, Catalogue, Precision, Program};

    struct Wrong(Box<dyn Plan>);

    impl Plan for Wrong {
        fn variant(&self) -> String {
            self.0.variant()
        }

        fn name(&self) -> String {
            "wrong".to_owned()
        }

        /// The program without its last launch.
        fn program(&self) -> Program {
            let mut program = self.0.program();
            program.launches.pop();
            program
        }
    }

    /// A product with a second launch: another product, into a buffer of its own.
    struct Split {
        inner: Box<dyn Plan>,
        /// The other's shape.
        other: &'static str,
        /// Whether that one comes first.
        first: bool,
    }

    impl Plan for Split {
        fn variant(&self) -> String {
            self.inner.variant()
        }

        fn name(&self) -> String {
            format!("split-{}", self.first)
        }

        fn program(&self) -> Program {
            let mut program = self.inner.program();
            let other = Catalogue::builtin().case("gemm", Precision::F32, self.other).unwrap();
            let host = Registry::builtin().open(&DeviceId::new("host", 0)).unwrap();
            let second = other.plans(host.caps()).remove(0).program();
            let from = program.buffers.len();
            let scratch = |spec: &BufferSpec| BufferSpec { role: BufferRole::Scratch, ..spec.clone() };
            program.buffers.extend(second.buffers.iter().map(scratch));
            program.kernels.push(second.kernels[0].clone());
            let mut launch = second.launches[0].clone();
            launch.kernel = program.kernels.len() - 1;
            launch.buffers.iter_mut().for_each(|buffer| *buffer += from);
            program.launches.insert(usize::from(!self.first), launch);
            program
        }
    }

    #[test]
    fn the_longest_launch_is_left_and_the_output_is_completed() {
        let session = Session::new(Registry::builtin().open(&DeviceId::new("host", 0)).unwrap());
        for (shape, other, first, writes) in [
            ("256x256x256", "1x1x1", true, true),
            ("256x256x256", "1x1x1", false, true),
            ("8x8x8", "256x256x256", true, false),
        ] {
            let case = Catalogue::builtin().case("gemm", Precision::F32, shape).unwrap();
            let inputs = inputs(&*case, 1);
            let split = Split { inner: case.plans(session.device().caps()).remove(0), other, first };
            let mut loaded = session.load(&split.program(), &inputs, None).unwrap();
            session.narrow(&mut loaded).unwrap();
            session.poison(&loaded).unwrap();
            session.run_bare(&loaded, 1).unwrap();
            let right = |loaded: &Loaded| case.verify(&inputs, &session.output(loaded, &*case).unwrap()).ok;
            assert_eq!(right(&loaded), writes, "{shape} beside {other}, first: {first}");
            session.complete(&mut loaded).unwrap();
            assert!(right(&loaded), "{shape} beside {other}, first: {first}");
        }
    }

    #[test]
    fn a_part_s_output_is_checked() {
        let session = Session::new(Registry::builtin().open(&DeviceId::new("host", 0)).unwrap());
        let case = Catalogue::builtin().case("gemm", Precision::F32, "8x8x8").unwrap();
        let plan = || case.plans(session.device().caps()).remove(0);
        let effort = Effort { warmup_max_s: 0.01, batch_s: 1e-4, ..Effort::of(accelbench_kernels::Profile::Quick) };
        let turns = Turns { rounds: 3, effort, hopeless: 1e9, rest_s: 0.0 };
        let split = Split { inner: plan(), other: "256x256x256", first: true };
        let plans: Vec<(Box<dyn Plan>, Part)> =
            vec![(Box::new(split), Part::Longest), (Box::new(Wrong(plan())), Part::Longest)];
        let (lanes, _) = take_turns(&session, &*case, &plans, &inputs(&*case, 1), &turns);
        assert_eq!((lanes[0].ns.len(), &lanes[0].fault), (3, &None));
        assert_eq!(lanes[1].fault.as_ref().map(|(status, _)| *status), Some(Status::Wrong), "{lanes:?}");
    }

    #[test]
    fn a_right_plan_has_a_time_a_round_and_a_wrong_one_has_none() {
        let session = Session::new(Registry::builtin().open(&DeviceId::new("host", 0)).unwrap());
        let case = Catalogue::builtin().case("gemm", Precision::F32, "32x32x32").unwrap();
        let plan = || case.plans(session.device().caps()).remove(0);
        let plans: Vec<(Box<dyn Plan>, Part)> = vec![(plan(), Part::Whole), (Box::new(Wrong(plan())), Part::Whole)];
        let effort = Effort { warmup_max_s: 0.01, batch_s: 1e-4, ..Effort::of(accelbench_kernels::Profile::Quick) };
        let turns = Turns { rounds: 3, effort, hopeless: 1e9, rest_s: 0.0 };
        let (lanes, lost) = take_turns(&session, &*case, &plans, &inputs(&*case, 1), &turns);
        assert!(!lost);
        assert_eq!((lanes[0].ns.len(), &lanes[0].fault), (3, &None));
        assert!(lanes[1].ns.is_empty());
        assert_eq!(lanes[1].fault.as_ref().map(|(status, _)| *status), Some(Status::Wrong), "{lanes:?}");
    }
}
