//! Who is ahead, by how much, and how sure that is.

use super::{ClockKind, Interval, Mean, Ratio, Report, Verdict};
use crate::CacheMode;
use crate::inert::Text;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Subjects that a standing ranks at most; the number of those left out is told.
const RANKED: usize = 40;
/// Subjects at the top of a standing whose ratios to each other are all given.
const PAIRED: usize = 12;

/// The order of subjects in one operation and type, over cases that are equal.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Standing {
    /// The operation.
    pub op: Text,
    /// The numeric types.
    pub dtype: Text,
    /// How the inputs are made.
    pub fill: Text,
    /// What the caches held.
    pub cache: CacheMode,
    /// The kind of clock; none where energy is compared.
    pub clock: Option<ClockKind>,
    /// What the energy includes; none where speed is compared.
    pub scope: Option<Text>,
    /// Cases that at least one subject measured: indices of [`Report::cases`].
    pub cases: Vec<usize>,
    /// The best first.
    ///
    /// A subject stands before another where the geometric mean over their common cases says so for more opponents.
    /// Those with fewer than half as many cases as the one with most come last.
    pub ranks: Vec<Rank>,
    /// Subjects behind the last rank that are not shown.
    pub left_out: usize,
    /// The ratios of the first ranks to each other: each pair once, the better-placed first.
    pub pairs: Vec<Pair>,
}

/// A subject's place.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Rank {
    /// An index of [`Report::subjects`].
    pub subject: usize,
    /// Cases that it measured.
    pub cases: usize,
    /// They are fewer than half of those of the subject with most.
    pub few: bool,
    /// Its best row: the highest FLOP/s, or the least energy per FLOP. An index of [`Report::rows`].
    pub best: usize,
    /// How many times as good it is as the next one; none for the last, and where they have no case in common.
    pub over_next: Option<Mean>,
    /// How many times as good the first one is as this one; none for the first, and where they have no case in common.
    pub behind_first: Option<Mean>,
    /// This one against the best of each case, over its own cases: 1 at most.
    pub against_best: Mean,
}

/// Two subjects over the cases that they have in common.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Pair {
    /// An index of [`Report::subjects`].
    pub first: usize,
    /// Another.
    pub second: usize,
    /// How many times as good the first is as the second; none where they have no case in common.
    pub mean: Option<Mean>,
}

/// What a standing says at its head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// Only one subject measured it.
    Alone {
        /// An index of [`Report::subjects`].
        first: usize,
        /// Cases that it measured.
        cases: usize,
    },
    /// The first is ahead of the second, whatever value within the intervals the two have.
    Ahead {
        /// An index of [`Report::subjects`].
        first: usize,
        /// The next one.
        second: usize,
        /// By how much.
        by: Mean,
    },
    /// The first two do not differ by more than their intervals allow.
    Even {
        /// An index of [`Report::subjects`].
        first: usize,
        /// The other.
        second: usize,
        /// The first against the second.
        by: Mean,
    },
    /// The first two have no case in common.
    Apart {
        /// An index of [`Report::subjects`].
        first: usize,
        /// The other.
        second: usize,
    },
}

impl Standing {
    /// What it says at its head; none of nothing.
    pub fn finding(&self) -> Option<Finding> {
        let first = self.ranks.first()?;
        let Some(second) = self.ranks.get(1) else {
            return Some(Finding::Alone { first: first.subject, cases: first.cases });
        };
        let (first, second, over_next) = (first.subject, second.subject, first.over_next);
        Some(match over_next {
            None => Finding::Apart { first, second },
            Some(by) if by.ratio.verdict() == Verdict::Better => Finding::Ahead { first, second, by },
            Some(by) => Finding::Even { first, second, by },
        })
    }
}

/// What cases of one standing have in common.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    op: Text,
    dtype: Text,
    fill: Text,
    cold: bool,
    clock: Option<ClockKind>,
    scope: Option<Text>,
}

/// What a subject has in a case: the row that stands for it, and what it costs in time or energy.
#[derive(Clone, Copy)]
struct Entry {
    row: usize,
    cost: Interval,
}

/// A case, and the subjects' entries there.
type Entries = (usize, Vec<(usize, Entry)>);

