//! The instructions that multiply matrices, and how many sums a warp keeps busy with them.

use super::{BODY, M, MatrixProblem, N, depth};
use crate::cooperative::Cooperative;
use crate::gemm::{mma, precision_define, wgmma};
use crate::program::{self, fold_grid};
use crate::wgsl;
use crate::{Plan, Precision, Program, Unit};
use accelbench_backends::cooperative::{self, Instruction as Form};
use accelbench_backends::{Caps, KernelSpec, Language, Source};

const OPENCL: &str = concat!(include_str!("../../ptx.cl"), include_str!("mma.cl"));
const WARP_SOURCE: &str = concat!(include_str!("../../ptx.cuh"), include_str!("operands.cuh"), include_str!("mma.cu"));
const GROUP_SOURCE: &str = concat!(
    include_str!("../../ptx.cuh"),
    include_str!("operands.cuh"),
    include_str!("../../wgmma.cuh"),
    include_str!("wgmma.cu")
);

const COOP_SOURCE: &str = include_str!("coop.cl");
const WGSL: &str = include_str!("coop.wgsl.j2");

/// Threads of a thread block: eight warps, or two groups of four.
const THREADS: u32 = 256;

/// Sub-groups of a work-group where each has its own instruction: they share A.
const SUBGROUPS: u32 = 4;

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
    /// A sub-group's, with all operands in registers.
    Coop(Form),
}

/// A number of sums for an instruction.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixPlan {
    instruction: Instruction,
    /// Instructions' results side by side that a warp or a sub-group keeps in registers.
    columns: u32,
    language: Language,
    problem: MatrixProblem,
    max_grid_x: u32,
}

/// Why the device has no matrix units for this type, or nothing where it has.
pub fn missing_units(precision: Precision, caps: &Caps) -> Option<String> {
    let capability = caps.facts.get("compute_capability").map_or("0", String::as_str);
    if Cooperative::of(precision, caps).is_some() {
        return None;
    }
    match mma::language(caps) {
        Some(Language::CudaC) if mma::multiplies(precision, caps) || wgmma::has_architecture(caps) => None,
        Some(Language::CudaC) => {
            Some(format!("no instruction that is used here multiplies {precision} on compute capability {capability}"))
        }
        // In OpenCL C, those of halves alone are used.
        Some(_) if precision != Precision::F64 => None,
        None if caps.speaks(Language::CudaC) => Some(format!(
            "compute capability {capability} has no matrix units for {precision} that are used here; 8.0 has"
        )),
        _ => Some(format!("no language of the device reaches matrix units for {precision}")),
    }
}

fn major(caps: &Caps) -> u32 {
    let capability = caps.facts.get("compute_capability");
    capability.and_then(|text| text.split('.').next()?.parse().ok()).unwrap_or(0)
}

/// The plans for a problem on such a device.
pub(super) fn candidates(problem: &MatrixProblem, caps: &Caps) -> Vec<Box<dyn Plan>> {
    let precision = problem.precision;
    let matrices = Cooperative::of(precision, caps);
    let language = matrices.map_or_else(|| mma::language(caps), |matrices| Some(matrices.language));
    let Some(language) = language else { return Vec::new() };
    if precision.missing(caps).is_some() || missing_units(precision, caps).is_some() {
        return Vec::new();
    }
    let mut shapes = Vec::new();
    if let Some(matrices) = matrices {
        shapes.extend([1, 2, 4].map(|columns| (Instruction::Coop(matrices.instruction), columns)));
    } else if precision == Precision::F64 {
        if major(caps) == 9 {
            shapes.extend([1, 2, 4].map(|columns| (Instruction::Mma { m: 16, k: 16 }, columns)));
        }
        shapes.extend([1, 2, 4].map(|columns| (Instruction::Mma { m: 8, k: 4 }, columns)));
    } else {
        if wgmma::has_architecture(caps) {
            shapes.push((Instruction::Wgmma, 1));
        }
        let k = depth(precision) as u32;
        if mma::multiplies(precision, caps) {
            shapes.extend([1, 2, 4].map(|columns| (Instruction::Mma { m: 16, k }, columns)));
        }
    }
    let max_grid_x = caps.max_grid[0];
    let plan = |(instruction, columns)| MatrixPlan { instruction, columns, language, problem: *problem, max_grid_x };
    shapes
        .into_iter()
        .map(plan)
        .filter(|plan| {
            plan.has_registers()
                && plan.grid()[1] <= caps.max_grid[1]
                && plan.threads() <= caps.max_group_items
                && plan.local_bytes() <= caps.local_bytes
        })
        .map(|plan| Box::new(plan) as Box<dyn Plan>)
        .collect()
}

