//! GEMM on matrix units, of all types that these have: a warp multiplies pieces such as 16 × 16 by 16 × 8, blocks of A and
//! B arrive by asynchronous copies. In CUDA C, see `mma.cu`; of halves in OpenCL C, too, where its compiler takes inline
//! PTX, see `mma.cl`. Other languages have no such instruction on every device.

use super::GemmProblem;
use super::plan::preferred_first;
use super::single::{BINDINGS, PARAMS_BYTES, single};
use super::tiled::{Products, precision_define};
use crate::demand::reuse;
use crate::program::{self, fold_grid};
use crate::space::grid;
use crate::{Demand, Precision, Program};
use accelbench_backends::{Caps, KernelSpec, Language, Source};

const OPENCL: &str =
    concat!(include_str!("../ptx.cl"), include_str!("../blocks.cl"), include_str!("bands.cl"), include_str!("mma.cl"));
const CUDA: &str = concat!(
    include_str!("../ptx.cuh"),
    include_str!("../fragments.cuh"),
    include_str!("tiles.cuh"),
    include_str!("mma_loop.cuh"),
    include_str!("mma.cu")
);

/// Length of the staged part of sums of halves: one line of 64 bytes, as of all types but doubles.
pub(crate) const TILE_K: u32 = 32;

/// That of doubles: one line of 128 bytes.
const TILE_K_OF_DOUBLES: u32 = 16;

/// The sizes of a GEMM on matrix units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MmaPlan {
    /// Rows of C for a work-group.
    pub tile_m: u32,
    /// Columns of C for a work-group.
    pub tile_n: u32,
    /// Rows of C for a warp.
    pub warp_m: u32,
    /// Columns of C for a warp.
    pub warp_n: u32,
    /// Blocks that are staged at a time.
    pub stages: u32,
    /// Length of the staged part of the sums.
    pub tile_k: u32,
    /// Whether rows of a staged block have bytes behind them, so that they start in other banks. If not, pieces of a row
    /// change places instead, which takes no memory.
    pub padded: bool,
}

impl MmaPlan {
    /// A plan for halves.
    pub(crate) const fn new(tile_m: u32, tile_n: u32, warp_m: u32, warp_n: u32, stages: u32) -> Self {
        Self { tile_m, tile_n, warp_m, warp_n, stages, tile_k: TILE_K, padded: true }
    }

    /// A plan for doubles.
    const fn of_doubles(tile_m: u32, tile_n: u32, warp_m: u32, warp_n: u32, stages: u32) -> Self {
        Self { tile_m, tile_n, warp_m, warp_n, stages, tile_k: TILE_K_OF_DOUBLES, padded: true }
    }

    /// A plan for halves in OpenCL C.
    const fn without_padding(tile_m: u32, tile_n: u32, warp_m: u32, warp_n: u32, stages: u32) -> Self {
        Self { padded: false, ..Self::new(tile_m, tile_n, warp_m, warp_n, stages) }
    }

    /// The same for another type: as many bytes staged.
    fn of_type(self, precision: Precision) -> Self {
        let halves = 2 * TILE_K / precision.storage().bytes() as u32;
        Self { tile_k: if precision == Precision::F64 { TILE_K_OF_DOUBLES } else { halves }, ..self }
    }

    /// From large tiles to small. Three stages where four don't fit.
    const LADDER: [Self; 4] = [
        Self::new(128, 256, 64, 64, 4),
        Self::new(128, 256, 64, 64, 3),
        Self::new(128, 128, 64, 64, 4),
        Self::new(64, 64, 32, 32, 4),
    ];

    /// The same for doubles.
    const LADDER_OF_DOUBLES: [Self; 3] = [
        Self::of_doubles(128, 128, 64, 32, 4),
        Self::of_doubles(128, 128, 64, 32, 3),
        Self::of_doubles(64, 64, 32, 32, 4),
    ];

