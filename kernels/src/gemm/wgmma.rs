//! GEMM by the matrix instructions of groups of four warps, with operands that a copy engine brings to shared
//! memory while others are multiplied. CUDA C for one architecture only, see `wgmma.cu`. The instructions take halves in
//! every layout, other types only where the rows of both matrices in memory run along k.
//!
//! The copy engine needs a map of each matrix, 128 bytes with its address. Each work-group builds its own when it starts,
//! in scratch memory: about a microsecond, and a launch needs nothing but buffers and sizes.
//!
//! Where C has fewer tiles than the device has compute units, sums are split: parts go to scratch memory, and a second
//! kernel adds them up. Plans are put in order by a model of the time that they take.

use super::GemmProblem;
use super::single::PARAMS_BYTES;
use super::tiled::{Products, precision_define};
use crate::demand::reuse;
use crate::program::{self, fold_grid, operands};
use crate::space::grid;
use crate::{BufferRole, BufferSpec, Demand, LaunchSpec, Precision, Program};
use accelbench_backends::{Access, Caps, DType, KernelSpec, Language, Source};

const SOURCE: &str = concat!(
    include_str!("../ptx.cuh"),
    include_str!("../wgmma.cuh"),
    include_str!("../tma.cuh"),
    include_str!("tiles.cuh"),
    include_str!("wgmma.cu")
);

const SUM_SOURCE: &str = concat!(include_str!("../ptx.cuh"), include_str!("sum_parts.cu"));

/// Rows of C for a work-group: 64 for each of two groups of warps.
const TILE_M: u32 = 128;

/// The staged part of the sums: one line, in bytes.
const LINE_BYTES: u32 = 128;

/// Its length, of halves.
const TILE_K: u32 = 64;

/// Work-items of a work-group: one group of four warps copies, two multiply.
pub(crate) const THREADS: u32 = 3 * 128;

/// Boxes of 64 × 64 halves, through which C leaves.
const BOXES_BYTES: u32 = 4 * 64 * 64 * 2;

/// A map of a matrix, for the copy engine.
pub(crate) const MAP_BYTES: u32 = 128;

/// Shared memory starts at any multiple of 128 bytes, and stages at multiples of this.
pub(crate) const ALIGNMENT: u32 = 1024;

/// The most tiles, and the most tasks: eight times their number is held in 32 bits.
const MOST_TILES: u64 = 1 << 28;

/// Parts of sums are at least so many times the staged part.
const LEAST_PART: u32 = 4;

/// Work-items of a work-group of the kernel that adds up parts, and elements of C for each.
const SUM_GROUP: u32 = 256;
const SUM_ELEMENTS: u32 = 4;

/// What the model knows of a device with these instructions: operations of a compute unit in a second on halves, at the
/// rate that power allows (on other types, fewer the more bytes they have); bytes of memory in a second; seconds to start a
/// launch after another one, and to start and end a tile.
const UNIT_FLOPS: f64 = 6e12;
const MEMORY_BYTES: f64 = 4e12;
const LAUNCH_SECONDS: f64 = 2e-6;
const TILE_SECONDS: f64 = 1e-6;

/// The sizes of a GEMM by groups of warps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WgmmaPlan {
    /// Columns of C for a work-group: 128 or 256.
    pub tile_n: u32,
    /// Blocks that are staged at a time.
    pub stages: u32,
    /// Work-groups, 1 or 2, whose tiles lie below one another and which share what they read of B.
    pub cluster: u32,
    /// Length of a part of the sums; at least k where they are not split.
    pub part: u32,
    /// Length of the staged part of the sums.
    pub tile_k: u32,
}

impl WgmmaPlan {
    /// As many stages as shared memory has room for. Large tiles move the fewest bytes, and so do clusters.
    const LADDER: [Self; 4] = [Self::new(256, 4, 2), Self::new(256, 4, 1), Self::new(128, 6, 2), Self::new(128, 6, 1)];

