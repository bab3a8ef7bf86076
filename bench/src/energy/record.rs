//! What was seen so far: readings with an unwrapped counter, the instants at which the figure changed, and completions.

use super::Event;
use super::effort::{PROBE_CHANGES, Rules};
use crate::stats;
use accelbench_backends::meters::{Counter, MeterError, MeterInfo, Reading};

/// A step of the counter that is so many times the usual one, at so many times the usual rate, is a jump.
const JUMP: f64 = 5.0;

/// A reading, with its counter unwrapped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) at_s: f64,
    pub(super) joules: Option<f64>,
    pub(super) watts: Option<f64>,
    pub(super) clock_mhz: Option<f64>,
    pub(super) temperature_c: Option<f64>,
}

/// An instant that a window can start or end at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) at_s: f64,
    /// How far from `at_s` it may have been.
    pub(super) slack_s: f64,
    /// The sample whose figure holds there.
    pub(super) sample: usize,
}

/// What was seen so far.
pub(super) struct Record {
    rules: Rules,
    counter: Counter,
    stated_tick_s: Option<f64>,
    pub(super) samples: Vec<Sample>,
    /// Where the figure changed.
    pub(super) changes: Vec<Edge>,
    /// When batches were complete, and all runs until then.
    completions: Vec<(f64, f64)>,
    /// The sample up to which the counter can't be followed from the one before, and why.
    pub(super) breaks: Vec<(usize, String)>,
    /// When the meter gave no reading, and why.
    pub(super) misses: Vec<(f64, String)>,
    /// Why the clock was held back, and when.
    pub(super) throttle: Vec<(f64, String)>,
    /// When others used the device, and how many.
    pub(super) others: Vec<(f64, u32)>,
    pub(super) power_limit_w: Option<f64>,
    /// The least time between readings, for as long as each found another figure than the one before.
    ever_changing_s: Option<f64>,
    /// Energy comes from a counter, and not from power.
    pub(super) by_counter: bool,
    joules: f64,
    cost_s: f64,
}

