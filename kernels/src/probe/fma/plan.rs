//! The shapes of chains that a device may like: vectors of so many lanes, and so many of them at a time.

use super::{A, B, BODY, C, FmaProblem, UNIT};
use crate::probe::via::{Via, group, languages};
use crate::program::{self, fold_grid};
use crate::wgsl::{self, MOST_ROUNDS};
use crate::{Plan, Precision, Program};
use accelbench_backends::{Caps, DeviceKind, KernelSpec, Language, Source};
use serde_json::json;

const OPENCL: &str = include_str!("fma.cl");
const CUDA: &str = concat!(include_str!("../../ptx.cuh"), include_str!("fma.cu"));
const WGSL: &str = include_str!("fma.wgsl.j2");

/// Chains that a work-item, or a thread of the host, advances in turn.
#[derive(Clone, Debug, PartialEq)]
pub struct FmaPlan {
    /// Lanes of a vector.
    pub width: u32,
    /// Vectors at a time, each a chain.
    pub chains: u32,
    problem: FmaProblem,
    via: Via,
    /// Work-items of a work-group.
    group: u32,
    max_grid_x: u32,
}

/// The plans for a problem on such a device. None is preferred: each fits some device best.
pub(super) fn candidates(problem: &FmaProblem, caps: &Caps) -> Vec<Box<dyn Plan>> {
    if problem.precision.missing(caps).is_some() {
        return Vec::new();
    }
    let mut plans = Vec::new();
    for language in languages(caps) {
        let group = group(language, caps);
        plans.extend(shapes(language, caps.kind, problem.precision).iter().map(|&(width, chains)| FmaPlan {
            width,
            chains,
            problem: *problem,
            via: Via::Language(language),
            group,
            max_grid_x: caps.max_grid[0],
        }));
    }
    plans.retain(|plan: &FmaPlan| plan.valid(caps));
    for library in caps.libraries("fma") {
        plans.extend(LIBRARY_CHAINS.map(|chains| FmaPlan {
            width: 0,
            chains,
            problem: *problem,
            via: Via::Library(library.clone()),
            group: 1,
            max_grid_x: 1,
        }));
    }
    plans.into_iter().map(|plan| Box::new(plan) as Box<dyn Plan>).collect()
}

/// Chains that a library is asked for; its vectors are its own.
const LIBRARY_CHAINS: [u32; 4] = [4, 8, 12, 16];

/// Widths and numbers of chains.
fn shapes(language: Language, kind: DeviceKind, precision: Precision) -> &'static [(u32, u32)] {
    match (language, kind) {
        // Halves go in pairs, the other types have no vectors.
        (Language::CudaC, _) if precision == Precision::F16Acc16 => &[(2, 2), (2, 4), (2, 8), (2, 16)],
        (Language::CudaC, _) => &[(1, 2), (1, 4), (1, 8), (1, 16)],
        // CPUs widen halves for every step, and compilers take long over it.
        (Language::OpenClC, DeviceKind::Cpu) if precision == Precision::F16Acc16 => &[(16, 4), (8, 8), (16, 6)],
        // For vector registers of every width, with enough chains to hide 4 cycles in 2 pipes, and as many as 16 or 32
        // registers hold. What fills most of them, and compiles fastest, comes first.
        (Language::OpenClC, DeviceKind::Cpu) => {
            &[(16, 4), (8, 8), (8, 12), (16, 8), (16, 6), (8, 4), (4, 12), (4, 8), (16, 12)]
        }
        (Language::OpenClC, _) => &[(1, 4), (1, 8), (1, 16), (2, 4), (2, 8), (2, 16), (4, 4), (4, 8)],
        // A software driver makes vectors of its work-items: a scalar is a register.
        (_, DeviceKind::Cpu) => &[(1, 8), (1, 10), (1, 12), (1, 16), (4, 2), (4, 3)],
        (_, _) => &[(1, 4), (1, 8), (1, 16), (2, 4), (2, 8), (4, 2), (4, 4)],
    }
}

