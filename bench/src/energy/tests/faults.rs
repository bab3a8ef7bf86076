//! What a meter, its device or others on it do wrong: a status with its reason, or a window taken again; never wrong joules.

use super::super::effort::Rules;
use super::super::{Base, Effort, Measured, Mode, World, prepare};
use super::bars::{joules_per_run, measure};
use super::simulation::{IDLE_W, Setup, Simulation, TRUTH_J};
use accelbench_reports::EnergyStatus;

fn ended(setup: &Setup, status: EnergyStatus, words: &str) {
    for seed in 0..5 {
        let ended = measure(setup, Rules::SOUND, seed).unwrap_err();
        assert_eq!(ended.status, status, "{ended:?}");
        assert!(ended.reason.contains(words), "{ended:?}");
    }
}

fn taken_again(setup: &Setup, words: &str) {
    for seed in 0..5 {
        let measured = measure(setup, Rules::SOUND, seed).unwrap();
        assert!((joules_per_run(&measured) / TRUTH_J - 1.0).abs() < 0.01, "{measured:?}");
        assert_eq!(measured.windows.len(), 5);
        assert_eq!(measured.discarded.len(), 1, "{:?}", measured.discarded);
        assert!(measured.discarded[0].contains(words), "{:?}", measured.discarded);
    }
}

#[test]
fn a_frozen_figure() {
    for setup in [Setup::counter(), Setup::polled()] {
        ended(&Setup { frozen_at_s: Some(0.0), ..setup }, EnergyStatus::Failed, "frozen");
    }
    ended(&Setup { frozen_at_s: Some(20.0), ..Setup::counter() }, EnergyStatus::Failed, "stood still");
}

#[test]
fn a_counter_that_starts_again() {
    taken_again(&Setup { reset_at_s: Some(30.0), ..Setup::counter() }, "the counter went back");
    // With a range that it could have wrapped at, the step is too large.
    let wrapping = Setup { wraps_at_j: Some(262_144.0), ..Setup::counter() };
    taken_again(&Setup { reset_at_s: Some(30.0), ..wrapping }, "the counter went back");
}

#[test]
fn a_counter_that_jumps() {
    taken_again(&Setup { jump: Some((30.0, 500.0)), ..Setup::counter() }, "the counter jumped by");
    taken_again(&Setup { jump: Some((30.0, -100.0)), ..Setup::counter() }, "the counter went back");
}

#[test]
fn a_fault_without_load_costs_the_idle_power_alone() {
    // Of 5 s without load the second half counts.
    for by_j in [100.0, -100.0] {
        let setup = Setup { jump: Some((4.0, by_j)), power_over_s: None, ..Setup::counter() };
        let measured = measure(&setup, Rules::SOUND, 1).unwrap();
        assert_eq!(measured.warm_idle_w, None);
        assert!((joules_per_run(&measured) / TRUTH_J - 1.0).abs() < 0.001, "{measured:?}");
    }
}

#[test]
fn a_meter_that_does_not_answer() {
    ended(
        &Setup { silent: Some((30.0, f64::INFINITY)), ..Setup::counter() },
        EnergyStatus::Failed,
        "no answer within 1 s",
    );
    ended(
        &Setup { silent: Some((0.0, f64::INFINITY)), ..Setup::polled() },
        EnergyStatus::Failed,
        "no answer within 1 s",
    );
    // Power is not known then, and a counter goes on counting.
    let silent = Some((31.0, 32.5));
    taken_again(&Setup { silent, ..Setup::polled() }, "power was not told throughout");
    let measured = measure(&Setup { silent, ..Setup::counter() }, Rules::SOUND, 1).unwrap();
    assert!(measured.discarded.is_empty() && (joules_per_run(&measured) / TRUTH_J - 1.0).abs() < 0.001, "{measured:?}");
}

#[test]
fn others_on_the_device() {
    for (from_s, users, words) in [(0.0, 1, "another process"), (30.0, 2, "2 other processes")] {
        ended(&Setup { others: Some((from_s, users)), ..Setup::counter() }, EnergyStatus::Contended, words);
    }
}

