//! What the kernel families share: how rows and keys are divided, the parameter block, and the launches.
//!
//! The query heads that share a key head lie one after the other in memory. So a problem is `key_heads` independent ones,
//! each with group · seq_q rows, and a tile of rows may hold several heads: one query a head then still fills it.
//!
//! Where there are too few rows for all compute units, the keys are split into chunks. Each writes its part of every row to
//! scratch memory (the unnormalised sums, the highest score, the sum of the weights), and a second kernel combines them.

use super::AttentionProblem;
use super::plan::BINDINGS;
use crate::program::{fold_grid, operands};
use crate::{BufferRole, BufferSpec, Demand, LaunchSpec, Program};
use accelbench_backends::{Access, Caps, KernelSpec, Source};
use minijinja::Value;

const COMBINE_WGSL: &str = concat!(include_str!("rows.wgsl.j2"), include_str!("combine.wgsl.j2"));

/// Bytes of [`Split::params`].
pub(super) const PARAMS_BYTES: u32 = 32;

/// The longest head that kernels are made for: a row of sums must fit into registers.
pub(super) const LONGEST_HEAD: u32 = 256;

/// A kernel is compiled for the lengths of heads up to one of these, so that few are.
const HEADS: [u32; 4] = [64, 80, 128, LONGEST_HEAD];

/// Chunks that a search divides keys into, at most: 2 to the power of this.
const MOST_DOUBLINGS: u32 = 6;

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

    /// The ways to divide the keys into 1, 2, 4, … chunks.
    pub(super) fn all(problem: &AttentionProblem, caps: &Caps, least: u32, block: u32) -> Vec<Self> {
        let mut splits = vec![Self::none(problem)];
        splits.extend((1..=MOST_DOUBLINGS).map(|doublings| Self::of(problem, caps, 1 << doublings, least, block)));
        splits.dedup_by_key(|split| split.splits);
        splits
    }

    /// Bytes of one chunk's parts of all rows.
    fn part_bytes(problem: &AttentionProblem) -> u64 {
        let rows = u64::from(problem.key_heads()) * u64::from(problem.rows());
        rows * (u64::from(problem.head_dim) + 2) * problem.precision.accumulate().bytes()
    }

    /// What `tiles` work-groups of each chunk, of `rows` rows each, ask of a device.
    pub(super) fn demand(self, problem: &AttentionProblem, tiles: u64, rows: u32, reuse: f64) -> Demand {
        let [dim, chunk] = [problem.head_dim, self.chunk].map(f64::from);
        // Of a square of queries and keys, the mask leaves half.
        let seen = if problem.causal && problem.seq_q > 1 { 0.5 } else { 1.0 };
        let parts =
            if self.splits == 1 { 0.0 } else { 2.0 * f64::from(self.splits) * Self::part_bytes(problem) as f64 };
        Demand {
            groups: tiles as f64 * f64::from(self.splits),
            group_flop: 4.0 * f64::from(rows) * chunk * dim * seen,
            group_bytes: 2.0 * (chunk * seen + f64::from(rows)) * dim * problem.precision.storage().bytes() as f64,
            other_bytes: parts,
            reuse,
            local_bytes: 0,
        }
    }

    /// What a plan's name ends in.
    pub(super) fn suffix(self) -> String {
        if self.splits == 1 { String::new() } else { format!("-split{}", self.splits) }
    }

    /// The parameter block of every kernel: `key_heads`, `rows`, `seq_q`, `seq_kv`, `head_dim`, `causal`, `splits` and
    /// `chunk`, each 32 bits.
    pub(super) fn params(self, problem: &AttentionProblem) -> Vec<u8> {
        let AttentionProblem { seq_q, seq_kv, head_dim, causal, .. } = *problem;
        let words =
            [problem.key_heads(), problem.rows(), seq_q, seq_kv, head_dim, causal.into(), self.splits, self.chunk];
        bytemuck::bytes_of(&words).to_vec()
    }

    /// The program that launches `groups` work-groups of the kernel `entry`, and then, where keys are split, combines
    /// their parts. Buffers: Q, K, V, O and, where keys are split, the parts.
    pub(super) fn program(
        self,
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
            buffers: operands(problem),
            kernels: vec![KernelSpec {
                shared_bytes: kernel.shared_bytes,
                ..kernel.spec(&kernel.entry, kernel.group, &BINDINGS)
            }],
            launches: vec![launch(0, &[0, 1, 2, if self.splits == 1 { 3 } else { 4 }], groups)],
        };
        if self.splits > 1 {
            let bytes = u64::from(self.splits) * Self::part_bytes(problem);
            program.buffers.push(BufferSpec { role: BufferRole::Scratch, bytes });
            program.kernels.push(kernel.combine(problem, self));
            program.launches.push(launch(1, &[4, 3], problem.elements()[3].div_ceil(COMBINE_GROUP.into())));
        }
        program
    }
}

