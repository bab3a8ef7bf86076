//! Shapes with a name, and the profiles that choose among them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// A first look.
    Quick,
    /// What reports are made from.
    Standard,
    /// Everything, large shapes and all kernel families included.
    Full,
}

impl Profile {
    /// The name in result files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Full => "full",
        }
    }
}

/// What a model is doing when it needs a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// No model: a ladder of sizes.
    Ladder,
    /// Forward and backward over a batch.
    Training,
    /// Forward over a whole prompt or image.
    Prefill,
    /// One token at a time.
    Decode,
}

impl Phase {
    /// The name in result files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ladder => "ladder",
            Self::Training => "training",
            Self::Prefill => "prefill",
            Self::Decode => "decode",
        }
    }
}

/// A shape and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedShape {
    /// Its fields, as on the command line.
    pub fields: BTreeMap<String, String>,
    /// The model and layer, or `square`.
    pub origin: &'static str,
    /// What the model is doing.
    pub phase: Phase,
}
