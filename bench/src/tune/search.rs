//! Which plan to try next: a search that is told what was measured and measures nothing itself.
//!
//! Every figure is a ratio to the incumbent, the plan that would be used now, which takes turns with each challenger: what
//! the machine does meanwhile happens to both. In order:
//!
//! 1. The incumbent is run alone, so that what goes wrong afterwards is a challenger's fault.
//! 2. One plan of each kernel family. Families that are far behind are left alone from then on.
//! 3. A race of the plans that the model ranks first: after each round the slower half is out, and the others run longer.
//! 4. From the fastest, its neighbours: plans that differ in one size by a step. Where no neighbour is faster, the next by
//!    the model; until all were tried or the time is up.
//! 5. The fastest, if it is not the incumbent, meets it again in processes of its own (see [`duel`](super::duel)).
//!    Only who wins there takes its place.

use super::duel::{self, Terms, Win};
use crate::stats;
use accelbench_reports::Status;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// A plan that may win.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its name.
    pub plan: String,
    /// Its kernel family.
    pub variant: String,
    /// Its sizes, see [`Plan::sizes`](accelbench_kernels::Plan::sizes).
    pub sizes: Vec<u32>,
    /// Whether its family would choose it.
    pub preferred: bool,
    /// The seconds that the model gives it; none where the model knows nothing of it.
    pub model_s: Option<f64>,
}

/// How a search is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Seconds for all of it.
    pub budget_s: f64,
    /// Plans of the race.
    pub racers: usize,
    /// Challengers that may meet the incumbent in the end.
    pub finalists: usize,
    /// What these have to show.
    pub terms: Terms,
}

impl Default for Options {
    fn default() -> Self {
        Self { budget_s: 60.0, racers: 12, finalists: 2, terms: Terms::default() }
    }
}

/// Pairs of turns of a plan's first trial.
const PAIRS: usize = 2;
/// Pairs that a plan must have had to lead.
const SURE_PAIRS: usize = 6;
/// Rounds of the race.
const ROUNDS: usize = 3;
/// A family whose first plan takes so many times as long as the fastest is left alone.
const FAR_BEHIND: f64 = 2.0;
/// What takes so many times as long as the fastest is out of the race.
const BEHIND: f64 = 1.1;
/// Sizes differ by this many doublings altogether, at most, between neighbours.
const NEAR: f64 = 2.01;

/// What is to be measured next. Plans are indices into the candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The incumbent alone.
    Prove,
    /// A challenger beside the incumbent, so many pairs of turns.
    Trial {
        /// The challenger.
        plan: usize,
        /// Pairs of turns.
        pairs: usize,
    },
    /// The same in a process of its own, for the `block`-th time.
    Duel {
        /// The challenger.
        plan: usize,
        /// Blocks before this one.
        block: usize,
        /// Pairs of turns.
        pairs: usize,
    },
    /// Nothing any more.
    Done,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// ln(challenger / incumbent) of each pair; empty for the incumbent alone.
    Pairs(Vec<f64>),
    /// The plan is wrong, fails, crashes or hangs.
    Fault(Fault),
    /// The time was up before it came to an end.
    NoTime,
}

/// Why a plan can't win.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What became of it.
    pub status: Status,
    /// In words.
    pub reason: String,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every plan worth trying was tried.
    Exhausted,
    /// The time was up.
    Budget,
    /// The time does not even suffice for one challenger.
    TooShort,
    /// The incumbent itself is at fault.
    Incumbent,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Prove,
    Families,
    Race { round: usize },
    Climb,
    Duel,
    Done(Ended),
}

#[derive(Clone, Debug, Default)]
struct Tried {
    pairs: Vec<f64>,
    fault: Option<Fault>,
}

impl Tried {
    /// ln of how many times as long as the incumbent it takes.
    fn estimate(&self) -> Option<f64> {
        if self.fault.is_some() { None } else { stats::median(&self.pairs) }
    }
}

