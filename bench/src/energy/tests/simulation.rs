//! A device under a meter on a virtual clock. What a run takes is known in closed form: [`LOAD_W`] × [`RUN_S`].

use super::super::{Event, World};
use accelbench_backends::meters::{MeterError, MeterInfo, MeterKind, Reading, Scope, Serves};

/// Power under load, once the device is warm.
pub(super) const LOAD_W: f64 = 300.0;
/// Power without load.
pub(super) const IDLE_W: f64 = 80.0;
/// One run.
pub(super) const RUN_S: f64 = 0.0031;
/// What a run takes.
pub(super) const TRUTH_J: f64 = LOAD_W * RUN_S;

/// Power does not stay at its mean: it swings about its mean with this half-period, which nothing else here divides.
const SWING_S: f64 = 0.011_7;
/// A cold device takes less by this share, and warms up with this time constant.
const COLD: f64 = 0.03;
const WARMING_S: f64 = 0.4;

/// A small generator of seeded numbers (splitmix64, Steele, Lea and Flood, OOPSLA 2014).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Within 0 to 1.
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Of mean 0 and standard deviation 1.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// What a simulated meter tells and how it errs.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    /// It has a counter.
    pub(super) counter: bool,
    /// It tells power, averaged over so many seconds; 0 is the power of an instant.
    pub(super) power_over_s: Option<f64>,
    /// Its figures change so often.
    pub(super) tick_s: f64,
    /// It is read so often.
    pub(super) interval_s: f64,
    /// Its figures are so old when they appear.
    pub(super) lag_s: f64,
    /// It tells so many times the truth.
    pub(super) gain: f64,
    /// Its power tells so many times the truth, beside the gain.
    pub(super) power_gain: f64,
    pub(super) wraps_at_j: Option<f64>,
    pub(super) resolution_j: Option<f64>,
    /// Its counter starts again from 0 here.
    pub(super) reset_at_s: Option<f64>,
    /// Its counter jumps by so many joules, here.
    pub(super) jump: Option<(f64, f64)>,
    /// Its figures stand still from here on.
    pub(super) frozen_at_s: Option<f64>,
    /// It gives no readings between these times.
    pub(super) silent: Option<(f64, f64)>,
    /// From here on so many others use the device.
    pub(super) others: Option<(f64, u32)>,
    /// Power under load rises by this share of itself a second, without end.
    pub(super) drift_per_s: f64,
    /// Power swings within runs by this share of itself.
    pub(super) swing: f64,
    /// What the meter's maker states.
    pub(super) accuracy: f64,
}

impl Setup {
    /// A counter of 100 ms ticks with power beside it, read every 10 ms.
    pub(super) fn counter() -> Self {
        Self {
            counter: true,
            power_over_s: Some(0.1),
            tick_s: 0.1,
            interval_s: 0.01,
            lag_s: 0.0,
            gain: 1.0,
            power_gain: 1.0,
            wraps_at_j: None,
            resolution_j: Some(0.001),
            reset_at_s: None,
            jump: None,
            frozen_at_s: None,
            silent: None,
            others: None,
            drift_per_s: 0.0,
            swing: 0.05,
            accuracy: 0.0,
        }
    }

    /// Nothing but power, of an instant, every 100 ms.
    pub(super) fn polled() -> Self {
        Self { counter: false, power_over_s: Some(0.0), resolution_j: None, ..Self::counter() }
    }

    pub(super) fn info(&self) -> MeterInfo {
        MeterInfo {
            id: "simulated".to_owned(),
            source: "closed form".to_owned(),
            kind: match self.power_over_s {
                _ if self.counter => MeterKind::Counter,
                Some(window_s) if window_s > 0.0 => MeterKind::AveragedPower { window_s },
                _ => MeterKind::InstantPower,
            },
            scope: Scope::Board,
            serves: Serves::Machine,
            resolution_j: self.resolution_j,
            wraps_at_j: self.wraps_at_j,
            stated_tick_s: None,
            interval_s: self.interval_s,
            accuracy: self.accuracy,
            accuracy_source: "this test".to_owned(),
            privilege: None,
        }
    }
}

/// The device, its meter and the clock.
pub(super) struct Simulation {
    setup: Setup,
    random: Random,
    now: f64,
    /// Power from each time on, and all joules until then.
    history: Vec<(f64, f64, f64)>,
    /// Seconds under load so far.
    loaded_s: f64,
    next_read_s: f64,
    /// The tick whose figures were told last.
    tick: Option<(f64, Reading)>,
    start_j: f64,
    tick_phase: f64,
    swing_phase: f64,
    events: Vec<Event>,
}

impl Simulation {
    pub(super) fn new(setup: Setup, seed: u64) -> Self {
        let mut random = Random::new(seed);
        // An hour of idleness before the start, so that what lags and averages has something to look back on.
        let (start_j, tick_phase, swing_phase) = (1e4 * random.uniform(), random.uniform(), random.uniform());
        let next_read_s = setup.interval_s * random.uniform();
        Self {
            setup,
            now: 0.0,
            history: vec![(-3600.0, IDLE_W, 0.0), (0.0, IDLE_W, 3600.0 * IDLE_W)],
            loaded_s: 0.0,
            next_read_s,
            tick: None,
            start_j,
            tick_phase,
            swing_phase,
            events: Vec::new(),
            random,
        }
    }

