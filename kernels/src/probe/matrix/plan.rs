//! The instructions that multiply matrices, and how many sums a warp keeps busy with them.

use super::{BODY, M, MatrixProblem, N, depth};
use crate::gemm::precision_define;
use crate::program::{self, fold_grid};
use crate::{Plan, Precision, Program, Unit};
use accelbench_backends::{Caps, KernelSpec, Language, Source};

const WARP_SOURCE: &str = concat!(include_str!("../../ptx.cuh"), include_str!("operands.cuh"), include_str!("mma.cu"));
const GROUP_SOURCE: &str = concat!(
    include_str!("../../ptx.cuh"),
    include_str!("operands.cuh"),
    include_str!("../../wgmma.cuh"),
    include_str!("wgmma.cu")
);

/// Threads of a thread block: eight warps, or two groups of four.
const THREADS: u32 = 256;

/// The instruction that a plan runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Instruction {
    /// A warp's, with all operands in registers.
    Mma {
        /// Rows of C that one has.
        m: u32,
        /// Length of its sums.
        k: u32,
    },
    /// A group's of four warps, with A and B in shared memory, over a whole tile.
    Wgmma,
}

/// A number of sums for an instruction.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixPlan {
    instruction: Instruction,
    /// Instructions' results side by side that a warp keeps in registers.
    columns: u32,
    problem: MatrixProblem,
    max_grid_x: u32,
}

/// Why the device has no matrix units for this type, or nothing where it has.
pub fn missing_units(precision: Precision, caps: &Caps) -> Option<String> {
    let capability = caps.facts.get("compute_capability").map_or("0", String::as_str);
    if !caps.speaks(Language::CudaC) {
        Some("no language of the device reaches matrix units".to_owned())
    } else if major(caps) < 8 {
        Some(format!("compute capability {capability} has no matrix units for {precision} that are used here; 8.0 has"))
    } else {
        None
    }
}

fn major(caps: &Caps) -> u32 {
    let capability = caps.facts.get("compute_capability");
    capability.and_then(|text| text.split('.').next()?.parse().ok()).unwrap_or(0)
}

/// The plans for a problem on such a device.
pub(super) fn candidates(problem: &MatrixProblem, caps: &Caps) -> Vec<Box<dyn Plan>> {
    let precision = problem.precision;
    if precision.missing(caps).is_some() || missing_units(precision, caps).is_some() {
        return Vec::new();
    }
    let ninth = caps.facts.get("compute_capability").is_some_and(|capability| capability == "9.0");
    let mut shapes = Vec::new();
    if precision == Precision::F64 {
        if major(caps) == 9 {
            shapes.extend([1, 2, 4].map(|columns| (Instruction::Mma { m: 16, k: 16 }, columns)));
        }
        shapes.extend([1, 2, 4].map(|columns| (Instruction::Mma { m: 8, k: 4 }, columns)));
    } else {
        // These instructions are for exactly one architecture.
        if ninth {
            shapes.push((Instruction::Wgmma, 1));
        }
        let k = depth(precision) as u32;
        shapes.extend([1, 2, 4].map(|columns| (Instruction::Mma { m: 16, k }, columns)));
    }
    let plan =
        |(instruction, columns)| MatrixPlan { instruction, columns, problem: *problem, max_grid_x: caps.max_grid[0] };
    shapes
        .into_iter()
        .map(plan)
        .filter(|plan| plan.grid()[1] <= caps.max_grid[1] && THREADS <= caps.max_group_items)
        .map(|plan| Box::new(plan) as Box<dyn Plan>)
        .collect()
}

impl MatrixPlan {
    /// Rows of C that a warp has: 64 where A is small, and 16 for doubles.
    fn rows(&self) -> u32 {
        if self.problem.precision == Precision::F64 { 16 } else { M as u32 }
    }

    /// Thread blocks, folded.
    fn grid(&self) -> [u32; 3] {
        let warps = match self.instruction {
            Instruction::Mma { .. } => (M as u32 / self.rows()) * (N as u32 / (8 * self.columns)),
            Instruction::Wgmma => 4,
        };
        fold_grid((self.problem.tiles * u64::from(warps)).div_ceil(u64::from(THREADS / 32)), self.max_grid_x)
    }
}

impl Plan for MatrixPlan {
    fn variant(&self) -> String {
        match self.instruction {
            Instruction::Mma { .. } => "mma".to_owned(),
            Instruction::Wgmma => "wgmma".to_owned(),
        }
    }

    fn name(&self) -> String {
        match self.instruction {
            Instruction::Mma { m, k } => format!("mma-{m}x8x{k}-{}", self.columns),
            Instruction::Wgmma => format!("wgmma-{M}x{N}x{}", depth(self.problem.precision)),
        }
    }

    /// Parameter block: tiles and bodies, each 32 bits, up to 16 bytes. Buffers: A, B, C at the start, C.
    fn program(&self) -> Program {
        let mut defines = vec![(precision_define(self.problem.precision), 1)];
        if let Instruction::Mma { m, k } = self.instruction {
            defines.extend([
                ("INSTRUCTION_M", m),
                ("INSTRUCTION_K", k),
                ("ROWS", self.rows()),
                ("COLUMNS", self.columns),
            ]);
        }
        let source = match self.instruction {
            Instruction::Mma { .. } => WARP_SOURCE,
            Instruction::Wgmma => GROUP_SOURCE,
        };
        let params = [self.problem.tiles as u32, self.problem.rounds / BODY, 0, 0];
        let kernel = KernelSpec {
            source: Source::CudaC(source.into()),
            entry: "matrix".to_owned(),
            defines: program::defines(defines),
            group: [THREADS, 1, 1],
            shared_bytes: 0,
            bindings: program::bindings(&self.problem),
            params_bytes: 16,
        };
        program::single(&self.problem, kernel, self.grid(), bytemuck::bytes_of(&params).to_vec())
    }

    fn unit(&self) -> Unit {
        Unit::Matrix
    }
}