/// A search among the plans of one case.
#[derive(Clone, Debug)]
pub struct Search {
    candidates: Vec<Candidate>,
    incumbent: usize,
    options: Options,
    phase: Phase,
    tried: BTreeMap<usize, Tried>,
    /// Families that are far behind.
    dropped: Vec<String>,
    /// What the current round has still to try.
    queue: VecDeque<usize>,
    finalists: VecDeque<usize>,
    blocks: Vec<Vec<f64>>,
    /// Why nothing more is tried, before the finalists have met the incumbent.
    ending: Ended,
    win: Option<(usize, Win)>,
    spent_s: f64,
    /// Of the incumbent's proof, and of an average trial.
    proof_s: f64,
    trials_s: f64,
    trials: usize,
    last: Option<Step>,
}

impl Search {
    /// A search among `candidates`, of which the `incumbent`-th would be used now.
    pub fn new(candidates: Vec<Candidate>, incumbent: usize, options: Options) -> Self {
        Self {
            candidates,
            incumbent,
            options,
            phase: Phase::Prove,
            tried: BTreeMap::new(),
            dropped: Vec::new(),
            queue: VecDeque::new(),
            finalists: VecDeque::new(),
            blocks: Vec::new(),
            ending: Ended::Exhausted,
            win: None,
            spent_s: 0.0,
            proof_s: 0.0,
            trials_s: 0.0,
            trials: 0,
            last: None,
        }
    }

    /// What is to be measured next. Asked again before [`Search::record`], it says the same.
    pub fn step(&mut self) -> Step {
        if let Some(step) = self.last {
            return step;
        }
        let step = loop {
            if let Some(step) = self.within_phase() {
                break step;
            }
        };
        self.last = Some(step);
        step
    }

    /// Takes what came of the last step, and the seconds that it took.
    pub fn record(&mut self, outcome: Outcome, seconds: f64) {
        self.spent_s += seconds;
        match self.last.take() {
            Some(Step::Prove) => match outcome {
                Outcome::Pairs(_) => {
                    self.proof_s = seconds;
                    self.tried.insert(self.incumbent, Tried { pairs: vec![0.0; SURE_PAIRS], fault: None });
                    self.begin_families();
                }
                Outcome::Fault(fault) => {
                    self.tried.insert(self.incumbent, Tried { pairs: Vec::new(), fault: Some(fault) });
                    self.phase = Phase::Done(Ended::Incumbent);
                }
                Outcome::NoTime => self.phase = Phase::Done(Ended::TooShort),
            },
            Some(Step::Trial { plan, .. }) => {
                self.trials += 1;
                self.trials_s += seconds;
                let tried = self.tried.entry(plan).or_default();
                match outcome {
                    Outcome::Pairs(pairs) => tried.pairs.extend(pairs),
                    Outcome::Fault(fault) => tried.fault = Some(fault),
                    Outcome::NoTime => self.phase = Phase::Done(Ended::Budget),
                }
            }
            Some(Step::Duel { plan, .. }) => match outcome {
                Outcome::Pairs(pairs) => self.record_block(plan, pairs),
                Outcome::Fault(fault) => {
                    self.tried.entry(plan).or_default().fault = Some(fault);
                    self.next_finalist();
                }
                Outcome::NoTime => self.phase = Phase::Done(Ended::Budget),
            },
            Some(Step::Done) | None => {}
        }
    }

    /// How it ended; none while it goes on.
    pub fn ended(&self) -> Option<Ended> {
        match self.phase {
            Phase::Done(ended) => Some(ended),
            _ => None,
        }
    }

    /// The plan that takes the incumbent's place, with what that rests on.
    pub fn winner(&self) -> Option<(&Candidate, Win)> {
        self.win.map(|(plan, win)| (&self.candidates[plan], win))
    }

    /// The plans that were tried, but for the incumbent.
    pub fn tried(&self) -> usize {
        self.tried.keys().filter(|plan| **plan != self.incumbent).count()
    }

