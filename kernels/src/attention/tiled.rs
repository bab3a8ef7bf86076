//! Tiled attention: a work-group stages slices of Q, K and V in local memory, a work-item keeps a register tile of the
//! scores and of the output. `tiled.cl` and `tiled.cu` are specialised by definitions, `tiled.wgsl.j2` by a
//! template with the names of `tiled.cl`.

use super::AttentionProblem;
use super::split::{KernelSource, Split, compiled_head, wgsl};
use crate::demand::reuse;
use crate::gemm::{precision_define, preferred_first};
use crate::program::{defines, fold_grid};
use crate::space::grid;
use crate::wgsl::MOST_ROUNDS;
use crate::{Demand, Precision, Program};
use accelbench_backends::{Caps, DeviceKind, Language, Source};

const OPENCL: &str = concat!(include_str!("../types.cl"), include_str!("rows.cl"), include_str!("tiled.cl"));
const CUDA: &str = concat!(
    include_str!("../ptx.cuh"),
    include_str!("../types.cuh"),
    include_str!("../gemm/tiles.cuh"),
    include_str!("../gemm/tiled_loop.cuh"),
    include_str!("rows.cuh"),
    include_str!("tiled.cu")
);
const WGSL: &str = concat!(include_str!("rows.wgsl.j2"), include_str!("tiled.wgsl.j2"));

/// Keys that are worth a chunk of their own.
const LEAST_CHUNK: u32 = 128;

/// The sizes of a tiled attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TiledPlan {
    tile: Tile,
    split: Split,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Tile {
    /// Rows of a work-group.
    rows: u32,
    /// Keys of a round.
    keys: u32,
    /// Work-items along the rows.
    group_m: u32,
    /// Work-items along the keys and along the heads' elements.
    group_n: u32,
    /// Elements of a head, or keys, in a slice.
    depth: u32,
}

/// From many rows, which read K and V the fewest times, to few.
const LADDER: [Tile; 4] = [
    Tile { rows: 64, keys: 64, group_m: 16, group_n: 16, depth: 16 },
    Tile { rows: 32, keys: 32, group_m: 8, group_n: 16, depth: 16 },
    Tile { rows: 16, keys: 32, group_m: 8, group_n: 16, depth: 8 },
    Tile { rows: 4, keys: 64, group_m: 4, group_n: 32, depth: 4 },
];

impl TiledPlan {
    /// The valid plans, the preferred one first: the largest tile that rows fill and that gives every compute unit work.
    pub fn candidates(problem: &AttentionProblem, caps: &Caps) -> Vec<Self> {
        if language(caps).is_none() || problem.precision.missing(caps).is_some() {
            return Vec::new();
        }
        let units = u64::from(caps.compute_units.unwrap_or(16));
        let split = |tile: Tile| {
            // Two work-groups a unit, so that one computes while the other waits.
            let wanted = (2 * units).div_ceil(tile.count(problem));
            Self { tile, split: Split::of(problem, caps, wanted, LEAST_CHUNK, tile.keys) }
        };
        let whole = |tile| Self { tile, split: Split::none(problem) };
        let plans: Vec<Self> = LADDER.into_iter().map(split).filter(|plan| plan.valid(problem, caps)).collect();
        let others: Vec<Self> = plans.iter().filter(|plan| plan.splits() > 1).map(|plan| whole(plan.tile)).collect();
        let fills = |plan: &Self| {
            plan.tile.rows <= problem.rows().next_multiple_of(4) && plan.tile.count(problem) * plan.splits() >= units
        };
        let others = others.into_iter().filter(|plan| plan.valid(problem, caps));
        preferred_first(plans, fills).into_iter().chain(others).collect()
    }

