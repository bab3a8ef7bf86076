//! Packed GEMM for CPUs: panels of A and B, and a tile of C in vector registers for each work-item.
//!
//! After the BLIS framework (F. Van Zee and R. van de Geijn, ACM Trans. Math. Softw. 41(3), 2015), with one work-item a
//! work-group: a CPU's runtime then adds no loop over work-items, and the vectors are the source's own. Packing is part of
//! the operation: every run packs.

use super::GemmProblem;
use super::single::{PARAMS_BYTES, params};
use super::tiled::{Products, precision_define};
use crate::demand::reuse;
use crate::program::{defines, fold_grid, operands};
use crate::space::grid;
use crate::{BufferRole, BufferSpec, Demand, LaunchSpec, Precision, Program};
use accelbench_backends::{Access, Caps, DType, DeviceKind, KernelSpec, Language, Source};

const OPENCL: &str = concat!(
    include_str!("../types.cl"),
    include_str!("../vectors.cl"),
    include_str!("../tile.cl"),
    include_str!("panels.cl"),
    include_str!("packed.cl")
);

/// Rows of B that a work-group of `pack_b` copies.
const PACK_DEPTH: u32 = 64;
/// Panels of B that it copies them from.
const PACK_PANELS: u32 = 4;
/// Work-groups for each compute unit that share the tiles: few enough that their starts take no time, so many that one unit
/// that is slowed down leaves its share to others.
pub(super) const GROUPS_PER_UNIT: u64 = 128;

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
        Self::tiles(problem.precision, caps).into_iter().filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// All valid plans.
    pub(super) fn space(problem: &GemmProblem, caps: &Caps) -> Vec<Self> {
        Self::all(problem.precision, caps).into_iter().filter(|plan| plan.valid(problem, caps)).collect()
    }

    /// All tiles that a CPU's 32 registers hold beside a row of B and an element of A, with vectors of half, all or two
    /// of them.
    pub(crate) fn all(precision: Precision, caps: &Caps) -> Vec<Self> {
        if !takes_vectors(precision, caps) {
            return Vec::new();
        }
        let native = vector_width(precision.accumulate(), caps);
        let widths = vector_widths(native);
        let plans = grid([&[4, 6, 8, 12], &[1, 2, 3, 4], &widths]);
        let plans = plans.map(|[rows, vectors, width]| Self { rows, vectors, width });
        plans.filter(|plan| (plan.rows + 1) * plan.vectors * plan.width.div_ceil(native) < 32).collect()
    }

    /// The sizes in the order of the name.
    pub(crate) fn sizes(&self) -> Vec<u32> {
        vec![self.rows, self.vectors, self.width]
    }

    /// What it asks of a device for such products, packing left aside.
    pub(crate) fn demand(&self, problem: &Products) -> Demand {
        Demand::of_tiles(problem, self.rows, self.columns(), reuse(self.rows, self.vectors))
    }

    /// Tiles that fit a CPU's registers, the fastest first.
    pub(crate) fn tiles(precision: Precision, caps: &Caps) -> Vec<Self> {
        if !takes_vectors(precision, caps) {
            return Vec::new();
        }
        let sum = precision.accumulate();
        let width = vector_width(sum, caps);
        // Of 32 registers 24 are for the tile, the others for B's row and A's element.
        let shapes: &[(u32, u32)] =
            if has_32_registers(width, sum) { &[(6, 4), (8, 3), (12, 2)] } else { &[(6, 2), (4, 3), (8, 3)] };
        shapes.iter().map(|&(rows, vectors)| Self { rows, vectors, width }).collect()
    }

    /// The plan in one word.
    pub fn name(&self) -> String {
        format!("packed-{}x{}x{}", self.rows, self.vectors, self.width)
    }

    /// Columns of a tile.
    pub(crate) fn columns(&self) -> u32 {
        self.vectors * self.width
    }

    /// Elements of a panel of A, `k` long.
    pub(crate) fn panel_a(&self, k: u32) -> u64 {
        u64::from(self.rows) * u64::from(k.next_multiple_of(self.width))
    }

    /// Elements of a panel of B.
    pub(crate) fn panel_b(&self, k: u32) -> u64 {
        u64::from(self.columns()) * u64::from(k)
    }

    /// Work-groups that pack `panels` panels of B.
    pub(crate) fn packers_b(panels: u64, k: u32) -> u64 {
        panels.div_ceil(PACK_PANELS.into()) * u64::from(k.div_ceil(PACK_DEPTH))
    }

    /// Panels of A and of B.
    fn panels(&self, problem: &GemmProblem) -> (u64, u64) {
        (problem.m.div_ceil(self.rows).into(), problem.n.div_ceil(self.columns()).into())
    }

    /// Bytes of the panels of A and of B.
    fn panel_bytes(&self, problem: &GemmProblem) -> (u64, u64) {
        let (panels_a, panels_b) = self.panels(problem);
        let element = problem.precision.accumulate().bytes();
        (panels_a * self.panel_a(problem.k) * element, panels_b * self.panel_b(problem.k) * element)
    }

    fn valid(&self, problem: &GemmProblem, caps: &Caps) -> bool {
        let (panels_a, panels_b) = self.panels(problem);
        let (bytes_a, bytes_b) = self.panel_bytes(problem);
        bytes_a.max(bytes_b) <= caps.max_buffer_bytes
            && fold_grid(panels_a.max(Self::packers_b(panels_b, problem.k)), caps.max_grid[0])[1] <= caps.max_grid[1]
    }

    /// The bytes that packing reads and writes.
    pub(super) fn packing_bytes(&self, problem: &GemmProblem) -> f64 {
        let [a, b, _] = problem.elements();
        let (panels_a, panels_b) = self.panel_bytes(problem);
        ((a + b) * problem.precision.storage().bytes() + panels_a + panels_b) as f64
    }

    /// The program for `problem` on a device with these capabilities.
    ///
    /// Parameter block of each kernel: `m`, `n`, `k` and a 0, each 32 bits. Buffers: A, B, C, A's panels, B's panels.
    pub fn program(&self, problem: &GemmProblem, caps: &Caps) -> Program {
        let (panels_a, panels_b) = self.panels(problem);
        let (bytes_a, bytes_b) = self.panel_bytes(problem);
        let scratch = [bytes_a, bytes_b].map(|bytes| BufferSpec { role: BufferRole::Scratch, bytes });
        let groups = GROUPS_PER_UNIT * u64::from(caps.compute_units.unwrap_or(1));
        let launch = |kernel, buffers: &[usize], groups| LaunchSpec {
            kernel,
            buffers: buffers.to_vec(),
            grid: fold_grid(groups, caps.max_grid[0]),
            params: params(problem),
        };
        Program {
            buffers: operands(problem).into_iter().chain(scratch).collect(),
            kernels: vec![
                self.kernel(problem, "pack_a", &[Access::Read, Access::Write]),
                self.kernel(problem, "pack_b", &[Access::Read, Access::Write]),
                self.kernel(problem, "gemm_packed", &[Access::Read, Access::Read, Access::Write]),
            ],
            launches: vec![
                launch(0, &[0, 3], panels_a),
                launch(1, &[1, 4], Self::packers_b(panels_b, problem.k)),
                launch(2, &[3, 4, 2], (panels_a * panels_b).min(groups)),
            ],
        }
    }

    fn kernel(&self, problem: &GemmProblem, entry: &str, bindings: &[Access]) -> KernelSpec {
        KernelSpec {
            source: Source::OpenClC(OPENCL.into()),
            entry: entry.to_owned(),
            defines: self.defines(problem.precision, problem.trans_a, problem.trans_b),
            group: [1, 1, 1],
            shared_bytes: 0,
            bindings: bindings.to_vec(),
            params_bytes: PARAMS_BYTES,
        }
    }

    /// The definitions of `panels.cl`.
    pub(crate) fn defines(&self, precision: Precision, trans_a: bool, trans_b: bool) -> Vec<(String, String)> {
        defines([
            ("ROWS", self.rows),
            ("VECTORS", self.vectors),
            ("WIDTH", self.width),
            ("PACK_DEPTH", PACK_DEPTH),
            ("PACK_PANELS", PACK_PANELS),
            ("TRANS_A", trans_a.into()),
            ("TRANS_B", trans_b.into()),
            (precision_define(precision), 1),
        ])
    }
}