    /// The plans that are at fault, with the reasons.
    pub fn faults(&self) -> impl Iterator<Item = (&Candidate, &Fault)> {
        self.tried.iter().filter_map(|(plan, tried)| Some((&self.candidates[*plan], tried.fault.as_ref()?)))
    }

    /// A step of the current phase, or none where the phase has changed.
    fn within_phase(&mut self) -> Option<Step> {
        match self.phase {
            Phase::Done(_) => return Some(Step::Done),
            Phase::Prove => return Some(Step::Prove),
            Phase::Duel => return self.duel(),
            Phase::Families | Phase::Race { .. } | Phase::Climb => {}
        }
        if self.spent_s + self.trial_s() + self.duel_s() > self.options.budget_s {
            self.begin_duel(Ended::Budget);
            return None;
        }
        if let Some(plan) = self.queue.pop_front() {
            return Some(Step::Trial { plan, pairs: self.pairs_of_round() });
        }
        match self.phase {
            Phase::Families => self.begin_race(),
            Phase::Race { round } => self.next_round(round + 1),
            _ => return self.climb(),
        }
        None
    }

    fn begin_families(&mut self) {
        if self.spent_s + self.trial_s() + self.duel_s() > self.options.budget_s {
            self.phase = Phase::Done(Ended::TooShort);
            return;
        }
        let mut known = vec![self.candidates[self.incumbent].variant.clone()];
        for (plan, candidate) in self.candidates.iter().enumerate() {
            if !known.contains(&candidate.variant) {
                known.push(candidate.variant.clone());
                self.queue.push_back(plan);
            }
        }
        self.phase = Phase::Families;
    }

    fn begin_race(&mut self) {
        let (_, best) = self.leader();
        for (plan, tried) in &self.tried {
            // A fault says nothing about the speed of the family's other plans.
            if tried.estimate().is_some_and(|estimate| estimate > best + FAR_BEHIND.ln()) {
                self.dropped.push(self.candidates[*plan].variant.clone());
            }
        }
        let ranked = self.ranked();
        let preferred = ranked.iter().filter(|plan| self.candidates[**plan].preferred);
        let others = ranked.iter().filter(|plan| !self.candidates[**plan].preferred);
        self.queue = preferred.take(self.options.racers / 2).chain(others).take(self.options.racers).copied().collect();
        self.phase = Phase::Race { round: 0 };
    }

    fn next_round(&mut self, round: usize) {
        let (_, best) = self.leader();
        let mut alive: Vec<(usize, f64)> = self.challengers().collect();
        alive.retain(|(_, estimate)| *estimate <= best + BEHIND.ln());
        alive.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        // Of n in the round before, n/2 go on; there is nothing to choose from one.
        let half = self.options.racers >> round;
        alive.truncate(half.max(1));
        if round >= ROUNDS || alive.len() <= 1 {
            self.phase = Phase::Climb;
        } else {
            self.queue = alive.into_iter().map(|(plan, _)| plan).collect();
            self.phase = Phase::Race { round };
        }
    }

    fn pairs_of_round(&self) -> usize {
        match self.phase {
            Phase::Race { round } => PAIRS << round,
            _ => PAIRS,
        }
    }

