//! How near the truth the figures are, and how often the stated interval holds it.

use super::super::effort::Rules;
use super::super::protocol::{Base, Protocol};
use super::super::uncertainty::combined;
use super::super::{Effort, Ended, Measured, Mode};
use super::simulation::{Random, Setup, Simulation, TRUTH_J};

/// Runs of each bar.
const SEEDS: u64 = 1000;
/// The share of them whose stated interval has to hold the truth.
const COVERED: f64 = 0.94;
/// The largest relative error with a counter.
const COUNTER: f64 = 0.001;
/// And with polled power.
const POLLED: f64 = 0.01;

pub(super) fn measure(setup: &Setup, rules: Rules, seed: u64) -> Result<Measured, Ended> {
    let mut world = Simulation::new(setup.clone(), seed);
    let effort = Effort::of(Mode::Full).unwrap();
    Protocol::new(&mut world, &setup.info(), effort, rules).measure(&Base::default())
}

pub(super) fn joules_per_run(measured: &Measured) -> f64 {
    let joules: f64 = measured.windows.iter().map(|window| window.joules).sum();
    joules / measured.windows.iter().map(|window| window.runs).sum::<f64>()
}

/// What many seeds gave.
#[derive(Debug)]
struct Bar {
    /// The largest error but for the gain, which nothing but a better meter can take away.
    largest: f64,
    covered: f64,
    failed: Option<String>,
}

fn bar(seeds: u64, rules: Rules, setup: impl Fn(&mut Random) -> Setup) -> Bar {
    let mut bar = Bar { largest: 0.0, covered: 0.0, failed: None };
    for seed in 0..seeds {
        let setup = setup(&mut Random::new(seed + (1 << 32)));
        match measure(&setup, rules, seed) {
            Err(ended) => bar.failed = Some(ended.reason),
            Ok(measured) => {
                let found = joules_per_run(&measured);
                bar.largest = bar.largest.max((found / setup.gain / TRUTH_J - 1.0).abs());
                let interval = combined(&[measured.repeatability, measured.absolute]);
                let held = (found / TRUTH_J - 1.0).abs() <= interval;
                bar.covered += f64::from(u8::from(held)) / seeds as f64;
            }
        }
    }
    bar
}

impl Bar {
    fn met(&self, largest: f64) -> bool {
        self.failed.is_none() && self.largest <= largest && self.covered >= COVERED
    }
}

fn holds(largest: f64, setup: impl Fn(&mut Random) -> Setup) {
    let bar = bar(SEEDS, Rules::SOUND, setup);
    println!("largest error {:.4} %, covered {:.1} %", 100.0 * bar.largest, 100.0 * bar.covered);
    assert!(bar.met(largest), "{bar:?}");
}

/// A gain as a maker states it: k = 2.
fn gained(setup: &Setup, random: &mut Random) -> Setup {
    let accuracy = 0.05;
    Setup { gain: 1.0 + accuracy / 2.0 * random.normal(), accuracy, ..setup.clone() }
}

#[test]
fn a_counter_of_100_ms_ticks() {
    holds(COUNTER, |_| Setup::counter());
}

#[test]
fn a_counter_that_wraps() {
    // At 300 W, every 4 to 9 s.
    holds(COUNTER, |random| Setup { wraps_at_j: Some(1200.0 + 1500.0 * random.uniform()), ..Setup::counter() });
}

#[test]
fn a_counter_that_is_reset() {
    holds(COUNTER, |random| Setup { reset_at_s: Some(60.0 * random.uniform()), ..Setup::counter() });
}

#[test]
fn a_counter_that_wraps_and_is_reset() {
    holds(COUNTER, |random| Setup {
        reset_at_s: Some(60.0 * random.uniform()),
        wraps_at_j: Some(262_144.0),
        ..Setup::counter()
    });
}

#[test]
fn a_counter_that_lags() {
    holds(COUNTER, |random| Setup { lag_s: 0.4 * random.uniform(), ..Setup::counter() });
}

#[test]
fn a_counter_with_a_gain() {
    holds(COUNTER, |random| gained(&Setup::counter(), random));
}

#[test]
fn a_counter_of_coarse_steps() {
    holds(COUNTER, |_| Setup { resolution_j: Some(1.0), power_over_s: None, ..Setup::counter() });
}

#[test]
fn polled_power_of_100_ms_ticks() {
    holds(POLLED, |_| Setup::polled());
}

#[test]
fn polled_power_that_lags() {
    holds(POLLED, |random| Setup { lag_s: 0.4 * random.uniform(), ..Setup::polled() });
}

#[test]
fn polled_power_with_a_gain() {
    holds(POLLED, |random| gained(&Setup::polled(), random));
}

#[test]
fn polled_power_that_sees_a_quarter_of_the_time() {
    holds(POLLED, |_| Setup { power_over_s: Some(0.025), ..Setup::polled() });
}

/// The bar of the counter is missed where an error is planted.
fn red(rules: Rules, setup: impl Fn(&mut Random) -> Setup + Copy) {
    assert!(bar(40, Rules::SOUND, setup).met(COUNTER));
    let bar = bar(40, rules, setup);
    assert!(!bar.met(COUNTER), "{bar:?}");
}

#[test]
fn windows_beside_the_ticks_are_seen() {
    red(Rules { aligned: false, ..Rules::SOUND }, |_| Setup::counter());
}

#[test]
fn idleness_counted_in_is_seen() {
    red(Rules { loaded: false, ..Rules::SOUND }, |_| Setup::counter());
}

#[test]
fn a_dropped_wrap_is_seen() {
    red(Rules { unwrapped: false, ..Rules::SOUND }, |_| Setup { wraps_at_j: Some(1500.0), ..Setup::counter() });
}