    /// The same for OpenCL C, where a work-group has 48 KiB: the first two take all of it.
    const LADDER_WITHOUT_PADDING: [Self; 4] = [
        Self::without_padding(128, 256, 64, 64, 2),
        Self::without_padding(128, 128, 64, 64, 3),
        Self::without_padding(128, 128, 64, 64, 2),
        Self::without_padding(64, 64, 32, 32, 4),
    ];

    /// The valid plans, the preferred one first: the largest tile that still gives every compute unit one.
    pub fn candidates(problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        if problem.precision.missing(caps).is_some() || !multiplies(problem.precision, caps) {
            return Vec::new();
        }
        let ladder = match (problem.precision, language(caps)) {
            (Precision::F32, _) | (_, None) => &[],
            (Precision::F64, Some(Language::CudaC)) => &Self::LADDER_OF_DOUBLES[..],
            (_, Some(Language::CudaC)) => &Self::LADDER[..],
            (Precision::F16 | Precision::F16Acc16, Some(_)) => &Self::LADDER_WITHOUT_PADDING[..],
            _ => &[],
        };
        let ladder = ladder.iter().map(|plan| plan.of_type(problem.precision));
        let valid = ladder.filter(|plan| plan.valid(problem, caps)).collect();
        let units = u64::from(caps.compute_units.unwrap_or(16));
        preferred_first(valid, |plan| plan.tiles(problem.m, problem.n) >= units)
    }

