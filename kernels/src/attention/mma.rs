//! Attention of halves on matrix units: in CUDA C, see `mma.cu`, and in OpenCL C where its compiler takes inline PTX,
//! see `mma.cl`. Other languages have no such instruction on every device.

use super::AttentionProblem;
use super::split::{KernelSource, LONGEST_HEAD, Split};
use crate::demand::reuse;
use crate::gemm::{mma, precision_define, preferred_first};
use crate::program::{defines, fold_grid};
use crate::{Demand, Precision, Program};
use accelbench_backends::{Caps, Language, Source};

const OPENCL: &str = concat!(
    include_str!("../types.cl"),
    include_str!("../ptx.cl"),
    include_str!("../blocks.cl"),
    include_str!("rows.cl"),
    include_str!("mma.cl")
);
const CUDA: &str = concat!(
    include_str!("../ptx.cuh"),
    include_str!("../types.cuh"),
    include_str!("../fragments.cuh"),
    include_str!("rows.cuh"),
    include_str!("mma.cu")
);

/// Keys that are worth a chunk of their own: fewer keep more multiprocessors busy, more keep each busy for longer.
const LEAST_CHUNKS: [u32; 2] = [128, 512];

/// Elements of a piece of a staged row, and of its padding.
const PIECE: u32 = 8;

/// The sizes of an attention on matrix units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MmaPlan {
    tile: Tile,
    split: Split,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Tile {
    /// Rows of a work-group.
    queries: u32,
    /// Rows of a warp.
    warp_queries: u32,
    /// Keys of a round.
    keys: u32,
    /// Whether a warp's rows of Q are in shared memory.
    stash: bool,
    /// What the kernel is written in.
    language: Language,
}

impl Tile {
    /// From many rows, which read K and V the fewest times, to few. A warp's sums, scores and rows of Q share its registers:
    /// longer heads leave less for the others.
    fn ladder(dim: u32, language: Language) -> Vec<Self> {
        let keys = match language {
            _ if dim <= 128 => 64,
            // A work-group has 48 KiB.
            Language::OpenClC => 16,
            _ => 32,
        };
        // One warp alone has local memory to spare for its rows of Q.
        let alone = |queries| language == Language::OpenClC && queries == 16 && dim > 64;
        let narrow = |queries| Self { queries, warp_queries: 16, keys, stash: dim > 128 || alone(queries), language };
        let (keys, stash) = if dim <= 64 { (64, language == Language::OpenClC) } else { (32, true) };
        let wide = Self { queries: 128, warp_queries: 32, keys, stash, language };
        let mut ladder = vec![narrow(128), narrow(64), narrow(16)];
        if dim <= 128 {
            ladder.insert(0, wide);
        }
        ladder
    }

    /// Tiles of rows of all heads.
    fn count(&self, problem: &AttentionProblem) -> u64 {
        u64::from(problem.rows().div_ceil(self.queries)) * u64::from(problem.key_heads())
    }

    fn threads(&self) -> u32 {
        self.queries / self.warp_queries * 32
    }

    /// Keys and values of two rounds, and rows of Q; of one round in OpenCL C, whose rows are padded only where their
    /// pieces can't change places.
    fn shared_bytes(&self, dim: u32) -> u32 {
        let stash = if self.stash { self.queries * dim } else { 0 };
        let blocks = match self.language {
            Language::OpenClC if dim.is_multiple_of(8 * PIECE) || dim == 4 * PIECE => 2 * self.keys * dim,
            Language::OpenClC => 2 * self.keys * (dim + PIECE),
            _ => 4 * self.keys * (dim + PIECE),
        };
        (blocks + stash) * 2
    }
}