    /// A neighbour of the fastest plan, or what the model ranks next.
    fn climb(&mut self) -> Option<Step> {
        let (leader, _) = self.leader();
        let known = self.tried.get(&leader).map_or(0, |tried| tried.pairs.len());
        if known < SURE_PAIRS {
            // Of many that are about as fast, the one that was lucky leads.
            return Some(Step::Trial { plan: leader, pairs: SURE_PAIRS - known });
        }
        let ranked = self.ranked();
        let near = |plan: &usize| (*plan, distance(&self.candidates[leader], &self.candidates[*plan]));
        let nearest = ranked.iter().map(near).filter(|(_, distance)| *distance <= NEAR);
        let nearest = nearest.min_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(plan, _)| plan);
        let next = nearest.or_else(|| ranked.first().copied());
        if next.is_none() {
            self.begin_duel(Ended::Exhausted);
        }
        next.map(|plan| Step::Trial { plan, pairs: PAIRS })
    }

    fn begin_duel(&mut self, ended: Ended) {
        let mut promising: Vec<(usize, f64)> = self.challengers().collect();
        promising.retain(|(_, estimate)| *estimate < -self.options.terms.margin.ln_1p());
        promising.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        self.finalists = promising.into_iter().take(self.options.finalists).map(|(plan, _)| plan).collect();
        self.ending = ended;
        self.phase = Phase::Duel;
    }

    fn duel(&mut self) -> Option<Step> {
        let Some(&plan) = self.finalists.front() else {
            self.phase = Phase::Done(self.ending);
            return None;
        };
        // Once begun, a duel is brought to its end: whoever measures sees to it that the time is kept.
        if self.blocks.is_empty() && self.spent_s + self.duel_s() > self.options.budget_s {
            self.phase = Phase::Done(Ended::Budget);
            return None;
        }
        Some(Step::Duel { plan, block: self.blocks.len(), pairs: self.options.terms.pairs })
    }

    fn record_block(&mut self, plan: usize, pairs: Vec<f64>) {
        let survives = duel::survives(&pairs, &self.options.terms);
        self.blocks.push(pairs);
        if !survives {
            self.next_finalist();
        } else if self.blocks.len() >= self.options.terms.blocks {
            // Each finalist has its share of the error.
            let level = self.options.terms.level / self.options.finalists.max(1) as f64;
            match duel::judge(&self.blocks, &Terms { level, ..self.options.terms }) {
                Some(win) => {
                    self.win = Some((plan, win));
                    self.phase = Phase::Done(self.ending);
                }
                None => self.next_finalist(),
            }
        }
    }

    fn next_finalist(&mut self) {
        self.blocks.clear();
        self.finalists.pop_front();
    }

    /// Plans that were tried and are right, with ln of how many times as long as the incumbent they take.
    fn challengers(&self) -> impl Iterator<Item = (usize, f64)> {
        let tried = self.tried.iter().filter(|(plan, _)| **plan != self.incumbent);
        tried.filter_map(|(plan, tried)| Some((*plan, tried.estimate()?)))
    }

    /// The fastest so far, which may be the incumbent.
    fn leader(&self) -> (usize, f64) {
        self.challengers().fold((self.incumbent, 0.0), |best, one| if one.1 < best.1 { one } else { best })
    }

    /// The plans that were not tried, but for those of families that are far behind; what the model knows nothing of
    /// comes first, then the fastest by the model.
    fn ranked(&self) -> Vec<usize> {
        let untried =
            |plan: &usize| !self.tried.contains_key(plan) && !self.dropped.contains(&self.candidates[*plan].variant);
        let mut plans: Vec<usize> = (0..self.candidates.len()).filter(untried).collect();
        let by_model = |plan: &usize| self.candidates[*plan].model_s.unwrap_or(0.0);
        plans.sort_by(|one, other| by_model(one).total_cmp(&by_model(other)));
        plans
    }

    /// What a trial takes; before the first one, two proofs.
    fn trial_s(&self) -> f64 {
        if self.trials == 0 { 2.0 * self.proof_s } else { self.trials_s / self.trials as f64 }
    }

    /// What one finalist takes.
    fn duel_s(&self) -> f64 {
        let Terms { blocks, pairs, .. } = self.options.terms;
        blocks as f64 * (self.proof_s + self.trial_s() * (pairs as f64 / PAIRS as f64))
    }
}

/// In how many doublings two plans of a family differ altogether; families have nothing to compare.
fn distance(one: &Candidate, other: &Candidate) -> f64 {
    if one.variant != other.variant || one.sizes.len() != other.sizes.len() {
        return f64::INFINITY;
    }
    let doublings = |(a, b): (&u32, &u32)| (f64::from((*a).max(1)) / f64::from((*b).max(1))).log2().abs();
    one.sizes.iter().zip(&other.sizes).map(doublings).sum()
}
