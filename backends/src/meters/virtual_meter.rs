//! A meter of no device, whose true power is known in closed form: what measures with it can be told how wrong it is.

use super::figure::accuracy;
use super::{Meter, MeterError, MeterInfo, MeterKind, Reading, Scope, Serves, now};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Power over time, in watts and seconds: a constant, and what is added to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// What is always drawn.
    pub idle_w: f64,
    /// What comes on and goes off.
    pub loads: Vec<Load>,
    /// What swings.
    pub waves: Vec<Wave>,
}

/// Power that rises from 0 in `ramp_s` from `on_s` on, and falls at once to 0 at `off_s`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// When it comes on.
    pub on_s: f64,
    /// When it goes off.
    pub off_s: f64,
    /// How long it takes to rise; 0 is a step.
    pub ramp_s: f64,
    /// Its full power.
    pub watts: f64,
}

/// A sinusoid around 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wave {
    /// Its amplitude.
    pub watts: f64,
    /// Its period.
    pub period_s: f64,
    /// Where in its period it is at time 0, from 0 to 1.
    pub phase: f64,
}

impl Truth {
    /// Constant power.
    pub fn constant(watts: f64) -> Self {
        Self { idle_w: watts, ..Self::default() }
    }

    /// The power at `t`.
    pub fn watts(&self, t: f64) -> f64 {
        let loads: f64 = self.loads.iter().map(|load| load.at(t)).sum();
        let waves: f64 =
            self.waves.iter().map(|wave| wave.watts * (TAU * (t / wave.period_s + wave.phase)).sin()).sum();
        self.idle_w + loads + waves
    }

    /// The energy from `t0` to `t1` in joules.
    pub fn joules(&self, t0: f64, t1: f64) -> f64 {
        let loads: f64 = self.loads.iter().map(|load| load.until(t1) - load.until(t0)).sum();
        let waves: f64 = self.waves.iter().map(|wave| wave.until(t1) - wave.until(t0)).sum();
        self.idle_w * (t1 - t0) + loads + waves
    }
}

impl Load {
    fn at(&self, t: f64) -> f64 {
        if t < self.on_s || t >= self.off_s {
            return 0.0;
        }
        if self.ramp_s > 0.0 { self.watts * ((t - self.on_s) / self.ramp_s).min(1.0) } else { self.watts }
    }

    /// The energy up to `t`.
    fn until(&self, t: f64) -> f64 {
        let seconds = (t.min(self.off_s) - self.on_s).max(0.0);
        let rising = seconds.min(self.ramp_s);
        let risen = if self.ramp_s > 0.0 { 0.5 * rising * rising / self.ramp_s } else { 0.0 };
        self.watts * (risen + seconds - rising)
    }
}

impl Wave {
    /// The energy up to `t`, from a fixed moment on.
    fn until(&self, t: f64) -> f64 {
        -self.watts * self.period_s / TAU * (TAU * (t / self.period_s + self.phase)).cos()
    }
}

/// How a virtual meter differs from the truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    /// Counter, instant or averaged power.
    pub kind: MeterKind,
    /// How often the figure changes. It changes at whole multiples of this, counted from `phase_s`.
    pub tick_s: f64,
    /// When it changes first.
    pub phase_s: f64,
    /// How much later it shows what was.
    pub lag_s: f64,
    /// What the truth is multiplied by.
    pub gain: f64,
    /// The figure's smallest step, in joules or watts; 0 for none.
    pub resolution: f64,
    /// The part of each tick in which it looks at all, from its end backwards: 1 for a meter that misses nothing.
    pub sampled: f64,
    /// The standard deviation of each tick's power.
    pub noise_w: f64,
    /// What makes the noise this one and no other.
    pub seed: u64,
    /// Where a counter wraps.
    pub wraps_at_j: Option<f64>,
    /// What a counter shows at time 0.
    pub starts_at_j: f64,
    /// What is wrong with it.
    pub faults: Vec<VirtualFault>,
    /// What a reading tells besides: clock, temperature, limit, other users.
    pub aside: Reading,
}

impl Behaviour {
    /// A faultless meter of a kind that changes every `tick_s` seconds.
    pub fn new(kind: MeterKind, tick_s: f64) -> Self {
        Self {
            kind,
            tick_s,
            phase_s: 0.0,
            lag_s: 0.0,
            gain: 1.0,
            resolution: 0.0,
            sampled: 1.0,
            noise_w: 0.0,
            seed: 0,
            wraps_at_j: None,
            starts_at_j: 0.0,
            faults: Vec::new(),
            aside: Reading::default(),
        }
    }
}

