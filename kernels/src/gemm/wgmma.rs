//! GEMM of halves by the matrix instructions of groups of four warps, with operands that a copy engine brings to shared
//! memory while others are multiplied. CUDA C for one architecture only, see `wgmma.cu`.
//!
//! The copy engine needs a map of each matrix, 128 bytes with its address. Each thread block builds its own when it starts,
//! in scratch memory: about a microsecond, and a launch needs nothing but buffers and sizes.

use super::GemmProblem;
use super::single::{BINDINGS, PARAMS_BYTES, single};
use crate::program;
use crate::{BufferRole, BufferSpec, Precision, Program};
use accelbench_backends::{Access, Caps, KernelSpec, Language, Source};

const SOURCE: &str = concat!(
    include_str!("../ptx.cuh"),
    include_str!("../wgmma.cuh"),
    include_str!("../tma.cuh"),
    include_str!("tiles.cuh"),
    include_str!("wgmma.cu")
);

/// Rows of C for a work-group: 64 for each of two groups of warps.
const TILE_M: u32 = 128;

/// Length of the staged part of the sums: one line of 128 bytes.
const TILE_K: u32 = 64;

/// Work-items of a work-group: one group of four warps copies, two multiply.
const THREADS: u32 = 3 * 128;

/// Boxes of 64 × 64 halves, through which C leaves.
const BOXES_BYTES: u32 = 4 * 64 * 64 * 2;

/// A map of a matrix, for the copy engine.
const MAP_BYTES: u32 = 128;

/// Shared memory starts at any multiple of 128 bytes, and stages at multiples of this.
const ALIGNMENT: u32 = 1024;

/// The most tiles: eight times their number is held in 32 bits.
const MOST_TILES: u64 = 1 << 28;

/// The sizes of a GEMM by groups of warps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WgmmaPlan {
    /// Columns of C for a work-group: 128 or 256.
    pub tile_n: u32,
    /// Blocks that are staged at a time.
    pub stages: u32,
    /// Work-groups, 1 or 2, whose tiles lie below one another and which share what they read of B.
    pub cluster: u32,
}

impl WgmmaPlan {
    /// As many stages as shared memory has room for. Large tiles move the fewest bytes, and so do clusters.
    const LADDER: [Self; 4] = [
        Self { tile_n: 256, stages: 4, cluster: 2 },
        Self { tile_n: 256, stages: 4, cluster: 1 },
        Self { tile_n: 128, stages: 6, cluster: 2 },
        Self { tile_n: 128, stages: 6, cluster: 1 },
    ];

    /// The valid plans, the preferred one first: the one whose busiest work-group computes the fewest columns, and of
    /// several such the one that moves the fewest bytes.
    pub fn candidates(problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        if !has_instructions(caps) || problem.precision != Precision::F16 || problem.precision.missing(caps).is_some() {
            return Vec::new();
        }
        let mut valid: Vec<Self> = Self::LADDER.into_iter().filter(|plan| plan.valid(problem, caps)).collect();
        valid.sort_by_key(|plan| plan.rounds(problem, caps) * u64::from(plan.tile_n));
        valid
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        format!("wgmma-{TILE_M}x{}x{TILE_K}-{}-cluster{}", self.tile_n, self.stages, self.cluster)
    }

    /// Tiles of a cluster.
    fn tiles(&self, problem: &GemmProblem) -> u64 {
        u64::from(problem.m.div_ceil(self.cluster * TILE_M)) * u64::from(problem.n.div_ceil(self.tile_n))
    }

    /// Clusters of work-groups that take tile after tile: as many as run at a time, one work-group a compute unit.
    fn clusters(&self, problem: &GemmProblem, caps: &Caps) -> u32 {
        let at_a_time = (caps.compute_units.unwrap_or(16) / self.cluster).max(1);
        self.tiles(problem).min(at_a_time.into()) as u32
    }

    /// Tiles of the busiest cluster.
    fn rounds(&self, problem: &GemmProblem, caps: &Caps) -> u64 {
        self.tiles(problem).div_ceil(self.clusters(problem, caps).into())
    }

    /// Local memory of a work-group, in bytes: stages, boxes of C, maps, and two barriers of 8 bytes a stage.
    fn shared_bytes(&self) -> u32 {
        let stage = (TILE_M + self.tile_n) * TILE_K * 2;
        ALIGNMENT + self.stages * (stage + 16) + BOXES_BYTES + 3 * MAP_BYTES
    }

