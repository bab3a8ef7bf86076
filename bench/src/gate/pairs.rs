//! From blocks to one number a pair.

use super::reading::{Direction, Measured};

/// Both arms of a case in two blocks that ran one after the other.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) base: Measured,
    pub(super) candidate: Measured,
}

/// What makes the statistics sound. All hold; tests plant an error by switching one off.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools)] // Each is switched off by itself.
pub(super) struct Rules {
    /// Worse is positive.
    pub(super) worse_is_positive: bool,
    /// A block counts once, however many samples it has.
    pub(super) block_is_unit: bool,
    /// A pair is thrown out whole.
    pub(super) whole_pairs: bool,
    /// The error is divided by the number of cases in the second stage.
    pub(super) corrected: bool,
}

impl Rules {
    pub(super) const SOUND: Self =
        Self { worse_is_positive: true, block_is_unit: true, whole_pairs: true, corrected: true };
}

/// What pairs say of a case.
pub(super) struct Differences {
    /// ln(candidate / base) of each pair, turned so that worse is positive.
    pub(super) worse: Vec<f64>,
    /// The same of clock cycles instead of time, where all blocks know their clock.
    pub(super) in_cycles: Option<Vec<f64>>,
    /// The largest share of a ratio that the clocks' resolution accounts for.
    pub(super) resolution: f64,
}

/// Those pairs in which nothing was throttled.
pub(super) fn sound(pairs: &[Pair], rules: Rules) -> Vec<(&Measured, &Measured)> {
    let arms = pairs.iter().map(|pair| (&pair.base, &pair.candidate));
    if rules.whole_pairs {
        arms.filter(|(base, candidate)| !base.throttled && !candidate.throttled).collect()
    } else {
        let (bases, candidates): (Vec<_>, Vec<_>) = arms.unzip();
        let kept = |arm: Vec<_>| arm.into_iter().filter(|measured: &&Measured| !measured.throttled);
        kept(bases).zip(kept(candidates)).collect()
    }
}

/// The differences of the sound pairs. Figures that [`Measured::median`] refuses don't count.
pub(super) fn differences(pairs: &[Pair], direction: Direction, rules: Rules) -> Differences {
    let mut found = Differences { worse: Vec::new(), in_cycles: Some(Vec::new()), resolution: 0.0 };
    let lower_is_better = (direction == Direction::LowerIsBetter) == rules.worse_is_positive;
    let turn = if lower_is_better { 1.0 } else { -1.0 };
    for (base, candidate) in sound(pairs, rules) {
        let mut take = |base_figure: f64, candidate_figure: f64| {
            let worse = turn * (candidate_figure / base_figure).ln();
            found.worse.push(worse);
            let steps = base.resolution / base_figure + candidate.resolution / candidate_figure;
            found.resolution = found.resolution.max(steps);
            // Twice the clock at the same time is twice the cycles; and so it is at the same rate.
            found.in_cycles = match (found.in_cycles.take(), base.clock_mhz, candidate.clock_mhz) {
                (Some(mut cycles), Some(before), Some(after)) => {
                    cycles.push(worse + (after / before).ln());
                    Some(cycles)
                }
                _ => None,
            };
        };
        if rules.block_is_unit {
            if let (Some(base), Some(candidate)) = (base.median(), candidate.median()) {
                take(base, candidate);
            }
        } else {
            base.samples.iter().zip(&candidate.samples).for_each(|(base, candidate)| take(*base, *candidate));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(samples: &[f64], clock_mhz: Option<f64>, throttled: bool) -> Measured {
        Measured { samples: samples.to_vec(), resolution: 1.0, clock_mhz, throttled }
    }

    #[test]
    fn worse_is_positive_in_both_directions() {
        let pair = Pair { base: measured(&[100.0], None, false), candidate: measured(&[110.0], None, false) };
        let worse = |direction| differences(std::slice::from_ref(&pair), direction, Rules::SOUND).worse[0];
        assert!((worse(Direction::LowerIsBetter) - 1.1f64.ln()).abs() < 1e-12);
        assert!((worse(Direction::HigherIsBetter) + 1.1f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn a_block_counts_once_by_its_median() {
        let base = measured(&[100.0, 101.0, 900.0], None, false);
        let candidate = measured(&[101.0, 1.0, 500.0], None, false);
        let found = differences(&[Pair { base, candidate }], Direction::LowerIsBetter, Rules::SOUND);
        assert_eq!(found.worse, [0.0]);
        assert!((found.resolution - 2.0 / 101.0).abs() < 1e-12);
    }

    #[test]
    fn a_throttled_block_takes_its_pair_along() {
        let block = |ns, throttled| measured(&[ns], None, throttled);
        let pairs = [
            Pair { base: block(100.0, true), candidate: block(100.0, false) },
            Pair { base: block(200.0, false), candidate: block(200.0, false) },
            Pair { base: block(300.0, false), candidate: block(300.0, true) },
            Pair { base: block(400.0, false), candidate: block(400.0, false) },
        ];
        let found = differences(&pairs, Direction::LowerIsBetter, Rules::SOUND);
        assert_eq!(found.worse, [0.0, 0.0]);
    }

    #[test]
    fn a_lower_clock_explains_time_and_rate_alike() {
        let pair =
            Pair { base: measured(&[100.0], Some(1500.0), false), candidate: measured(&[150.0], Some(1000.0), false) };
        let swapped =
            Pair { base: measured(&[150.0], Some(1500.0), false), candidate: measured(&[100.0], Some(1000.0), false) };
        for (pair, direction) in [(pair, Direction::LowerIsBetter), (swapped, Direction::HigherIsBetter)] {
            let found = differences(&[pair], direction, Rules::SOUND);
            assert!((found.worse[0] - 1.5f64.ln()).abs() < 1e-12);
            assert!(found.in_cycles.unwrap()[0].abs() < 1e-12);
        }
    }

    #[test]
    fn one_block_without_a_clock_leaves_cycles_unknown() {
        let known = || measured(&[100.0], Some(1000.0), false);
        let pairs = [
            Pair { base: known(), candidate: known() },
            Pair { base: known(), candidate: measured(&[100.0], None, false) },
            Pair { base: known(), candidate: known() },
        ];
        assert_eq!(differences(&pairs, Direction::LowerIsBetter, Rules::SOUND).in_cycles, None);
    }
}
