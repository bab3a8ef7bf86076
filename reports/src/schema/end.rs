//! The last line.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// Whether every case of the plan has its row.
    pub status: EndStatus,
    /// Rows by status, over the whole file.
    pub counts: BTreeMap<String, u64>,
    /// Seconds from the start, or from the last resumption, to the end.
    pub wall_s: f64,
}

/// Whether a run went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EndStatus {
    /// Every case has its row.
    Complete,
    /// It was stopped; `--resume` goes on.
    Interrupted,
}