/// Something that goes wrong at a moment.
#[derive(Clone, Debug, PartialEq)]
pub enum VirtualFault {
    /// The figure stays what it was then.
    Frozen {
        /// From when on.
        from_s: f64,
    },
    /// A counter starts again from 0.
    Reset {
        /// When.
        at_s: f64,
    },
    /// A counter is another amount further on, or back where that is negative.
    Jump {
        /// When.
        at_s: f64,
        /// By how much.
        joules: f64,
    },
    /// There is no reading.
    Error {
        /// From when on.
        from_s: f64,
        /// Until when.
        until_s: f64,
        /// What is reported.
        error: MeterError,
    },
}

/// Tells the time. A test's own clock makes hours pass in no time.
pub type VirtualClock = Arc<dyn Fn() -> f64 + Send + Sync>;

/// The meter.
pub struct VirtualMeter {
    info: MeterInfo,
    truth: Truth,
    behaviour: Behaviour,
    clock: VirtualClock,
    /// The tick at time 0, from which on a counter counts.
    first: i64,
    /// The energy that a sampling or noisy counter has seen up to each tick from the first one on.
    sums: Vec<f64>,
}

impl VirtualMeter {
    /// A meter of `truth` that serves `serves`, on this program's clock.
    pub fn new(truth: Truth, behaviour: Behaviour, serves: Serves) -> Self {
        let counter = behaviour.kind == MeterKind::Counter;
        let (accuracy, accuracy_source) = accuracy(None);
        let info = MeterInfo {
            id: "virtual".to_owned(),
            source: "a closed form".to_owned(),
            kind: behaviour.kind,
            scope: Scope::Module,
            serves,
            resolution_j: (counter && behaviour.resolution > 0.0).then_some(behaviour.resolution),
            wraps_at_j: behaviour.wraps_at_j.filter(|_| counter),
            stated_tick_s: None,
            interval_s: behaviour.tick_s / 10.0,
            accuracy,
            accuracy_source,
            privilege: None,
        };
        let first = (-behaviour.phase_s / behaviour.tick_s).floor() as i64;
        Self { info, truth, behaviour, clock: Arc::new(now), first, sums: vec![0.0] }
    }

    /// The same meter on another clock.
    #[must_use]
    pub fn on(self, clock: VirtualClock) -> Self {
        Self { clock, ..self }
    }

    /// What the meter says of itself, to change it.
    pub fn info_mut(&mut self) -> &mut MeterInfo {
        &mut self.info
    }

    /// The true energy from `t0` to `t1` in joules.
    pub fn truth(&self, t0: f64, t1: f64) -> f64 {
        self.truth.joules(t0, t1)
    }

    /// What it shows at `t`.
    ///
    /// # Errors
    /// Those that its faults say.
    pub fn read_at(&mut self, t: f64) -> Result<Reading, MeterError> {
        let mut shown_at = t;
        for fault in &self.behaviour.faults {
            match fault {
                VirtualFault::Error { from_s, until_s, error } if (*from_s..*until_s).contains(&t) => {
                    return Err(error.clone());
                }
                VirtualFault::Frozen { from_s } => shown_at = shown_at.min(*from_s),
                _ => {}
            }
        }
        let tick = ((shown_at - self.behaviour.phase_s) / self.behaviour.tick_s).floor() as i64;
        let counter = self.behaviour.kind == MeterKind::Counter;
        let value = if counter { self.counted(tick, shown_at) } else { self.power(tick) };
        let reading = Reading { at_s: t, ..self.behaviour.aside.clone() };
        Ok(if counter { Reading { joules: Some(value), ..reading } } else { Reading { watts: Some(value), ..reading } })
    }

    /// The moment that the figure of a tick is about.
    fn moment(&self, tick: i64) -> f64 {
        self.behaviour.phase_s + tick as f64 * self.behaviour.tick_s - self.behaviour.lag_s
    }

    /// What a power meter shows in a tick.
    fn power(&self, tick: i64) -> f64 {
        let (behaviour, end) = (&self.behaviour, self.moment(tick));
        let window = match behaviour.kind {
            MeterKind::AveragedPower { window_s } => window_s,
            _ => 0.0,
        };
        let seconds = window * behaviour.sampled;
        let truth = if seconds > 0.0 { self.truth.joules(end - seconds, end) / seconds } else { self.truth.watts(end) };
        let value = behaviour.gain * truth + behaviour.noise_w * normal(behaviour.seed, tick);
        if behaviour.resolution > 0.0 { (value / behaviour.resolution).round() * behaviour.resolution } else { value }
    }

