//! Driving a run: a worker for each device in turn, its ceilings first, then a row for each case, whatever happens to the
//! worker.

use crate::ceilings::{self, Place, Stopped};
use crate::energy::{self, Mode};
use crate::libraries::Libraries;
use crate::measure::Effort;
use crate::plan::Planned;
use crate::probe::Machine;
use crate::rows::{bare, complete, left_out};
use crate::worker::{CaseRequest, Failure, Measured, Workers};
use crate::{App, CaseId, host, roofline};
use accelbench_backends::DeviceId;
use accelbench_kernels::Profile;
use accelbench_kernels::fill::Fill;
use accelbench_reports::roofline::of_row;
use accelbench_reports::{CacheMode, Ceiling, Ceilings, Energy, EnergyStatus, ResultRow, Status};
use std::collections::{BTreeMap, BTreeSet};
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
    /// What the inputs hold.
    pub fill: Fill,
    /// A plan by name, instead of each variant's preferred one.
    pub plan: Option<String>,
    /// How long a worker may take over one case.
    pub timeout: Duration,
    /// How long each device may take over its cases; none means no limit.
    pub budget: Option<Duration>,
    /// Whether energy is measured, and how well.
    pub energy: Mode,
    /// Whether what a byte and a FLOP take is measured where it is not known yet, and how well.
    pub ceilings_energy: Mode,
    /// Rated power in watts by device, as the user states it: what bounds energy where there is no meter.
    pub rated_power_w: BTreeMap<String, f64>,
    /// How long one case may take by what the device has shown so far; none means no limit.
    pub case_limit: Option<Duration>,
}

impl RunSettings {
    /// The time that a profile gives a device's cases, and one case. Probing its ceilings comes on top.
    pub const fn limits(profile: Profile) -> (Option<Duration>, Option<Duration>) {
        match profile {
            Profile::Quick => (Some(Duration::from_secs(11)), Some(Duration::from_secs(2))),
            Profile::Standard => (Some(Duration::from_secs(55)), Some(Duration::from_secs(5))),
            Profile::Full => (Some(Duration::from_mins(30)), Some(Duration::from_mins(2))),
        }
    }
}

/// How often a device is probed anew until a rate that is above its ceilings is not: what else runs on the machine takes
/// from a probe, too.
const DOUBTS: u32 = 3;

/// What a run has to say while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// A device is being probed, which takes seconds.
    Probing(&'a DeviceId),
    /// What a byte and a FLOP take on a device is being measured, which takes a minute.
    Metering(&'a DeviceId),
    /// Something that hinders nothing.
    Note(String),
    /// A device's ceilings; rows that follow are held against them.
    Ceilings(Box<Ceilings>),
    /// A case's row.
    Row(Box<ResultRow>),
}

/// What a resumed run has already.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// Its ceilings.
    pub ceilings: Vec<Ceilings>,
    /// Its rows.
    pub rows: Vec<ResultRow>,
}

