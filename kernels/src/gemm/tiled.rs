//! Tiled GEMM: a work-group stages blocks of A and B in local memory, a work-item keeps a register tile of C.
//!
//! One plan for three languages: `tiled.cl` and `tiled.cu` are specialised by definitions, `tiled.wgsl.j2` by a template
//! with the same names. See those files for how a work-item's rows and columns lie.

use super::GemmProblem;
use super::plan::preferred_first;
use super::single::{BINDINGS, PARAMS_BYTES, single};
use crate::demand::reuse;
use crate::program::{defines, fold_grid};
use crate::space::grid;
use crate::{Demand, Precision, Program, wgsl};
use accelbench_backends::{Caps, DeviceKind, KernelSpec, Language, Source};

const OPENCL: &str = concat!(include_str!("../types.cl"), include_str!("operands.cl"), include_str!("tiled.cl"));
const CUDA: &str = concat!(
    include_str!("../ptx.cuh"),
    include_str!("../types.cuh"),
    include_str!("tiles.cuh"),
    include_str!("tiled_loop.cuh"),
    include_str!("tiled.cu")
);
const WGSL: &str = concat!(include_str!("operands.wgsl.j2"), include_str!("tiled.wgsl.j2"));

/// Products of one size, which a tile's sizes are chosen for.
pub(crate) struct Products {
    pub(crate) precision: Precision,
    pub(crate) m: u32,
    pub(crate) n: u32,
    pub(crate) k: u32,
    /// How many there are.
    pub(crate) batch: u32,
    /// Elements of the operands and of the result, all products together.
    pub(crate) elements: [u64; 3],
}

impl From<&GemmProblem> for Products {
    fn from(problem: &GemmProblem) -> Self {
        let &GemmProblem { precision, m, n, k, .. } = problem;
        Self { precision, m, n, k, batch: 1, elements: problem.elements() }
    }
}

/// The sizes of a tiled GEMM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TiledPlan {
    /// Rows of C for a work-group.
    pub tile_m: u32,
    /// Columns of C for a work-group.
    pub tile_n: u32,
    /// Length of the staged part of the sums.
    pub tile_k: u32,
    /// Rows of C for a work-item.
    pub thread_m: u32,
    /// Columns of C for a work-item.
    pub thread_n: u32,
}

impl TiledPlan {
    const fn new(tile_m: u32, tile_n: u32, tile_k: u32, thread_m: u32, thread_n: u32) -> Self {
        Self { tile_m, tile_n, tile_k, thread_m, thread_n }
    }

    /// From large tiles, which move the fewest bytes, to small ones, which leave the least idle on small matrices.
    pub(crate) const LADDER: [Self; 5] = [
        Self::new(128, 128, 16, 8, 8),
        Self::new(128, 64, 16, 8, 4),
        Self::new(64, 64, 16, 4, 4),
        Self::new(32, 32, 16, 4, 4),
        Self::new(16, 16, 16, 1, 1),
    ];

    /// The valid plans, the preferred one first: the largest tile that still gives every compute unit a few of them.
    pub fn candidates(problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        Self::fitting(&problem.into(), caps)
    }

    /// The valid plans for such products, the preferred one first.
    pub(crate) fn fitting(problem: &Products, caps: &Caps) -> Vec<Self> {
        if language(caps).is_none() || problem.precision.missing(caps).is_some() {
            return Vec::new();
        }
        let valid = Self::LADDER.into_iter().filter(|plan| plan.valid(problem, caps)).collect();
        let units = u64::from(caps.compute_units.unwrap_or(16));
        preferred_first(valid, |plan| plan.tiles(problem) >= 2 * units)
    }