    const fn new(tile_n: u32, stages: u32, cluster: u32) -> Self {
        Self { tile_n, stages, cluster, part: u32::MAX, tile_k: TILE_K }
    }

    /// The same for another type: as many bytes staged.
    const fn of_type(self, precision: Precision) -> Self {
        Self { tile_k: LINE_BYTES / precision.storage().bytes() as u32, ..self }
    }

    /// The valid plans, each with whole sums and, where tiles are few, with split ones, that which should take the least
    /// time first.
    pub fn candidates(problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        let takes = match problem.precision {
            Precision::F64 | Precision::F32 => false,
            Precision::Bf16 | Precision::F16 | Precision::F16Acc16 => true,
            Precision::Tf32 | Precision::F8E4M3 | Precision::I8 => !problem.trans_a && problem.trans_b,
        };
        if !takes || !has_instructions(caps) || problem.precision.missing(caps).is_some() {
            return Vec::new();
        }
        let ladder = Self::LADDER
            .into_iter()
            .map(|plan| plan.of_type(problem.precision))
            .flat_map(|plan| [Some(plan), plan.split(problem, caps)])
            .flatten();
        let mut valid: Vec<Self> = ladder.filter(|plan| plan.valid(problem, caps)).collect();
        valid.sort_by(|left, right| left.seconds(problem, caps).total_cmp(&right.seconds(problem, caps)));
        valid
    }