    /// All valid plans.
    pub(super) fn space(problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        // What has instructions and types has candidates, all of one layout.
        let Some(&Self { padded, .. }) = Self::candidates(problem, caps).first() else { return Vec::new() };
        let all = Self::all(problem.precision).map(|plan| Self { padded, ..plan });
        all.filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// All sizes that the kernels of CUDA C can be made in.
    pub(crate) fn all(precision: Precision) -> impl Iterator<Item = Self> {
        let doubles = precision == Precision::F64;
        let (tiles, warps) = ([64, 128, 256], [32, 64]);
        let all = grid([&tiles, &tiles, &warps, &warps, &[2, 3, 4, 5]]);
        all.map(move |[tile_m, tile_n, warp_m, warp_n, stages]| Self::new(tile_m, tile_n, warp_m, warp_n, stages))
            .map(move |plan| plan.of_type(precision))
            .filter(move |plan| plan.fits_registers(if doubles { 2 } else { 1 }))
    }

    /// Whether a work-item's registers and a multiprocessor's hold the sums, so many registers each, and 64 others.
    fn fits_registers(&self, of_a_sum: u32) -> bool {
        let registers = self.warp_m * self.warp_n / 32 * of_a_sum + 64;
        registers < 256 && self.threads() * registers <= 1 << 16
    }

    /// The sizes in the order of the name.
    pub(crate) fn sizes(&self) -> Vec<u32> {
        vec![self.tile_m, self.tile_n, self.warp_m, self.warp_n, self.stages]
    }

    /// What it asks of a device for such products.
    pub(crate) fn demand(&self, problem: &Products) -> Demand {
        let local_bytes = self.shared_bytes(true, true, problem.precision).into();
        let tiles = Demand::of_tiles(problem, self.tile_m, self.tile_n, reuse(self.warp_m, self.warp_n));
        Demand { local_bytes, ..tiles }
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        let Self { tile_m, tile_n, tile_k, warp_m, warp_n, stages, .. } = self;
        format!("mma-{tile_m}x{tile_n}x{tile_k}-{warp_m}x{warp_n}-{stages}")
    }

    /// Work-items of a work-group.
    pub(crate) fn threads(&self) -> u32 {
        self.tile_m / self.warp_m * (self.tile_n / self.warp_n) * 32
    }

    /// Tiles of an m × n product.
    pub(crate) fn tiles(&self, m: u32, n: u32) -> u64 {
        u64::from(m.div_ceil(self.tile_m)) * u64::from(n.div_ceil(self.tile_n))
    }

    /// Local memory of a work-group, in bytes, where rows of A, columns of B lie along k or across.
    pub(crate) fn shared_bytes(&self, a_along_k: bool, b_along_k: bool, precision: Precision) -> u32 {
        let element = precision.storage().bytes() as u32;
        let operand = |side: u32, along_k: bool| {
            let (rows, columns) = if along_k { (side, self.tile_k) } else { (self.tile_k, side) };
            // As in the sources.
            let padding = match (self.padded, element) {
                (false, _) => 0,
                (true, 8) => 32,
                (true, 4) if !along_k => 32,
                (true, _) => 16,
            };
            rows * (columns * element + padding)
        };
        self.stages * (operand(self.tile_m, a_along_k) + operand(self.tile_n, b_along_k))
    }

    /// The definitions of `mma_loop.cuh` and of `mma.cl`, but for the precision.
    pub(crate) fn defines(&self) -> Vec<(&'static str, u32)> {
        vec![
            ("TILE_M", self.tile_m),
            ("TILE_N", self.tile_n),
            ("TILE_K", self.tile_k),
            ("WARP_M", self.warp_m),
            ("WARP_N", self.warp_n),
            ("STAGES", self.stages),
        ]
    }

    fn shared(&self, problem: &GemmProblem) -> u32 {
        self.shared_bytes(!problem.trans_a, problem.trans_b, problem.precision)
    }

    fn valid(&self, problem: &GemmProblem, caps: &Caps) -> bool {
        self.threads() <= caps.max_group_items
            && u64::from(self.shared(problem)) <= caps.local_bytes
            && fold_grid(self.tiles(problem.m, problem.n), caps.max_grid[0])[1] <= caps.max_grid[1]
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block: `m`, `n`, `k` and a 0, each 32 bits. Buffers: A, B, C.
    pub fn program(&self, problem: &GemmProblem, caps: &Caps) -> Program {
        // 16-byte copies need rows that start at multiples of 16 bytes.
        let piece = 16 / problem.precision.storage().bytes() as u32;
        let aligned = |row: u32| u32::from(row.is_multiple_of(piece));
        let mut defines = self.defines();
        defines.extend([
            ("TRANS_A", problem.trans_a.into()),
            ("TRANS_B", problem.trans_b.into()),
            ("ALIGNED_A", aligned(if problem.trans_a { problem.m } else { problem.k })),
            ("ALIGNED_B", aligned(if problem.trans_b { problem.k } else { problem.n })),
            (precision_define(problem.precision), 1),
        ]);
        if problem.precision == Precision::F64 {
            // The larger instruction is of the generation 9 alone.
            let large = caps.facts.get("compute_capability").is_some_and(|capability| capability.starts_with("9."));
            defines.push(("INSTRUCTION_M", if large { 16 } else { 8 }));
        }
        // OpenCL C declares its local memory in the source.
        let (source, shared_bytes) = match language(caps) {
            Some(Language::OpenClC) => (Source::OpenClC(OPENCL.into()), 0),
            _ => (Source::CudaC(CUDA.into()), self.shared(problem)),
        };
        let kernel = KernelSpec {
            source,
            entry: "gemm_mma".to_owned(),
            defines: program::defines(defines),
            group: [self.threads(), 1, 1],
            shared_bytes,
            bindings: BINDINGS.to_vec(),
            params_bytes: PARAMS_BYTES,
        };
        single(problem, kernel, fold_grid(self.tiles(problem.m, problem.n), caps.max_grid[0]))
    }
}

/// The language in which kernels reach mma.sync.m16n8k16, ldmatrix and cp.async on such a device, from compute capability
/// 8.0 on: CUDA C, or OpenCL C whose compiler takes inline PTX.
pub(crate) fn language(caps: &Caps) -> Option<Language> {
    let fact = |name: &str| caps.facts.get(name).map(String::as_str);
    let capability = fact("compute_capability").and_then(|text| text.parse::<f64>().ok());
    let reached = |language: &Language| *language == Language::CudaC || fact("inline-ptx") == Some("yes");
    [Language::CudaC, Language::OpenClC]
        .into_iter()
        .find(|language| caps.speaks(*language) && reached(language))
        .filter(|_| capability.is_some_and(|capability| capability >= 8.0))
}

/// Whether a device with these instructions has one for the type. Those on floating-point numbers of 8 bits are of Ada and of
/// the smaller Blackwells: elsewhere compilers widen operands for others, which takes registers and is slower than those.
pub(crate) fn multiplies(precision: Precision, caps: &Caps) -> bool {
    let capability = caps.facts.get("compute_capability").map(String::as_str);
    precision != Precision::F8E4M3 || matches!(capability, Some("8.9" | "12.0" | "12.1"))
}

/// Whether kernels of CUDA C reach them.
pub(crate) fn has_instructions(caps: &Caps) -> bool {
    language(caps) == Some(Language::CudaC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use accelbench_backends::{DType, DeviceKind};

    /// A device of 132 compute units with 48 KiB of local memory.
    fn device(language: Language, facts: &[(&str, &str)]) -> Caps {
        Caps {
            compute_units: Some(132),
            local_bytes: 48 << 10,
            facts: facts.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            ..testing::caps(DeviceKind::Gpu, language)
        }
    }

    fn opencl() -> Caps {
        device(Language::OpenClC, &[("compute_capability", "9.0"), ("inline-ptx", "yes")])
    }

    fn problem(precision: Precision, trans: &str) -> GemmProblem {
        let [trans_a, trans_b] = [0, 1].map(|side| trans.as_bytes()[side] == b't');
        GemmProblem { precision, m: 8192, n: 8192, k: 8192, trans_a, trans_b }
    }

    #[test]
    fn opencl_needs_inline_ptx_and_the_architecture() {
        let ninth = ("compute_capability", "9.0");
        for (caps, expected) in [
            (opencl(), Some(Language::OpenClC)),
            (device(Language::OpenClC, &[ninth]), None),
            (device(Language::OpenClC, &[("inline-ptx", "yes")]), None),
            (device(Language::OpenClC, &[("compute_capability", "7.5"), ("inline-ptx", "yes")]), None),
            (device(Language::CudaC, &[ninth]), Some(Language::CudaC)),
            (device(Language::Wgsl, &[ninth, ("inline-ptx", "yes")]), None),
        ] {
            assert_eq!(language(&caps), expected, "{:?} {:?}", caps.languages, caps.facts);
            let plans = MmaPlan::candidates(&problem(Precision::F16, "nn"), &caps);
            assert_eq!(plans.is_empty(), expected.is_none());
        }
        assert!(MmaPlan::candidates(&problem(Precision::F64, "nn"), &opencl()).is_empty());
    }

    #[test]
    fn numbers_of_eight_bits_need_an_instruction_of_their_own() {
        for (capability, has) in [("8.0", false), ("8.9", true), ("9.0", false), ("10.0", false), ("12.0", true)] {
            let mut caps = device(Language::CudaC, &[("compute_capability", capability)]);
            caps.storage.extend(DType::ALL);
            caps.compute.extend(DType::ALL);
            for (precision, expected) in [(Precision::F8E4M3, has), (Precision::I8, true)] {
                let plans = MmaPlan::candidates(&problem(precision, "nn"), &caps);
                assert_eq!(!plans.is_empty(), expected, "{precision} on {capability}");
            }
        }
    }

    /// In whichever layout: none is lost to a work-group's 48 KiB.
    #[test]
    fn plans_of_opencl_declare_what_the_device_has() {
        for trans in ["nn", "nt", "tn", "tt"] {
            let problem = problem(Precision::F16, trans);
            let plans = MmaPlan::candidates(&problem, &opencl());
            assert_eq!(plans, MmaPlan::LADDER_WITHOUT_PADDING, "{trans}");
            assert_eq!(plans.iter().map(|plan| plan.shared(&problem)).max(), Some(48 << 10));
            let program = plans[0].program(&problem, &opencl());
            assert_eq!(program.kernels[0].source.language(), Language::OpenClC);
            assert_eq!(program.kernels[0].shared_bytes, 0);
            let space = MmaPlan::space(&problem, &opencl());
            assert!(space.iter().all(|plan| !plan.padded) && space.contains(&plans[0]), "{space:?}");
        }
    }
}
