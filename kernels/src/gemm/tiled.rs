//! Tiled GEMM: a work-group stages blocks of A and B in local memory, a work-item keeps a register tile of C.
//!
//! One plan for three languages: `tiled.cl` and `tiled.cu` are specialised by definitions, `tiled.wgsl.j2` by a template
//! with the same names; GPUs have `tiled_ahead.cl` for `tiled.cl`. See those files for how a work-item's rows and columns
//! lie.

use super::GemmProblem;
use super::blocks::Block;
use super::plan::preferred_first;
use super::single::{BINDINGS, PARAMS_BYTES, single};
use crate::demand::reuse;
use crate::program::{defines, fold_grid};
use crate::space::grid;
use crate::{Demand, Precision, Program, wgsl};
use accelbench_backends::{Caps, DeviceKind, KernelSpec, Language, Source};
use minijinja::{Value, context};

const OPENCL: &str = concat!(
    include_str!("../types.cl"),
    include_str!("operands.cl"),
    include_str!("staging.cl"),
    include_str!("tiled.cl")
);
const OPENCL_AHEAD: &str = concat!(
    include_str!("../types.cl"),
    include_str!("operands.cl"),
    include_str!("staging.cl"),
    include_str!("bands.cl"),
    include_str!("tiled_ahead.cl")
);
const CUDA: &str = concat!(
    include_str!("../ptx.cuh"),
    include_str!("../types.cuh"),
    include_str!("tiles.cuh"),
    include_str!("tiled_loop.cuh"),
    include_str!("tiled.cu")
);
const WGSL: &str =
    concat!(include_str!("operands.wgsl.j2"), include_str!("blocks.wgsl.j2"), include_str!("tiled.wgsl.j2"));

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

/// How A, B and C lie in memory, for the kernel in WGSL.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    /// Of A, B: neighbours in memory are rows of A, columns of B; else they are neighbours along k.
    pub(crate) along_side: [bool; 2],
    /// Of A, B, C: rows in memory start at multiples of 4 elements, and one access takes 4.
    pub(crate) wide: [bool; 3],
}

impl From<&GemmProblem> for Layout {
    fn from(problem: &GemmProblem) -> Self {
        let row_a = if problem.trans_a { problem.m } else { problem.k };
        let row_b = if problem.trans_b { problem.k } else { problem.n };
        let wide = [row_a, row_b, problem.n].map(|row| row.is_multiple_of(4));
        Self { along_side: [problem.trans_a, !problem.trans_b], wide }
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
        if !Self::computes(problem.precision, caps) {
            return Vec::new();
        }
        let valid = Self::LADDER.into_iter().filter(|plan| plan.valid(problem, caps)).collect();
        // What does not tell its units: of GPUs, the large ones lose most by a guess that is too low.
        let guess = if caps.kind == DeviceKind::Cpu { 16 } else { 64 };
        let units = u64::from(caps.compute_units.unwrap_or(guess));
        preferred_first(valid, |plan| plan.tiles(problem) >= 2 * units)
    }

    /// All valid plans for such products.
    pub(crate) fn space(problem: &Products, caps: &Caps) -> Vec<Self> {
        if !Self::computes(problem.precision, caps) {
            return Vec::new();
        }
        let (sides, depths, threads) = ([16, 32, 64, 128, 256], [8, 16, 32], [1, 2, 4, 8]);
        let all = grid([&sides, &sides, &depths, &threads, &threads]);
        let plans = all.map(|[tile_m, tile_n, tile_k, m, n]| Self::new(tile_m, tile_n, tile_k, m, n));
        plans.filter(|plan| plan.shares_evenly() && plan.valid(problem, caps)).collect()
    }