/// Runs cases in order and hands each event to `tell`, which puts rows and ceilings on disk and shows them.
///
/// # Errors
/// The first error of `tell`: a row that can't be kept ends the run. A case's own failure is a row, not an error.
pub fn run<E>(
    app: App,
    machine: &Machine,
    cases: &[Planned],
    settings: &RunSettings,
    before: &Before,
    stopped: &dyn Fn() -> bool,
    tell: impl FnMut(Event<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut driver = Driver {
        app,
        machine,
        settings,
        workers: Workers::new(machine, settings.timeout, stopped),
        ceilings: before.ceilings.iter().map(|ceilings| (ceilings.device.clone(), ceilings.clone())).collect(),
        libraries: Libraries::default(),
        probed_again: BTreeSet::new(),
        metered: BTreeMap::new(),
        with_meter: BTreeSet::new(),
        rates: BTreeMap::new(),
        tell,
    };
    for row in &before.rows {
        driver.libraries.add(machine, row);
    }
    let mut spent: BTreeMap<&DeviceId, Duration> = BTreeMap::new();
    for planned in cases {
        if stopped() {
            return Ok(());
        }
        let used = spent.entry(&planned.id.device).or_default();
        let row = match driver.row(planned, used) {
            Err(End::Told(error)) => return Err(error),
            Err(End::Stopped) => return Ok(()),
            Ok(row) => row,
        };
        (driver.tell)(Event::Row(Box::new(row)))?;
    }
    Ok(())
}

/// Why a run ends early.
enum End<E> {
    /// The user ended it.
    Stopped,
    /// What it had to say can't be kept.
    Told(E),
}

impl<E> From<Stopped> for End<E> {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// How many times a device's time for rates its time for energy is.
const ENERGY_TIMES: u32 = 4;

struct Driver<'a, T> {
    app: App,
    machine: &'a Machine,
    settings: &'a RunSettings,
    workers: Workers<'a>,
    /// Of each device that had its turn, by id.
    ceilings: BTreeMap<String, Ceilings>,
    /// What libraries of the machine reached.
    libraries: Libraries,
    /// Devices that did better than their ceilings and were probed again.
    probed_again: BTreeSet<DeviceId>,
    /// Devices whose meters were looked for, and the time that measuring energy took on each.
    metered: BTreeMap<DeviceId, Duration>,
    /// Those of them that have one.
    with_meter: BTreeSet<DeviceId>,
    /// The best rate so far of each device, operation and type, in FLOP/s.
    rates: BTreeMap<(String, String, &'static str), f64>,
    tell: T,
}

impl<E, T: FnMut(Event<'_>) -> Result<(), E>> Driver<'_, T> {
    /// A case's row. What is spent on the case, and not on probing, is added to `used`.
    fn row(&mut self, planned: &Planned, used: &mut Duration) -> Result<ResultRow, End<E>> {
        let device = &planned.id.device;
        self.find_meter(device)?;
        if !self.ceilings.contains_key(&device.to_string()) {
            let ceilings = self.find_ceilings(device)?;
            self.keep(ceilings)?;
        }
        if let Some(reason) = self.too_much(planned, *used) {
            return Ok(left_out(planned, self.settings, reason));
        }
        let start = Instant::now();
        let measured = self.measure(planned);
        *used += start.elapsed();
        match measured {
            Ok(measured) => {
                let mut row = self.hold(planned, measured)?;
                self.libraries.hold(self.machine, &mut row);
                self.libraries.add(self.machine, &row);
                row.energy = self.energy(planned, &row)?;
                let row = complete(planned, self.settings, row);
                self.remember(planned, &row);
                Ok(row)
            }
            Err(failure) => self.failed(planned, failure),
        }
    }

    /// Has a device's meter found before the device has any load.
    fn find_meter(&mut self, device: &DeviceId) -> Result<(), End<E>> {
        let Some(effort) = energy::Effort::of(self.settings.energy) else { return Ok(()) };
        if self.metered.contains_key(device) {
            return Ok(());
        }
        self.metered.insert(device.clone(), Duration::ZERO);
        let (mode, stopped) = (self.settings.energy, self.workers.stopped);
        let deadline = self.settings.timeout + effort.longest();
        let found = self.workers.on(device).and_then(|worker| worker.find_meter(mode, deadline, stopped));
        match found {
            Err(Failure::Interrupted) => Err(End::Stopped),
            // The next request to this device says what is wrong with it.
            Err(_) => {
                self.workers.dismiss();
                Ok(())
            }
            Ok(found) => {
                if found {
                    self.with_meter.insert(device.clone());
                }
                Ok(())
            }
        }
    }

    /// The energy of a case that was measured, in time of its own: whatever becomes of it, the row stands.
    fn energy(&mut self, planned: &Planned, row: &ResultRow) -> Result<Option<Energy>, End<E>> {
        let Some(effort) = energy::Effort::of(self.settings.energy).filter(|_| row.status == Status::Ok) else {
            return Ok(None);
        };
        let device = &planned.id.device;
        let spent = self.metered.get(device).copied().unwrap_or_default();
        if let Some(most) = self.energy_budget().filter(|&most| spent >= most) {
            let reason = format!(
                "the {} s for energy on this device are used up; the command measures it alone",
                most.as_secs()
            );
            return Ok(Some(Energy::without(EnergyStatus::Unavailable, reason)));
        }
        let (mode, stopped) = (self.settings.energy, self.workers.stopped);
        let request = self.request(planned);
        let deadline = self.settings.timeout + effort.longest();
        let start = Instant::now();
        let answer = self.workers.on(device).and_then(|worker| worker.energy(request, mode, deadline, stopped));
        *self.metered.entry(device.clone()).or_default() += start.elapsed();
        let failed = |reason: String| Energy::without(EnergyStatus::Failed, reason);
        if answer.as_ref().map_or(true, |(_, device_lost)| *device_lost) {
            self.workers.dismiss();
        }
        let energy = match answer {
            Ok((energy, _)) => energy,
            Err(Failure::Interrupted) => return Err(End::Stopped),
            Err(failure) => failed(failure.to_string()),
        };
        let rated = self.settings.rated_power_w.get(&row.device).zip(row.timing.as_ref());
        Ok(Some(match rated {
            Some((&watts, timing)) if energy.status == EnergyStatus::Unavailable => {
                energy::estimate(watts, timing.median_ns * 1e-9, energy)
            }
            _ => energy,
        }))
    }

    /// The time for energy on each device. Windows are far longer than samples, so it is a multiple of the time for rates;
    /// who asks for `full` wants it of every case.
    fn energy_budget(&self) -> Option<Duration> {
        self.settings.budget.filter(|_| self.settings.energy == Mode::Quick).map(|budget| ENERGY_TIMES * budget)
    }

    fn request(&self, planned: &Planned) -> CaseRequest {
        CaseRequest {
            case: planned.id.clone(),
            plan: self.settings.plan.clone().or_else(|| planned.best.as_ref().map(|best| best.plan.clone())),
            seed: self.settings.seed,
            fill: self.settings.fill,
            cache: self.settings.cache,
            effort: Effort::of(self.settings.profile),
        }
    }

    fn measure(&mut self, planned: &Planned) -> Result<Measured, Failure> {
        let request = self.request(planned);
        let stopped = self.workers.stopped;
        let worker = self.workers.on(&planned.id.device)?;
        let measured = worker.measure(request, self.settings.timeout, stopped);
        if measured.as_ref().map_or(true, |measured| measured.device_lost) {
            self.workers.dismiss();
        }
        measured
    }

    /// The ceilings that were kept, or else those that a probing finds, with their energy where that is asked for.
    fn find_ceilings(&mut self, device: &DeviceId) -> Result<Ceilings, End<E>> {
        let (profile, mode) = (self.settings.profile, self.settings.ceilings_energy);
        let kept = self.place(device).and_then(|place| place.load(profile));
        let (mut ceilings, failures) = if let Some(kept) = kept.clone() {
            // Devices may be numbered otherwise now.
            (Ceilings { device: device.to_string(), ..kept }, 0)
        } else {
            (self.tell)(Event::Probing(device)).map_err(End::Told)?;
            let probing = ceilings::probe(&mut self.workers, device, profile, |_| true)?;
            (probing.ceilings, probing.failures)
        };
        if self.with_meter.contains(device) && !ceilings::energy_known(&ceilings, mode) {
            (self.tell)(Event::Metering(device)).map_err(End::Told)?;
        }
        // What was not measured is not kept from being measured: it is tried again by the next run.
        ceilings::energy(&mut self.workers, device, profile, mode, &mut ceilings)?;
        if failures == 0 && kept.as_ref() != Some(&ceilings) {
            self.store(device, &ceilings)?;
        }
        Ok(ceilings)
    }

    fn place(&self, device: &DeviceId) -> Option<Place> {
        self.machine.devices().find(|info| info.id == *device).map(|info| Place::of(self.app, info))
    }

    fn store(&mut self, device: &DeviceId, ceilings: &Ceilings) -> Result<(), End<E>> {
        match self.place(device).map(|place| place.store(ceilings)) {
            Some(Err(error)) => {
                let note = format!("the ceilings of {device} are not kept for the next run: {error}");
                (self.tell)(Event::Note(note)).map_err(End::Told)
            }
            _ => Ok(()),
        }
    }

    fn keep(&mut self, ceilings: Ceilings) -> Result<(), End<E>> {
        self.ceilings.insert(ceilings.device.clone(), ceilings.clone());
        (self.tell)(Event::Ceilings(Box::new(ceilings))).map_err(End::Told)
    }

    /// Holds a row against its device's ceilings. Machines drift and probings are kept for long, so a device that does
    /// better than its ceilings is probed anew before the row is called wrong.
    fn hold(&mut self, planned: &Planned, Measured { mut row, unit, .. }: Measured) -> Result<ResultRow, End<E>> {
        let device = &planned.id.device;
        // Ceilings are of random data, beside which zeros may be faster.
        let unit = unit.filter(|_| self.settings.fill == Fill::Normal);
        let (Some(unit), Some(known)) = (unit, self.ceilings.get(&row.device).cloned()) else { return Ok(row) };
        row.ceiling = of_row(&known, &row, unit);
        let exceeded = |row: &ResultRow| row.ceiling.as_ref().is_some_and(Ceiling::is_exceeded);
        if exceeded(&row) && self.probed_again.insert(device.clone()) {
            (self.tell)(Event::Probing(device)).map_err(End::Told)?;
            let mut merged = known;
            for _ in 0..DOUBTS {
                let again =
                    ceilings::probe(&mut self.workers, device, self.settings.profile, ceilings::Step::bounds_rows)?;
                merged = ceilings::larger(&merged, again.ceilings);
                row.ceiling = of_row(&merged, &row, unit);
                if !exceeded(&row) {
                    break;
                }
            }
            self.store(device, &merged)?;
            self.keep(merged)?;
        }
        Ok(if exceeded(&row) { roofline::above(row) } else { row })
    }

    /// Why a case is left out before anything is spent on it.
    fn too_much(&self, planned: &Planned, used: Duration) -> Option<String> {
        let profile = self.settings.profile.name();
        if let Some(budget) = self.settings.budget.filter(|budget| used >= *budget) {
            return Some(format!(
                "the {} s of the {profile} profile for this device are used up; --full gives more, and the command runs \
                 it alone",
                budget.as_secs()
            ));
        }
        if let (Some(limit), Some(rate)) = (self.settings.case_limit, self.rates.get(&key(&planned.id))) {
            let seconds = planned.flop / rate * Effort::of(self.settings.profile).runs_min();
            let seen = format!("it would take about {seconds:.0} s at the {:.1} GFLOP/s seen so far", rate * 1e-9);
            if seconds > limit.as_secs_f64() {
                return Some(format!(
                    "{seen}, and the {profile} profile gives a case {} s; --full gives more, and the command runs it alone",
                    limit.as_secs()
                ));
            }
            let left = self.settings.budget.map(|budget| budget.saturating_sub(used).as_secs_f64());
            if let Some(left) = left.filter(|left| seconds > *left) {
                return Some(format!(
                    "{seen}, and {left:.0} s of the {profile} profile's time for this device are left; --full gives more, \
                     and the command runs it alone"
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

    fn failed(&self, planned: &Planned, failure: Failure) -> Result<ResultRow, End<E>> {
        let (status, reason) = match failure {
            Failure::Crashed(how) => (Status::Crashed, how),
            Failure::Timeout(after) => (
                Status::Timeout,
                format!("no answer within {} s, so the worker was ended; --timeout gives more", after.as_secs_f64()),
            ),
            Failure::Closed(reason) => (Status::Failed, reason),
            Failure::Interrupted => return Err(End::Stopped),
        };
        Ok(complete(planned, self.settings, bare(planned, status, reason)))
    }
}

fn key(id: &CaseId) -> (String, String, &'static str) {
    (id.device.to_string(), id.op.clone(), id.precision.name())
}
