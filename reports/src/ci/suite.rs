//! What all formats are written from.

use crate::gate::{Estimate, Metric, Stage};
use crate::inert::{NAME, inert};
use crate::units;
use std::collections::HashSet;

/// Bytes of a case's id: of all formats' limits the smallest is 1024.
const ID_BYTES: usize = 1000;

/// A gate's document or a run's file, its texts made inert.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// The command that measured: `accelbench gate` or `accelbench run`.
    pub name: &'static str,
    /// When that started: RFC 3339, UTC.
    pub started: String,
    /// Seconds that it took, where it came to its end.
    pub wall_s: Option<f64>,
    /// The machine's name, where it is known.
    pub host: Option<String>,
    /// How it ended, in one word.
    pub outcome: &'static str,
    /// The program's exit code.
    pub exit_code: u8,
    /// How it ended, in one sentence.
    pub summary: String,
    /// It ended otherwise than its entries say, or without any.
    pub beyond_entries: bool,
    /// What was measured, by name.
    pub facts: Vec<(&'static str, String)>,
    /// What a reader should know beside it.
    pub notes: Vec<String>,
    /// Cases by their metrics, what asks for action first. No two have the same id and metric.
    pub entries: Vec<Entry>,
}

/// A case by one of its metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The case's id.
    pub id: String,
    /// What was measured.
    pub metric: Metric,
    /// What is said of it, in one word.
    pub verdict: &'static str,
    /// What that means to a test report.
    pub state: State,
    /// Why, in one sentence.
    pub reason: Option<String>,
    /// The median in the metric's unit; in a gate, the candidate's.
    pub value: Option<f64>,
    /// The median's 95% interval, where it is known.
    pub interval: Option<[f64; 2]>,
    /// In a gate, how it differs from the base.
    pub change: Option<Change>,
}

/// How a candidate differs from its base.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The base's median in the metric's unit.
    pub base: Option<f64>,
    /// The statistics; none where it never came to them.
    pub estimate: Option<Estimate>,
    /// Pairs that were thrown out.
    pub thrown_out: u64,
    /// Where it was settled.
    pub stage: Option<Stage>,
}

/// What a verdict means to a test report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no right result to be timed on both sides: it failed, is missing or can't be compared.
    Errored,
    /// It is wrong, or proven to be worse.
    Failed,
    /// Nothing is proven, or nothing is asked of it.
    Skipped,
    /// It is as it should be.
    Passed,
}

impl State {
    /// What asks for action comes first, what is well comes last.
    pub(super) const fn rank(self) -> u8 {
        match self {
            Self::Errored | Self::Failed => 0,
            Self::Skipped => 1,
            Self::Passed => 2,
        }
    }
}

impl Suite {
    /// Entries of a state.
    pub fn count(&self, state: State) -> usize {
        self.entries.iter().filter(|entry| entry.state == state).count()
    }

    /// Takes entries with their cases' ids, which become inert and, together with their metrics, unique.
    pub(super) fn entries<'a>(entries: impl Iterator<Item = (&'a str, Entry)>) -> Vec<Entry> {
        let mut seen = HashSet::new();
        let unique = |(id, mut entry): (&str, Entry)| {
            let mut id = inert(id, NAME);
            id.truncate(id.floor_char_boundary(ID_BYTES));
            let id = if id.trim().is_empty() { "unnamed".to_owned() } else { id };
            entry.id.clone_from(&id);
            let mut copy = 1;
            while !seen.insert((entry.id.clone(), entry.metric)) {
                copy += 1;
                entry.id = format!("{id} ({copy})");
            }
            entry
        };
        entries.map(unique).collect()
    }
}

impl Entry {
    /// The id, and the metric where it is not the usual one.
    pub fn name(&self) -> String {
        match self.metric {
            Metric::Time => self.id.clone(),
            Metric::Energy => format!("{} (energy)", self.id),
        }
    }

    /// The figures in words: `+8.1% [+5.2%, +11.3%], 1.000 µs → 1.081 µs, 16 pairs, detectable from +4.9%`. Empty
    /// without any.
    pub fn figures(&self) -> String {
        let mut parts = Vec::new();
        let estimate = self.change.as_ref().and_then(|change| change.estimate);
        if let Some(estimate) = estimate {
            let [low, high] = estimate.interval.map(signed_percent);
            parts.push(format!("{} [{low}, {high}]", signed_percent(estimate.effect)));
        }
        match (self.change.as_ref().and_then(|change| change.base), self.value) {
            (Some(base), Some(value)) => parts.push(format!("{} → {}", self.shown(base), self.shown(value))),
            (None, Some(value)) => parts.push(self.shown(value)),
            _ => {}
        }
        if let Some([low, high]) = self.interval {
            parts.push(format!("between {} and {}", self.shown(low), self.shown(high)));
        }
        if let Some(estimate) = estimate {
            parts.push(format!("{} pairs", estimate.pairs));
            parts.extend(estimate.detectable.map(|share| format!("detectable from {}", signed_percent(share))));
        }
        let thrown_out = self.change.as_ref().map_or(0, |change| change.thrown_out);
        if thrown_out > 0 {
            parts.push(format!("{thrown_out} pairs thrown out"));
        }
        parts.join(", ")
    }

    /// The reason, or else the figures.
    pub fn message(&self) -> String {
        self.reason.clone().unwrap_or_else(|| self.figures())
    }

    /// A figure of the metric, for people.
    pub fn shown(&self, value: f64) -> String {
        match self.metric {
            Metric::Time => units::time(value),
            Metric::Energy => units::joules(value),
        }
    }
}

/// A share with its sign.
pub fn signed_percent(share: f64) -> String {
    format!("{:+.1}%", share * 100.0)
}
