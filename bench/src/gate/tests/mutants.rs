//! The bars can be missed: with an error planted, each is.

use super::bars::{alarm, power, size, suites};
use super::binomial::Rate;
use super::noise::{LOUD, THROTTLING, TYPICAL};
use crate::gate::Options;
use crate::gate::pairs::Rules;

#[test]
fn a_reversed_sign_lets_slowdowns_pass() {
    let reversed = Rules { worse_is_positive: false, ..Rules::SOUND };
    let [found, passed] = power(TYPICAL[0], reversed, 100, 0.10);
    assert!(found.at_most() < 0.90, "{found:?}");
    assert!(passed.at_least() > 0.90, "{passed:?}");
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
    let options = Options::default();
    let uncorrected = Rules { corrected: false, ..Rules::SOUND };
    let mut alarms = Rate::default();
    suites(LOUD, uncorrected, 200, |_| 1.0 + options.margin, |findings| alarms.count(alarm(findings)));
    assert!(alarms.at_least() > options.alpha, "{alarms:?}");
}

#[test]
fn half_a_pair_thrown_out_rejects_too_often() {
    let options = Options::default();
    let halves = Rules { whole_pairs: false, ..Rules::SOUND };
    let rejected = size(THROTTLING, halves, options.confirm_pairs, 2000);
    assert!(rejected.at_least() > options.alpha, "{rejected:?}");
}
