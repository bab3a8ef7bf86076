//! What the gate promises.

use super::verdict::Stage;

/// What the gate promises. All but counts are shares: 0.05 is 5%.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The margin δ: a slowdown up to this is no regression.
    pub margin: f64,
    /// A case passes only if its slowdown is proven to be smaller than this.
    pub allowed: f64,
    /// A case passes only if a slowdown of this size would have been found with probability `power`, were it alone.
    pub detectable: f64,
    /// The probability that anything is called regressed in a suite where nothing is.
    pub alpha: f64,
    /// The probability with which a stage lets a case pass whose slowdown is `allowed`; also the error of each end of a
    /// screened case's interval.
    pub pass_level: f64,
    /// The probability with which [`Estimate::detectable`](super::Estimate::detectable) is detected.
    pub power: f64,
    /// Pairs of each case in the screen.
    pub screen_pairs: usize,
    /// Pairs of each flagged case afterwards.
    pub confirm_pairs: usize,
    /// Of the order of blocks.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            margin: 0.02,
            allowed: 0.05,
            detectable: 0.10,
            alpha: 0.05,
            pass_level: 0.05,
            power: 0.9,
            screen_pairs: 8,
            confirm_pairs: 16,
            seed: 0,
        }
    }
}

/// Why options can't be kept.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Invalid {
    /// A share that is none.
    #[error("{0} has to lie between 0 and 1 (for an error, 0.5)")]
    Share(&'static str),
    /// The limits are out of order.
    #[error("margin, allowed and detectable have to rise in this order")]
    Limits,
    /// So few pairs reach no such level, whatever they show.
    #[error("{pairs} pairs can't show anything with an error of {level:.2e}; {needed} can")]
    Pairs {
        /// Those of a stage.
        pairs: usize,
        /// Its error.
        level: f64,
        /// The fewest that reach it.
        needed: usize,
    },
}

impl Options {
    /// Whether a suite of so many cases can be judged by these options.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn check(&self, cases: usize) -> Result<(), Invalid> {
        let inside = |name, share: f64, end: f64| {
            if share > 0.0 && share < end { Ok(()) } else { Err(Invalid::Share(name)) }
        };
        inside("margin", self.margin, 1.0)?;
        inside("allowed", self.allowed, 1.0)?;
        inside("detectable", self.detectable, 1.0)?;
        inside("alpha", self.alpha, 0.5)?;
        inside("the level of a pass", self.pass_level, 0.5)?;
        inside("power", self.power, 1.0)?;
        if !(self.margin < self.allowed && self.allowed <= self.detectable) {
            return Err(Invalid::Limits);
        }
        let all_flagged = self.alpha / cases.max(1) as f64;
        let reach = |pairs, level: f64| {
            // Of all 2^pairs ways to choose signs, one is the extreme.
            let needed = (-level.log2()).ceil() as usize;
            if pairs < needed { Err(Invalid::Pairs { pairs, level, needed }) } else { Ok(()) }
        };
        let each = self.pass_level.min(self.alpha).min(self.miss());
        reach(self.screen_pairs, each)?;
        reach(self.confirm_pairs, all_flagged.min(each))
    }

    /// Pairs of each case in a stage.
    pub fn pairs(&self, stage: Stage) -> usize {
        match stage {
            Stage::Screen => self.screen_pairs,
            Stage::Confirm => self.confirm_pairs,
        }
    }

    /// The probability with which what is detectable is missed; as an error of an interval's end, below one half.
    pub(super) fn miss(&self) -> f64 {
        (1.0 - self.power).min(0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_t_be_kept_is_refused() {
        let sound = Options::default();
        assert_eq!(sound.check(3000), Ok(()));
        let refused = |options: Options, cases| options.check(cases).unwrap_err().to_string();
        assert!(refused(Options { alpha: 0.5, ..sound }, 1).starts_with("alpha"));
        assert!(refused(Options { margin: f64::NAN, ..sound }, 1).starts_with("margin"));
        assert!(refused(Options { allowed: 0.02, ..sound }, 1).contains("rise"));
        assert!(refused(Options { screen_pairs: 4, ..sound }, 1).contains("5 can"), "1/16 is more than 5%");
        assert_eq!(Options { screen_pairs: 5, ..sound }.check(1), Ok(()));
        assert!(refused(sound, 4000).contains("17 can"), "2^-16 is more than 5% / 4000");
    }
}
