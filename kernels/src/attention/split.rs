//! What the kernel families share: how rows and keys are divided, the parameter block, and the launches.
//!
//! The query heads that share a key head lie one after the other in memory. So a problem is `key_heads` independent ones,
//! each with group · seq_q rows, and a tile of rows may hold several heads: one query a head then still fills it.
//!
//! Where there are too few rows for all compute units, the keys are split into chunks. Each writes its part of every row to
//! scratch memory (the unnormalised sums, the highest score, the sum of the weights), and a second kernel combines them.

use super::AttentionProblem;
use super::plan::{BINDINGS, buffers};
use crate::program::fold_grid;
use crate::{BufferRole, BufferSpec, LaunchSpec, Program};
use accelbench_backends::{Access, Caps, KernelSpec, Source};

/// Bytes of [`Split::params`].
pub(super) const PARAMS_BYTES: u32 = 32;

/// The longest head that kernels are made for: a row of sums must fit into registers.
pub(super) const LONGEST_HEAD: u32 = 256;

/// A kernel is compiled for the lengths of heads up to one of these, so that few are.
const HEADS: [u32; 9] = [16, 32, 64, 80, 96, 128, 160, 192, LONGEST_HEAD];

/// Work-items of a work-group of the kernel that combines.
const COMBINE_GROUP: u32 = 64;

/// How the keys are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Split {
    /// Chunks of keys.
    pub splits: u32,
    /// Keys of a chunk; the last one may have fewer.
    pub chunk: u32,
}

impl Split {
    /// All keys in one chunk.
    pub(super) fn none(problem: &AttentionProblem) -> Self {
        Self { splits: 1, chunk: problem.seq_kv }
    }

    /// At least `wanted` chunks where they have at least `least` keys each and their parts fit beside the problem; chunks
    /// are multiples of `block`.
    pub(super) fn of(problem: &AttentionProblem, caps: &Caps, wanted: u64, least: u32, block: u32) -> Self {
        let [q, k, v, o] = problem.bytes();
        let part = Self::part_bytes(problem);
        let fitting = ((q + k + v + o) / 2).min(caps.max_buffer_bytes) / part;
        let splits = wanted.min(fitting).min((problem.seq_kv / least).into()).max(1);
        let chunk = problem.seq_kv.div_ceil(splits as u32).next_multiple_of(block);
        Self { splits: problem.seq_kv.div_ceil(chunk), chunk }
    }

    /// Bytes of one chunk's parts of all rows.
    fn part_bytes(problem: &AttentionProblem) -> u64 {
        let rows = u64::from(problem.key_heads()) * u64::from(problem.rows());
        rows * (u64::from(problem.head_dim) + 2) * problem.precision.accumulate().bytes()
    }

    /// What a plan's name ends in.
    pub(super) fn suffix(&self) -> String {
        if self.splits == 1 { String::new() } else { format!("-split{}", self.splits) }
    }

    /// The parameter block of every kernel: `key_heads`, `rows`, `seq_q`, `seq_kv`, `head_dim`, `causal`, `splits` and
    /// `chunk`, each 32 bits.
    fn params(&self, problem: &AttentionProblem) -> Vec<u8> {
        let AttentionProblem { seq_q, seq_kv, head_dim, causal, .. } = *problem;
        let words =
            [problem.key_heads(), problem.rows(), seq_q, seq_kv, head_dim, causal.into(), self.splits, self.chunk];
        bytemuck::bytes_of(&words).to_vec()
    }

    /// The program that launches `groups` work-groups of the kernel `entry`, and then, where keys are split, combines
    /// their parts. Buffers: Q, K, V, O and, where keys are split, the parts.
    pub(super) fn program(
        &self,
        problem: &AttentionProblem,
        caps: &Caps,
        kernel: &KernelSource,
        groups: u64,
    ) -> Program {
        let params = self.params(problem);
        let launch = |kernel, buffers: &[usize], groups| LaunchSpec {
            kernel,
            buffers: buffers.to_vec(),
            grid: fold_grid(groups, caps.max_grid[0]),
            params: params.clone(),
        };
        let mut program = Program {
            buffers: buffers(problem),
            kernels: vec![KernelSpec {
                shared_bytes: kernel.shared_bytes,
                ..kernel.spec(&kernel.entry, kernel.group, &BINDINGS)
            }],
            launches: vec![launch(0, &[0, 1, 2, if self.splits == 1 { 3 } else { 4 }], groups)],
        };
        if self.splits > 1 {
            let bytes = u64::from(self.splits) * Self::part_bytes(problem);
            program.buffers.push(BufferSpec { role: BufferRole::Scratch, bytes });
            let combine = kernel.spec("attention_combine", [COMBINE_GROUP, 1, 1], &[Access::Read, Access::Write]);
            program.kernels.push(combine);
            program.launches.push(launch(1, &[4, 3], problem.elements()[3].div_ceil(COMBINE_GROUP.into())));
        }
        program
    }
}

/// A family's source, which holds `attention_combine` beside its own kernel.
pub(super) struct KernelSource {
    pub(super) source: Source,
    pub(super) entry: String,
    pub(super) defines: Vec<(String, String)>,
    pub(super) group: [u32; 3],
    pub(super) shared_bytes: u32,
}

impl KernelSource {
    fn spec(&self, entry: &str, group: [u32; 3], bindings: &[Access]) -> KernelSpec {
        KernelSpec {
            source: self.source.clone(),
            entry: entry.to_owned(),
            defines: self.defines.clone(),
            group,
            shared_bytes: 0,
            bindings: bindings.to_vec(),
            params_bytes: PARAMS_BYTES,
        }
    }
}

/// The length of a head that the kernel for `head_dim` is compiled for.
pub(super) fn compiled_head(head_dim: u32) -> Option<u32> {
    HEADS.into_iter().find(|&length| head_dim <= length)
}