    /// What a counter shows in a tick.
    fn counted(&mut self, tick: i64, shown_at: f64) -> f64 {
        let mut joules = self.behaviour.starts_at_j + self.energy(tick);
        for fault in self.behaviour.faults.clone() {
            match fault {
                VirtualFault::Reset { at_s } if shown_at >= at_s => {
                    let then = ((at_s - self.behaviour.phase_s) / self.behaviour.tick_s).floor() as i64;
                    joules = self.energy(tick) - self.energy(then);
                }
                VirtualFault::Jump { at_s, joules: step } if shown_at >= at_s => joules += step,
                _ => {}
            }
        }
        if self.behaviour.resolution > 0.0 {
            joules = (joules / self.behaviour.resolution).floor() * self.behaviour.resolution;
        }
        self.behaviour.wraps_at_j.map_or(joules, |wrap| joules.rem_euclid(wrap))
    }

    /// The energy that a counter has seen up to a tick, from the first one on.
    fn energy(&mut self, tick: i64) -> f64 {
        let gain = self.behaviour.gain;
        if self.behaviour.sampled >= 1.0 && self.behaviour.noise_w == 0.0 {
            return gain * self.truth.joules(self.moment(self.first), self.moment(tick));
        }
        let seconds = self.behaviour.tick_s * self.behaviour.sampled;
        let wanted = usize::try_from(tick - self.first).unwrap_or(0);
        while self.sums.len() <= wanted {
            let next = self.first + self.sums.len() as i64;
            let end = self.moment(next);
            let mean = self.truth.joules(end - seconds, end) / seconds;
            let noise = self.behaviour.noise_w * normal(self.behaviour.seed, next);
            let sum = self.sums[self.sums.len() - 1] + (gain * mean + noise).max(0.0) * self.behaviour.tick_s;
            self.sums.push(sum);
        }
        self.sums[wanted]
    }
}

impl Meter for VirtualMeter {
    fn info(&self) -> &MeterInfo {
        &self.info
    }

    fn read(&mut self) -> Result<Reading, MeterError> {
        let t = (self.clock)();
        self.read_at(t)
    }
}

