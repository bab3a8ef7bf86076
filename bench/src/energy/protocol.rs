//! The phases: probe and cold idle once a device; quiet, warm idle, calibrate, ramp and windows for each case.

use super::effort::{BATCH_S, PROBE_CHANGES, PROBE_MAX_S, Rules};
use super::ramp;
use super::record::{Record, mean};
use super::uncertainty;
use super::window::{self, Window};
use super::{Effort, World};
use accelbench_backends::meters::MeterInfo;
use accelbench_reports::EnergyStatus;

/// Without a reading for so long, or for so many of the meter's own intervals, the meter has failed.
const PATIENCE_S: f64 = 5.0;
const PATIENCE_INTERVALS: f64 = 10.0;
/// The counter's energy and the integral of power may differ by this share.
const CONTRADICTION: f64 = 0.1;

/// The mean powers of windows may differ by this share.
const WANDERING: f64 = 0.1;

/// What is found out once a device, before its first load.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Base {
    /// Seconds between changes of the meter's figure; none where it did not change often enough without load.
    pub tick_s: Option<f64>,
    /// Power in watts; none where the meter's figure did not change often enough.
    pub cold_idle_w: Option<f64>,
}

/// Why there are no joules.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// What became of the measurement; never `measured`.
    pub status: EnergyStatus,
    /// Why.
    pub reason: String,
}

impl Ended {
    pub(super) fn failed(reason: impl Into<String>) -> Self {
        Self { status: EnergyStatus::Failed, reason: reason.into() }
    }
}

/// What the windows gave. Uncertainties are relative, and expanded with k = 2.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The windows, in order.
    pub windows: Vec<Window>,
    /// Why windows were taken again.
    pub discarded: Vec<String>,
    /// Seconds between changes of the meter's figure.
    pub tick_s: Option<f64>,
    /// Seconds that a reading takes.
    pub read_cost_s: Option<f64>,
    /// Power without load before the windows, in watts.
    pub warm_idle_w: Option<f64>,
    /// From the windows.
    pub repeatability: f64,
    /// From the meter.
    pub absolute: f64,
    /// Why the clock was held back.
    pub throttle: Vec<String>,
    /// The compute units' mean clock.
    pub mean_clock_mhz: Option<f64>,
    /// The highest temperature.
    pub temperature_c: Option<f64>,
    /// The power limit in force.
    pub power_limit_w: Option<f64>,
}

/// Probes a meter and measures its device without load.
///
/// # Errors
/// Why the meter is of no use, or the device not free.
pub fn prepare(world: &mut impl World, info: &MeterInfo, effort: &Effort) -> Result<Base, Ended> {
    let mut protocol = Protocol::new(world, info, *effort, Rules::SOUND);
    let start = protocol.world.now();
    let slice = info.interval_s.max(0.1);
    let longest = PROBE_MAX_S.max(3.0 * slice).max(effort.cold_idle_s);
    loop {
        protocol.idle(slice)?;
        let elapsed = protocol.world.now() - start;
        let seen = protocol.record.changes.len() > PROBE_CHANGES;
        if elapsed >= longest || (elapsed >= effort.cold_idle_s && seen) {
            break;
        }
    }
    if let Some((_, reason)) = protocol.record.breaks.first() {
        return Err(Ended::failed(reason.clone()));
    }
    if protocol.record.samples.is_empty() {
        let (_, why) = protocol.record.misses.last().cloned().unwrap_or_default();
        return Err(Ended::failed(format!("the meter gave no reading within {longest:.0} s: {why}")));
    }
    protocol.quiet()?;
    Ok(Base {
        tick_s: protocol.record.tick_s(start, PROBE_CHANGES),
        cold_idle_w: protocol.record.mean_power(start, protocol.world.now()),
    })
}

/// Measures the energy of the world's load.
///
/// # Errors
/// Why there are no joules.
pub fn measure(world: &mut impl World, info: &MeterInfo, effort: &Effort, base: &Base) -> Result<Measured, Ended> {
    Protocol::new(world, info, *effort, Rules::SOUND).measure(base)
}

/// A measurement under way.
pub(super) struct Protocol<'a, W> {
    pub(super) world: &'a mut W,
    pub(super) info: &'a MeterInfo,
    pub(super) effort: Effort,
    pub(super) rules: Rules,
    pub(super) record: Record,
    /// Runs of a batch.
    pub(super) batch: u64,
    started_s: f64,
}

impl<'a, W: World> Protocol<'a, W> {
    pub(super) fn new(world: &'a mut W, info: &'a MeterInfo, effort: Effort, rules: Rules) -> Self {
        let started_s = world.now();
        // What was read before belongs to nobody.
        world.events();
        Self { record: Record::new(info, rules), world, info, effort, rules, batch: 1, started_s }
    }

    pub(super) fn measure(mut self, base: &Base) -> Result<Measured, Ended> {
        let warm_idle_w = self.warm_idle()?;
        self.quiet()?;
        self.calibrate()?;
        let under_load_s = self.world.now();
        let power_w = ramp::until_steady(&mut self, base.tick_s.is_some())?;
        let tick_s = self.record.tick_s(under_load_s, PROBE_CHANGES).or(base.tick_s);
        self.moved(power_w)?;
        let (windows, discarded) = window::take_all(&mut self, tick_s, power_w)?;
        self.quiet()?;
        agree(&windows)?;
        settled(&windows)?;
        self.conclude(windows, discarded, tick_s, warm_idle_w)
    }