    fn energy(&self, at_s: f64) -> f64 {
        let index = self.history.partition_point(|&(from_s, ..)| from_s <= at_s).saturating_sub(1);
        let (from_s, watts, joules) = self.history[index];
        joules + watts * (at_s - from_s)
    }

    fn power(&self, at_s: f64) -> f64 {
        self.history[self.history.partition_point(|&(from_s, ..)| from_s <= at_s).saturating_sub(1)].1
    }

    /// Lets time pass at a power, and then reads the meter as often as was due.
    fn pass(&mut self, seconds: f64, watts: f64) {
        let &(from_s, before_w, joules) = self.history.last().unwrap();
        self.history.push((self.now, watts, joules + before_w * (self.now - from_s)));
        self.now += seconds;
    }

    fn read_until_now(&mut self) {
        while self.next_read_s <= self.now {
            let at_s = self.next_read_s;
            self.next_read_s += self.setup.interval_s * (0.95 + 0.1 * self.random.uniform());
            if self.setup.silent.is_some_and(|(from_s, to_s)| (from_s..to_s).contains(&at_s)) {
                let error = MeterError::Timeout { what: "simulated".to_owned(), seconds: 1 };
                self.events.push(Event::Missed { at_s, error });
                continue;
            }
            let tick_s = self.tick_before(at_s.min(self.setup.frozen_at_s.unwrap_or(f64::INFINITY)));
            let reading = match &self.tick {
                Some((told_s, reading)) if told_s.to_bits() == tick_s.to_bits() => reading.clone(),
                _ => self.figures(tick_s),
            };
            self.tick = Some((tick_s, reading.clone()));
            let users = self.setup.others.filter(|&(from_s, _)| at_s >= from_s).map(|(_, users)| users);
            self.events.push(Event::Read(Reading { at_s, cost_s: 1e-4, other_users: users, ..reading }));
        }
    }

    /// The last tick until a time. Ticks come a little early or late.
    fn tick_before(&self, at_s: f64) -> f64 {
        let tick_s = self.setup.tick_s;
        let tick = |index: f64| {
            let early = Random::new((index + 1e6) as u64).uniform() - 0.5;
            (index + self.tick_phase + 0.05 * early) * tick_s
        };
        let index = (at_s / tick_s - self.tick_phase).floor() + 1.0;
        (0..3).map(|back| tick(index - f64::from(back))).find(|&tick| tick <= at_s).unwrap()
    }

    fn figures(&mut self, tick_s: f64) -> Reading {
        let setup = &self.setup;
        let seen_s = tick_s - setup.lag_s;
        let watts = setup.power_over_s.map(|over_s| {
            let mean = if over_s > 0.0 {
                (self.energy(seen_s) - self.energy(seen_s - over_s)) / over_s
            } else {
                self.power(seen_s)
            };
            setup.gain * setup.power_gain * mean
        });
        let joules = setup.counter.then(|| {
            let mut joules = setup.gain * (self.energy(seen_s) - self.energy(0.0)) + self.start_j;
            if let Some(reset_s) = setup.reset_at_s.filter(|&reset_s| seen_s >= reset_s) {
                joules = setup.gain * (self.energy(seen_s) - self.energy(reset_s));
            }
            joules += setup.jump.filter(|&(at_s, _)| seen_s >= at_s).map_or(0.0, |(_, by_j)| by_j);
            let joules = setup.wraps_at_j.map_or(joules, |range| joules.rem_euclid(range));
            setup.resolution_j.map_or(joules, |step| (joules / step).floor() * step)
        });
        Reading { joules, watts, clock_mhz: Some(1500.0), temperature_c: Some(60.0), ..Reading::default() }
    }
}

impl World for Simulation {
    fn now(&self) -> f64 {
        self.now
    }

    fn idle(&mut self, seconds: f64) -> Result<(), String> {
        self.loaded_s = 0.0;
        self.pass(seconds, IDLE_W);
        self.read_until_now();
        Ok(())
    }

    fn load(&mut self, runs: u64) -> Result<(), String> {
        let end_s = self.now + runs as f64 * RUN_S * (1.0 + 0.001 * self.random.normal());
        let noise = 1.0 + 0.001 * self.random.normal();
        while end_s - self.now > 1e-9 {
            let phase = self.now / SWING_S + self.swing_phase;
            let next_s = (phase.floor() + 1.0 - self.swing_phase) * SWING_S;
            let step_s = (next_s.max(self.now + 1e-9).min(end_s)) - self.now;
            let up = if phase.floor() % 2.0 == 0.0 { 1.0 } else { -1.0 };
            let warm = 1.0 - COLD * (-self.loaded_s / WARMING_S).exp() + self.setup.drift_per_s * self.loaded_s;
            self.loaded_s += step_s;
            self.pass(step_s, LOAD_W * noise * warm * (1.0 + up * self.setup.swing));
        }
        self.read_until_now();
        self.events.push(Event::Completed { at_s: self.now, runs });
        Ok(())
    }

    fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}