    /// All valid plans.
    pub(super) fn space(problem: &AttentionProblem, caps: &Caps) -> Vec<Self> {
        if language(caps).is_none() || problem.precision.missing(caps).is_some() {
            return Vec::new();
        }
        let sizes = grid([&[4, 8, 16, 32, 64, 128], &[32, 64, 128], &[4, 8, 16], &[8, 16, 32], &[4, 8, 16]]);
        let tiles = sizes.map(|[rows, keys, group_m, group_n, depth]| Tile { rows, keys, group_m, group_n, depth });
        let splits = |tile: Tile| Split::all(problem, caps, LEAST_CHUNK, tile.keys).into_iter();
        let plans =
            tiles.filter(Tile::shares_evenly).flat_map(|tile| splits(tile).map(move |split| Self { tile, split }));
        plans.filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        let Tile { rows, keys, group_m, group_n, depth } = self.tile;
        format!("tiled-{rows}x{keys}x{depth}-{group_m}x{group_n}{}", self.split.suffix())
    }

    /// The sizes in the order of the name.
    pub(super) fn sizes(&self) -> Vec<u32> {
        let Tile { rows, keys, group_m, group_n, depth } = self.tile;
        vec![rows, keys, depth, group_m, group_n, self.split.splits]
    }

    /// What it asks of a device.
    pub(super) fn demand(&self, problem: &AttentionProblem) -> Demand {
        let Tile { rows, keys, group_m, group_n, .. } = self.tile;
        let reuse = reuse(rows / group_m, (keys / group_n).max(1));
        let dim = compiled_head(problem.head_dim).unwrap_or(problem.head_dim);
        let local_bytes = self.tile.local_bytes(problem.precision, dim, None);
        Demand { local_bytes, ..self.split.demand(problem, self.tile.count(problem), rows, reuse) }
    }

    fn splits(&self) -> u64 {
        self.split.splits.into()
    }

    fn valid(&self, problem: &AttentionProblem, caps: &Caps) -> bool {
        let Some(dim) = compiled_head(problem.head_dim) else { return false };
        let Tile { group_m, group_n, .. } = self.tile;
        let groups = self.tile.count(problem) * self.splits();
        // What does not fit into registers is not worth a kernel.
        let sums = self.tile.rows / group_m * dim.div_ceil(group_n).max(self.tile.keys / group_n);
        group_m * group_n <= caps.max_group_items
            && group_n <= caps.max_group[0]
            && group_m <= caps.max_group[1]
            && self.tile.local_bytes(problem.precision, dim, language(caps)) <= caps.local_bytes
            && fold_grid(groups, caps.max_grid[0])[1] <= caps.max_grid[1]
            && u64::from(sums) * problem.precision.accumulate().bytes() <= 256
            && (!caps.speaks(Language::Wgsl) || self.fits_wgsl(problem, caps, dim))
    }

    /// Whether indices fit into 32 bits and, on a CPU, loops end by themselves.
    fn fits_wgsl(&self, problem: &AttentionProblem, caps: &Caps, dim: u32) -> bool {
        let Tile { rows, keys, group_m, group_n, depth } = self.tile;
        let loads = |elements: u32| elements.div_ceil(group_m * group_n);
        let slices = dim.div_ceil(depth) * (1 + loads(rows * depth) + loads(keys * depth))
            + keys.div_ceil(depth) * (1 + loads(depth * dim.next_multiple_of(group_n)));
        let rounds = u64::from(self.split.chunk.div_ceil(keys)) * u64::from(1 + slices + group_n);
        problem.elements().iter().all(|&elements| elements < 1 << 32)
            && (caps.kind != DeviceKind::Cpu || rounds <= MOST_ROUNDS.into())
    }

