//! Which of a library's algorithms is the fastest on this device.

use super::cause;
use crate::cuda::api::{check, driver};
use crate::cuda::context::Context;
use crate::cuda::timing::{EventPool, RESOLUTION_NS};
use crate::{Error, Result};
use std::fmt::Write;
use std::rc::Rc;

/// One algorithm.
pub(super) struct Candidate<W> {
    /// What it is, for the log.
    pub(super) name: String,
    pub(super) way: W,
}

/// What a race found.
pub(super) struct Race<W> {
    /// The fastest, and what it is.
    pub(super) way: W,
    pub(super) name: String,
    /// A line for each.
    pub(super) log: String,
}

/// A span is as many launches as make it this long, so that the clock's step does not count.
const SPAN_NS: f64 = 200.0 * RESOLUTION_NS;
/// But no more than these.
const MOST_LAUNCHES: f64 = 64.0;
/// Those that take this many times as long as the fastest are timed no more.
const HOPELESS: f64 = 1.5;
/// How often each of the others is timed, in turns.
const ROUNDS: usize = 5;

/// One that runs.
struct Runner<W> {
    candidate: Candidate<W>,
    launches: u32,
    /// Each span's time of one launch.
    ns: Vec<f64>,
}

impl<W> Runner<W> {
    fn median(&self) -> f64 {
        let mut ns = self.ns.clone();
        ns.sort_by(f64::total_cmp);
        ns[ns.len() / 2]
    }
}

/// Times all of them. Those that the library refuses to run are in the log, too.
///
/// # Errors
/// [`Error::Unsupported`] where none runs; whatever ends the device's work.
pub(super) fn fastest<W>(
    context: &Rc<Context>,
    candidates: Vec<Candidate<W>>,
    run: impl Fn(&W) -> Result<()>,
) -> Result<Race<W>> {
    let events = EventPool::new(context);
    let mut log = String::new();
    let mut runners = Vec::new();
    for candidate in candidates {
        match start(context, &events, candidate, &run)? {
            Ok(runner) => runners.push(runner),
            Err((name, error)) => {
                let _ = writeln!(log, "     refused  {name}: {error}");
            }
        }
    }
    let first = runners.iter().map(|runner| runner.ns[0]).min_by(f64::total_cmp).unwrap_or(0.0);
    for _ in 0..ROUNDS {
        for runner in runners.iter_mut().filter(|runner| runner.ns[0] <= first * HOPELESS) {
            let ns = span(&events, runner.launches, || run(&runner.candidate.way))?;
            runner.ns.push(ns);
        }
    }
    // Those of all rounds before those of the first only.
    runners.sort_by(|a, b| b.ns.len().cmp(&a.ns.len()).then_with(|| a.median().total_cmp(&b.median())));
    let mut times = String::new();
    for runner in &runners {
        let _ = writeln!(times, "{:9.2} us  {}", runner.median() / 1e3, runner.candidate.name);
    }
    let best = runners.into_iter().next().ok_or_else(|| Error::unsupported(format!("no algorithm runs:\n{log}")))?;
    let Candidate { name, way } = best.candidate;
    Ok(Race { way, name, log: times + &log })
}

type Refusal = (String, Error);

/// Runs a candidate for the first time, which may load code, and then times it once.
fn start<W>(
    context: &Context,
    events: &EventPool,
    candidate: Candidate<W>,
    run: &impl Fn(&W) -> Result<()>,
) -> Result<std::result::Result<Runner<W>, Refusal>> {
    if let Err(error) = run(&candidate.way) {
        return match cause(context, error) {
            error @ (Error::Unsupported { .. } | Error::Driver { .. }) => Ok(Err((candidate.name, error))),
            error => Err(error),
        };
    }
    context.synchronize()?;
    let mut ns = span(events, 1, || run(&candidate.way))?;
    let launches = (SPAN_NS / ns.max(1.0)).ceil().clamp(1.0, MOST_LAUNCHES) as u32;
    if launches > 1 {
        ns = span(events, launches, || run(&candidate.way))?;
    }
    Ok(Ok(Runner { candidate, launches, ns: vec![ns] }))
}

/// The time of one of so many launches.
fn span(events: &EventPool, launches: u32, run: impl Fn() -> Result<()>) -> Result<f64> {
    let begin = events.record()?;
    let ran = (0..launches).try_for_each(|_| run()).and_then(|()| events.record());
    let span = ran.and_then(|end| {
        // SAFETY: the event was recorded, and belongs to this context.
        let happened = check("cuEventSynchronize", unsafe { driver::cuEventSynchronize(end) });
        events.give_back([end]);
        happened.and_then(|()| EventPool::span([begin, end]))
    });
    events.give_back([begin]);
    Ok(span?.ns / f64::from(launches))
}
