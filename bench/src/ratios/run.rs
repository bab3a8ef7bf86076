//! Measuring: case by case, the peaks before and after, blocks of turns between them.

use super::lanes::{Entrant, entrants};
use super::peer::{Peer, PeerLine};
use super::{BLOCK_ROUNDS, BLOCKS, REST_S, STEADY, TRIES, TURN_S, Task, figures};
use crate::ceilings::Step;
use crate::gate_run::Stop;
use crate::measure::{Effort, Turns};
use crate::probe::Machine;
use crate::tune::Known;
use crate::worker::{Failure, TurnsRequest, Workers};
use crate::{App, host};
use accelbench_backends::{DeviceId, DeviceInfo, DeviceKind};
use accelbench_kernels::{Catalogue, Precision, Profile};
use accelbench_reports::ratios::{LaneKind, PeakPair, RatioCase, RatioLane};
use accelbench_reports::{Peak, Status, Unit, roofline};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Seconds of a probe of a peak, once its kernels are compiled.
const PROBE_S: f64 = 1.0;
/// A lane that takes so many times as long as its process's first one has one turn a block: how far behind it is shows
/// in these, and hours are not spent on it.
const HOPELESS: f64 = 8.0;
/// Seconds of a process's first one, which counts for nothing.
const FIRST_PROBE_S: f64 = 2.0;
/// A probe may take so much longer before it is taken for hung.
const PATIENCE: Duration = Duration::from_mins(1);

/// How ratios are measured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Turns of each lane, at least.
    pub rounds: usize,
    /// How long a worker may take over a block of turns, and a peer be silent.
    pub timeout: Duration,
    /// Of the inputs.
    pub seed: u64,
    /// Who is measured beside the program's own lanes.
    pub peers: Vec<Peer>,
    /// What they have: see [`ask_peers`].
    pub offers: Offers,
}

impl Settings {
    /// Blocks of turns where so many processes take turns, and the rounds of each.
    fn blocks(&self, processes: usize) -> (usize, usize) {
        let blocks = if processes > 1 { BLOCKS.max(self.rounds.div_ceil(BLOCK_ROUNDS)) } else { 1 };
        (blocks, self.rounds.div_ceil(blocks))
    }
}

/// What measuring has to say while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// A case has its turn, for the first time or again.
    Begun(&'a Task),
    /// A case is done.
    Case(Box<RatioCase>),
}

/// Measures cases in order and hands each event to `tell`.
///
/// # Errors
/// The first error of `tell`. What goes wrong with a case or a peer is in the case, or a note.
pub fn run<E>(
    app: App,
    machine: &Machine,
    tasks: &[Task],
    settings: &Settings,
    known: &Known,
    stopped: &dyn Fn() -> bool,
    tell: impl FnMut(Event<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut driver = Driver {
        machine,
        devices: machine.devices().cloned().collect(),
        settings,
        known,
        stopped,
        catalogue: (app.catalogue)(),
        workers: BTreeMap::new(),
        warm: BTreeSet::new(),
        tell,
    };
    match driver.go(tasks) {
        Err(End::Told(error)) => Err(error),
        Err(End::Stopped) | Ok(()) => Ok(()),
    }
}

/// What peers have: their place among the peers, and each line of their first run.
pub type Offers = Vec<(usize, PeerLine)>;

/// Has each peer say once what it has. These figures count for nothing.
///
/// # Errors
/// The user's wish to stop, or one sentence on the peer that failed.
pub fn ask_peers(peers: &[Peer], silence: Duration, stopped: &dyn Fn() -> bool) -> Result<Offers, Stop> {
    let mut offers = Offers::new();
    for (place, peer) in peers.iter().enumerate() {
        let lines = peer.lines(None, silence, stopped).map_err(|stop| match stop {
            Stop::Harness(why) => Stop::Harness(format!("the peer `{}`: {why}", peer.command)),
            Stop::Interrupted => stop,
        })?;
        offers.extend(lines.into_iter().map(|line| (place, line)));
    }
    Ok(offers)
}

/// What peers have that is of no use for these cases: one sentence each.
pub fn useless(catalogue: &Catalogue, devices: &[DeviceInfo], tasks: &[Task], settings: &Settings) -> Vec<String> {
    let Settings { peers, offers, .. } = settings;
    let mut notes = Vec::new();
    for (place, line) in offers {
        if let Err(why) = line.case(catalogue) {
            notes.push(format!("the peer `{}` has a case that is not known here: {why}", peers[*place].command));
        }
    }
    let used: BTreeSet<usize> =
        tasks.iter().flat_map(|task| offered(offers, catalogue, devices, task)).map(|(place, _)| place).collect();
    let unused = peers.iter().enumerate().filter(|(place, _)| !used.contains(place));
    notes.extend(unused.map(|(_, peer)| format!("the peer `{}` has none of the cases", peer.command)));
    notes
}

/// What peers have of a case.
fn offered<'a>(
    offers: &'a Offers,
    catalogue: &Catalogue,
    devices: &[DeviceInfo],
    task: &Task,
) -> Vec<(usize, &'a PeerLine)> {
    let device = devices.iter().find(|device| device.id == task.id.device);
    let case = catalogue.case(&task.id.op, task.id.precision, &task.id.shape).ok();
    let (Some(device), Some(case)) = (device, case) else { return Vec::new() };
    let fits = |line: &PeerLine| line.is_on(device) && line.is_of(catalogue, &*case);
    offers.iter().filter(|(_, line)| fits(line)).map(|(place, line)| (*place, line)).collect()
}

