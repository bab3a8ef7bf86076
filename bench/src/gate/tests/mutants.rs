//! The bars can be missed: with an error planted, each is.

use super::figures::{Slow, alarms_at_margin, size};
use super::noise::{LOUD, THROTTLING, TYPICAL, WHITE};
use crate::gate::Options;
use crate::gate::pairs::Rules;

#[test]
fn a_reversed_sign_lets_slowdowns_pass() {
    let reversed = Rules { worse_is_positive: false, ..Rules::SOUND };
    let slow = Slow::by(0.10, WHITE, reversed, 100);
    assert!(slow.found.at_most() < 0.90, "{:?}", slow.found);
    assert!(slow.passed.at_least() > 0.90, "{:?}", slow.passed);
}

#[test]
fn samples_taken_for_blocks_reject_too_often() {
    let options = Options::default();
    let samples = Rules { block_is_unit: false, ..Rules::SOUND };
    for noise in TYPICAL {
        let rejected = size(noise, samples, options.screen_pairs, 1000);
        assert!(rejected.at_least() > options.alpha, "{}: {rejected:?}", noise.name);
    }
}

#[test]
fn an_uncorrected_suite_raises_too_many_alarms() {
    let uncorrected = Rules { corrected: false, ..Rules::SOUND };
    let alarms = alarms_at_margin(LOUD, uncorrected, 200);
    assert!(alarms.at_least() > Options::default().alpha, "{alarms:?}");
}

#[test]
fn half_a_pair_thrown_out_rejects_too_often() {
    let options = Options::default();
    let halves = Rules { whole_pairs: false, ..Rules::SOUND };
    let rejected = size(THROTTLING, halves, options.confirm_pairs, 2000);
    assert!(rejected.at_least() > options.alpha, "{rejected:?}");
}
