//! Packed GEMM for CPUs: panels of A and B, and a tile of C in vector registers for each work-item.
//!
//! After the BLIS framework (F. Van Zee and R. van de Geijn, ACM Trans. Math. Softw. 41(3), 2015), with one work-item a
//! work-group: a CPU's runtime then adds no loop over work-items, and the vectors are the source's own. Packing is part of
//! the operation: every run packs.

use super::GemmProblem;
use super::tiled::precision_define;
use crate::program::fold_grid;
use crate::{BufferRole, BufferSpec, LaunchSpec, Program};
use accelbench_backends::{Access, Caps, DType, DeviceKind, KernelSpec, Language, Source};

const OPENCL: &str = include_str!("packed.cl");

/// Rows of B that a work-group of `pack_b` copies.
const PACK_DEPTH: u32 = 64;
/// Panels of B that it copies them from.
const PACK_PANELS: u32 = 4;

/// The sizes of a packed GEMM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PackedPlan {
    /// Rows of a tile.
    pub rows: u32,
    /// Vectors of a tile's row.
    pub vectors: u32,
    /// Elements of a vector.
    pub width: u32,
}

impl PackedPlan {
    /// The valid plans, the preferred one first.
    pub fn candidates(problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        if caps.kind != DeviceKind::Cpu || !caps.speaks(Language::OpenClC) || problem.precision.missing(caps).is_some()
        {
            return Vec::new();
        }
        let sum = problem.precision.accumulate();
        let width = vector_width(sum, caps);
        // 64-byte vectors come with 32 registers: 24 for the tile, the others for B's row and A's element. Narrower ones
        // have 16 on most CPUs, and 32 on some.
        let shapes: &[(u32, u32)] =
            if u64::from(width) * sum.bytes() >= 64 { &[(8, 3), (6, 4), (12, 2)] } else { &[(6, 2), (4, 3), (8, 3)] };
        shapes
            .iter()
            .map(|&(rows, vectors)| Self { rows, vectors, width })
            .filter(|plan| plan.valid(problem, caps))
            .collect()
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        format!("packed-{}x{}x{}", self.rows, self.vectors, self.width)
    }

    fn columns(&self) -> u32 {
        self.vectors * self.width
    }

    /// Panels of A and of B.
    fn panels(&self, problem: &GemmProblem) -> (u64, u64) {
        (problem.m.div_ceil(self.rows).into(), problem.n.div_ceil(self.columns()).into())
    }

    /// Bytes of the panels of A and of B.
    fn panel_bytes(&self, problem: &GemmProblem) -> (u64, u64) {
        let (panels_a, panels_b) = self.panels(problem);
        let element = problem.precision.accumulate().bytes();
        let depth_a = u64::from(problem.k.next_multiple_of(self.width));
        (
            panels_a * u64::from(self.rows) * depth_a * element,
            panels_b * u64::from(self.columns()) * u64::from(problem.k) * element,
        )
    }

    fn valid(&self, problem: &GemmProblem, caps: &Caps) -> bool {
        let (panels_a, panels_b) = self.panels(problem);
        let (bytes_a, bytes_b) = self.panel_bytes(problem);
        bytes_a.max(bytes_b) <= caps.max_buffer_bytes
            && fold_grid(panels_a * panels_b, caps.max_grid[0])[1] <= caps.max_grid[1]
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block of each kernel: `m`, `n`, `k` and a 0, each 32 bits. Buffers: A, B, C, A's panels, B's panels.
    pub fn program(&self, problem: &GemmProblem, caps: &Caps) -> Program {
        let (panels_a, panels_b) = self.panels(problem);
        let (bytes_a, bytes_b) = self.panel_bytes(problem);
        let [a, b, c] = problem.bytes();
        let buffer = |role, bytes| BufferSpec { role, bytes };
        let params = [problem.m, problem.n, problem.k, 0];
        let launch = |kernel, buffers: &[usize], groups| LaunchSpec {
            kernel,
            buffers: buffers.to_vec(),
            grid: fold_grid(groups, caps.max_grid[0]),
            params: bytemuck::bytes_of(&params).to_vec(),
        };
        let groups_b = panels_b.div_ceil(PACK_PANELS.into()) * u64::from(problem.k.div_ceil(PACK_DEPTH));
        Program {
            buffers: vec![
                buffer(BufferRole::Input(0), a),
                buffer(BufferRole::Input(1), b),
                buffer(BufferRole::Output, c),
                buffer(BufferRole::Scratch, bytes_a),
                buffer(BufferRole::Scratch, bytes_b),
            ],
            kernels: vec![
                self.kernel(problem, "pack_a", &[Access::Read, Access::Write]),
                self.kernel(problem, "pack_b", &[Access::Read, Access::Write]),
                self.kernel(problem, "gemm_packed", &[Access::Read, Access::Read, Access::Write]),
            ],
            launches: vec![
                launch(0, &[0, 3], panels_a),
                launch(1, &[1, 4], groups_b),
                launch(2, &[3, 4, 2], panels_a * panels_b),
            ],
        }
    }

    fn kernel(&self, problem: &GemmProblem, entry: &str, bindings: &[Access]) -> KernelSpec {
        let defines = [
            ("ROWS", self.rows),
            ("VECTORS", self.vectors),
            ("WIDTH", self.width),
            ("PACK_DEPTH", PACK_DEPTH),
            ("PACK_PANELS", PACK_PANELS),
            ("TRANS_A", problem.trans_a.into()),
            ("TRANS_B", problem.trans_b.into()),
            (precision_define(problem.precision), 1),
        ];
        KernelSpec {
            source: Source::OpenClC(OPENCL.into()),
            entry: entry.to_owned(),
            defines: defines.map(|(name, value)| (name.to_owned(), value.to_string())).to_vec(),
            group: [1, 1, 1],
            shared_bytes: 0,
            bindings: bindings.to_vec(),
            params_bytes: 16,
        }
    }
}

/// Elements of a vector register, by the device's own word; 16 bytes, which every CPU has, where it says none.
fn vector_width(dtype: DType, caps: &Caps) -> u32 {
    let native = caps.facts.get(&format!("native-vector-{dtype}")).and_then(|width| width.parse().ok());
    // OpenCL C has vectors of 2, 4, 8 and 16.
    native.filter(|&width| width >= 2).unwrap_or(16 / dtype.bytes() as u32).min(16)
}