/// Why measuring ends early.
enum End<E> {
    /// The user ended it.
    Stopped,
    /// What it had to say can't be kept.
    Told(E),
}

struct Driver<'a, T> {
    machine: &'a Machine,
    devices: Vec<DeviceInfo>,
    settings: &'a Settings,
    known: &'a Known,
    stopped: &'a dyn Fn() -> bool,
    catalogue: Catalogue,
    /// One process a device, all at once: blocks alternate between them.
    workers: BTreeMap<DeviceId, Workers<'a>>,
    /// Probes whose kernels a device's process has compiled.
    warm: BTreeSet<(DeviceId, String)>,
    tell: T,
}

/// A lane and who fills it.
struct Seat {
    by: By,
    lane: RatioLane,
}

enum By {
    Plan(Entrant),
    /// A peer by its place in the settings, and its name in its lines.
    Peer(usize, String),
}

/// Peaks by device and units, in FLOP/s, with the type that they are of.
type Peaks = BTreeMap<(DeviceId, Unit), (f64, String)>;

impl<'a, E, T: FnMut(Event<'_>) -> Result<(), E>> Driver<'a, T> {
    fn go(&mut self, tasks: &[Task]) -> Result<(), End<E>> {
        for task in tasks {
            (self.tell)(Event::Begun(task)).map_err(End::Told)?;
            let case = self.case(task)?;
            (self.tell)(Event::Case(Box::new(case))).map_err(End::Told)?;
        }
        Ok(())
    }

    /// Seats of the peers that have this case.
    fn seats_of_peers(&self, task: &Task) -> Vec<Seat> {
        let mut seats: Vec<Seat> = Vec::new();
        for (place, line) in offered(&self.settings.offers, &self.catalogue, &self.devices, task) {
            let known = |seat: &Seat| matches!(&seat.by, By::Peer(of, name) if *of == place && *name == line.peer);
            if !seats.iter().any(known) {
                let lane = RatioLane {
                    kind: LaneKind::Peer,
                    device: line.device.clone(),
                    variant: line.peer.clone(),
                    plan: None,
                    plan_source: None,
                    unit: Unit::Any,
                    clock: "peer".to_owned(),
                    status: Status::Ok,
                    reason: None,
                    blocks_ns: Vec::new(),
                    figures: None,
                };
                seats.push(Seat { by: By::Peer(place, line.peer.clone()), lane });
            }
        }
        seats
    }

    /// A case, measured again while its peaks move.
    fn case(&mut self, task: &Task) -> Result<RatioCase, End<E>> {
        let bare = self.bare(task);
        let entrants = match entrants(&self.catalogue, &self.devices, self.known, task) {
            Ok(entrants) => entrants,
            Err(reason) => return Ok(RatioCase { left_out: Some(reason), ..bare }),
        };
        if let Some(reason) = too_large(task, entrants.len()) {
            return Ok(RatioCase { left_out: Some(reason), ..bare });
        }
        let mut best: Option<(f64, RatioCase)> = None;
        for tries in 1..=TRIES {
            let mut case = self.measure(task, &entrants, bare.clone())?;
            let (unrest, why) = unrest(&case);
            case.unsteady = why;
            if best.as_ref().is_none_or(|(least, _)| unrest < *least) {
                best = Some((unrest, case));
            }
            if let Some((_, case)) = &mut best {
                case.tries = tries;
                // What has no figure of its own is not worth another try.
                if case.unsteady.is_none() || case.lane(LaneKind::Own).is_none() {
                    break;
                }
            }
        }
        Ok(best.map_or(bare, |(_, case)| case))
    }

    /// A case before it is measured.
    fn bare(&self, task: &Task) -> RatioCase {
        let id = &task.id;
        let fields: Vec<String> = task.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let command = format!(
            "accelbench ratios {}:{} --dtype {} --device {} --rounds {} --seed {}",
            id.op,
            fields.join(","),
            id.precision,
            id.device,
            self.settings.rounds,
            self.settings.seed
        );
        let peers = self.settings.peers.iter().map(|peer| format!(" --peer '{}'", peer.command.replace('\'', r"'\''")));
        RatioCase {
            case: id.to_string(),
            op: id.op.clone(),
            dtype: id.precision.name().to_owned(),
            shape: id.shape.clone(),
            origin: task.origin.map(str::to_owned),
            device: id.device.to_string(),
            flop: task.flop,
            tries: 0,
            unsteady: None,
            left_out: None,
            peaks: Vec::new(),
            lanes: Vec::new(),
            command: peers.fold(command, |command, peer| command + &peer),
        }
    }

    /// A case once: peaks, blocks of turns, peaks.
    fn measure(&mut self, task: &Task, entrants: &[Entrant], bare: RatioCase) -> Result<RatioCase, End<E>> {
        let mut seats: Vec<Seat> = entrants
            .iter()
            .map(|entrant| {
                let device = self.devices.iter().find(|device| device.id == entrant.device);
                let clock = device.map_or("", |device| device.caps.clock.name());
                Seat { by: By::Plan(entrant.clone()), lane: entrant.lane(clock) }
            })
            .collect();
        seats.extend(self.seats_of_peers(task));
        let mut devices: Vec<DeviceId> = Vec::new();
        for entrant in entrants {
            if !devices.contains(&entrant.device) {
                devices.push(entrant.device.clone());
            }
        }
        let peers: BTreeSet<usize> = seats.iter().filter_map(Seat::peer).collect();
        let rest_s = if self.has_library_on_cpu(entrants) { REST_S } else { 0.0 };
        let before = self.peaks(entrants, task.id.precision)?;
        let (blocks, rounds) = self.settings.blocks(devices.len() + peers.len());
        for block in 0..blocks {
            // There and back again: what comes after what evens out.
            let mut order = devices.clone();
            if block % 2 == 1 {
                order.reverse();
            }
            for device in &order {
                self.block(task, device, (rounds, rest_s), &mut seats)?;
            }
            for &peer in &peers {
                self.peer_block(task, peer, &mut seats)?;
            }
        }
        std::thread::sleep(Duration::from_secs_f64(rest_s));
        let after = self.peaks(entrants, task.id.precision)?;
        let pair = |((device, unit), (before, dtype)): (&(DeviceId, Unit), &(f64, String))| {
            let (after, _) = after.get(&(device.clone(), *unit))?;
            Some(PeakPair {
                device: device.to_string(),
                unit: *unit,
                dtype: dtype.clone(),
                before: *before,
                after: *after,
            })
        };
        let mut peaks: Vec<PeakPair> = before.iter().filter_map(pair).collect();
        // The judged device's own first.
        peaks.sort_by_key(|peak| peak.device != bare.device);
        let lanes = seats.into_iter().map(|seat| seat.lane).collect();
        let mut case = RatioCase { peaks, lanes, ..bare };
        figures::fill(&mut case);
        refuse_peers(&mut case);
        Ok(case)
    }

    /// Whether threads of a library share a processor with the other lanes.
    fn has_library_on_cpu(&self, entrants: &[Entrant]) -> bool {
        entrants.iter().any(|entrant| entrant.kind == LaneKind::Library && self.is_cpu(&entrant.device))
    }

    fn is_cpu(&self, device: &DeviceId) -> bool {
        self.devices.iter().any(|known| known.id == *device && known.caps.kind == DeviceKind::Cpu)
    }

    /// The peaks of the units that entrants compute on, now. One that can't be probed is not known.
    fn peaks(&mut self, entrants: &[Entrant], precision: Precision) -> Result<Peaks, End<E>> {
        let mut wanted: BTreeSet<(DeviceId, Unit)> = BTreeSet::new();
        for entrant in entrants {
            let cpu = self.is_cpu(&entrant.device);
            let units: &[Unit] = match entrant.unit {
                Unit::Any if cpu => &[Unit::Vector],
                Unit::Any => &[Unit::Vector, Unit::Matrix],
                Unit::Vector => &[Unit::Vector],
                Unit::Matrix => &[Unit::Matrix],
            };
            wanted.extend(units.iter().map(|unit| (entrant.device.clone(), *unit)));
        }
        let mut peaks = Peaks::new();
        for (device, unit) in wanted {
            let step = match unit {
                Unit::Matrix => Step::Matrix(precision),
                // Vector units have a peak for each type that they compute in, whatever is stored.
                _ if precision == Precision::F16 => Step::Vector(Precision::F32),
                _ => Step::Vector(precision),
            };
            if self.warm.insert((device.clone(), step.to_string())) {
                self.probe(&device, step, FIRST_PROBE_S)?;
            }
            if let Some(peak) = self.probe(&device, step, PROBE_S)? {
                peaks.insert((device, unit), (peak.flop_per_s, peak.dtype));
            }
        }
        Ok(peaks)
    }

    fn workers(&mut self, device: &DeviceId) -> &mut Workers<'a> {
        let (machine, timeout, stopped) = (self.machine, self.settings.timeout, self.stopped);
        self.workers.entry(device.clone()).or_insert_with(|| Workers::new(machine, timeout, stopped))
    }

    /// Gives up a device's process, and with it what it has compiled.
    fn dismiss(&mut self, device: &DeviceId) {
        self.workers(device).dismiss();
        self.warm.retain(|(of, _)| of != device);
    }

    fn probe(&mut self, device: &DeviceId, step: Step, seconds: f64) -> Result<Option<Peak>, End<E>> {
        let (stopped, patience) = (self.stopped, Duration::from_secs_f64(seconds) + PATIENCE);
        let answer = self.workers(device).on(device).and_then(|worker| worker.probe(step, seconds, patience, stopped));
        if answer.as_ref().map_or(true, |(_, device_lost)| *device_lost) {
            self.dismiss(device);
        }
        match answer {
            Ok((mut found, _)) => Ok(found.peaks.pop()),
            Err(Failure::Interrupted) => Err(End::Stopped),
            Err(_) => Ok(None),
        }
    }

    /// A block of turns of one device's lanes, as far as they are without fault.
    fn block(
        &mut self,
        task: &Task,
        device: &DeviceId,
        (rounds, rest_s): (usize, f64),
        seats: &mut [Seat],
    ) -> Result<(), End<E>> {
        let mut mine: Vec<(&Entrant, &mut RatioLane)> = seats
            .iter_mut()
            .filter(|seat| seat.lane.status == Status::Ok)
            .filter_map(|Seat { by, lane }| match by {
                By::Plan(entrant) if entrant.device == *device => Some((&*entrant, lane)),
                _ => None,
            })
            .collect();
        if mine.is_empty() {
            return Ok(());
        }
        let effort = Effort { warmup_min_s: 0.1, warmup_max_s: 0.5, batch_s: TURN_S, ..Effort::of(Profile::Quick) };
        let request = TurnsRequest {
            case: task.id.clone(),
            plans: mine.iter().map(|(entrant, _)| (entrant.plan.clone(), entrant.part)).collect(),
            seed: self.settings.seed,
            turns: Turns { rounds, effort, hopeless: HOPELESS, rest_s },
        };
        let (stopped, timeout) = (self.stopped, self.settings.timeout);
        let answer = self.workers(device).on(device).and_then(|worker| worker.take_turns(request, timeout, stopped));
        if answer.as_ref().map_or(true, |(_, device_lost)| *device_lost) {
            self.dismiss(device);
        }
        let faults = |status, reason: String| vec![Err((status, reason)); mine.len()];
        let outcomes: Vec<Result<Vec<f64>, (Status, String)>> = match answer {
            Ok((lanes, _)) => lanes.into_iter().map(|lane| lane.fault.map_or(Ok(lane.ns), Err)).collect(),
            Err(Failure::Interrupted) => return Err(End::Stopped),
            Err(failure @ Failure::Closed(_)) => faults(Status::Failed, failure.to_string()),
            Err(failure @ Failure::Timeout(_)) => faults(Status::Timeout, format!("{failure}; --timeout gives more")),
            Err(failure) => faults(Status::Crashed, failure.to_string()),
        };
        for ((_, lane), outcome) in mine.iter_mut().zip(outcomes) {
            take(lane, outcome);
        }
        Ok(())
    }

    /// One run of a peer, for all the lanes that it has in this case.
    fn peer_block(&self, task: &Task, place: usize, seats: &mut [Seat]) -> Result<(), End<E>> {
        let id = &task.id;
        let case = self.catalogue.case(&id.op, id.precision, &id.shape).ok();
        let device = self.devices.iter().find(|device| device.id == id.device);
        let (Some(case), Some(device)) = (case, device) else { return Ok(()) };
        let lines = match self.settings.peers[place].lines(Some(task), self.settings.timeout, self.stopped) {
            Err(Stop::Interrupted) => return Err(End::Stopped),
            Err(Stop::Harness(why)) => Err(why),
            Ok(lines) => Ok(lines),
        };
        for Seat { by, lane } in seats.iter_mut().filter(|seat| seat.peer() == Some(place)) {
            let By::Peer(_, name) = by else { continue };
            let outcome = match &lines {
                Err(why) => Err((Status::Failed, why.clone())),
                Ok(lines) => {
                    let same = |line: &&PeerLine| {
                        line.peer == *name && line.is_on(device) && line.is_of(&self.catalogue, &*case)
                    };
                    let line = lines.iter().find(same);
                    // FLOP over GFLOP/s are nanoseconds.
                    line.map(|line| vec![task.flop / line.gflops])
                        .ok_or((Status::Failed, "it had this case before, and no longer has".to_owned()))
                }
            };
            take(lane, outcome);
        }
        Ok(())
    }
}

