//! Suites whose truth is known, block by block.

use super::noise::Noise;
use crate::gate::pairs::{Pair, Rules, differences, sound};
use crate::gate::{Arm, Case, Direction, Finding, Gate, Measured, Options, Reading, Step};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Cases of a suite.
pub(super) const CASES: usize = 50;
/// Samples of a block: few, as a simulation needs many blocks.
const SAMPLES: usize = 5;

/// A machine with its noise.
pub(super) struct World {
    noise: Noise,
    random: ChaCha8Rng,
    /// What each case's last block deviated by; none before the first.
    deviations: Vec<Option<f64>>,
    blocks: u32,
    throttled_until: u32,
}

impl World {
    pub(super) fn new(noise: Noise, cases: usize, seed: u64) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed);
        Self { noise, random, deviations: vec![None; cases], blocks: 0, throttled_until: 0 }
    }

    fn normal(&mut self, deviation: f64) -> f64 {
        let normal: f64 = StandardNormal.sample(&mut self.random);
        deviation * normal
    }

    fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.random.random::<f64>() < probability
    }

    /// The next of a series with memory.
    fn after(&mut self, last: Option<f64>, deviation: f64) -> f64 {
        let memory = self.noise.memory;
        match last {
            Some(last) => memory * last + self.normal((1.0 - memory * memory).sqrt() * deviation),
            None => self.normal(deviation),
        }
    }

    /// One block of cases that take so many times as long as their base.
    pub(super) fn block(&mut self, cases: &[usize], factor: impl Fn(usize) -> f64) -> Vec<Measured> {
        let noise = self.noise;
        if self.blocks >= self.throttled_until && self.chance(noise.throttling) {
            self.throttled_until = self.blocks + 1 + self.random.next_u32() % 4;
        }
        let throttled = self.blocks < self.throttled_until;
        let common = noise.drift * f64::from(self.blocks) + if throttled { 1.3f64.ln() } else { 0.0 };
        self.blocks += 1;
        cases
            .iter()
            .map(|&case| {
                let deviation = self.after(self.deviations[case], noise.block);
                self.deviations[case] = Some(deviation);
                let mode = if noise.mode > 0.0 && self.chance(0.3) { noise.mode } else { 0.0 };
                let spike = if self.chance(noise.spikes) { self.random.random_range(1.2..1.5f64).ln() } else { 0.0 };
                let centre = (1e4 * factor(case)).ln() + common + deviation + mode + spike;
                let mut last = None;
                let samples = (0..SAMPLES).map(|_| {
                    let sample = self.after(last, noise.sample);
                    last = Some(sample);
                    (centre + sample).exp()
                });
                Measured { samples: samples.collect(), resolution: 0.1, clock_mhz: None, throttled }
            })
            .collect()
    }
}

/// A whole gate over a suite in which the candidate takes so many times as long.
pub(super) fn suite(noise: Noise, rules: Rules, factor: impl Fn(usize) -> f64, seed: u64) -> Vec<Finding> {
    let case = Case { direction: Direction::LowerIsBetter, noise: 0.0, slack: 0.0 };
    let options = Options { seed, ..Options::default() };
    let mut gate = Gate::with_rules(options, &[case; CASES], rules).unwrap();
    let mut world = World::new(noise, CASES, seed + (1 << 32));
    loop {
        match gate.step() {
            Step::Done(findings) => return findings,
            Step::Measure(task) => {
                let (base, candidate) = pair(&mut world, task.first, &task.cases, &factor);
                let readings = |block: Vec<_>| block.into_iter().map(Reading::Measured).collect();
                gate.record(task, readings(base), readings(candidate));
            }
        }
    }
}

fn pair(
    world: &mut World,
    first: Arm,
    cases: &[usize],
    factor: impl Fn(usize) -> f64,
) -> (Vec<Measured>, Vec<Measured>) {
    let base = |world: &mut World| world.block(cases, |_| 1.0);
    if first == Arm::Base {
        let base = base(world);
        (base, world.block(cases, factor))
    } else {
        let candidate = world.block(cases, factor);
        (base(world), candidate)
    }
}

/// The differences of one case's pairs, with a given number of sound ones, from a machine's first block on.
pub(super) fn single(noise: Noise, rules: Rules, factor: f64, count: usize, seed: u64) -> Vec<f64> {
    let mut world = World::new(noise, 1, seed);
    let mut order = ChaCha8Rng::seed_from_u64(seed + (1 << 33));
    let mut pairs = Vec::new();
    while pairs.len() < count || sound(&pairs, rules).len() < count {
        let first = if order.next_u32() & 1 == 0 { Arm::Base } else { Arm::Candidate };
        let (mut base, mut candidate) = pair(&mut world, first, &[0], |_| factor);
        pairs.extend(base.pop().zip(candidate.pop()).map(|(base, candidate)| Pair { base, candidate }));
    }
    differences(&pairs, Direction::LowerIsBetter, rules).worse
}