    /// The program for `problem` on a device with these capabilities.
    pub fn program(&self, problem: &AttentionProblem, caps: &Caps) -> Program {
        let (source, defines) = match language(caps) {
            Some(Language::CudaC) => (Source::CudaC(CUDA.into()), self.defines(problem, self.tile.cuda())),
            Some(Language::Wgsl) => (Source::Wgsl(self.wgsl(problem).into()), Vec::new()),
            _ => (Source::OpenClC(OPENCL.into()), self.defines(problem, self.tile.opencl())),
        };
        let dim = compiled_head(problem.head_dim).unwrap_or(problem.head_dim);
        let kernel = KernelSource {
            source,
            entry: "attention_tiled".to_owned(),
            defines,
            group: [self.tile.group_n, self.tile.group_m, 1],
            // The other languages declare theirs in the source.
            shared_bytes: match language(caps) {
                Some(Language::CudaC) => self.tile.local_bytes(problem.precision, dim, language(caps)) as u32,
                _ => 0,
            },
        };
        self.split.program(problem, caps, &kernel, self.tile.count(problem) * self.splits())
    }

    fn wgsl(&self, problem: &AttentionProblem) -> String {
        let Tile { rows, keys, group_m, group_n, depth } = self.tile;
        let own = minijinja::context! { tile_m => rows, tile_n => keys, group_m, group_n, depth, width => 1 };
        wgsl("tiled.wgsl.j2", WGSL, problem, self.split, own)
    }

    fn defines(&self, problem: &AttentionProblem, tile: [(&str, u32); 5]) -> Vec<(String, String)> {
        let head = [
            ("DIM", compiled_head(problem.head_dim).unwrap_or(problem.head_dim)),
            ("SPLIT", (self.split.splits > 1).into()),
            (precision_define(problem.precision), 1),
        ];
        defines(tile.into_iter().chain(head))
    }
}

impl Tile {
    /// Whether work-items can share slices and tiles evenly, in every language: rows of threads lie within one warp, and
    /// all threads together stage whole rows of a slice.
    fn shares_evenly(&self) -> bool {
        let Self { rows, keys, group_m, group_n, depth } = *self;
        let items = group_m * group_n;
        let staged = |side: u32| side.is_multiple_of(items / depth) || side < items / depth;
        rows >= group_m && keys >= group_n && items >= 32 && items.is_multiple_of(depth) && staged(rows) && staged(keys)
    }

    /// Tiles of rows of all heads.
    fn count(&self, problem: &AttentionProblem) -> u64 {
        u64::from(problem.rows().div_ceil(self.rows)) * u64::from(problem.key_heads())
    }

    /// The definitions of `tiled.cl`.
    fn opencl(&self) -> [(&'static str, u32); 5] {
        let Self { rows, keys, group_m, group_n, depth } = *self;
        [("TILE_M", rows), ("TILE_N", keys), ("GROUP_M", group_m), ("GROUP_N", group_n), ("DEPTH", depth)]
    }

    /// The definitions of `tiled.cu`.
    fn cuda(&self) -> [(&'static str, u32); 5] {
        let Self { rows, keys, group_m, group_n, depth } = *self;
        let (thread_m, thread_n) = (rows / group_m, keys / group_n);
        [("TILE_M", rows), ("TILE_N", keys), ("TILE_K", depth), ("THREAD_M", thread_m), ("THREAD_N", thread_n)]
    }

    /// Local memory of a work-group: slices of Q and K, or one of V, and the weights.
    fn local_bytes(&self, precision: Precision, dim: u32, language: Option<Language>) -> u64 {
        let element = precision.accumulate().bytes();
        let wide = dim.next_multiple_of(self.group_n);
        let elements = if language == Some(Language::CudaC) {
            // Rows are padded by a 16-byte load, and two slices of Q and K are staged at a time.
            let padding = 16 / element as u32;
            let scores = 2 * self.depth * (self.rows + self.keys + 2 * padding);
            scores.max(self.depth * (wide + padding)) + self.keys * (self.rows + padding)
        } else {
            let scores = self.depth * (self.rows + self.keys + 2);
            scores.max(self.depth * wide) + self.rows * (self.keys + 1)
        };
        u64::from(elements) * element
    }
}

/// The kernel language for such a device.
fn language(caps: &Caps) -> Option<Language> {
    [Language::CudaC, Language::OpenClC, Language::Wgsl].into_iter().find(|&language| caps.speaks(language))
}