    /// Lets time pass without load.
    pub(super) fn idle(&mut self, seconds: f64) -> Result<(), Ended> {
        self.world.idle(seconds).map_err(Ended::failed)?;
        self.absorb()
    }

    /// Runs one more batch.
    pub(super) fn load(&mut self) -> Result<(), Ended> {
        self.world.load(self.batch).map_err(Ended::failed)?;
        self.absorb()
    }

    fn absorb(&mut self) -> Result<(), Ended> {
        for event in self.world.events() {
            self.record.take(event);
        }
        let silent_s = self.world.now() - self.record.last_read_s().unwrap_or(self.started_s);
        let patience_s = PATIENCE_S.max(PATIENCE_INTERVALS * self.info.interval_s);
        if silent_s <= patience_s {
            return Ok(());
        }
        let why = self.record.misses.last().map_or(String::new(), |(_, why)| format!(": {why}"));
        Err(Ended::failed(format!("the meter gave no reading for {silent_s:.1} s{why}")))
    }

    /// Nobody else may use the device.
    fn quiet(&self) -> Result<(), Ended> {
        let Some(&(_, users)) = self.record.others.iter().max_by_key(|(_, users)| users) else { return Ok(()) };
        let reason = match users {
            1 => "another process uses the device".to_owned(),
            _ => format!("{users} other processes use the device"),
        };
        Err(Ended { status: EnergyStatus::Contended, reason })
    }

    /// Power just after load. Its first half still holds what the device and the meter remember of that.
    fn warm_idle(&mut self) -> Result<Option<f64>, Ended> {
        let start = self.world.now();
        let slice = self.info.interval_s.max(0.1);
        while self.world.now() - start < self.effort.warm_idle_s {
            self.idle(slice)?;
        }
        let now = self.world.now();
        Ok(self.record.mean_power(f64::midpoint(start, now), now))
    }

    /// Finds how many runs make a batch.
    fn calibrate(&mut self) -> Result<(), Ended> {
        for _ in 0..4 {
            let start = self.world.now();
            // Three, since the device may keep one waiting: two completions under load bound one batch.
            for _ in 0..3 {
                self.load()?;
            }
            let batch_s = (self.world.now() - start) / 3.0;
            let runs = (self.batch as f64 * BATCH_S / batch_s.max(1e-9)).round().clamp(1.0, 100_000.0) as u64;
            // A first guess from one short run is mostly the cost of submitting it.
            let settled = runs as f64 <= 1.5 * self.batch as f64;
            self.batch = runs;
            if settled {
                break;
            }
        }
        Ok(())
    }

    /// A figure that the load did not move is frozen.
    fn moved(&self, power_w: f64) -> Result<(), Ended> {
        let changes = self.record.changes.len();
        if changes > 0 && power_w > 0.0 {
            return Ok(());
        }
        Err(Ended::failed(ramp::seldom(changes, self.world.now() - self.started_s)))
    }

    fn conclude(
        self,
        windows: Vec<Window>,
        discarded: Vec<String>,
        tick_s: Option<f64>,
        warm_idle_w: Option<f64>,
    ) -> Result<Measured, Ended> {
        let per_run: Vec<f64> = windows.iter().map(|window| window.joules / window.runs).collect();
        let (Some(first), Some(last)) = (windows.first(), windows.last()) else {
            return Err(Ended::failed("no window was taken"));
        };
        let (from_s, to_s) = (first.start_s, last.start_s + last.seconds);
        let within = |at_s: f64| (from_s..=to_s).contains(&at_s);
        let samples = self.record.between(from_s, to_s);
        let mut throttle: Vec<String> =
            self.record.throttle.iter().filter(|(at_s, _)| within(*at_s)).map(|(_, reason)| reason.clone()).collect();
        throttle.sort();
        throttle.dedup();
        Ok(Measured {
            repeatability: uncertainty::repeatability(&per_run)
                .ok_or_else(|| Ended::failed("one window says nothing of its repeatability"))?,
            absolute: uncertainty::combined(&[
                self.info.accuracy,
                mean(windows.iter().map(|window| window.reading)).unwrap_or_default(),
            ]),
            mean_clock_mhz: mean(samples.iter().filter_map(|sample| sample.clock_mhz)),
            temperature_c: samples.iter().filter_map(|sample| sample.temperature_c).reduce(f64::max),
            power_limit_w: self.record.power_limit_w,
            read_cost_s: self.record.read_cost_s(),
            windows,
            discarded,
            tick_s,
            warm_idle_w,
            throttle,
        })
    }
}

/// Power that goes on changing from window to window was not steady, however it looked at first.
fn settled(windows: &[Window]) -> Result<(), Ended> {
    let watts = || windows.iter().map(|window| window.joules / window.seconds);
    let (lowest, highest) = (watts().fold(f64::INFINITY, f64::min), watts().fold(0.0, f64::max));
    if highest <= (1.0 + WANDERING) * lowest {
        return Ok(());
    }
    Err(Ended {
        status: EnergyStatus::NonStationary,
        reason: format!("the windows' mean powers lie between {lowest:.1} W and {highest:.1} W"),
    })
}

/// Two figures of one meter have to say the same.
fn agree(windows: &[Window]) -> Result<(), Ended> {
    match mean(windows.iter().filter_map(|window| window.counter_to_integral)) {
        Some(ratio) if (ratio - 1.0).abs() > CONTRADICTION => Err(Ended {
            status: EnergyStatus::Suspect,
            reason: format!("the counter's energy is {ratio:.3} times the integral of the same meter's power"),
        }),
        _ => Ok(()),
    }
}