    /// All valid plans for such products.
    pub(crate) fn space(problem: &Products, caps: &Caps) -> Vec<Self> {
        if language(caps).is_none() || problem.precision.missing(caps).is_some() {
            return Vec::new();
        }
        let (sides, depths, threads) = ([16, 32, 64, 128, 256], [8, 16, 32], [1, 2, 4, 8]);
        let all = grid([&sides, &sides, &depths, &threads, &threads]);
        let plans = all.map(|[tile_m, tile_n, tile_k, m, n]| Self::new(tile_m, tile_n, tile_k, m, n));
        let shares = |plan: &Self| {
            plan.shares_evenly() && (language(caps) != Some(Language::Wgsl) || plan.shares_slots_evenly())
        };
        plans.filter(|plan| shares(plan) && plan.valid(problem, caps)).collect()
    }

    /// Whether they can in WGSL, where a slot of a block holds 4 rows or columns if a work-item's allow that.
    fn shares_slots_evenly(&self) -> bool {
        let items = self.group()[0] * self.group()[1];
        let width = if self.thread_m.is_multiple_of(4) && self.thread_n.is_multiple_of(4) { 4 } else { 1 };
        [self.tile_m, self.tile_n].iter().all(|side| (side / width * self.tile_k).is_multiple_of(items))
    }

    /// Whether the work-items can share the staging of each block evenly, whichever way it lies in memory: the kernels
    /// suppose so.
    fn shares_evenly(&self) -> bool {
        let items = self.group()[0] * self.group()[1];
        let [m, n, k] = [self.tile_m, self.tile_n, self.tile_k];
        [m, n, k].iter().all(|&side| items.is_multiple_of(side))
            && [m, n].iter().all(|&s| (s * k).is_multiple_of(items))
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        format!("tiled-{}x{}x{}-{}x{}", self.tile_m, self.tile_n, self.tile_k, self.thread_m, self.thread_n)
    }

    /// Work-items of a work-group, along n and m.
    pub fn group(&self) -> [u32; 3] {
        [self.tile_n / self.thread_n, self.tile_m / self.thread_m, 1]
    }

    /// The sizes in the order of the name.
    pub(crate) fn sizes(&self) -> Vec<u32> {
        vec![self.tile_m, self.tile_n, self.tile_k, self.thread_m, self.thread_n]
    }

    /// What it asks of a device for such products.
    pub(crate) fn demand(&self, problem: &Products) -> Demand {
        let local_bytes = self.local_bytes(problem.precision, None);
        let tiles = Demand::of_tiles(problem, self.tile_m, self.tile_n, reuse(self.thread_m, self.thread_n));
        Demand { local_bytes, ..tiles }
    }

    /// Tiles of all products.
    pub(crate) fn tiles(&self, problem: &Products) -> u64 {
        let tiles = u64::from(problem.m.div_ceil(self.tile_m)) * u64::from(problem.n.div_ceil(self.tile_n));
        u64::from(problem.batch).saturating_mul(tiles)
    }

    fn valid(&self, problem: &Products, caps: &Caps) -> bool {
        let [x, y, _] = self.group();
        let local = self.local_bytes(problem.precision, language(caps));
        let grid = fold_grid(self.tiles(problem), caps.max_grid[0]);
        let indexed_in_32_bits =
            !caps.speaks(Language::Wgsl) || problem.elements.iter().all(|&elements| elements < 1 << 32);
        let ends_its_loop = caps.kind != DeviceKind::Cpu
            || !caps.speaks(Language::Wgsl)
            || problem.k.div_ceil(self.tile_k) <= wgsl::MOST_ROUNDS;
        // A 64-bit register tile of 8 × 8 with its operands spills on most devices.
        let registers = u64::from(self.thread_m * self.thread_n) * problem.precision.accumulate().bytes();
        x * y <= caps.max_group_items
            && x <= caps.max_group[0]
            && y <= caps.max_group[1]
            && local <= caps.local_bytes
            && grid[1] <= caps.max_grid[1]
            && registers <= 256
            && indexed_in_32_bits
            && ends_its_loop
    }

