//! Attention of halves by the matrix instructions of groups of four warps, with keys and values that a copy engine brings to
//! shared memory. CUDA C for one architecture only, see `wgmma.cu`.

use super::AttentionProblem;
use super::plan::BINDINGS;
use super::split::{LONGEST_HEAD, PARAMS_BYTES, Split};
use crate::demand::reuse;
use crate::gemm::{precision_define, wgmma};
use crate::program::{defines, operands};
use crate::{BufferRole, BufferSpec, Demand, LaunchSpec, Program};
use accelbench_backends::{Access, Caps, KernelSpec, Source};

const SOURCE: &str = concat!(
    include_str!("../ptx.cuh"),
    include_str!("../types.cuh"),
    include_str!("../wgmma.cuh"),
    include_str!("../tma.cuh"),
    include_str!("rows.cuh"),
    include_str!("wgmma.cu")
);

/// Rows of a work-group: 64 for each of two groups of warps.
const QUERIES: u32 = 128;

/// The kernels, by the longest head: its length, keys of a round, and slots, as many as shared memory has room for.
const KERNELS: [Kernel; 3] = [
    Kernel { dim: 64, keys: 128, slots: 8 },
    Kernel { dim: 128, keys: 128, slots: 6 },
    Kernel { dim: LONGEST_HEAD, keys: 64, slots: 5 },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Kernel {
    dim: u32,
    keys: u32,
    slots: u32,
}

impl Kernel {
    /// Local memory of a work-group, in bytes: rows of Q, slots, maps, two barriers of 8 bytes a slot and two for Q.
    fn shared_bytes(self) -> u32 {
        let slot = self.keys * self.dim * 2;
        wgmma::ALIGNMENT + QUERIES * self.dim * 2 + self.slots * (slot + 16) + 4 * wgmma::MAP_BYTES + 16
    }
}

/// An attention by groups of warps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WgmmaPlan {
    kernel: Kernel,
}

impl WgmmaPlan {
    /// The plan, where it is valid.
    pub fn of(problem: &AttentionProblem, caps: &Caps) -> Option<Self> {
        let halves = problem.precision.is_wide_half() && problem.precision.missing(caps).is_none();
        // The copy engine takes rows that start at multiples of 16 bytes.
        if !halves || !wgmma::has_instructions(caps) || !problem.head_dim.is_multiple_of(8) {
            return None;
        }
        let kernel = KERNELS.into_iter().find(|kernel| problem.head_dim <= kernel.dim)?;
        let fits = wgmma::THREADS <= caps.max_group_items && u64::from(kernel.shared_bytes()) <= caps.local_bytes;
        fits.then_some(Self { kernel })
    }

    /// Whether it makes good use of such a device: its tiles are at least half full, and half of the compute units have
    /// one.
    pub(super) fn fills(problem: &AttentionProblem, caps: &Caps) -> bool {
        2 * problem.rows() >= QUERIES && 2 * Self::tiles(problem) >= u64::from(caps.compute_units.unwrap_or(16))
    }

    /// The sizes in the order of the name.
    pub(super) fn sizes(&self) -> Vec<u32> {
        vec![QUERIES, self.kernel.keys, self.kernel.slots]
    }

    /// What it asks of a device.
    pub(super) fn demand(&self, problem: &AttentionProblem) -> Demand {
        // A group of warps multiplies 64 rows at a time.
        let reuse = reuse(QUERIES / 2, self.kernel.keys);
        let demand = Split::none(problem).demand(problem, Self::tiles(problem), QUERIES, reuse);
        Demand { local_bytes: self.kernel.shared_bytes().into(), ..demand }
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        format!("wgmma-{QUERIES}x{}-{}", self.kernel.keys, self.kernel.slots)
    }

    /// Tiles of rows of all heads.
    fn tiles(problem: &AttentionProblem) -> u64 {
        u64::from(problem.rows().div_ceil(QUERIES)) * u64::from(problem.key_heads())
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `Split::params`. Buffers: Q, K, V, O, and room for four maps a work-group.
    pub fn program(&self, problem: &AttentionProblem, caps: &Caps) -> Program {
        // Work-groups, which take tile after tile: as many as run at a time, one a compute unit.
        let groups = Self::tiles(problem).min(caps.compute_units.unwrap_or(16).into()) as u32;
        let Kernel { dim, keys, slots } = self.kernel;
        let kernel = KernelSpec {
            source: Source::CudaC(SOURCE.into()),
            entry: "attention_wgmma".to_owned(),
            defines: defines([
                ("DIM", dim),
                ("KEYS", keys),
                ("SLOTS", slots),
                (precision_define(problem.precision), 1),
            ]),
            group: [wgmma::THREADS, 1, 1],
            shared_bytes: self.kernel.shared_bytes(),
            bindings: [&BINDINGS[..], &[Access::Write]].concat(),
            params_bytes: PARAMS_BYTES,
        };
        let maps = u64::from(4 * wgmma::MAP_BYTES) * u64::from(groups);
        let mut buffers = operands(problem);
        buffers.push(BufferSpec { role: BufferRole::Scratch, bytes: maps });
        let launch = LaunchSpec {
            kernel: 0,
            buffers: vec![0, 1, 2, 3, 4],
            grid: [groups, 1, 1],
            params: Split::none(problem).params(problem),
        };
        Program { buffers, kernels: vec![kernel], launches: vec![launch] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attention::Attention;
    use crate::bound::TypedPlan;
    use crate::{Operation, Precision, testing};
    use accelbench_backends::{DeviceKind, Language};

    fn device() -> Caps {
        let facts = [("compute_capability", "9.0"), ("nvrtc", "13.0")];
        Caps {
            local_bytes: 227 << 10,
            compute_units: Some(132),
            facts: facts.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            ..testing::caps(DeviceKind::Gpu, Language::CudaC)
        }
    }

    fn preferred(text: &str) -> String {
        let problem =
            AttentionProblem::from_fields(Precision::F16, &Attention.parse_shape_text(text).unwrap()).unwrap();
        super::super::plan::candidates(&problem, &device())[0].variant()
    }

    #[test]
    fn prompts_are_for_groups_and_single_queries_are_not() {
        for text in ["1x32x8-2048x2048x128-causal", "1x20x20-1500x1500x64", "4x8x8-4096x4096x256"] {
            assert_eq!(preferred(text), "wgmma", "{text}");
        }
        // One query, rows that are no multiples of 16 bytes, too few tiles.
        for text in ["1x32x8-1x8192x128-causal", "1x32x8-2048x2048x100-causal", "1x1x1-1024x1024x128"] {
            assert_eq!(preferred(text), "mma", "{text}");
        }
    }

    #[test]
    fn every_head_that_a_kernel_is_for_fits_shared_memory() {
        for kernel in KERNELS {
            assert!(u64::from(kernel.shared_bytes()) <= device().local_bytes, "{kernel:?}");
        }
    }
}