/// A number that is near enough to a normal one: twelve uniform ones, less six. The same seed and index give the same.
fn normal(seed: u64, index: i64) -> f64 {
    let mut state = seed ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut uniform = || {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..12).map(|_| uniform()).sum::<f64>() - 6.0
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // What is compared for equality was computed in the same way.
mod tests {
    use super::*;

    fn truth() -> Truth {
        Truth {
            idle_w: 80.0,
            loads: vec![
                Load { on_s: 3.0, off_s: 20.0, ramp_s: 2.0, watts: 400.0 },
                Load { on_s: 8.0, off_s: 9.0, ramp_s: 0.0, watts: 50.0 },
                Load { on_s: 12.0, off_s: 12.5, ramp_s: 1.0, watts: 60.0 },
            ],
            waves: vec![Wave { watts: 30.0, period_s: 0.7, phase: 0.2 }],
        }
    }

    fn meter(kind: MeterKind, change: impl Fn(&mut Behaviour)) -> VirtualMeter {
        let mut behaviour = Behaviour::new(kind, 0.1);
        change(&mut behaviour);
        VirtualMeter::new(truth(), behaviour, Serves::Machine)
    }

    fn joules(meter: &mut VirtualMeter, t: f64) -> f64 {
        meter.read_at(t).unwrap().joules.unwrap()
    }

    #[test]
    fn the_closed_form_is_the_integral() {
        let truth = truth();
        let (steps, t0, t1) = (1_000_000, 1.3, 22.1);
        let width = (t1 - t0) / f64::from(steps);
        let sum: f64 = (0..steps).map(|step| truth.watts(t0 + (f64::from(step) + 0.5) * width) * width).sum();
        assert!((truth.joules(t0, t1) / sum - 1.0).abs() < 1e-6, "{} and {sum}", truth.joules(t0, t1));
    }

    #[test]
    fn a_faultless_counter_shows_the_truth_of_its_last_tick() {
        let mut meter = meter(MeterKind::Counter, |_| ());
        assert!((joules(&mut meter, 10.05) - truth().joules(0.0, 10.0)).abs() < 1e-6);
        assert!((joules(&mut meter, 10.0999) - truth().joules(0.0, 10.0)).abs() < 1e-6);
    }

    #[test]
    fn lag_gain_phase_and_resolution_are_what_they_say() {
        let mut meter = meter(MeterKind::Counter, |behaviour| {
            (behaviour.lag_s, behaviour.gain, behaviour.phase_s, behaviour.resolution) = (0.25, 1.05, 0.03, 1.0);
        });
        let exact = 1.05 * truth().joules(0.03 - 0.1 - 0.25, 10.03 - 0.25);
        assert_eq!(joules(&mut meter, 10.05), exact.floor());
        assert_eq!(meter.info().resolution_j, Some(1.0));
    }

    #[test]
    fn counters_wrap_reset_jump_and_freeze() {
        let mut wrapping = meter(MeterKind::Counter, |behaviour| behaviour.wraps_at_j = Some(1000.0));
        assert!((joules(&mut wrapping, 10.05) - truth().joules(0.0, 10.0).rem_euclid(1000.0)).abs() < 1e-6);
        let mut reset = meter(MeterKind::Counter, |behaviour| {
            behaviour.starts_at_j = 5e6;
            behaviour.faults = vec![VirtualFault::Reset { at_s: 6.0 }];
        });
        assert!(joules(&mut reset, 5.0) > 5e6);
        assert!((joules(&mut reset, 10.05) - truth().joules(6.0, 10.0)).abs() < 1e-6);
        let mut jumping = meter(MeterKind::Counter, |behaviour| {
            behaviour.faults = vec![VirtualFault::Jump { at_s: 6.0, joules: -50.0 }];
        });
        assert!((joules(&mut jumping, 10.05) - truth().joules(0.0, 10.0) + 50.0).abs() < 1e-6);
        let mut frozen = meter(MeterKind::Counter, |behaviour| {
            behaviour.faults = vec![VirtualFault::Frozen { from_s: 6.0 }];
        });
        assert_eq!(joules(&mut frozen, 7.0), joules(&mut frozen, 17.0));
    }

    #[test]
    fn errors_come_when_they_are_due() {
        let error = MeterError::Absent { what: "the driver".to_owned() };
        let fault = VirtualFault::Error { from_s: 1.0, until_s: 2.0, error: error.clone() };
        let mut meter = meter(MeterKind::InstantPower, |behaviour| behaviour.faults = vec![fault.clone()]);
        assert!(meter.read_at(0.5).is_ok() && meter.read_at(2.0).is_ok());
        assert_eq!(meter.read_at(1.5), Err(error));
    }

    #[test]
    fn power_is_of_a_moment_or_of_a_window() {
        let mut instant = meter(MeterKind::InstantPower, |_| ());
        assert_eq!(instant.read_at(4.05).unwrap().watts, Some(truth().watts(4.0)));
        let mut averaged = meter(MeterKind::AveragedPower { window_s: 0.5 }, |_| ());
        let mean = truth().joules(3.5, 4.0) / 0.5;
        assert!((averaged.read_at(4.05).unwrap().watts.unwrap() - mean).abs() < 1e-9);
    }

    #[test]
    fn a_sampling_counter_sees_a_part_and_is_near_the_truth() {
        let mut meter = meter(MeterKind::Counter, |behaviour| behaviour.sampled = 0.25);
        let seen = joules(&mut meter, 19.05);
        let exact = truth().joules(0.0, 19.0);
        assert!(seen != exact && (seen / exact - 1.0).abs() < 0.02, "{seen} of {exact}");
        assert_eq!(joules(&mut meter, 5.05), joules(&mut meter_again(), 5.05), "an earlier tick is what it was");
    }

    fn meter_again() -> VirtualMeter {
        meter(MeterKind::Counter, |behaviour| behaviour.sampled = 0.25)
    }

    #[test]
    fn noise_is_seeded_and_has_its_deviation() {
        let noises: Vec<_> = (0..20_000).map(|index| normal(7, index)).collect();
        let mean = noises.iter().sum::<f64>() / 20_000.0;
        let variance = noises.iter().map(|noise| (noise - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        assert_eq!(normal(7, 3), normal(7, 3));
        assert_ne!(normal(7, 3), normal(8, 3));
        let mut noisy = meter(MeterKind::Counter, |behaviour| behaviour.noise_w = 5.0);
        let exact = truth().joules(0.0, 19.0);
        assert!((joules(&mut noisy, 19.05) / exact - 1.0).abs() < 0.01);
    }

    #[test]
    fn a_test_s_clock_drives_it() {
        let time = Arc::new(std::sync::Mutex::new(2.05));
        let clock = Arc::clone(&time);
        let mut meter = meter(MeterKind::Counter, |_| ()).on(Arc::new(move || *clock.lock().unwrap()));
        let first = meter.read().unwrap();
        *time.lock().unwrap() = 10.05;
        let second = meter.read().unwrap();
        assert_eq!((first.at_s, second.at_s), (2.05, 10.05));
        let counted = second.joules.unwrap() - first.joules.unwrap();
        assert!((counted - meter.truth(2.0, 10.0)).abs() < 1e-6);
    }
}