    /// Local memory of a work-group, in bytes.
    fn local_bytes(&self, precision: Precision, language: Option<Language>) -> u64 {
        let element = staged_bytes(precision);
        let sides = u64::from(self.tile_m + self.tile_n);
        // Padding keeps columns of a block in different banks. In CUDA C it is one 16-byte load, and the next block is
        // stored while this one is read; in WGSL it is one vector of 4.
        let (padding, blocks) = match language {
            Some(Language::CudaC) => (16 / element, 2),
            Some(Language::Wgsl) => (4, 1),
            _ => (1, 1),
        };
        blocks * u64::from(self.tile_k) * (sides + 2 * padding) * element
    }

    /// Local memory that a launch must ask for, in bytes: the other languages declare theirs in the source.
    pub(crate) fn shared_bytes(&self, precision: Precision, caps: &Caps) -> u32 {
        match language(caps) {
            Some(Language::CudaC) => self.local_bytes(precision, Some(Language::CudaC)) as u32,
            _ => 0,
        }
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `m`, `n`, `k` and a 0, each 32 bits. Buffers: A, B, C.
    pub fn program(&self, problem: &GemmProblem, caps: &Caps) -> Program {
        let (source, defines) = self.source(problem, caps);
        let kernel = KernelSpec {
            source,
            entry: "gemm_tiled".to_owned(),
            defines,
            group: self.group(),
            shared_bytes: self.shared_bytes(problem.precision, caps),
            bindings: BINDINGS.to_vec(),
            params_bytes: PARAMS_BYTES,
        };
        single(problem, kernel, fold_grid(self.tiles(&problem.into()), caps.max_grid[0]))
    }

    fn source(&self, problem: &GemmProblem, caps: &Caps) -> (Source, Vec<(String, String)>) {
        let transposed = [("TRANS_A", problem.trans_a.into()), ("TRANS_B", problem.trans_b.into())];
        let defines = || self.defines(problem.precision, &transposed);
        match language(caps) {
            Some(Language::CudaC) => (Source::CudaC(CUDA.into()), defines()),
            Some(Language::Wgsl) => (Source::Wgsl(self.wgsl(problem).into()), Vec::new()),
            _ => (Source::OpenClC(OPENCL.into()), defines()),
        }
    }

    /// The definitions of `tiled.cl` and of `tiled.cu`, and `more` of their operands.
    pub(crate) fn defines(&self, precision: Precision, more: &[(&str, u32)]) -> Vec<(String, String)> {
        let sizes = [
            ("TILE_M", self.tile_m),
            ("TILE_N", self.tile_n),
            ("TILE_K", self.tile_k),
            ("THREAD_M", self.thread_m),
            ("THREAD_N", self.thread_n),
            (precision_define(precision), 1),
        ];
        defines(sizes.into_iter().chain(more.iter().copied()))
    }

    fn wgsl(&self, problem: &GemmProblem) -> String {
        let [group_x, group_y, _] = self.group();
        let values = minijinja::context! {
            tile_m => self.tile_m, tile_n => self.tile_n, tile_k => self.tile_k,
            thread_m => self.thread_m, thread_n => self.thread_n,
            group_x, group_y,
            trans_a => problem.trans_a, trans_b => problem.trans_b,
            storage => problem.precision.storage().name(),
            accumulate => problem.precision.accumulate().name(),
        };
        wgsl::render("tiled.wgsl.j2", WGSL, values)
    }
}

/// The kernel language for such a device.
pub(crate) fn language(caps: &Caps) -> Option<Language> {
    [Language::CudaC, Language::OpenClC, Language::Wgsl].into_iter().find(|&language| caps.speaks(language))
}

/// Blocks are staged in the type that sums are kept in, so that halves are widened once.
fn staged_bytes(precision: Precision) -> u64 {
    precision.accumulate().bytes()
}

/// The definition by which a source learns its types.
pub(crate) fn precision_define(precision: Precision) -> &'static str {
    match precision {
        Precision::F64 => "PRECISION_F64",
        Precision::F32 => "PRECISION_F32",
        Precision::F16 => "PRECISION_F16",
        Precision::F16Acc16 => "PRECISION_F16_ACC16",
    }
}
