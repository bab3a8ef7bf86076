//! How long a case is warmed up and sampled.

use accelbench_kernels::Profile;
use serde::{Deserialize, Serialize};

/// Times in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    /// Warm-up lasts at least so long.
    pub warmup_min_s: f64,
    /// Warm-up lasts at most so long, settled or not.
    pub warmup_max_s: f64,
    /// Samples are taken for so long.
    pub sample_s: f64,
    /// And at least so many.
    pub samples_min: usize,
    /// And at most so many.
    pub samples_max: usize,
    /// A batch, which gives one sample, lasts about so long.
    pub batch_s: f64,
}

impl Effort {
    /// The effort of a profile.
    pub const fn of(profile: Profile) -> Self {
        let (warmup_min_s, warmup_max_s, sample_s, samples_min) = match profile {
            Profile::Quick => (0.02, 0.3, 0.06, 7),
            Profile::Standard => (0.1, 0.6, 0.4, 7),
            Profile::Full => (0.3, 2.0, 1.0, 11),
        };
        Self { warmup_min_s, warmup_max_s, sample_s, samples_min, samples_max: 200, batch_s: 0.002 }
    }

    /// What a case takes at least, in runs of its kernel: the first one, a warm-up, and the samples.
    pub const fn runs_min(&self) -> f64 {
        2.0 + self.samples_min as f64
    }
}