impl Seat {
    fn peer(&self) -> Option<usize> {
        match &self.by {
            By::Peer(place, _) => Some(*place),
            By::Plan(_) => None,
        }
    }
}

/// Gives a lane the times of a block; one fault, and none of its times count.
fn take(lane: &mut RatioLane, outcome: Result<Vec<f64>, (Status, String)>) {
    match outcome {
        Ok(ns) if lane.status == Status::Ok => lane.blocks_ns.push(ns),
        Ok(_) => {}
        Err((status, reason)) => {
            lane.blocks_ns.clear();
            (lane.status, lane.reason) = (status, Some(reason));
        }
    }
}

/// A peer that is above what the device can do is not believed, however often it says so.
fn refuse_peers(case: &mut RatioCase) {
    let mut refused = false;
    for lane in case.lanes.iter_mut().filter(|lane| lane.kind == LaneKind::Peer) {
        let above =
            lane.figures.as_ref().and_then(|figures| figures.of_peak).filter(|share| *share > roofline::TOLERANCE);
        if let Some(share) = above {
            let reason = format!("it says {:.0}% of the measured peak, which the device can't do", 100.0 * share);
            take(lane, Err((Status::Failed, reason)));
            refused = true;
        }
    }
    if refused {
        figures::fill(case);
    }
}

