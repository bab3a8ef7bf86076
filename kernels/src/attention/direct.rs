//! Direct attention: no local memory and no barrier, rows in lanes, keys and values broadcast. For WGSL on CPUs.
//!
//! See [`gemm`](crate::gemm)'s direct family for what a software driver does well. All sums of a row are variables: they
//! spill onto the stack, which costs such a driver less than indexing an array.

use super::AttentionProblem;
use super::split::{KernelSource, Split, compiled_head, wgsl};
use crate::demand::reuse;
use crate::program::fold_grid;
use crate::wgsl::MOST_ROUNDS;
use crate::{Demand, Program};
use accelbench_backends::{Caps, DeviceKind, Language, Source};

const WGSL: &str = concat!(include_str!("rows.wgsl.j2"), include_str!("direct.wgsl.j2"));

/// Keys of a block, in sub-groups.
const BLOCK: u32 = 4;
/// Keys that are worth a chunk of their own.
const LEAST_CHUNK: u32 = 128;

/// The sizes of a direct attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DirectPlan {
    /// Rows of a work-item.
    width: u32,
    /// Work-items of a work-group: the device's sub-group.
    group: u32,
    split: Split,
}

impl DirectPlan {
    /// The valid plan, where there is one.
    pub fn candidates(problem: &AttentionProblem, caps: &Caps) -> Vec<Self> {
        let Some(group) = Self::group(problem, caps) else { return Vec::new() };
        let units = 2 * u64::from(caps.compute_units.unwrap_or(4));
        // More rows a work-item make more of each broadcast; those that no query fills cost as much as others.
        let width = if problem.rows() > 2 * group && Self::takes_four(problem) { 4 } else { 1 };
        let one = Self { width, group, split: Split::none(problem) };
        let splits = units.div_ceil(one.tiles(problem)).max(one.rounds(problem).div_ceil(MOST_ROUNDS.into()));
        let plan = Self { split: Split::of(problem, caps, splits, LEAST_CHUNK, BLOCK * group), ..one };
        if plan.valid(problem, caps) { vec![plan] } else { Vec::new() }
    }

    /// All valid plans.
    pub(super) fn space(problem: &AttentionProblem, caps: &Caps) -> Vec<Self> {
        let Some(group) = Self::group(problem, caps) else { return Vec::new() };
        let widths: &[u32] = if Self::takes_four(problem) { &[1, 4] } else { &[1] };
        let splits = Split::all(problem, caps, LEAST_CHUNK, BLOCK * group);
        let plans = widths.iter().flat_map(|&width| splits.iter().map(move |&split| Self { width, group, split }));
        plans.filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// The sizes in the order of the name.
    pub(super) fn sizes(&self) -> Vec<u32> {
        vec![self.width, self.group, self.split.splits]
    }

    /// What it asks of a device.
    pub(super) fn demand(&self, problem: &AttentionProblem) -> Demand {
        let rows = self.width * self.group;
        self.split.demand(problem, self.tiles(problem), rows, reuse(self.width, values(problem)))
    }

    /// Whether a work-item may have 4 rows: a long head's kernel, with all its sums as variables, would take the driver
    /// half a minute to compile.
    fn takes_four(problem: &AttentionProblem) -> bool {
        problem.head_dim <= 128 && problem.head_dim.is_multiple_of(4)
    }

    fn valid(&self, problem: &AttentionProblem, caps: &Caps) -> bool {
        let groups = self.tiles(problem) * u64::from(self.split.splits);
        self.rounds(problem) <= u64::from(MOST_ROUNDS) && fold_grid(groups, caps.max_grid[0])[1] <= caps.max_grid[1]
    }

    /// The device's sub-group, where there are such plans for it.
    fn group(problem: &AttentionProblem, caps: &Caps) -> Option<u32> {
        let fits = caps.kind == DeviceKind::Cpu
            && caps.speaks(Language::Wgsl)
            && problem.precision.missing(caps).is_none()
            && compiled_head(problem.head_dim).is_some()
            && problem.elements().iter().all(|&elements| elements < 1 << 32);
        // Where the size of a sub-group may vary, one sub-group is no fixed part of the work.
        caps.subgroup.filter(|(smallest, largest)| fits && smallest == largest).map(|(group, _)| group)
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        format!("direct-{}x{}{}", self.width, self.group, self.split.suffix())
    }

    fn tiles(&self, problem: &AttentionProblem) -> u64 {
        u64::from(problem.rows().div_ceil(self.width * self.group)) * u64::from(problem.key_heads())
    }

    /// Rounds of all loops of a work-item.
    fn rounds(&self, problem: &AttentionProblem) -> u64 {
        let keys = BLOCK * self.group;
        let block = 1 + problem.head_dim.div_ceil(4) + keys / values(problem);
        u64::from(self.split.chunk.div_ceil(keys)) * u64::from(block)
    }

    /// The program for `problem` on a device with these capabilities.
    pub fn program(&self, problem: &AttentionProblem, caps: &Caps) -> Program {
        let kernel = KernelSource {
            source: Source::Wgsl(self.wgsl(problem).into()),
            entry: "attention_direct".to_owned(),
            defines: Vec::new(),
            group: [self.group, 1, 1],
            shared_bytes: 0,
        };
        self.split.program(problem, caps, &kernel, self.tiles(problem) * u64::from(self.split.splits))
    }

    fn wgsl(&self, problem: &AttentionProblem) -> String {
        let own = minijinja::context! {
            width => self.width, group => self.group, keys => BLOCK * self.group, values => values(problem),
            powers => if self.width == 4 { "powers_of_2" } else { "power_of_2" },
            whole => problem.head_dim.is_multiple_of(4),
        };
        wgsl("direct.wgsl.j2", WGSL, problem, self.split, own)
    }
}

/// Values of a round: more keep sums in registers for longer, and a long head's kernel would take long to compile.
fn values(problem: &AttentionProblem) -> u32 {
    if problem.head_dim > 128 { 1 } else { 2 }
}