impl Record {
    pub(super) fn new(info: &MeterInfo, rules: Rules) -> Self {
        Self {
            rules,
            counter: Counter::new(info.wraps_at_j, Counter::MOST_W),
            stated_tick_s: info.stated_tick_s,
            samples: Vec::new(),
            changes: Vec::new(),
            completions: Vec::new(),
            breaks: Vec::new(),
            misses: Vec::new(),
            throttle: Vec::new(),
            others: Vec::new(),
            power_limit_w: None,
            ever_changing_s: Some(f64::INFINITY),
            by_counter: false,
            joules: 0.0,
            cost_s: 0.0,
        }
    }

    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Completed { at_s, runs } => {
                let before = self.completions.last().map_or(0.0, |&(_, runs)| runs);
                self.completions.push((at_s, before + runs as f64));
            }
            Event::Missed { at_s, error } => {
                if matches!(error, MeterError::Broken { .. }) {
                    self.breaks.push((self.samples.len(), error.to_string()));
                }
                self.misses.push((at_s, error.to_string()));
            }
            Event::Read(reading) => self.read(reading),
        }
    }

    fn read(&mut self, reading: Reading) {
        let at_s = reading.at_s;
        let sound = |value: Option<f64>| value.is_none_or(|value| value.is_finite() && value >= 0.0);
        if !sound(reading.joules) || !sound(reading.watts) {
            let figures = [reading.joules, reading.watts].map(Option::unwrap_or_default);
            self.misses.push((at_s, format!("the meter says {} J and {} W", figures[0], figures[1])));
            return;
        }
        if reading.joules.is_none() && reading.watts.is_none() {
            self.misses.push((at_s, "the meter tells neither energy nor power".to_owned()));
            return;
        }
        if self.samples.last().is_some_and(|last| at_s <= last.at_s) {
            return;
        }
        let joules = reading.joules.map(|raw| self.unwrapped(at_s, raw));
        self.by_counter |= joules.is_some();
        let sample = Sample {
            at_s,
            joules,
            watts: reading.watts,
            clock_mhz: reading.clock_mhz,
            temperature_c: reading.temperature_c,
        };
        self.note_change(&sample, reading.within_s);
        self.samples.push(sample);
        self.cost_s += reading.cost_s;
        self.power_limit_w = reading.power_limit_w.or(self.power_limit_w);
        self.throttle.extend(reading.throttle.into_iter().map(|reason| (at_s, reason)));
        self.others.extend(reading.other_users.filter(|&users| users > 0).map(|users| (at_s, users)));
    }

    /// A counter's value as if it had never wrapped.
    fn unwrapped(&mut self, at_s: f64, raw: f64) -> f64 {
        if !self.rules.unwrapped {
            return raw;
        }
        match self.counter.advance(at_s, raw) {
            Ok(joules) => self.joules = joules,
            Err(fault) => self.breaks.push((self.samples.len(), fault.to_string())),
        }
        self.joules
    }

    /// A sample was taken within so many seconds of its time.
    fn note_change(&mut self, sample: &Sample, within_s: f64) {
        let Some(last) = self.samples.last() else { return };
        // A counter and power of one meter may have ticks of their own; the counter's count.
        let changed = match (sample.joules, last.joules) {
            (Some(now), Some(before)) => now.to_bits() != before.to_bits(),
            _ => sample.watts.map(f64::to_bits) != last.watts.map(f64::to_bits),
        };
        if !changed {
            self.ever_changing_s = None;
            return;
        }
        let index = self.samples.len();
        let gap_s = sample.at_s - last.at_s;
        self.ever_changing_s = self.ever_changing_s.map(|least_s| least_s.min(gap_s));
        // A figure that changes with every reading may be fresher than the gap between them shows.
        let every = self.changes.last().is_some_and(|change| change.sample + 1 == index);
        let stated_s = self.stated_tick_s.filter(|_| every);
        // Were its tick longer than the shortest gap, some reading would have found the figure that was there before.
        let seen_s = self.ever_changing_s.filter(|_| index > PROBE_CHANGES);
        let age_s = [stated_s, seen_s].into_iter().flatten().fold(gap_s, f64::min);
        let slack_s = age_s / 2.0 + within_s;
        self.changes.push(Edge { at_s: sample.at_s - age_s / 2.0, slack_s, sample: index });
    }

    /// The time of the last reading.
    pub(super) fn last_read_s(&self) -> Option<f64> {
        self.samples.last().map(|sample| sample.at_s)
    }

    /// Seconds that a reading takes.
    pub(super) fn read_cost_s(&self) -> Option<f64> {
        (!self.samples.is_empty()).then(|| self.cost_s / self.samples.len() as f64)
    }

    /// Seconds between readings.
    pub(super) fn gap_s(&self) -> Option<f64> {
        let (first, last) = (self.samples.first()?, self.samples.last()?);
        (self.samples.len() > 1).then(|| (last.at_s - first.at_s) / (self.samples.len() - 1) as f64)
    }

    /// Changes from `from_s` on.
    pub(super) fn changes_from(&self, from_s: f64) -> &[Edge] {
        &self.changes[self.changes.partition_point(|change| change.at_s < from_s)..]
    }

    /// Samples between two times.
    pub(super) fn between(&self, from_s: f64, to_s: f64) -> &[Sample] {
        let start = self.samples.partition_point(|sample| sample.at_s < from_s);
        let end = self.samples.partition_point(|sample| sample.at_s <= to_s);
        &self.samples[start..end.max(start)]
    }

    /// The first instant from `from_s` on that a window can start or end at, once it was seen.
    pub(super) fn edge(&self, from_s: f64) -> Option<Edge> {
        let next = self.samples.partition_point(|sample| sample.at_s < from_s);
        if !self.rules.aligned {
            return (0 < next && next < self.samples.len()).then(|| Edge {
                at_s: from_s,
                slack_s: 0.0,
                sample: next - 1,
            });
        }
        if self.by_counter {
            // Where a reading came late or took long, the change before it is known less well than the next one.
            let most_s = 1.5 * self.usual_slack_s()?;
            return self.changes_from(from_s).iter().find(|change| change.slack_s <= most_s).copied();
        }
        self.samples.get(next).map(|sample| Edge { at_s: sample.at_s, slack_s: 0.0, sample: next })
    }

    /// How far from where it was seen a change usually was, of late.
    pub(super) fn usual_slack_s(&self) -> Option<f64> {
        let recent = &self.changes[self.changes.len().saturating_sub(PROBE_CHANGES)..];
        stats::median(&recent.iter().map(|change| change.slack_s).collect::<Vec<_>>())
    }

    /// Runs until a time, with the share of the one under way; none outside of the load.
    pub(super) fn runs_at(&self, at_s: f64) -> Option<f64> {
        let next = self.completions.partition_point(|&(completed_s, _)| completed_s <= at_s);
        let &(from_s, before) = self.completions.get(next.checked_sub(1)?)?;
        let &(to_s, after) = self.completions.get(next)?;
        Some(before + (after - before) * (at_s - from_s) / (to_s - from_s))
    }

    /// The time of the last completion.
    pub(super) fn last_completed_s(&self) -> f64 {
        self.completions.last().map_or(f64::NEG_INFINITY, |&(at_s, _)| at_s)
    }

    /// Seconds between the last two completions.
    pub(super) fn batch_s(&self) -> Option<f64> {
        let [.., before, last] = &self.completions[..] else { return None };
        Some(last.0 - before.0)
    }

    /// Why the counter's joules between two edges can't be believed: it can't be followed, or it made a step unlike the
    /// others.
    pub(super) fn broken(&self, start: &Edge, end: &Edge) -> Option<String> {
        let within = |&&(sample, _): &&(usize, String)| start.sample < sample && sample <= end.sample;
        if let Some((_, why)) = self.breaks.iter().find(within) {
            return Some(why.clone());
        }
        let steps = self.steps(start, end);
        let usual = |of: fn(&(f64, f64)) -> f64| stats::median(&steps.iter().map(of).collect::<Vec<_>>());
        let (usual_j, usual_w) = (usual(|&(joules, _)| joules)?, usual(|&(joules, seconds)| joules / seconds)?);
        let jump = |&&(joules, seconds): &&(f64, f64)| joules > JUMP * usual_j && joules / seconds > JUMP * usual_w;
        let (joules, _) = steps.iter().find(jump)?;
        Some(format!("the counter jumped by {joules:.1} J, and {usual_j:.1} J is its usual step"))
    }

    /// The counter's steps between two edges, in joules and seconds.
    pub(super) fn steps(&self, start: &Edge, end: &Edge) -> Vec<(f64, f64)> {
        let changes = self.changes_from(start.at_s);
        let changes = &changes[..changes.partition_point(|change| change.at_s <= end.at_s)];
        let step = |pair: &[Edge]| Some((self.counted(&pair[0], &pair[1])?, pair[1].at_s - pair[0].at_s));
        changes.windows(2).filter_map(step).collect()
    }

    /// The counter's joules between two edges.
    pub(super) fn counted(&self, start: &Edge, end: &Edge) -> Option<f64> {
        Some(self.samples.get(end.sample)?.joules? - self.samples.get(start.sample)?.joules?)
    }

    /// The integral of power between two times by the trapezoidal rule; none where power is not known throughout.
    pub(super) fn integral(&self, from_s: f64, to_s: f64) -> Option<f64> {
        let first = self.samples.partition_point(|sample| sample.at_s <= from_s).checked_sub(1)?;
        let known = self.samples[first..].iter().filter_map(|sample| Some((sample.at_s, sample.watts?)));
        let mut joules = 0.0;
        let mut before: Option<(f64, f64)> = None;
        for (at_s, watts) in known {
            if let Some((last_s, last_w)) = before {
                let at = |time_s: f64| last_w + (watts - last_w) * (time_s - last_s) / (at_s - last_s);
                let (start, end) = (last_s.max(from_s), at_s.min(to_s));
                if end > start {
                    joules += 0.5 * (at(start) + at(end)) * (end - start);
                }
            } else if at_s > from_s {
                return None;
            }
            if at_s >= to_s {
                return Some(joules);
            }
            before = Some((at_s, watts));
        }
        None
    }

    /// The mean power between two times, from the counter's changes or from readings of power.
    pub(super) fn mean_power(&self, from_s: f64, to_s: f64) -> Option<f64> {
        let changes = self.changes_from(from_s);
        let changes = &changes[..changes.partition_point(|change| change.at_s <= to_s)];
        if let (Some(first), Some(last)) = (changes.first(), changes.last())
            && last.at_s > first.at_s
            && self.broken(first, last).is_none()
            && let Some(joules) = self.counted(first, last)
        {
            return Some(joules / (last.at_s - first.at_s));
        }
        mean(self.between(from_s, to_s).iter().filter_map(|sample| sample.watts))
    }

    /// The median time between changes from `from_s` on; none with fewer than `least` changes.
    pub(super) fn tick_s(&self, from_s: f64, least: usize) -> Option<f64> {
        let changes = self.changes_from(from_s);
        let gaps: Vec<f64> = changes.windows(2).map(|pair| pair[1].at_s - pair[0].at_s).collect();
        if gaps.len() < least { None } else { stats::median(&gaps) }
    }
}

/// The mean; none of nothing.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The standard deviation of power as a share of its mean.
pub(super) fn scatter(samples: &[Sample]) -> f64 {
    let watts = || samples.iter().filter_map(|sample| sample.watts);
    let centre = mean(watts()).unwrap_or_default();
    let variance = mean(watts().map(|value| (value - centre).powi(2))).unwrap_or_default();
    variance.sqrt() / centre
}