/// By how much a case's peaks are in doubt, and why it counts as unsteady; no reason where it does not.
fn unrest(case: &RatioCase) -> (f64, Option<String>) {
    let moved = case.peaks.iter().max_by(|one, other| one.drift().total_cmp(&other.drift()));
    let drift = moved.map_or(0.0, PeakPair::drift);
    let shares = case.lanes.iter().filter_map(|lane| Some((lane, lane.figures.as_ref()?.of_peak?)));
    let above =
        shares.filter(|(_, share)| *share > roofline::TOLERANCE).max_by(|(_, one), (_, other)| one.total_cmp(other));
    if let Some((lane, share)) = above {
        let why = format!("{} came out at {:.0}% of the measured peak", lane.variant, 100.0 * share);
        return (drift.max(share - 1.0), Some(why));
    }
    let why = moved.filter(|_| drift > STEADY).map(|peak| {
        format!("the {} peak of {} in {} moved by {:.0}%", peak.unit.name(), peak.device, peak.dtype, 100.0 * drift)
    });
    (drift, why)
}

/// Why a case is left out before anything is spent on it: all lanes of a process hold its tensors at once.
fn too_large(task: &Task, lanes: usize) -> Option<String> {
    let available = host::available_memory()?;
    let needed = task.host_bytes.saturating_mul(lanes as u64 + 1) / 2;
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    (needed > available).then(|| {
        format!("it needs about {:.1} GiB of main memory and {:.1} GiB are available", gib(needed), gib(available))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(rounds: usize) -> Settings {
        Settings { rounds, timeout: Duration::from_secs(1), seed: 1, peers: Vec::new(), offers: Offers::new() }
    }

    #[test]
    fn blocks_hold_all_rounds_and_are_short_where_processes_alternate() {
        assert_eq!(settings(20).blocks(1), (1, 20));
        assert_eq!(settings(20).blocks(2), (4, 5));
        assert_eq!(settings(50).blocks(3), (10, 5));
        assert_eq!(settings(3).blocks(2), (4, 1), "peers and devices have four blocks at least");
        assert_eq!(settings(22).blocks(2), (5, 5), "no less than was asked for");
    }

    fn lane(kind: LaneKind, ns: f64) -> RatioLane {
        RatioLane {
            kind,
            device: "host:0".to_owned(),
            variant: "some".to_owned(),
            plan: None,
            plan_source: None,
            unit: Unit::Any,
            clock: "host-wall".to_owned(),
            status: Status::Ok,
            reason: None,
            blocks_ns: vec![vec![ns; 3]],
            figures: None,
        }
    }

    /// A case of 100 FLOP on a device with a peak that goes from 1 to so many TFLOP/s.
    fn case(after: f64, lanes: Vec<RatioLane>) -> RatioCase {
        let peak = PeakPair {
            device: "host:0".to_owned(),
            unit: Unit::Vector,
            dtype: "f32".to_owned(),
            before: 1e12,
            after: after * 1e12,
        };
        let mut case = RatioCase {
            case: String::new(),
            op: String::new(),
            dtype: String::new(),
            shape: String::new(),
            origin: None,
            device: "host:0".to_owned(),
            flop: 1000.0,
            tries: 1,
            unsteady: None,
            left_out: None,
            peaks: vec![peak],
            lanes,
            command: String::new(),
        };
        figures::fill(&mut case);
        case
    }

    #[test]
    fn a_peak_that_moves_and_a_lane_above_it_are_unrest() {
        let own = |ns| vec![lane(LaneKind::Own, ns)];
        assert_eq!(unrest(&case(1.04, own(2.0))).1, None);
        let (unrest_of_moved, why) = unrest(&case(1.08, own(2.0)));
        assert!((unrest_of_moved - 0.08).abs() < 1e-9);
        assert!(why.is_some_and(|why| why.contains("vector peak of host:0 in f32 moved by 8%")));
        let (_, why) = unrest(&case(1.0, own(0.9)));
        assert!(why.is_some_and(|why| why.contains("111% of the measured peak")));
        assert_eq!(unrest(&case(1.0, own(0.99))).1, None, "within what times vary by");
    }

    #[test]
    fn a_peer_above_the_peak_is_not_believed_and_the_others_are_held_against_what_is_left() {
        let peer = |name: &str, ns| RatioLane { variant: name.to_owned(), ..lane(LaneKind::Peer, ns) };
        let mut case = case(1.0, vec![lane(LaneKind::Own, 2.0), peer("boastful", 0.5), peer("honest", 4.0)]);
        assert_eq!(case.best_library().map(|(lane, _)| lane.variant.as_str()), Some("boastful"));
        refuse_peers(&mut case);
        assert_eq!((case.lanes[1].status, &case.lanes[1].figures), (Status::Failed, &None));
        let ratio = case.lanes[0].figures.as_ref().and_then(|figures| figures.of_library.as_ref()).unwrap();
        assert_eq!((ratio.to.as_str(), ratio.ratio), ("honest", 2.0));
        assert_eq!(unrest(&case).1, None);
    }

    #[test]
    fn one_fault_and_no_time_of_a_lane_counts() {
        let mut lane = lane(LaneKind::Own, 1.0);
        take(&mut lane, Ok(vec![2.0]));
        assert_eq!(lane.blocks_ns.len(), 2);
        take(&mut lane, Err((Status::Wrong, "element 3".to_owned())));
        take(&mut lane, Ok(vec![2.0]));
        assert_eq!((lane.status, lane.blocks_ns.len(), lane.reason.as_deref()), (Status::Wrong, 0, Some("element 3")));
    }
}
