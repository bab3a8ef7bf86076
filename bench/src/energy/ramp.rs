//! Load until power and clock are steady.

use super::World;
use super::effort::{PROBE_CHANGES, RAMP_MAX_S, STEADY_PER_S};
use super::protocol::{Ended, Protocol};
use super::record::{Edge, Record, Sample, mean, scatter};
use super::uncertainty;
use accelbench_reports::EnergyStatus;

/// Steadiness is not judged over less than this.
const LEAST_S: f64 = 1.0;

/// A figure that does not change for so long under load, or for so many of the meter's own intervals, is frozen.
const FROZEN_S: f64 = 5.0;
const FROZEN_INTERVALS: f64 = 3.0;

/// Runs the load until power and clock are steady and the meter's tick is known, and returns the power in watts.
///
/// # Errors
/// `non_stationary` where they do not settle in time; `failed` where the meter's figure changes too seldom.
pub(super) fn until_steady<W: World>(protocol: &mut Protocol<'_, W>, tick_known: bool) -> Result<f64, Ended> {
    let start = protocol.world.now();
    let mut judged_s = start;
    loop {
        protocol.load()?;
        let now = protocol.world.now();
        let over = now - start >= RAMP_MAX_S;
        // Noise falls with the time that is looked at: all since the start but its first third, and not some last seconds.
        if !over && (now - start < LEAST_S || now - judged_s < 0.1 * LEAST_S) {
            continue;
        }
        judged_s = now;
        let seen = protocol.record.changes_from(start).len();
        let waited_s = now - start;
        if seen == 0 && waited_s >= FROZEN_S.max(FROZEN_INTERVALS * protocol.info.interval_s) {
            return Err(Ended::failed(seldom(seen, waited_s)));
        }
        let ticking = tick_known || !protocol.record.by_counter || seen > PROBE_CHANGES;
        match Trends::of(&protocol.record, start + (now - start) / 3.0) {
            Some(trends) if ticking && trends.steady() => return Ok(trends.power_w),
            _ if !over => {}
            Some(trends) if ticking => {
                return Err(Ended { status: EnergyStatus::NonStationary, reason: trends.unsteady() });
            }
            _ => return Err(Ended::failed(seldom(seen, RAMP_MAX_S))),
        }
    }
}

/// A figure that hardly changes, or not at all.
pub(super) fn seldom(changes: usize, seconds: f64) -> String {
    match changes {
        0 => format!("the meter's figure is frozen: it did not change within {seconds:.0} s of load"),
        _ => {
            format!("the meter's figure changed {changes} times within {seconds:.0} s of load, too seldom for its tick")
        }
    }
}

/// How power and clock change, as shares of themselves a second.
struct Trends {
    power_w: f64,
    power: f64,
    /// What ticks and scatter may add to `power`, k = 2.
    unsure: f64,
    clock: Option<f64>,
}

impl Trends {
    /// Over all that was seen since a time, its second half against its first; none where that is too little.
    fn of(record: &Record, from_s: f64) -> Option<Self> {
        let to_s = record.last_read_s()?;
        let samples = record.between(from_s, to_s);
        let (first, second) = samples.split_at(samples.len() / 2);
        let apart_s = (to_s - from_s) / 2.0;
        let clocks = |half: &[Sample]| mean(half.iter().filter_map(|sample| sample.clock_mhz));
        let clock = clocks(first).zip(clocks(second)).map(|(one, other)| trend(one, other, apart_s));
        if record.by_counter {
            let changes = record.changes_from(from_s);
            let [start, _, .., end] = changes else { return None };
            let middle = &changes[changes.len() / 2];
            let power = |start: &Edge, end: &Edge| Some(record.counted(start, end)? / (end.at_s - start.at_s));
            let (one, other) = (power(start, middle)?, power(middle, end)?);
            let apart_s = (end.at_s - start.at_s) / 2.0;
            let slack_s = start.slack_s.max(middle.slack_s).max(end.slack_s);
            let unsure = (2.0f64).sqrt() * uncertainty::ticks(slack_s, apart_s) / apart_s;
            return Some(Self { power_w: f64::midpoint(one, other), power: trend(one, other, apart_s), unsure, clock });
        }
        let powers = |half: &[Sample]| mean(half.iter().filter_map(|sample| sample.watts));
        let (one, other) = (powers(first)?, powers(second)?);
        let figures = record.changes_from(from_s).len().min(samples.len()) as f64 / 2.0;
        let unsure = (2.0f64).sqrt() * uncertainty::sampling(scatter(samples), figures) / apart_s;
        Some(Self { power_w: f64::midpoint(one, other), power: trend(one, other, apart_s), unsure, clock })
    }

    fn steady(&self) -> bool {
        // A trend that is less well known than the limit may be anything.
        let changes = [self.power, self.unsure, self.clock.unwrap_or_default()];
        changes.iter().all(|share| share.abs() < STEADY_PER_S)
    }

    fn unsteady(&self) -> String {
        let percent = |share: f64| format!("{:+.1} % a second", 100.0 * share);
        let clock = self.clock.map_or(String::new(), |clock| format!(", the clock by {}", percent(clock)));
        format!(
            "after {RAMP_MAX_S} s of load power still changes by {} ± {:.1} %{clock}",
            percent(self.power),
            100.0 * self.unsure
        )
    }
}

fn trend(one: f64, other: f64, seconds: f64) -> f64 {
    (other - one) / f64::midpoint(one, other) / seconds
}
