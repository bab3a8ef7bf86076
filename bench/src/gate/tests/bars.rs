//! What the gate promises, each against Clopper's and Pearson's bound on the side that is against it.

use super::binomial::Rate;
use super::figures::{Row, Slow};
use super::noise::{LOUD, TYPICAL, WHITE, WORSE};
use super::published;
use super::simulation::single;
use crate::gate::pairs::Rules;
use crate::gate::{Estimate, Options};
use std::thread;

#[test]
fn the_promises_hold_under_every_noise() {
    let options = Options::default();
    let rows: Vec<Row> = thread::scope(|scope| {
        let running: Vec<_> =
            TYPICAL.into_iter().chain(WORSE).map(|noise| scope.spawn(move || Row::of(noise))).collect();
        running.into_iter().map(|row| row.join().unwrap()).collect()
    });
    let table = Row::table(&rows);
    println!("{table}");
    published::hold(&table);
    for row in &rows {
        let name = row.noise.name;
        assert!(row.alarms.at_most() <= options.alpha, "{name}: {:?}", row.alarms);
        for size in row.sizes {
            assert!(size.at_most() <= options.alpha, "{name}: {size:?}");
        }
        // The correction spends nearly all of alpha here, so no count of suites tells it from alpha by much.
        assert!(row.at_margin.at_least() <= options.alpha, "{name}: {:?}", row.at_margin);
        // It may pass in either stage.
        assert!(row.five.passed.at_most() <= 2.0 * options.pass_level, "{name}: {:?}", row.five.passed);
        assert_eq!(row.ten.passed.hits, 0, "{name}");
    }
    for row in &rows[..TYPICAL.len()] {
        let name = row.noise.name;
        assert!(row.five.found.at_least() >= 0.90, "{name}: {:?}", row.five.found);
        assert!(row.ten.found.at_least() >= 0.99, "{name}: {:?}", row.ten.found);
        assert!(row.doubts.at_most() <= 0.05, "{name}: {:?}", row.doubts);
    }
}

#[test]
fn a_change_that_slows_everything_is_found_in_each_case() {
    for noise in TYPICAL {
        let slow = Slow::among(0.05, 0.05, noise, Rules::SOUND, 200);
        assert!(slow.found.at_least() >= 0.90, "{}: {:?}", noise.name, slow.found);
    }
}

#[test]
fn what_is_called_detectable_is_detected() {
    const SETS: u64 = 2000;
    let options = Options::default();
    let estimate = |noise, slowdown: f64, seed| {
        let worse = single(noise, Rules::SOUND, 1.0 + slowdown, options.confirm_pairs, seed);
        Estimate::of(&worse, options.margin, options.alpha, &options).unwrap()
    };
    for noise in [WHITE, LOUD] {
        let detectable = (0..SETS).map(|seed| estimate(noise, 0.0, seed).detectable).sum::<f64>() / SETS as f64;
        let found = Rate::of((SETS..2 * SETS).map(|seed| estimate(noise, detectable, seed).low > options.margin));
        println!("{}: {:.2}% is detectable; {found:?}", noise.name, 100.0 * detectable);
        assert!(found.at_least() >= options.power - 0.05 && found.at_most() <= options.power + 0.05, "{found:?}");
    }
}
