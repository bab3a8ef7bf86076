//! Searches over simulated devices, whose truth is known.

use super::search::{Candidate, Ended, Fault, Options, Outcome, Search, Step};
use accelbench_reports::Status;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// A device on which plan `i` takes `times[i]` times as long as the incumbent.
struct World {
    times: Vec<f64>,
    /// Deviation of a pair, and of all pairs of one process.
    noise: f64,
    block_noise: f64,
    faulty: Vec<usize>,
    /// Seconds of a pair of turns and of what comes with every request.
    pair_s: f64,
    overhead_s: f64,
    random: ChaCha8Rng,
    now_s: f64,
    proved_first: Option<bool>,
}

impl World {
    fn new(times: Vec<f64>, seed: u64) -> Self {
        Self {
            times,
            noise: 0.02,
            block_noise: 0.005,
            faulty: Vec::new(),
            pair_s: 0.02,
            overhead_s: 0.05,
            random: ChaCha8Rng::seed_from_u64(seed),
            now_s: 0.0,
            proved_first: None,
        }
    }

    fn normal(&mut self, deviation: f64) -> f64 {
        let normal: f64 = StandardNormal.sample(&mut self.random);
        deviation * normal
    }

    fn take(&mut self, step: Step) -> (Outcome, f64) {
        let (plan, pairs, fresh) = match step {
            Step::Trial { plan, pairs } => (plan, pairs, false),
            Step::Duel { plan, pairs, .. } => (plan, pairs, true),
            Step::Prove | Step::Done => {
                self.proved_first.get_or_insert(step == Step::Prove);
                return (Outcome::Pairs(Vec::new()), self.overhead_s);
            }
        };
        self.proved_first.get_or_insert(false);
        let seconds = self.overhead_s * if fresh { 10.0 } else { 1.0 } + self.pair_s * pairs as f64;
        if self.faulty.contains(&plan) {
            return (wrong(), seconds);
        }
        let centre = self.times[plan].ln() + self.normal(self.block_noise);
        (Outcome::Pairs((0..pairs).map(|_| centre + self.normal(self.noise)).collect()), seconds)
    }

    fn search(&mut self, search: &mut Search) {
        loop {
            let step = search.step();
            if step == Step::Done {
                return;
            }
            let (outcome, seconds) = self.take(step);
            self.now_s += seconds;
            search.record(outcome, seconds);
        }
    }
}

/// Plans of two sizes, 1 to 2^7 each, of family `a`, and one of `b`. A model that knows half of the truth.
fn candidates() -> Vec<Candidate> {
    let mut all = Vec::new();
    for x in 0..8u32 {
        for y in 0..8u32 {
            all.push(Candidate {
                plan: format!("a-{x}-{y}"),
                variant: "a".to_owned(),
                sizes: vec![1 << x, 1 << y],
                preferred: x == y,
                model_s: Some(f64::from(x.abs_diff(4))),
            });
        }
    }
    let b =
        Candidate { plan: "b".to_owned(), variant: "b".to_owned(), sizes: Vec::new(), preferred: true, model_s: None };
    all.push(b);
    all
}

/// A bowl whose bottom, 0.6 of the incumbent's time, lies at sizes (5, 2).
fn bowl(candidates: &[Candidate], incumbent: usize) -> Vec<f64> {
    let depth = |candidate: &Candidate| match candidate.sizes[..] {
        [x, y] => {
            let (x, y) = (f64::from(x).log2() - 5.0, f64::from(y).log2() - 2.0);
            1.0 + 0.1 * (x * x + y * y)
        }
        _ => 9.0,
    };
    let own = depth(&candidates[incumbent]);
    candidates.iter().map(|candidate| depth(candidate) / own).collect()
}

fn wrong() -> Outcome {
    Outcome::Fault(Fault { status: Status::Wrong, reason: "row 1, column 2".to_owned() })
}

fn options(budget_s: f64) -> Options {
    Options { budget_s, ..Options::default() }
}

#[test]
fn the_optimum_is_found_with_a_fraction_of_all_trials() {
    for seed in 0..20 {
        let all = candidates();
        let mut world = World::new(bowl(&all, 0), seed);
        let mut search = Search::new(all, 0, options(8.0));
        world.search(&mut search);
        let (winner, win) = search.winner().unwrap();
        let index: usize = search_index(&winner.plan);
        let best = world.times.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(world.times[index] <= 1.05 * best, "seed {seed}: {winner:?} {win:?}");
        assert!((win.speedup * world.times[index] - 1.0).abs() < 0.05 && win.least <= win.speedup, "{win:?}");
        assert!(world.proved_first == Some(true) && world.now_s <= 8.0 + 2.0, "{} s", world.now_s);
    }
}

fn search_index(plan: &str) -> usize {
    candidates().iter().position(|candidate| candidate.plan == plan).unwrap()
}

#[test]
fn all_are_tried_where_the_time_suffices_and_a_far_family_is_not() {
    let mut all = candidates();
    for index in 0..5 {
        all.push(Candidate { plan: format!("b-{index}"), ..all[64].clone() });
    }
    let mut times = bowl(&all, 0);
    times[64..].fill(9.0);
    let mut world = World::new(times, 1);
    let mut search = Search::new(all, 0, options(1e9));
    world.search(&mut search);
    assert_eq!((search.ended(), search.tried()), (Some(Ended::Exhausted), 64), "63 of a, and one of b");
    assert_eq!(search.winner().unwrap().0.plan, "a-5-2");
}