    fn valid(&self, problem: &GemmProblem, caps: &Caps) -> bool {
        // The copy engine takes rows that start at multiples of 16 bytes.
        let aligned = |row: u32| row.is_multiple_of(8);
        let row_a = if problem.trans_a { problem.m } else { problem.k };
        let row_b = if problem.trans_b { problem.k } else { problem.n };
        // A cluster of two would waste one of them on a single row of tiles.
        let used = self.cluster == 1 || problem.m > TILE_M;
        [row_a, row_b, problem.n].into_iter().all(aligned)
            && used
            && THREADS <= caps.max_group_items
            && u64::from(self.shared_bytes()) <= caps.local_bytes
            && self.tiles(problem) < MOST_TILES
            && self.clusters(problem, caps) * self.cluster <= caps.max_grid[0]
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `m`, `n`, `k` and a 0, each 32 bits. Buffers: A, B, C, and room for three maps a work-group.
    pub fn program(&self, problem: &GemmProblem, caps: &Caps) -> Program {
        let groups = self.clusters(problem, caps) * self.cluster;
        let defines = [
            ("TILE_N", self.tile_n),
            ("STAGES", self.stages),
            ("CLUSTER", self.cluster),
            ("TRANS_A", problem.trans_a.into()),
            ("TRANS_B", problem.trans_b.into()),
        ];
        let kernel = KernelSpec {
            source: Source::CudaC(SOURCE.into()),
            entry: "gemm_wgmma".to_owned(),
            defines: program::defines(defines),
            group: [THREADS, 1, 1],
            shared_bytes: self.shared_bytes(),
            bindings: [&BINDINGS[..], &[Access::Write]].concat(),
            params_bytes: PARAMS_BYTES,
        };
        let mut program = single(problem, kernel, [groups, 1, 1]);
        let maps = BufferSpec { role: BufferRole::Scratch, bytes: u64::from(3 * MAP_BYTES) * u64::from(groups) };
        program.launches[0].buffers.push(program.buffers.len());
        program.buffers.push(maps);
        program
    }
}

/// Whether the device has wgmma and cp.async.bulk.tensor, which are of the architecture 9.0 alone, and a compiler that
/// takes strides of maps in bytes: older ones took them in units of 16.
fn has_instructions(caps: &Caps) -> bool {
    let fact = |name: &str| caps.facts.get(name).map(String::as_str);
    let compiler = fact("nvrtc").and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    caps.speaks(Language::CudaC) && fact("compute_capability") == Some("9.0") && compiler.is_some_and(|major| major >= 13)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use accelbench_backends::DeviceKind;
    use std::collections::BTreeMap;

    /// A device of 132 compute units with 227 KiB of shared memory.
    fn device(capability: &str, compiler: &str) -> Caps {
        let facts = [("compute_capability", capability), ("nvrtc", compiler)];
        Caps {
            local_bytes: 227 << 10,
            compute_units: Some(132),
            facts: facts.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            ..testing::caps(DeviceKind::Gpu, Language::CudaC)
        }
    }

    fn problem([m, n, k]: [u32; 3], trans: &str) -> GemmProblem {
        let fields = [("m", m.to_string()), ("n", n.to_string()), ("k", k.to_string()), ("trans", trans.to_owned())];
        let fields: BTreeMap<_, _> = fields.map(|(name, value)| (name.to_owned(), value)).into();
        GemmProblem::from_fields(Precision::F16, &fields).expect("a shape")
    }

    fn candidates(size: [u32; 3], trans: &str) -> Vec<WgmmaPlan> {
        WgmmaPlan::candidates(&problem(size, trans), &device("9.0", "13.0"))
    }

    #[test]
    fn only_the_architecture_with_the_instructions_has_plans() {
        let square = problem([4096; 3], "nn");
        let plans = |capability, compiler| WgmmaPlan::candidates(&square, &device(capability, compiler)).len();
        assert_eq!(plans("9.0", "13.0"), 4);
        assert_eq!([plans("8.0", "13.0"), plans("10.0", "13.0"), plans("9.0", "12.4")], [0; 3]);
        let acc16 = GemmProblem { precision: Precision::F16Acc16, ..square };
        assert!(WgmmaPlan::candidates(&acc16, &device("9.0", "13.0")).is_empty());
    }

    #[test]
    fn rows_in_memory_must_start_at_multiples_of_16_bytes() {
        for (trans, rows) in [("nn", [false, true, true]), ("nt", [false, true, true]), ("tn", [true, true, false])] {
            for (side, of_a_row) in rows.into_iter().enumerate() {
                let mut size = [256; 3];
                size[side] += 4;
                assert_eq!(candidates(size, trans).is_empty(), of_a_row, "{trans} {size:?}");
            }
        }
    }

    #[test]
    fn the_preferred_tile_leaves_the_fewest_units_idle() {
        let preferred = |size, trans| candidates(size, trans)[0].name();
        assert_eq!(preferred([8192; 3], "nn"), "wgmma-128x256x64-4-cluster2");
        assert_eq!(preferred([2048; 3], "nt"), "wgmma-128x256x64-4-cluster2");
        assert_eq!(preferred([1024; 3], "nn"), "wgmma-128x128x64-6-cluster2");
        assert_eq!(preferred([128, 4096, 4096], "nt"), "wgmma-128x128x64-6-cluster1");
    }

    #[test]
    fn every_work_group_runs_at_the_same_time_and_has_its_maps() {
        let caps = device("9.0", "13.0");
        for size in [[8192; 3], [64, 1000, 2048], [129, 8, 8], [4096, 128_256, 64]] {
            let problem = problem(size, "nt");
            for plan in WgmmaPlan::candidates(&problem, &caps) {
                let program = plan.program(&problem, &caps);
                let [groups, 1, 1] = program.launches[0].grid else { panic!("{:?}", program.launches[0].grid) };
                assert!(groups <= 132 && groups.is_multiple_of(plan.cluster), "{size:?} {}", plan.name());
                assert!(u64::from(groups / plan.cluster) <= plan.tiles(&problem));
                assert_eq!(program.buffers[3].bytes, 3 * 128 * u64::from(groups));
                assert_eq!(program.launches[0].buffers, [0, 1, 2, 3]);
                assert!(u64::from(program.kernels[0].shared_bytes) <= caps.local_bytes);
            }
        }
    }
}
