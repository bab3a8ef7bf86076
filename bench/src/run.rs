//! Driving a run: a worker for each device in turn, a row for each case, whatever happens to the worker.

use crate::case_id::NO_VARIANT;
use crate::measure::Effort;
use crate::plan::Planned;
use crate::probe::Machine;
use crate::worker::{Failure, Request, Worker};
use crate::{CaseId, host};
use accelbench_backends::DeviceId;
use accelbench_kernels::{Profile, fill};
use accelbench_reports::{CacheMode, Provenance, ResultRow, Status};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// How a run is made.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// How much is run.
    pub profile: Profile,
    /// Warm or cold caches.
    pub cache: CacheMode,
    /// Of the inputs.
    pub seed: u64,
    /// A plan by name, instead of each variant's preferred one.
    pub plan: Option<String>,
    /// How long a worker may take over one case.
    pub timeout: Duration,
    /// How long each device may take in all; none means no limit.
    pub budget: Option<Duration>,
    /// How long one case may take by what the device has shown so far; none means no limit.
    pub case_limit: Option<Duration>,
}

impl RunSettings {
    /// The time that a profile gives a device, and a case.
    pub const fn limits(profile: Profile) -> (Option<Duration>, Option<Duration>) {
        match profile {
            Profile::Quick => (Some(Duration::from_secs(12)), Some(Duration::from_secs(2))),
            Profile::Standard => (Some(Duration::from_secs(65)), Some(Duration::from_secs(5))),
            Profile::Full => (Some(Duration::from_mins(30)), Some(Duration::from_mins(2))),
        }
    }
}

/// Runs cases in order and hands each one's row to `row`, which puts it on disk and shows it.
///
/// # Errors
/// The first error of `row`: a row that can't be kept ends the run. A case's own failure is a row, not an error.
pub fn run<E>(
    machine: &Machine,
    cases: &[Planned],
    settings: &RunSettings,
    stopped: &dyn Fn() -> bool,
    mut row: impl FnMut(ResultRow) -> Result<(), E>,
) -> Result<(), E> {
    let mut driver =
        Driver { machine, settings, stopped, worker: None, closed: BTreeMap::new(), rates: BTreeMap::new() };
    let mut spent: BTreeMap<&DeviceId, Duration> = BTreeMap::new();
    for planned in cases {
        if stopped() {
            return Ok(());
        }
        let start = Instant::now();
        let used = spent.entry(&planned.id.device).or_default();
        let outcome = match settings.budget {
            Some(budget) if *used >= budget => Ok(left_out(
                planned,
                settings,
                format!(
                    "the {} s of the {} profile for this device are used up; --full gives more, and the command runs it alone",
                    budget.as_secs(),
                    settings.profile.name()
                ),
            )),
            _ => driver.case(planned),
        };
        match outcome {
            Ok(result) => row(result)?,
            Err(Stopped) => return Ok(()),
        }
        *used += start.elapsed();
    }
    Ok(())
}

/// After so many tries a device that does not open is not tried again: each may last to the deadline.
const OPEN_TRIES: u32 = 2;

/// The user ended the run.
struct Stopped;

struct Driver<'a> {
    machine: &'a Machine,
    settings: &'a RunSettings,
    stopped: &'a dyn Fn() -> bool,
    worker: Option<Worker>,
    /// Devices that could not be opened, how often, and why the last time.
    closed: BTreeMap<DeviceId, (u32, Failure)>,
    /// The best rate so far of each device, operation and type, in FLOP/s.
    rates: BTreeMap<(String, String, &'static str), f64>,
}

