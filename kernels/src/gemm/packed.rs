//! Packed GEMM for CPUs.

use super::GemmProblem;
use crate::Program;
use accelbench_backends::Caps;

/// The sizes of a packed GEMM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PackedPlan {
    /// Rows of a register tile.
    pub rows: u32,
}

impl PackedPlan {
    /// The valid plans, the preferred one first.
    pub fn candidates(_problem: &GemmProblem, _caps: &Caps) -> Vec<Self> {
        Vec::new()
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        format!("packed-{}", self.rows)
    }

    /// The program for `problem` on a device with these capabilities.
    pub fn program(&self, _problem: &GemmProblem, _caps: &Caps) -> Program {
        unreachable!("no candidate yet")
    }
}
