//! Whether a plan is proven to be faster than the one that would be used now.
//!
//! The unit that a claim rests on is a pair of turns, ln(challenger / incumbent), taken by the gate's signed-rank test.
//! Pairs of one process share its memory's layout, so they come from several processes, and a challenger that does not
//! win in each of them by the margin has not won.

use crate::gate::Walsh;
use crate::stats;

/// What a challenger has to show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// It must be faster by more than this share.
    pub margin: f64,
    /// With at most this probability where it is not.
    pub level: f64,
    /// Processes that it must win in.
    pub blocks: usize,
    /// Pairs in each of them.
    pub pairs: usize,
}

impl Default for Terms {
    fn default() -> Self {
        Self { margin: 0.02, level: 0.025, blocks: 3, pairs: 4 }
    }
}

/// What a win rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Win {
    /// How many times as fast the challenger is.
    pub speedup: f64,
    /// It is at least so many times as fast, by the terms' level.
    pub least: f64,
    /// Pairs that say so.
    pub pairs: usize,
}

/// Whether a block leaves a challenger with a chance.
pub(super) fn survives(block: &[f64], terms: &Terms) -> bool {
    stats::median(block).is_some_and(|median| median < -terms.margin.ln_1p())
}

/// Judges the blocks of a challenger; none where it has not won. Values are ln(challenger / incumbent).
pub(super) fn judge(blocks: &[Vec<f64>], terms: &Terms) -> Option<Win> {
    if blocks.len() < terms.blocks || !blocks.iter().all(|block| survives(block, terms)) {
        return None;
    }
    let all = blocks.concat();
    let walsh = Walsh::of(&all);
    let [_, high] = walsh.interval(terms.level);
    (high < -terms.margin.ln_1p()).then(|| walsh.centre())?.map(|centre| Win {
        speedup: (-centre).exp(),
        least: (-high).exp(),
        pairs: all.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_win_is_one_with_its_interval() {
        let blocks = vec![vec![-0.11, -0.10, -0.09, -0.10], vec![-0.12, -0.10, -0.08, -0.1], vec![-0.1; 4]];
        let win = judge(&blocks, &Terms::default()).unwrap();
        assert!((win.speedup - 0.1f64.exp()).abs() < 0.01 && win.pairs == 12, "{win:?}");
        assert!(win.least < win.speedup && win.least > 1.02, "{win:?}");
    }

    #[test]
    fn one_lost_block_is_a_lost_duel() {
        let won = vec![-0.1; 4];
        assert_eq!(judge(&[won.clone(), won.clone(), vec![0.0; 4]], &Terms::default()), None);
        assert_eq!(judge(&[won.clone(), won.clone()], &Terms::default()), None);
        assert!(judge(&[won.clone(), won.clone(), won], &Terms::default()).is_some());
    }

    #[test]
    fn within_the_margin_nobody_wins() {
        assert_eq!(judge(&vec![vec![-0.019; 4]; 3], &Terms::default()), None);
        let scattered = vec![vec![-0.5, 0.4, -0.5, 0.3], vec![-0.3, -0.2, 0.4, -0.1], vec![-0.4, 0.3, -0.1, -0.2]];
        assert_eq!(judge(&scattered, &Terms::default()), None);
    }
}