#[test]
fn power_that_does_not_settle() {
    for setup in [Setup::counter(), Setup::polled()] {
        ended(&Setup { drift_per_s: 0.05, ..setup.clone() }, EnergyStatus::NonStationary, "power still changes by +");
        // Too slow for the ramp, and too much over the windows.
        ended(
            &Setup { drift_per_s: 0.005, ..setup },
            EnergyStatus::NonStationary,
            "the windows' mean powers lie between",
        );
    }
}

#[test]
fn a_counter_that_its_power_contradicts() {
    ended(&Setup { power_gain: 1.3, ..Setup::counter() }, EnergyStatus::Suspect, "the counter's energy is 0.7");
    let within = measure(&Setup { power_gain: 1.05, ..Setup::counter() }, Rules::SOUND, 1).unwrap();
    let ratio = within.windows[0].counter_to_integral.unwrap();
    assert!((ratio * 1.05 - 1.0).abs() < 0.01, "{ratio}");
}

#[test]
fn figures_that_are_none() {
    for gain in [f64::NAN, -1.0] {
        ended(&Setup { gain, ..Setup::polled() }, EnergyStatus::Failed, "the meter says");
    }
}

fn quick(setup: &Setup, seed: u64) -> Result<(Base, Measured), super::super::Ended> {
    let (mut world, info, effort) =
        (Simulation::new(setup.clone(), seed), setup.info(), Effort::of(Mode::Quick).unwrap());
    let base = prepare(&mut world, &info, &effort)?;
    let start = world.now();
    let measured = super::super::measure(&mut world, &info, &effort, &base)?;
    assert!(world.now() - start < 20.0, "{}", world.now() - start);
    Ok((base, measured))
}

#[test]
fn the_probe_and_the_idle_powers() {
    for setup in [Setup::counter(), Setup { power_over_s: Some(0.1), ..Setup::polled() }] {
        for seed in 0..20 {
            let (base, measured) = quick(&setup, seed).unwrap();
            assert!((measured.tick_s.unwrap() - 0.1).abs() < 0.015, "{measured:?}");
            assert!((measured.read_cost_s.unwrap() - 1e-4).abs() < 1e-9);
            for idle_w in [base.cold_idle_w.unwrap(), measured.warm_idle_w.unwrap()] {
                assert!((idle_w / IDLE_W - 1.0).abs() < 0.05, "{idle_w} W");
            }
            let error = (joules_per_run(&measured) / TRUTH_J - 1.0).abs();
            assert!(error < 0.01 && error < measured.repeatability.hypot(measured.absolute), "{measured:?}");
            assert_eq!((measured.mean_clock_mhz.unwrap(), measured.temperature_c.unwrap()), (1500.0, 60.0));
        }
    }
}

#[test]
fn the_probe_turns_down_what_is_no_meter() {
    let refused = |setup: &Setup| {
        let mut world = Simulation::new(setup.clone(), 1);
        prepare(&mut world, &setup.info(), &Effort::of(Mode::Quick).unwrap()).unwrap_err()
    };
    let backward = refused(&Setup { jump: Some((1.0, -50.0)), ..Setup::counter() });
    assert!(backward.reason.contains("went back"), "{backward:?}");
    let silent = refused(&Setup { silent: Some((0.0, 1e9)), ..Setup::counter() });
    assert!(silent.reason.contains("no answer"), "{silent:?}");
    let shared = refused(&Setup { others: Some((0.0, 3)), ..Setup::counter() });
    assert_eq!(shared.status, EnergyStatus::Contended);
}

#[test]
fn a_meter_too_slow_for_the_time_there_is() {
    let slow = Setup { tick_s: 2.0, interval_s: 0.5, lag_s: 0.0, ..Setup::counter() };
    let ended = quick(&slow, 1).unwrap_err();
    assert!(ended.reason.contains("need a window of"), "{ended:?}");
}