impl MmaPlan {
    /// The valid plans, the preferred one first: the largest tile that rows fill and that gives every compute unit work.
    pub fn candidates(problem: &AttentionProblem, caps: &Caps) -> Vec<Self> {
        let Some(language) = mma::language(caps) else { return Vec::new() };
        // In OpenCL C, there are kernels of one type of halves.
        let of_type = match language {
            Language::CudaC => problem.precision.is_wide_half(),
            _ => problem.precision == Precision::F16,
        };
        if !of_type || problem.precision.missing(caps).is_some() || problem.head_dim > LONGEST_HEAD {
            return Vec::new();
        }
        let units = u64::from(caps.compute_units.unwrap_or(16));
        let mut plans = Vec::new();
        for tile in Tile::ladder(dim(problem), language) {
            // Of small tiles several run on a unit at one time.
            let wanted = (4 * units).div_ceil(tile.count(problem));
            let mut splits = LEAST_CHUNKS.map(|least| Split::of(problem, caps, wanted, least, tile.keys)).to_vec();
            splits.push(Split::none(problem));
            splits.dedup_by_key(|split| split.splits);
            plans.extend(splits.into_iter().map(|split| Self { tile, split }));
        }
        plans.retain(|plan| plan.valid(problem, caps));
        let fills =
            |plan: &Self| plan.tile.queries <= problem.rows().next_multiple_of(16) && plan.groups(problem) >= units;
        preferred_first(plans, fills)
    }

    /// All valid plans.
    pub(super) fn space(problem: &AttentionProblem, caps: &Caps) -> Vec<Self> {
        // What has instructions and types has candidates.
        let Some(&Self { tile: Tile { language, .. }, .. }) = Self::candidates(problem, caps).first() else {
            return Vec::new();
        };
        let splits = |tile: Tile| Split::all(problem, caps, LEAST_CHUNKS[0], tile.keys).into_iter();
        let tiles = Tile::ladder(dim(problem), language).into_iter();
        let plans = tiles.flat_map(|tile| splits(tile).map(move |split| Self { tile, split }));
        plans.filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// The sizes in the order of the name.
    pub(super) fn sizes(&self) -> Vec<u32> {
        vec![self.tile.queries, self.tile.keys, self.tile.threads() / 32, self.split.splits]
    }

    /// What it asks of a device.
    pub(super) fn demand(&self, problem: &AttentionProblem) -> Demand {
        let Tile { queries, warp_queries, keys, .. } = self.tile;
        let demand = self.split.demand(problem, self.tile.count(problem), queries, reuse(warp_queries, keys));
        Demand { local_bytes: self.tile.shared_bytes(dim(problem)).into(), ..demand }
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        let Tile { queries, keys, .. } = self.tile;
        format!("mma-{queries}x{keys}-{}{}", self.tile.threads() / 32, self.split.suffix())
    }

    fn groups(&self, problem: &AttentionProblem) -> u64 {
        self.tile.count(problem) * u64::from(self.split.splits)
    }

    fn valid(&self, problem: &AttentionProblem, caps: &Caps) -> bool {
        self.tile.threads() <= caps.max_group_items
            && u64::from(self.tile.shared_bytes(dim(problem))) <= caps.local_bytes
            && fold_grid(self.groups(problem), caps.max_grid[0])[1] <= caps.max_grid[1]
    }

    /// The program for `problem` on a device with these capabilities: see `Split::program`.
    pub fn program(&self, problem: &AttentionProblem, caps: &Caps) -> Program {
        // OpenCL C declares its local memory in the source.
        let (source, shared_bytes) = match self.tile.language {
            Language::OpenClC => (Source::OpenClC(OPENCL.into()), 0),
            _ => (Source::CudaC(CUDA.into()), self.tile.shared_bytes(dim(problem))),
        };
        let kernel = KernelSource {
            source,
            entry: "attention_mma".to_owned(),
            defines: self.defines(problem),
            group: [self.tile.threads(), 1, 1],
            shared_bytes,
        };
        self.split.program(problem, caps, &kernel, self.groups(problem))
    }

    fn defines(&self, problem: &AttentionProblem) -> Vec<(String, String)> {
        let Tile { queries, warp_queries, keys, stash, .. } = self.tile;
        defines([
            ("QUERIES", queries),
            ("WARP_QUERIES", warp_queries),
            ("KEYS", keys),
            ("DIM", dim(problem)),
            ("ALIGNED", problem.head_dim.is_multiple_of(8).into()),
            ("STASH", stash.into()),
            ("SPLIT", (self.split.splits > 1).into()),
            (precision_define(problem.precision), 1),
        ])
    }
}

/// The length of a head that the kernel is compiled for: a piece that the instruction multiplies is 16 long.
fn dim(problem: &AttentionProblem) -> u32 {
    problem.head_dim.next_multiple_of(16)
}