impl FmaPlan {
    fn valid(&self, caps: &Caps) -> bool {
        let ends_its_loop = self.via != Via::Language(Language::Wgsl)
            || caps.kind != DeviceKind::Cpu
            || self.problem.bodies() <= MOST_ROUNDS;
        let grid = fold_grid(self.items().div_ceil(self.group.into()), caps.max_grid[0]);
        ends_its_loop && grid[1] <= caps.max_grid[1] && self.problem.lanes <= u32::MAX.into()
    }

    /// Work-items: [`LANES`](super::LANES) is a multiple of what each has.
    fn items(&self) -> u64 {
        self.problem.lanes / u64::from((self.width * self.chains).max(1))
    }

    fn kernel(&self, language: Language) -> KernelSpec {
        let precision = match self.problem.precision {
            Precision::F64 => "PRECISION_F64",
            Precision::F16Acc16 => "PRECISION_F16_ACC16",
            _ => "PRECISION_F32",
        };
        let defines = || program::defines([("WIDTH", self.width), ("CHAINS", self.chains), (precision, 1)]);
        let (source, defines) = match language {
            Language::CudaC => (Source::CudaC(CUDA.into()), defines()),
            Language::Wgsl => (Source::Wgsl(self.wgsl().into()), Vec::new()),
            _ => (Source::OpenClC(OPENCL.into()), defines()),
        };
        KernelSpec {
            source,
            entry: "fma_chains".to_owned(),
            defines,
            group: [self.group, 1, 1],
            shared_bytes: 0,
            bindings: program::bindings(&self.problem),
            params_bytes: 32,
        }
    }

    fn wgsl(&self) -> String {
        let values = minijinja::context! {
            width => self.width, chains => self.chains, body => BODY, group => self.group,
            real => self.problem.precision.accumulate().name(),
        };
        wgsl::render("fma.wgsl.j2", WGSL, values)
    }

    fn library(&self, name: &str) -> Program {
        let problem = &self.problem;
        let arguments = json!({
            "lanes": problem.lanes, "bodies": problem.bodies(), "body": BODY, "chains": self.chains,
            "type": problem.precision.accumulate().name(), "unit": UNIT, "a": A, "b": B, "c": C,
        });
        program::library(problem, name, arguments)
    }

    /// Parameter block: bodies, work-items, and a, b and c as f32, up to 32 bytes.
    fn params(&self) -> Vec<u8> {
        let words = [self.problem.bodies(), self.items() as u32, A.to_bits(), B.to_bits(), C.to_bits(), 0, 0, 0];
        bytemuck::bytes_of(&words).to_vec()
    }
}

impl Plan for FmaPlan {
    fn variant(&self) -> String {
        self.via.variant("fma")
    }

    fn name(&self) -> String {
        match &self.via {
            Via::Language(_) => format!("fma-{}x{}", self.width, self.chains),
            Via::Library(library) => format!("{library}-{}", self.chains),
        }
    }

    fn program(&self) -> Program {
        match &self.via {
            Via::Language(language) => {
                let grid = fold_grid(self.items().div_ceil(self.group.into()), self.max_grid_x);
                program::single(&self.problem, self.kernel(*language), grid, self.params())
            }
            Via::Library(name) => self.library(name),
        }
    }
}

/// The shapes of all languages and kinds of devices.
#[cfg(test)]
pub(super) fn every_shape() -> Vec<(u32, u32)> {
    let mut all = Vec::new();
    for language in [Language::CudaC, Language::OpenClC, Language::Wgsl] {
        for kind in [DeviceKind::Cpu, DeviceKind::Gpu, DeviceKind::Accelerator] {
            for precision in [Precision::F64, Precision::F32, Precision::F16Acc16] {
                all.extend(shapes(language, kind, precision));
            }
        }
    }
    all
}