/// Standings in speed among the subjects that `among` names.
pub(super) fn speed(report: &Report, among: &dyn Fn(usize) -> bool) -> Vec<Standing> {
    let mut groups: BTreeMap<Key, Vec<Entries>> = BTreeMap::new();
    for (index, case) in report.cases.iter().enumerate() {
        for kind in [ClockKind::Device, ClockKind::Host] {
            let entry = |row: usize| Some(Entry { row, cost: report.row(row).measured.as_ref()?.time() });
            let cells = case.cells.iter().filter(|cell| among(cell.subject));
            let entries: Vec<_> =
                cells.filter_map(|cell| Some((cell.subject, entry(report.fastest(cell, kind)?)?))).collect();
            if !entries.is_empty() {
                let key = Key { clock: Some(kind), ..key(report, index) };
                groups.entry(key).or_default().push((index, entries));
            }
        }
    }
    standings(report, groups)
}

/// Standings in energy per FLOP, as far as it was measured.
pub(super) fn energy(report: &Report) -> Vec<Standing> {
    let mut groups: BTreeMap<Key, Vec<Entries>> = BTreeMap::new();
    for (index, case) in report.cases.iter().enumerate() {
        let mut scopes: BTreeMap<Text, BTreeMap<usize, Entry>> = BTreeMap::new();
        for (subject, &row) in case.cells.iter().flat_map(|cell| cell.measured.iter().map(|row| (cell.subject, row))) {
            let Some(energy) = report.row(row).energy.as_ref() else { continue };
            let (Some(cost), Some(meter)) = (energy.pj_per_flop(), &energy.meter) else { continue };
            let known = scopes.entry(meter.scope.clone()).or_default().entry(subject).or_insert(Entry { row, cost });
            if cost.value < known.cost.value {
                *known = Entry { row, cost };
            }
        }
        for (scope, entries) in scopes {
            let key = Key { scope: Some(scope), ..key(report, index) };
            groups.entry(key).or_default().push((index, entries.into_iter().collect()));
        }
    }
    standings(report, groups)
}

fn key(report: &Report, case: usize) -> Key {
    let case = &report.cases[case];
    Key {
        op: case.op.clone(),
        dtype: case.dtype.clone(),
        fill: case.fill.clone(),
        cold: case.cache == CacheMode::Cold,
        clock: None,
        scope: None,
    }
}

fn standings(report: &Report, groups: BTreeMap<Key, Vec<Entries>>) -> Vec<Standing> {
    let mut standings: Vec<_> = groups.into_iter().map(|(key, cases)| standing(report, key, &cases)).collect();
    // The order of the cases, which is that of pages; within an operation and a type, the one that compares most first.
    standings.sort_by_key(|standing| (place(&standing.op, &standing.dtype), usize::MAX - standing.ranks.len()));
    standings
}

/// Where an operation and a type stand: half precision's matrix product is what most readers come for.
pub(super) fn place(op: &Text, dtype: &Text) -> (usize, Text, usize, Text) {
    let among = |known: &[&str], name: &Text| known.iter().position(|known| **known == **name).unwrap_or(known.len());
    let ops = among(&["gemm", "conv2d", "attention"], op);
    let dtypes = among(&["f16", "bf16", "f16-acc16", "f8e4m3", "tf32", "f32", "f64", "i8"], dtype);
    (ops, op.clone(), dtypes, dtype.clone())
}