/// A family's source; in OpenCL C it holds `attention_combine` beside its own kernel.
pub(super) struct KernelSource {
    pub(super) source: Source,
    pub(super) entry: String,
    pub(super) defines: Vec<(String, String)>,
    pub(super) group: [u32; 3],
    pub(super) shared_bytes: u32,
}

impl KernelSource {
    /// The kernel that combines parts, in the same language.
    fn combine(&self, problem: &AttentionProblem, split: Split) -> KernelSpec {
        let bindings = [Access::Read, Access::Write];
        let spec = self.spec("attention_combine", [COMBINE_GROUP, 1, 1], &bindings);
        match self.source {
            Source::Wgsl(_) => {
                let text = wgsl("combine.wgsl.j2", COMBINE_WGSL, problem, split, minijinja::context! { width => 1 });
                KernelSpec { source: Source::Wgsl(text.into()), ..spec }
            }
            _ => spec,
        }
    }

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

/// Renders a template with what they all need and what is its own.
pub(super) fn wgsl(name: &str, template: &str, problem: &AttentionProblem, split: Split, own: Value) -> String {
    let shared = minijinja::context! {
        dim => compiled_head(problem.head_dim), split => split.splits > 1,
        storage => problem.precision.storage().name(),
        accumulate => problem.precision.accumulate().name(),
    };
    crate::wgsl::render(name, template, minijinja::context! { ..shared, ..own })
}

/// The length of a head that the kernel for `head_dim` is compiled for.
pub(super) fn compiled_head(head_dim: u32) -> Option<u32> {
    HEADS.into_iter().find(|&length| head_dim <= length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attention::{Attention, plan};
    use crate::bound::TypedPlan;
    use crate::{Case, Operation, Precision, testing};
    use accelbench_backends::{DeviceKind, Language};
    use std::collections::BTreeMap;

    fn caps(kind: DeviceKind, language: Language, local_bytes: u64, units: u32) -> Caps {
        Caps {
            subgroup: Some((8, 8)),
            max_group_items: 256,
            max_group: [256, 256, 64],
            local_bytes,
            max_buffer_bytes: 1 << 34,
            compute_units: Some(units),
            facts: BTreeMap::from([
                ("native-vector-f32".to_owned(), "16".to_owned()),
                ("native-vector-f64".to_owned(), "8".to_owned()),
            ]),
            ..testing::caps(kind, language)
        }
    }

    fn devices() -> Vec<Caps> {
        use DeviceKind::{Cpu, Gpu};
        use Language::{OpenClC, Wgsl};
        let kinds = [(Cpu, OpenClC), (Cpu, Wgsl), (Gpu, OpenClC), (Gpu, Wgsl)];
        let sizes = [(16 << 10, 1), (48 << 10, 132), (256 << 10, 2)];
        kinds
            .iter()
            .flat_map(|&(kind, language)| sizes.map(|(local, units)| caps(kind, language, local, units)))
            .collect()
    }

    fn problem(precision: Precision, text: &str) -> AttentionProblem {
        AttentionProblem::from_fields(precision, &Attention.parse_shape_text(text).unwrap()).unwrap()
    }

    const PRECISIONS: [Precision; 3] = [Precision::F64, Precision::F32, Precision::F16];

    #[test]
    fn memory_grows_with_the_sequence_and_not_with_its_square() {
        for text in [
            "1x1x1-16384x16384x128",
            "1x32x8-1x4096x128-causal",
            "1x32x8-1x131072x128-causal",
            "1x1x1-1x16384x128",
            "1x71x1-1x2048x64",
            "1x8x8-2048x2048x1",
        ] {
            for (caps, precision) in devices().iter().flat_map(|caps| PRECISIONS.map(|precision| (caps, precision))) {
                let problem = problem(precision, text);
                let least: u64 = problem.bytes().iter().sum();
                for plan in problem.plans(caps) {
                    let bytes = plan.program().bytes();
                    assert!(2 * bytes <= 3 * least, "{text} by {}: {bytes} bytes for {least}", plan.name());
                }
            }
        }
    }

    #[test]
    fn few_queries_still_give_every_compute_unit_work() {
        let decode = problem(Precision::F32, "1x8x8-1x4096x128-causal");
        for caps in devices() {
            let units = u64::from(caps.compute_units.unwrap());
            let plans = decode.plans(&caps);
            let program = plans[0].program();
            let groups: u64 = program.launches[0].grid.iter().map(|&side| u64::from(side)).product();
            assert!(groups >= units, "{}: {groups} work-groups for {units}", plans[0].name());
            assert_eq!(plans[0].name().contains("split"), program.kernels.len() == 2);
        }
    }

    #[test]
    fn chunks_are_whole_blocks_and_cover_all_keys() {
        let caps = caps(DeviceKind::Gpu, Language::OpenClC, 1 << 15, 132);
        for (seq_kv, wanted) in [(1, 5), (4096, 1), (4096, 264), (5000, 7), (131_072, 9)] {
            let problem = problem(Precision::F32, &format!("1x32x8-1x{seq_kv}x128"));
            let Split { splits, chunk } = Split::of(&problem, &caps, wanted, 128, 64);
            assert!(u64::from(splits) <= wanted && chunk % 64 == 0, "{seq_kv} {wanted}");
            assert!((splits - 1) * chunk < seq_kv && splits * chunk >= seq_kv, "{seq_kv} {wanted}");
        }
    }

    #[test]
    fn every_head_up_to_the_longest_has_a_plan_and_none_beyond() {
        for caps in devices() {
            for precision in PRECISIONS {
                let plans = |dim: u32| problem(precision, &format!("1x2x1-20x30x{dim}-causal")).plans(&caps).len();
                for dim in [1, 16, 17, 40, 80, 128, 192, LONGEST_HEAD] {
                    assert!(plans(dim) > 0, "{precision} {dim} on {:?} with {}", caps.languages, caps.local_bytes);
                }
                assert_eq!(plans(LONGEST_HEAD + 1), 0);
            }
        }
    }

    #[test]
    fn templates_render_for_every_precision_head_and_split() {
        for caps in devices().iter().filter(|caps| caps.speaks(Language::Wgsl)) {
            for precision in PRECISIONS {
                for text in ["1x1x1-64x64x1", "1x2x1-70x300x80-causal", "1x8x2-1x5000x129", "1x1x1-3x4096x256"] {
                    for plan in plan::candidates(&problem(precision, text), caps) {
                        for kernel in plan.program(&problem(precision, text), caps).kernels {
                            let source = kernel.source.text().into_owned();
                            assert!(source.contains(&format!("fn {}", kernel.entry)) && !source.contains("{{"));
                            assert_eq!(source.starts_with("enable f16"), precision == Precision::F16);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn kernels_are_few() {
        let caps = caps(DeviceKind::Cpu, Language::OpenClC, 256 << 10, 2);
        let source = |text: &str| problem(Precision::F32, text).plans(&caps)[0].program().source_sha256();
        assert_eq!(source("1x8x8-2048x2048x128"), source("2x8x2-2000x3000x100-causal"));
        assert_ne!(source("1x8x8-2048x2048x128"), source("1x8x8-2048x2048x64"));
    }
}