    /// Whether there is a kernel for this type on such a device.
    fn computes(precision: Precision, caps: &Caps) -> bool {
        language(caps).is_some() && !precision.needs_matrix_units() && precision.missing(caps).is_none()
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
        let local = self.local_bytes(problem.precision, Some(caps));
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
    fn local_bytes(&self, precision: Precision, caps: Option<&Caps>) -> u64 {
        let element = staged_bytes(precision);
        let sides = u64::from(self.tile_m + self.tile_n);
        // Padding keeps columns of a block in different banks. In CUDA C it is one 16-byte load, and the next block is
        // stored while this one is read, as in OpenCL C on GPUs; in WGSL it is one vector of 4, and a second block is used
        // where it fits.
        let (padding, blocks) = match caps.and_then(language) {
            Some(Language::CudaC) => (16 / element, 2),
            Some(Language::OpenClC) if caps.is_some_and(fetches_ahead) => ((16 / element).min(4), 2),
            Some(Language::Wgsl) => (4, 1),
            _ => (1, 1),
        };
        blocks * u64::from(self.tile_k) * (sides + 2 * padding) * element
    }

    /// Local memory that a launch must ask for, in bytes: the other languages declare theirs in the source.
    pub(crate) fn shared_bytes(&self, precision: Precision, caps: &Caps) -> u32 {
        match language(caps) {
            Some(Language::CudaC) => self.local_bytes(precision, Some(caps)) as u32,
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
            Some(Language::Wgsl) => (Source::Wgsl(self.wgsl(problem, caps).into()), Vec::new()),
            _ if fetches_ahead(caps) => (Source::OpenClC(OPENCL_AHEAD.into()), defines()),
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

    fn wgsl(&self, problem: &GemmProblem, caps: &Caps) -> String {
        let values = context! {
            trans_a => problem.trans_a, trans_b => problem.trans_b,
            staged => problem.precision.accumulate().name(),
            ..self.terms(problem.precision, problem.into(), caps)
        };
        wgsl::render("tiled.wgsl.j2", WGSL, values)
    }

    /// The terms of `tiled.wgsl.j2`.
    pub(crate) fn terms(&self, precision: Precision, layout: Layout, caps: &Caps) -> Value {
        let [group_x, group_y, _] = self.group();
        let width = if self.thread_m.is_multiple_of(4) && self.thread_n.is_multiple_of(4) { 4 } else { 1 };
        let accumulate = precision.accumulate().name();
        let vector = if width == 4 { format!("vec4<{accumulate}>") } else { accumulate.to_owned() };
        // One access takes a slot, or as many places along k.
        let [wide_a, wide_b, wide_c] = layout.wide.map(|wide| wide && width == 4);
        let block = |matrix: &'static str, along_side: bool, wide: bool, side| {
            // Of C, the neighbours in memory are columns.
            let neighbours = (wide && along_side) || (wide_c && matrix == "b");
            let run = if wide && !along_side { 4 } else { 1 };
            Block { matrix, along_side, wide, side, depth: self.tile_k, slot: width, neighbours, run }.terms()
        };
        let [along_side_a, along_side_b] = layout.along_side;
        let one = self.local_bytes(precision, Some(caps));
        context! {
            tile_m => self.tile_m, tile_n => self.tile_n, tile_k => self.tile_k,
            thread_m => self.thread_m, thread_n => self.thread_n,
            group_x, group_y, threads => group_x * group_y, width, vector, wide_a, wide_b, wide_c,
            blocks => if 2 * one <= caps.local_bytes { 2 } else { 1 },
            block_a => block("a", along_side_a, wide_a, self.tile_m),
            block_b => block("b", along_side_b, wide_b, self.tile_n),
            storage => precision.storage().name(), accumulate,
        }
    }
}

/// The kernel language for such a device.
pub(crate) fn language(caps: &Caps) -> Option<Language> {
    [Language::CudaC, Language::OpenClC, Language::Wgsl].into_iter().find(|&language| caps.speaks(language))
}

/// Whether kernels in OpenCL C fetch a block while another one is multiplied: a CPU gains nothing by it, for its local
/// memory is its ordinary one.
pub(crate) fn fetches_ahead(caps: &Caps) -> bool {
    caps.kind != DeviceKind::Cpu
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
        Precision::Tf32 => "PRECISION_TF32",
        Precision::Bf16 => "PRECISION_BF16",
        Precision::F16 => "PRECISION_F16",
        Precision::F16Acc16 => "PRECISION_F16_ACC16",
        Precision::F8E4M3 => "PRECISION_F8E4M3",
        Precision::I8 => "PRECISION_I8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn the_kernel_in_wgsl_translates_for_every_precision_layout_and_remainder() {
        let caps = testing::caps(DeviceKind::Gpu, Language::Wgsl);
        let mut blocks = [0, 0];
        for precision in Precision::ALL.into_iter().filter(|precision| precision.is_common()) {
            for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
                for side in [64, 63] {
                    let problem = GemmProblem { precision, m: side, n: side, k: side, trans_a, trans_b };
                    for plan in TiledPlan::LADDER {
                        let source = plan.wgsl(&problem, &caps);
                        assert!(!source.contains("{{") && !testing::spirv(&source).is_empty());
                        assert_eq!(source.contains("enable f16"), precision.storage().bytes() == 2);
                        assert_eq!(source.contains("load_quad_a"), side == 64 && plan.thread_m >= 4, "{}", plan.name());
                        blocks[usize::from(source.contains("hand = 1u - hand"))] += 1;
                    }
                }
            }
        }
        assert!(blocks.iter().all(|&plans| plans > 0), "one block or two, as local memory allows: {blocks:?}");
    }

    #[test]
    fn work_items_share_every_block_line_by_line() {
        let caps = testing::caps(DeviceKind::Gpu, Language::Wgsl);
        let problem = GemmProblem { precision: Precision::F32, m: 512, n: 512, k: 512, trans_a: false, trans_b: false };
        for plan in TiledPlan::space(&(&problem).into(), &caps) {
            let [x, y, _] = plan.group();
            let lines = [plan.tile_m, plan.tile_n, plan.tile_k];
            assert!(lines.into_iter().all(|line| (x * y).is_multiple_of(line)), "{}", plan.name());
        }
    }

    #[test]
    fn gpus_fetch_ahead_what_local_memory_holds_twice() {
        let problem =
            GemmProblem { precision: Precision::F32, m: 4096, n: 4096, k: 4096, trans_a: false, trans_b: false };
        for (kind, local_bytes, name, ahead) in [
            (DeviceKind::Gpu, 48 << 10, "tiled-128x128x16-8x8", true),
            (DeviceKind::Gpu, 32 << 10, "tiled-128x64x16-8x4", true),
            (DeviceKind::Cpu, 32 << 10, "tiled-128x128x16-8x8", false),
        ] {
            let caps = Caps { local_bytes, ..testing::caps(kind, Language::OpenClC) };
            let plan = TiledPlan::candidates(&problem, &caps)[0];
            assert_eq!(plan.name(), name, "{kind:?} with {local_bytes}");
            let text = plan.program(&problem, &caps).kernels[0].source.text().into_owned();
            assert_eq!(text.contains("STORE_HELD"), ahead, "{kind:?}");
        }
    }
}