impl Driver<'_> {
    fn case(&mut self, planned: &Planned) -> Result<ResultRow, Stopped> {
        if let Some(reason) = self.too_much(planned) {
            return Ok(left_out(planned, self.settings, reason));
        }
        let request = Request {
            case: planned.id.clone(),
            plan: self.settings.plan.clone(),
            seed: self.settings.seed,
            cache: self.settings.cache,
            effort: Effort::of(self.settings.profile),
        };
        if let Err(failure) = self.ready(&planned.id) {
            return failed(planned, self.settings, failure);
        }
        let Some(worker) = &mut self.worker else { return Err(Stopped) };
        match worker.measure(&request, self.settings.timeout, self.stopped) {
            Ok((row, device_lost)) => {
                if device_lost {
                    self.worker = None;
                }
                let row = complete(planned, self.settings, row);
                self.remember(planned, &row);
                Ok(row)
            }
            Err(failure) => {
                self.worker = None;
                failed(planned, self.settings, failure)
            }
        }
    }

    /// Sees to it that a worker has the case's device open.
    fn ready(&mut self, id: &CaseId) -> Result<(), Failure> {
        if self.worker.as_ref().is_some_and(|worker| worker.device.id == id.device) {
            return Ok(());
        }
        if let Some((OPEN_TRIES.., failure)) = self.closed.get(&id.device) {
            return Err(failure.clone());
        }
        self.worker = None;
        let worker = Worker::start(&id.device, self.settings.timeout, self.stopped);
        let probed = self.machine.devices().find(|device| device.id == id.device);
        match worker {
            Ok(worker) if probed.is_some_and(|device| device.name != worker.device.name) => Err(Failure::Closed(
                format!("{} is now `{}`: the machine's devices changed", id.device, worker.device.name),
            )),
            Ok(worker) => {
                self.worker = Some(worker);
                Ok(())
            }
            Err(failure) => {
                let (tries, last) = self.closed.entry(id.device.clone()).or_insert((0, failure.clone()));
                *tries += 1;
                last.clone_from(&failure);
                Err(failure)
            }
        }
    }

    /// Why a case is left out before anything is spent on it.
    fn too_much(&self, planned: &Planned) -> Option<String> {
        if let Some(limit) = self.settings.case_limit
            && let Some(rate) = self.rates.get(&key(&planned.id))
        {
            let seconds = planned.flop / rate * Effort::of(self.settings.profile).runs_min();
            if seconds > limit.as_secs_f64() {
                return Some(format!(
                    "it would take about {seconds:.0} s at the {:.1} GFLOP/s seen so far, and the {} profile gives a \
                         case {} s; --full gives more, and the command runs it alone",
                    rate * 1e-9,
                    self.settings.profile.name(),
                    limit.as_secs()
                ));
            }
        }
        let available = host::available_memory()?;
        (planned.host_bytes > available).then(|| {
            format!(
                "inputs, output and truth need {:.1} GiB of main memory and {:.1} GiB are available",
                planned.host_bytes as f64 / f64::from(1 << 30),
                available as f64 / f64::from(1 << 30)
            )
        })
    }

    fn remember(&mut self, planned: &Planned, row: &ResultRow) {
        if let Some(rate) = row.rate {
            let best = self.rates.entry(key(&planned.id)).or_default();
            *best = best.max(rate.flop_per_s);
        }
    }
}

fn key(id: &CaseId) -> (String, String, &'static str) {
    (id.device.to_string(), id.op.clone(), id.precision.name())
}

fn failed(planned: &Planned, settings: &RunSettings, failure: Failure) -> Result<ResultRow, Stopped> {
    let (status, reason) = match failure {
        Failure::Crashed(how) => (Status::Crashed, how),
        Failure::Timeout(after) => (
            Status::Timeout,
            format!("no answer within {} s, so the worker was ended; --timeout gives more", after.as_secs_f64()),
        ),
        Failure::Closed(reason) => (Status::Failed, reason),
        Failure::Interrupted => return Err(Stopped),
    };
    Ok(complete(planned, settings, bare(planned, status, reason)))
}

fn left_out(planned: &Planned, settings: &RunSettings, reason: String) -> ResultRow {
    complete(planned, settings, bare(planned, Status::Skipped, reason))
}

/// A row for a case that no worker answered for.
fn bare(planned: &Planned, status: Status, reason: String) -> ResultRow {
    let id = &planned.id;
    let value = |text: &String| text.parse::<u64>().map_or_else(|_| Value::from(text.as_str()), Value::from);
    ResultRow {
        case: id.to_string(),
        op: id.op.clone(),
        dtype: id.precision.name().to_owned(),
        shape: planned.fields.iter().map(|(name, text)| (name.clone(), value(text))).collect::<Map<_, _>>(),
        origin: None,
        phase: None,
        variant: id.variant.clone(),
        device: id.device.to_string(),
        status,
        reason: Some(reason),
        verify: None,
        timing: None,
        work: None,
        rate: None,
        energy: None,
        provenance: None,
    }
}

/// Adds what only the plan knows: the shape's origin, and the command that gives this row again.
fn complete(planned: &Planned, settings: &RunSettings, mut row: ResultRow) -> ResultRow {
    if let Some(named) = &planned.named {
        row.origin = Some(named.origin.to_owned());
        row.phase = Some(named.phase.name().to_owned());
    }
    let provenance = row.provenance.get_or_insert_with(|| Provenance {
        source_sha256: None,
        plan: None,
        seed: settings.seed,
        fill: fill::NORMAL.to_owned(),
        command: String::new(),
    });
    provenance.command = command(planned, settings, provenance.plan.as_deref());
    row
}

fn command(planned: &Planned, settings: &RunSettings, plan: Option<&str>) -> String {
    let id = &planned.id;
    let fields: Vec<String> = planned.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut command = format!(
        "accelbench run {}:{} --dtype {} --device {} --seed {}",
        id.op,
        fields.join(","),
        id.precision,
        id.device,
        settings.seed
    );
    if id.variant != NO_VARIANT {
        let _ = write!(command, " --variant {}", id.variant);
    }
    if let Some(plan) = plan {
        let _ = write!(command, " --plan {plan}");
    }
    if settings.cache == CacheMode::Cold {
        command.push_str(" --cache cold");
    }
    match settings.profile {
        Profile::Quick => command.push_str(" --quick"),
        Profile::Standard => {}
        Profile::Full => command.push_str(" --full"),
    }
    command
}