fn standing(report: &Report, key: Key, cases: &[Entries]) -> Standing {
    let subjects: BTreeSet<usize> = cases.iter().flat_map(|(_, entries)| entries.iter().map(|entry| entry.0)).collect();
    let mut entrants: Vec<Entrant> =
        subjects.iter().map(|&subject| Entrant { subject, entries: vec![None; cases.len()], against: None }).collect();
    for (at, (_, entries)) in cases.iter().enumerate() {
        for (subject, entry) in entries {
            if let Ok(index) = entrants.binary_search_by_key(subject, |entrant| entrant.subject) {
                entrants[index].entries[at] = Some(*entry);
            }
        }
    }
    let best: Vec<Option<Interval>> = (0..cases.len())
        .map(|at| {
            let costs = entrants.iter().filter_map(|entrant| Some(entrant.entries[at]?.cost));
            costs.min_by(|one, other| one.value.total_cmp(&other.value))
        })
        .collect();
    for entrant in &mut entrants {
        let ratios = entrant.entries.iter().zip(&best).filter_map(|(entry, best)| {
            let (entry, best) = ((*entry)?, (*best)?);
            // The best is its own measure, and no less sure than sure.
            if entry.cost == best {
                return Some(Ratio { value: 1.0, low: 1.0, high: 1.0 });
            }
            Ratio::of_costs(entry.cost, best)
        });
        entrant.against = Mean::of(ratios);
    }
    entrants.retain(|entrant| entrant.against.is_some());
    let most = entrants.iter().map(Entrant::count).max().unwrap_or(0);
    let few = |entrant: &Entrant| entrant.count() * 2 < most;
    entrants.sort_by(|one, other| {
        few(one)
            .cmp(&few(other))
            .then_with(|| other.score().total_cmp(&one.score()))
            .then(one.subject.cmp(&other.subject))
    });
    let left_out = entrants.len().saturating_sub(RANKED);
    entrants.truncate(RANKED);
    order(&mut entrants, most);
    let ranks = ranks(report, &entrants, most, key.scope.is_some());
    let paired = &entrants[..entrants.len().min(PAIRED)];
    let pairs = paired.iter().enumerate().flat_map(|(at, first)| {
        paired[at + 1..].iter().map(move |second| Pair {
            first: first.subject,
            second: second.subject,
            mean: first.against(second),
        })
    });
    Standing {
        cache: if key.cold { CacheMode::Cold } else { CacheMode::Warm },
        op: key.op,
        dtype: key.dtype,
        fill: key.fill,
        clock: key.clock,
        scope: key.scope,
        cases: cases.iter().map(|(case, _)| *case).collect(),
        ranks,
        left_out,
        pairs: pairs.collect(),
    }
}

/// A subject and its entries, by the standing's cases.
struct Entrant {
    subject: usize,
    entries: Vec<Option<Entry>>,
    against: Option<Mean>,
}

impl Entrant {
    fn count(&self) -> usize {
        self.entries.iter().flatten().count()
    }

    fn score(&self) -> f64 {
        self.against.map_or(0.0, |mean| mean.ratio.value)
    }

    fn against(&self, other: &Self) -> Option<Mean> {
        let both = self.entries.iter().zip(&other.entries);
        Mean::of(both.filter_map(|(one, other)| Ratio::of_costs((*one)?.cost, (*other)?.cost)))
    }
}

/// Orders by opponents beaten (Copeland's rule), which needs no cases that all have in common.
fn order(entrants: &mut Vec<Entrant>, most: usize) {
    let mut wins = vec![0; entrants.len()];
    for one in 0..entrants.len() {
        for other in one + 1..entrants.len() {
            match entrants[one].against(&entrants[other]).map(|mean| mean.ratio.value) {
                Some(ratio) if ratio > 1.0 => wins[one] += 1,
                Some(ratio) if ratio < 1.0 => wins[other] += 1,
                _ => {}
            }
        }
    }
    let mut ordered: Vec<(usize, Entrant)> = wins.into_iter().zip(entrants.drain(..)).collect();
    // Stable: where they have beaten as many, the order against the best of each case stays.
    ordered.sort_by_key(|(wins, entrant)| (entrant.count() * 2 < most, usize::MAX - wins));
    entrants.extend(ordered.into_iter().map(|(_, entrant)| entrant));
    // Of three that beat each other in a ring, the second may beat the first: who is called ahead of the next must be.
    let leads = |one: &Entrant, other: &Entrant| one.against(other).is_none_or(|mean| mean.ratio.value >= 1.0);
    if let [first, second, ..] = &entrants[..]
        && (first.count() * 2 < most) == (second.count() * 2 < most)
        && !leads(first, second)
    {
        entrants.swap(0, 1);
    }
}

fn ranks(report: &Report, entrants: &[Entrant], most: usize, by_energy: bool) -> Vec<Rank> {
    let ranks = entrants.iter().enumerate().filter_map(|(at, entrant)| {
        let rate = |entry: &Entry| {
            let speed = report.row(entry.row).measured.as_ref().map_or(0.0, |measured| measured.flop_per_s);
            if by_energy { -entry.cost.value } else { speed }
        };
        let best = entrant.entries.iter().flatten().max_by(|one, other| rate(one).total_cmp(&rate(other)))?;
        Some(Rank {
            subject: entrant.subject,
            cases: entrant.count(),
            few: entrant.count() * 2 < most,
            best: best.row,
            over_next: entrants.get(at + 1).and_then(|next| entrant.against(next)),
            behind_first: if at == 0 { None } else { entrants[0].against(entrant) },
            against_best: entrant.against?,
        })
    });
    ranks.collect()
}