impl MatrixPlan {
    /// Rows of C that a warp or a sub-group has, all of whose A it keeps in registers.
    fn rows(&self) -> u32 {
        match self.instruction {
            Instruction::Mma { .. } if self.problem.precision == Precision::F64 => 16,
            Instruction::Coop(form) if form.m == 8 && self.language == Language::OpenClC => 32,
            _ => M as u32,
        }
    }

    /// Whether a sub-group has registers for its sums, and a tile columns for all sub-groups of a work-group.
    fn has_registers(&self) -> bool {
        let Instruction::Coop(form) = self.instruction else { return true };
        let sums = self.rows() * form.n * self.columns / form.subgroup * 4;
        sums <= form.sums_bytes && self.group_columns(form) <= N as u32
    }

    /// Work-items of a work-group.
    fn threads(&self) -> u32 {
        match self.instruction {
            Instruction::Mma { .. } | Instruction::Wgmma => THREADS,
            Instruction::Coop(form) => SUBGROUPS * form.subgroup,
        }
    }

    /// Columns of a tile that a work-group of sub-groups has.
    fn group_columns(&self, form: Form) -> u32 {
        SUBGROUPS * form.n * self.columns
    }

    /// Local memory of a work-group, in bytes, as the kernels of sub-groups declare it; the others' is far below any limit.
    fn local_bytes(&self) -> u64 {
        let Instruction::Coop(form) = self.instruction else {
            return 0;
        };
        let precision = self.problem.precision;
        let operands = depth(precision) as u32 * (self.rows() + 2 * self.group_columns(form));
        let sums = if self.language == Language::Wgsl { SUBGROUPS * form.m * form.n } else { 0 };
        u64::from(operands) * precision.storage().bytes() + u64::from(sums) * precision.accumulate().bytes()
    }

    /// Work-groups, folded.
    fn grid(&self) -> [u32; 3] {
        let tiles = self.problem.tiles;
        let of_warps = |warps: u32| (tiles * u64::from(warps)).div_ceil(u64::from(THREADS / 32));
        let groups = match self.instruction {
            Instruction::Mma { .. } => of_warps((M as u32 / self.rows()) * (N as u32 / (8 * self.columns))),
            Instruction::Wgmma => of_warps(4),
            Instruction::Coop(form) => {
                tiles * u64::from((M as u32 / self.rows()) * (N as u32 / self.group_columns(form)))
            }
        };
        fold_grid(groups, self.max_grid_x)
    }

    fn by_warps(&self) -> (Source, Vec<(String, String)>) {
        let mut defines = vec![(precision_define(self.problem.precision), 1)];
        if let Instruction::Mma { m, k } = self.instruction {
            defines.extend([
                ("INSTRUCTION_M", m),
                ("INSTRUCTION_K", k),
                ("ROWS", self.rows()),
                ("COLUMNS", self.columns),
            ]);
        }
        let source = match (self.instruction, self.language) {
            (Instruction::Mma { .. }, Language::OpenClC) => Source::OpenClC(OPENCL.into()),
            (Instruction::Mma { .. }, _) => Source::CudaC(WARP_SOURCE.into()),
            _ => Source::CudaC(GROUP_SOURCE.into()),
        };
        (source, program::defines(defines))
    }

    fn by_sub_groups(&self, form: Form) -> (Source, Vec<(String, String)>) {
        if self.language == Language::Wgsl {
            return (Source::Wgsl(self.wgsl(form).into()), Vec::new());
        }
        let defines = [("ROWS", self.rows()), ("COLUMNS", self.columns), ("SUBGROUPS", SUBGROUPS)];
        let source = [cooperative::OPENCL, COOP_SOURCE].concat();
        (Source::OpenClC(source.into()), program::defines(defines.into_iter().chain(form.defines())))
    }