    /// All valid plans.
    pub(crate) fn space(problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        // What has instructions and types has candidates, or none of the sizes is valid.
        if Self::candidates(problem, caps).is_empty() {
            return Vec::new();
        }
        let all = grid([&[128, 256], &[2, 3, 4, 5, 6], &[1, 2], &[1, 2, 4, 8, 16]]);
        let plans = all.filter_map(|[tile_n, stages, cluster, parts]| {
            let plan = Self::new(tile_n, stages, cluster).of_type(problem.precision);
            let part = if parts == 1 { u32::MAX } else { problem.k.div_ceil(parts).next_multiple_of(plan.tile_k) };
            let sensible = parts == 1 || (LEAST_PART * plan.tile_k..problem.k).contains(&part);
            sensible.then_some(Self { part, ..plan })
        });
        plans.filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// The sizes in the order of the name.
    pub(crate) fn sizes(&self) -> Vec<u32> {
        vec![self.tile_n, self.stages, self.cluster, self.part]
    }

    /// What it asks of a device for such a problem. Of a cluster's work-groups each reads its share of B.
    pub(crate) fn demand(&self, problem: &GemmProblem) -> Demand {
        let products: Products = problem.into();
        let parts = f64::from(self.parts(problem));
        let tile = Demand::of_tiles(&products, TILE_M, self.tile_n, reuse(TILE_M / 2, self.tile_n));
        let shared = f64::from(self.tile_n) * f64::from(problem.k) * (1.0 - 1.0 / f64::from(self.cluster));
        let group_bytes = (tile.group_bytes - shared * problem.precision.storage().bytes() as f64) / parts;
        // Each part of a sum is written and read.
        let other_bytes = if parts > 1.0 { 2.0 * self.parts_bytes(problem) as f64 } else { 0.0 };
        Demand {
            groups: tile.groups * parts,
            group_flop: tile.group_flop / parts,
            group_bytes,
            other_bytes,
            local_bytes: self.shared_bytes().into(),
            ..tile
        }
    }

    /// The same with the sums in as many parts as give every cluster one; none where that are fewer than two.
    fn split(self, problem: &GemmProblem, caps: &Caps) -> Option<Self> {
        let parts =
            self.at_a_time(caps).checked_div(self.tiles(problem))?.min((problem.k / (LEAST_PART * self.tile_k)).into());
        let part = problem.k.div_ceil(parts.max(1) as u32).next_multiple_of(self.tile_k);
        (part < problem.k).then_some(Self { part, ..self })
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        let split = if self.part == u32::MAX { String::new() } else { format!("-part{}", self.part) };
        let Self { tile_n, tile_k, stages, cluster, .. } = self;
        format!("wgmma-{TILE_M}x{tile_n}x{tile_k}-{stages}-cluster{cluster}{split}")
    }

    /// Parts of the sums.
    fn parts(&self, problem: &GemmProblem) -> u32 {
        problem.k.div_ceil(self.part)
    }

    /// Tiles of all clusters.
    fn tiles(&self, problem: &GemmProblem) -> u64 {
        u64::from(problem.m.div_ceil(self.cluster * TILE_M)) * u64::from(problem.n.div_ceil(self.tile_n))
    }

    /// Tasks of all clusters: a part of the sums of a tile each.
    fn tasks(&self, problem: &GemmProblem) -> u64 {
        self.tiles(problem) * u64::from(self.parts(problem))
    }

    /// Clusters that run at a time, one work-group a compute unit.
    fn at_a_time(&self, caps: &Caps) -> u64 {
        u64::from(caps.compute_units.unwrap_or(16) / self.cluster).max(1)
    }

    /// Clusters, which take task after task.
    fn clusters(&self, problem: &GemmProblem, caps: &Caps) -> u64 {
        self.tasks(problem).min(self.at_a_time(caps))
    }

    /// About how long it takes: the tasks of the busiest cluster, and the launch that adds up parts.
    fn seconds(&self, problem: &GemmProblem, caps: &Caps) -> f64 {
        let rounds = self.tasks(problem).div_ceil(self.clusters(problem, caps));
        let flop = 2.0 * f64::from(TILE_M) * f64::from(self.tile_n) * f64::from(self.part.min(problem.k));
        let sum = match self.parts(problem) {
            1 => 0.0,
            // Each part of a sum is written and read.
            parts => LAUNCH_SECONDS + f64::from(parts) * problem.elements()[2] as f64 * 8.0 / MEMORY_BYTES,
        };
        let unit_flops = UNIT_FLOPS * 2.0 / problem.precision.storage().bytes() as f64;
        rounds as f64 * (flop / unit_flops + TILE_SECONDS) + sum
    }

    /// Local memory of a work-group, in bytes: stages, boxes of C, maps, and two barriers of 8 bytes a stage.
    fn shared_bytes(&self) -> u32 {
        let stage = (TILE_M + self.tile_n) * LINE_BYTES;
        ALIGNMENT + self.stages * (stage + 16) + BOXES_BYTES + 3 * MAP_BYTES
    }

    /// Bytes of all parts of the sums.
    fn parts_bytes(&self, problem: &GemmProblem) -> u64 {
        u64::from(self.parts(problem)).saturating_mul(problem.elements()[2]).saturating_mul(4)
    }

    fn valid(&self, problem: &GemmProblem, caps: &Caps) -> bool {
        // The copy engine takes rows that start at multiples of 16 bytes.
        let aligned = |(row, dtype): (u32, DType)| (u64::from(row) * dtype.bytes()).is_multiple_of(16);
        let (input, output) = (problem.precision.storage(), problem.precision.result());
        let row_a = if problem.trans_a { problem.m } else { problem.k };
        let row_b = if problem.trans_b { problem.k } else { problem.n };
        // A cluster of two would waste one of them on a single row of tiles.
        let used = self.cluster == 1 || problem.m > TILE_M;
        let whole = self.parts(problem) == 1;
        [(row_a, input), (row_b, input), (problem.n, output)].into_iter().all(aligned)
            && used
            && THREADS <= caps.max_group_items
            && u64::from(self.shared_bytes()) <= caps.local_bytes
            && self.tasks(problem) < MOST_TILES
            && self.clusters(problem, caps) * u64::from(self.cluster) <= caps.max_grid[0].into()
            && (whole || self.parts_bytes(problem) <= caps.max_buffer_bytes)
            && (whole || problem.elements()[2] < 1 << 32)
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `m`, `n`, `k` and the length of a part of the sums, each 32 bits. Buffers: A, B, C or its parts,
    /// and room for three maps a work-group.
    pub fn program(&self, problem: &GemmProblem, caps: &Caps) -> Program {
        let groups = self.clusters(problem, caps) as u32 * self.cluster;
        let split = self.parts(problem) > 1;
        let defines = [
            ("TILE_N", self.tile_n),
            ("STAGES", self.stages),
            ("CLUSTER", self.cluster),
            ("SPLIT", split.into()),
            ("TRANS_A", problem.trans_a.into()),
            ("TRANS_B", problem.trans_b.into()),
            (precision_define(problem.precision), 1),
        ];
        let kernel = KernelSpec {
            source: Source::CudaC(SOURCE.into()),
            entry: "gemm_wgmma".to_owned(),
            defines: program::defines(defines),
            group: [THREADS, 1, 1],
            shared_bytes: self.shared_bytes(),
            bindings: vec![Access::Read, Access::Read, Access::Write, Access::Write],
            params_bytes: PARAMS_BYTES,
        };
        let scratch = |bytes| BufferSpec { role: BufferRole::Scratch, bytes };
        let mut buffers = operands(problem);
        buffers.push(scratch(u64::from(MAP_BYTES * 3) * u64::from(groups)));
        let launch = LaunchSpec {
            kernel: 0,
            buffers: vec![0, 1, 2, 3],
            grid: [groups, 1, 1],
            params: bytemuck::bytes_of(&[problem.m, problem.n, problem.k, self.part]).to_vec(),
        };
        let mut program = Program { buffers, kernels: vec![kernel], launches: vec![launch] };
        if split {
            program.buffers.push(scratch(self.parts_bytes(problem)));
            program.launches[0].buffers[2] = 4;
            self.add_sum(&mut program, problem, caps);
        }
        program
    }

    /// Adds the launch that adds up parts.
    ///
    /// Parameter block: a quarter of the elements of C, the number of parts and two 0, each 32 bits. Buffers: parts, C.
    fn add_sum(&self, program: &mut Program, problem: &GemmProblem, caps: &Caps) {
        let items = problem.elements()[2] / u64::from(SUM_ELEMENTS);
        program.launches.push(LaunchSpec {
            kernel: program.kernels.len(),
            buffers: vec![4, 2],
            grid: fold_grid(items.div_ceil(SUM_GROUP.into()), caps.max_grid[0]),
            params: bytemuck::bytes_of(&[items as u32, self.parts(problem), 0, 0]).to_vec(),
        });
        program.kernels.push(KernelSpec {
            source: Source::CudaC(SUM_SOURCE.into()),
            entry: "gemm_sum_parts".to_owned(),
            defines: program::defines([(precision_define(problem.precision), 1)]),
            group: [SUM_GROUP, 1, 1],
            shared_bytes: 0,
            bindings: vec![Access::Read, Access::Write],
            params_bytes: PARAMS_BYTES,
        });
    }
}

/// Whether the device has wgmma and cp.async.bulk.tensor, which are of the architecture 9.0 alone, and takes CUDA C.
pub(crate) fn has_architecture(caps: &Caps) -> bool {
    let capability = caps.facts.get("compute_capability");
    caps.speaks(Language::CudaC) && capability.is_some_and(|capability| capability == "9.0")
}

/// Whether it also has a compiler that takes strides of maps in bytes: older ones took them in units of 16.
pub(crate) fn has_instructions(caps: &Caps) -> bool {
    let compiler = caps.facts.get("nvrtc").and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    has_architecture(caps) && compiler.is_some_and(|major| major >= 13)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use accelbench_backends::DeviceKind;
    use std::collections::{BTreeMap, BTreeSet};

    /// A device of 132 compute units with 227 KiB of shared memory.
    fn device(capability: &str, compiler: &str) -> Caps {
        let facts = [("compute_capability", capability), ("nvrtc", compiler)];
        let types: BTreeSet<DType> = DType::ALL.into();
        Caps {
            storage: types.clone(),
            compute: types,
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
        let single = GemmProblem { precision: Precision::F32, ..square };
        assert!(WgmmaPlan::candidates(&single, &device("9.0", "13.0")).is_empty());
    }

    #[test]
    fn types_but_halves_take_rows_along_k_alone() {
        let caps = device("9.0", "13.0");
        let types = [(Precision::Tf32, 32), (Precision::F8E4M3, 128), (Precision::I8, 128), (Precision::Bf16, 64)];
        for (precision, tile_k) in types {
            for trans in ["nn", "nt", "tn", "tt"] {
                let problem = GemmProblem { precision, ..problem([4096; 3], trans) };
                let plans = WgmmaPlan::candidates(&problem, &caps);
                assert_eq!(plans.is_empty(), precision != Precision::Bf16 && trans != "nt", "{precision} {trans}");
                assert!(plans.iter().all(|plan| plan.tile_k == tile_k));
            }
        }
        // Rows of C are aligned by C's type, and those of A and B by theirs.
        let of = |n, k| {
            let problem = GemmProblem { precision: Precision::I8, ..problem([256, n, k], "nt") };
            WgmmaPlan::candidates(&problem, &caps).len()
        };
        assert!(of(252, 256) > 0);
        assert_eq!([of(254, 256), of(256, 248)], [0; 2]);
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
    fn the_preferred_plan_leaves_few_units_idle() {
        let preferred = |size, trans| candidates(size, trans)[0].name();
        assert_eq!(preferred([8192; 3], "nn"), "wgmma-128x256x64-4-cluster2");
        assert_eq!(preferred([2048; 3], "nt"), "wgmma-128x256x64-4-cluster2");
        assert_eq!(preferred([1024; 3], "nn"), "wgmma-128x128x64-6-cluster2");
        assert_eq!(preferred([128, 4096, 4096], "nt"), "wgmma-128x128x64-6-cluster1-part1024");
        assert_eq!(preferred([64, 1000, 2048], "nt"), "wgmma-128x128x64-6-cluster1-part256");
    }

    #[test]
    fn parts_are_whole_stages_that_add_up_to_the_sums() {
        for k in [64, 72, 512, 1000, 4096, 100_000] {
            let problem = problem([128, 256, k], "nt");
            for plan in WgmmaPlan::candidates(&problem, &device("9.0", "13.0")) {
                let parts = plan.parts(&problem);
                assert!(
                    parts == 1 || plan.part.is_multiple_of(TILE_K) && plan.part >= LEAST_PART * TILE_K,
                    "{k} {plan:?}"
                );
                assert!(parts == 1 || (parts - 1) * plan.part < k && k <= parts * plan.part, "{k} {plan:?}");
            }
        }
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
                assert!(u64::from(groups / plan.cluster) <= plan.tasks(&problem));
                assert_eq!(program.buffers[3].bytes, 3 * 128 * u64::from(groups));
                assert!(u64::from(program.kernels[0].shared_bytes) <= caps.local_bytes);
            }
        }
    }

    #[test]
    fn split_sums_go_to_parts_and_from_there_to_c() {
        let (caps, problem) = (device("9.0", "13.0"), problem([64, 1000, 2048], "nt"));
        let program = WgmmaPlan::candidates(&problem, &caps)[0].program(&problem, &caps);
        let buffers: Vec<&[usize]> = program.launches.iter().map(|launch| &launch.buffers[..]).collect();
        assert_eq!(buffers, [&[0, 1, 4, 3][..], &[4, 2]]);
        assert_eq!(program.buffers[4].bytes, 8 * 64 * 1000 * 4);
    }
}