/// Whether there are plans with one work-item a work-group, and vectors of the source's own, for a device.
pub(crate) fn takes_vectors(precision: Precision, caps: &Caps) -> bool {
    caps.kind == DeviceKind::Cpu && caps.speaks(Language::OpenClC) && precision.missing(caps).is_none()
}

/// Elements of a vector register, by the device's own word; 16 bytes, which every CPU has, where it says none.
pub(crate) fn vector_width(dtype: DType, caps: &Caps) -> u32 {
    let native = caps.facts.get(&format!("native-vector-{dtype}")).and_then(|width| width.parse().ok());
    // OpenCL C has vectors of 2, 4, 8 and 16.
    native.filter(|&width| width >= 2).unwrap_or(16 / dtype.bytes() as u32).min(16)
}

/// Elements of vectors that plans may have: of a register, of half of one, and of two.
pub(super) fn vector_widths(native: u32) -> Vec<u32> {
    [native, native / 2, native * 2].into_iter().filter(|width| (2..=16).contains(width)).collect()
}

/// Whether a CPU with such vectors has 32 registers for sure: those of 64 bytes come with so many. Narrower ones have 16 on
/// most CPUs, and 32 on some.
pub(crate) fn has_32_registers(width: u32, dtype: DType) -> bool {
    u64::from(width) * dtype.bytes() >= 64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use std::collections::{BTreeMap, BTreeSet};

    fn cpu(native_f32: &str) -> Caps {
        Caps {
            compute: BTreeSet::from([DType::F32]),
            facts: BTreeMap::from([("native-vector-f32".to_owned(), native_f32.to_owned())]),
            ..testing::caps(DeviceKind::Cpu, Language::OpenClC)
        }
    }

    fn problem(precision: Precision, m: u32, n: u32, k: u32) -> GemmProblem {
        GemmProblem { precision, m, n, k, trans_a: false, trans_b: false }
    }

    #[test]
    fn vectors_are_the_devices_own() {
        let small = problem(Precision::F32, 64, 64, 64);
        for (native, first) in [
            ("16", "packed-6x4x16"),
            ("8", "packed-6x2x8"),
            ("4", "packed-6x2x4"),
            ("1", "packed-6x2x4"),
            ("", "packed-6x2x4"),
        ] {
            assert_eq!(PackedPlan::candidates(&small, &cpu(native))[0].name(), first, "native width `{native}`");
        }
    }

    #[test]
    fn only_a_cpu_that_computes_so_has_plans() {
        let small = problem(Precision::F32, 64, 64, 64);
        let gpu = Caps { kind: DeviceKind::Gpu, ..cpu("16") };
        assert!(PackedPlan::candidates(&small, &gpu).is_empty());
        let wgsl = Caps { languages: BTreeSet::from([Language::Wgsl]), ..cpu("16") };
        assert!(PackedPlan::candidates(&small, &wgsl).is_empty());
        assert!(PackedPlan::candidates(&problem(Precision::F64, 64, 64, 64), &cpu("16")).is_empty());
    }

    #[test]
    fn panels_hold_whole_matrices_and_fit_into_a_buffer() {
        let odd = problem(Precision::F16, 13, 130, 17);
        let caps = cpu("16");
        for plan in PackedPlan::candidates(&odd, &caps) {
            let program = plan.program(&odd, &caps);
            let [a, b, c, panels_a, panels_b] = &program.buffers[..] else { unreachable!("five buffers") };
            assert_eq!((a.bytes, b.bytes, c.bytes), (13 * 17 * 2, 17 * 130 * 2, 13 * 130 * 2));
            // Halves are widened, so a panel's element has four bytes.
            assert!(panels_a.bytes >= 13 * 17 * 4 && panels_b.bytes >= 17 * 130 * 4, "{}", plan.name());
        }
        let tight = Caps { max_buffer_bytes: 1000, ..cpu("16") };
        assert!(PackedPlan::candidates(&odd, &tight).is_empty());
    }

    #[test]
    fn wide_grids_are_folded_and_work_groups_take_many_tiles() {
        let flat = problem(Precision::F32, 12 << 20, 64, 1);
        let caps = Caps { compute_units: Some(3), ..cpu("16") };
        let program = PackedPlan::candidates(&flat, &caps)[0].program(&flat, &caps);
        let [x, y, z] = program.launches[0].grid;
        assert!(x <= caps.max_grid[0] && y > 1 && z == 1);
        assert!(u64::from(x) * u64::from(y) >= 2 << 20, "a panel of A each");
        assert_eq!(program.launches[2].grid, [3 * 128, 1, 1]);
        let small = problem(Precision::F32, 12, 64, 1);
        assert_eq!(PackedPlan::candidates(&small, &caps)[0].program(&small, &caps).launches[2].grid, [2, 1, 1]);
    }
}