    fn wgsl(&self, form: Form) -> String {
        let values = minijinja::context! {
            side => form.m, subgroup => form.subgroup, threads => self.threads(), columns => self.columns,
            tile_m => M as u32, tile_n => N as u32, tile_k => depth(self.problem.precision) as u32, body => BODY,
            group_columns => self.group_columns(form), subgroups => SUBGROUPS,
            storage => self.problem.precision.storage().name(),
            accumulate => self.problem.precision.accumulate().name(),
        };
        wgsl::render("matrix/coop.wgsl.j2", WGSL, values)
    }
}

impl Plan for MatrixPlan {
    fn variant(&self) -> String {
        match self.instruction {
            Instruction::Mma { .. } => "mma".to_owned(),
            Instruction::Wgmma => "wgmma".to_owned(),
            Instruction::Coop(_) => "coop".to_owned(),
        }
    }

    fn name(&self) -> String {
        match self.instruction {
            Instruction::Mma { m, k } => format!("mma-{m}x8x{k}-{}", self.columns),
            Instruction::Wgmma => format!("wgmma-{M}x{N}x{}", depth(self.problem.precision)),
            Instruction::Coop(Form { m, n, k, .. }) => format!("coop-{m}x{n}x{k}-{}", self.columns),
        }
    }

    /// Parameter block: tiles and bodies, each 32 bits, up to 16 bytes. Buffers: A, B, C at the start, C.
    fn program(&self) -> Program {
        let (source, defines) = match self.instruction {
            Instruction::Mma { .. } | Instruction::Wgmma => self.by_warps(),
            Instruction::Coop(form) => self.by_sub_groups(form),
        };
        let params = [self.problem.tiles as u32, self.problem.rounds / BODY, 0, 0];
        let kernel = KernelSpec {
            source,
            entry: "matrix".to_owned(),
            defines,
            group: [self.threads(), 1, 1],
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, MULTIPLY_MATRICES};

    #[test]
    fn the_kernel_of_sub_groups_translates_in_every_form() {
        let forms = [("16x16x16 f16 f32", Precision::F16), ("8x8x8 f16 f16", Precision::F16Acc16)];
        for (form, precision) in forms {
            let problem = MatrixProblem { precision, tiles: 3, rounds: BODY };
            let caps = testing::cooperative(form);
            let side = Cooperative::of(precision, &caps).unwrap().instruction.m;
            let plans = candidates(&problem, &caps);
            assert_eq!(plans.len(), 3);
            for (plan, columns) in plans.iter().zip([1, 2, 4]) {
                let program = plan.program();
                let words = testing::spirv(&program.kernels[0].source.text());
                // A turn of the loop is a quarter of a body.
                let products = BODY / 4 * (depth(problem.precision) as u32 / side) * (M as u32 / side) * columns;
                assert_eq!(
                    testing::count_instructions(&words, MULTIPLY_MATRICES),
                    products as usize,
                    "{}",
                    plan.name()
                );
                let [groups, 1, 1] = program.launches[0].grid else { panic!("{:?}", program.launches[0].grid) };
                let computed = groups * SUBGROUPS * side * columns;
                assert_eq!(computed, 3 * N as u32, "{}", plan.name());
            }
        }
    }

    #[test]
    fn every_instruction_of_opencl_covers_the_tiles() {
        for form in cooperative::INSTRUCTIONS {
            let problem = MatrixProblem { precision: Precision::F16, tiles: 3, rounds: BODY };
            let plans = candidates(&problem, &testing::instructed(form));
            assert!(!plans.is_empty(), "{form}");
            for plan in plans {
                let program = plan.program();
                let defines: std::collections::BTreeMap<_, _> = program.kernels[0].defines.iter().cloned().collect();
                let of = |name: &str| defines[name].parse::<u32>().unwrap();
                let [groups, 1, 1] = program.launches[0].grid else { panic!("{:?}", program.launches[0].grid) };
                let computed = groups * of("ROWS") * of("SUBGROUPS") * of("COLUMNS") * of("MATRIX_N");
                assert_eq!(computed, 3 * (M * N) as u32, "{}", plan.name());
            }
        }
    }

    #[test]
    fn devices_without_such_matrices_have_no_plan_in_wgsl() {
        let caps = testing::cooperative("16x16x16 f16 f32");
        let missing = |precision| missing_units(precision, &caps).is_some();
        assert_eq!([Precision::F16, Precision::F16Acc16, Precision::F64].map(missing), [false, true, true]);
    }
}