#[test]
fn among_equals_the_incumbent_stays() {
    let mut won = 0;
    for seed in 0..300 {
        let mut world = World::new(vec![1.0; 65], seed);
        world.noise = 0.04;
        world.block_noise = 0.01;
        let mut search = Search::new(candidates(), 9, options(6.0));
        world.search(&mut search);
        won += usize::from(search.winner().is_some());
    }
    assert!(won <= 1, "{won} of 300");
}

/// The bar: over many searches under noise, no winner is slower than the incumbent.
#[test]
fn no_winner_is_slower_than_the_incumbent() {
    for seed in 0..200 {
        let mut world = World::new(Vec::new(), seed);
        world.times = (0..65).map(|_| (1.0 + world.normal(0.05)).max(0.5)).collect();
        world.times[0] = 1.0;
        (world.noise, world.block_noise) = (0.05, 0.01);
        let mut search = Search::new(candidates(), 0, options(6.0));
        world.search(&mut search);
        if let Some((winner, win)) = search.winner() {
            let time = world.times[search_index(&winner.plan)];
            assert!(time < 1.0, "seed {seed}: {winner:?} takes {time} ({win:?})");
        }
    }
}

#[test]
fn a_faulty_plan_costs_itself_and_never_wins() {
    let all = candidates();
    let best = search_index("a-5-2");
    let mut times = bowl(&all, 0);
    times[best] = 0.01;
    let mut world = World::new(times, 3);
    world.faulty = vec![best, search_index("a-4-4"), search_index("b")];
    let mut search = Search::new(all, 0, options(1e9));
    world.search(&mut search);
    assert_ne!(search.winner().unwrap().0.plan, "a-5-2");
    let faults: Vec<&str> = search.faults().map(|(candidate, _)| candidate.plan.as_str()).collect();
    assert_eq!(faults, ["a-4-4", "a-5-2", "b"]);
    assert_eq!(search.ended(), Some(Ended::Exhausted));
}

#[test]
fn a_plan_that_fails_in_the_duel_does_not_win() {
    let all = candidates();
    let mut world = World::new(bowl(&all, 0), 4);
    let mut search = Search::new(all, 0, options(1e9));
    loop {
        let step = search.step();
        let (outcome, seconds) = match step {
            Step::Done => break,
            Step::Duel { plan, .. } if plan == search_index("a-5-2") => (wrong(), 1.0),
            step => world.take(step),
        };
        search.record(outcome, seconds);
    }
    // The second finalist has its chance.
    assert!(search.winner().is_some_and(|(winner, _)| winner.plan != "a-5-2"));
}

#[test]
fn the_budget_bounds_the_time_and_ends_without_a_winner_if_it_must() {
    let all = candidates();
    for budget in [0.0, 0.2, 1.0, 2.0, 5.0] {
        let mut world = World::new(bowl(&all, 0), 5);
        let mut search = Search::new(all.clone(), 0, options(budget));
        world.search(&mut search);
        // One trial or one duel may have begun within it.
        assert!(world.now_s <= budget + 2.1, "{budget} s: {} s", world.now_s);
        let short = world.now_s < 0.3;
        assert_eq!(search.ended() == Some(Ended::TooShort), short, "{budget} s: {:?}", search.ended());
    }
    let mut search = Search::new(all.clone(), 0, options(10.0));
    assert_eq!(search.step(), Step::Prove);
    search.record(Outcome::NoTime, 10.0);
    assert_eq!((search.step(), search.ended()), (Step::Done, Some(Ended::TooShort)));
}

#[test]
fn a_faulty_incumbent_ends_the_search() {
    let mut search = Search::new(candidates(), 0, options(10.0));
    assert_eq!(search.step(), Step::Prove);
    search.record(wrong(), 1.0);
    assert_eq!((search.step(), search.ended()), (Step::Done, Some(Ended::Incumbent)));
    assert_eq!(search.faults().count(), 1);
}

#[test]
fn one_plan_has_nobody_to_race() {
    let mut search = Search::new(candidates().into_iter().take(1).collect(), 0, options(10.0));
    World::new(vec![1.0], 1).search(&mut search);
    assert_eq!((search.ended(), search.tried(), search.winner()), (Some(Ended::Exhausted), 0, None));
}

/// What a stopped search was told, told again, brings another one to the same place.
#[test]
fn the_same_outcomes_lead_to_the_same_steps() {
    let all = candidates();
    let mut world = World::new(bowl(&all, 0), 6);
    let mut first = Search::new(all.clone(), 0, options(8.0));
    let mut told = Vec::new();
    for _ in 0..25 {
        let step = first.step();
        let (outcome, seconds) = world.take(step);
        told.push((step, outcome.clone(), seconds));
        first.record(outcome, seconds);
    }
    let mut second = Search::new(all, 0, options(8.0));
    for (step, outcome, seconds) in told {
        assert_eq!(second.step(), step);
        second.record(outcome, seconds);
    }
    assert_eq!(first.step(), second.step());
}
