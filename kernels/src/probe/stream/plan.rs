//! The vectors that a device may like to load and store.

use super::{SCALAR, StreamProblem};
use crate::probe::via::{Via, group, languages};
use crate::program::{self, fold_grid};
use crate::wgsl::{self, MOST_ROUNDS};
use crate::{Plan, Precision, Program};
use accelbench_backends::{Caps, DeviceKind, KernelSpec, Language, Source};
use serde_json::json;

const OPENCL: &str = include_str!("stream.cl");
const CUDA: &str = include_str!("stream.cu");
const WGSL: &str = include_str!("stream.wgsl.j2");

/// Vectors that a work-item has on their way at a time.
const UNROLL: u32 = 4;

/// One kernel over vectors of so many elements, or a library's.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamPlan {
    /// Elements of a vector.
    pub width: u32,
    problem: StreamProblem,
    via: Via,
    group: u32,
    max_grid_x: u32,
}

/// The plans for a problem on such a device.
pub(super) fn candidates(problem: &StreamProblem, caps: &Caps) -> Vec<Box<dyn Plan>> {
    if problem.precision.missing(caps).is_some() {
        return Vec::new();
    }
    let mut plans = Vec::new();
    for language in languages(caps) {
        plans.extend(widths(language, caps.kind, problem.precision).iter().map(|&width| StreamPlan {
            width,
            problem: *problem,
            via: Via::Language(language),
            group: group(language, caps),
            max_grid_x: caps.max_grid[0],
        }));
    }
    plans.retain(|plan: &StreamPlan| plan.valid(caps));
    plans.extend(caps.libraries("stream").iter().map(|library| StreamPlan {
        width: 1,
        problem: *problem,
        via: Via::Library(library.clone()),
        group: 1,
        max_grid_x: 1,
    }));
    plans.into_iter().map(|plan| Box::new(plan) as Box<dyn Plan>).collect()
}

/// As many passes as the problem has, or as many as the device computes.
pub(super) fn fewer_passes(problem: &StreamProblem, caps: &Caps) -> u32 {
    if !(caps.kind == DeviceKind::Cpu && caps.speaks(Language::Wgsl)) {
        return problem.passes;
    }
    let widths = widths(Language::Wgsl, caps.kind, problem.precision).iter();
    let rounds = widths.map(|&width| rounds(problem, width, group(Language::Wgsl, caps))).max().unwrap_or(1);
    problem.passes.min((u64::from(MOST_ROUNDS) / rounds) as u32).max(1)
}

/// Rounds of a work-item's loops in one pass, and the one over passes.
fn rounds(problem: &StreamProblem, width: u32, group: u32) -> u64 {
    let vectors = (problem.part() / u64::from(width)).div_ceil(group.into());
    vectors / u64::from(UNROLL) + vectors % u64::from(UNROLL) + 2
}

/// Elements of a vector: up to 16 bytes for an item of many, up to a register for a CPU's only one.
fn widths(language: Language, kind: DeviceKind, precision: Precision) -> &'static [u32] {
    match (language, kind, precision) {
        (Language::OpenClC, DeviceKind::Cpu, _) => &[4, 8, 16],
        (Language::Wgsl, ..) => &[1, 4],
        (_, _, Precision::F64) => &[1, 2],
        _ => &[1, 2, 4],
    }
}

impl StreamPlan {
    fn valid(&self, caps: &Caps) -> bool {
        let ends_its_loop = self.via != Via::Language(Language::Wgsl)
            || caps.kind != DeviceKind::Cpu
            || rounds(&self.problem, self.width, self.group) * u64::from(self.problem.passes) <= MOST_ROUNDS.into();
        let grid = fold_grid(self.problem.parts.into(), caps.max_grid[0]);
        ends_its_loop && grid[1] <= caps.max_grid[1] && self.problem.elements <= u32::MAX.into()
    }

    fn kernel(&self, language: Language) -> KernelSpec {
        let problem = &self.problem;
        let precision = if problem.precision == Precision::F64 { "PRECISION_F64" } else { "PRECISION_F32" };
        let op = format!("OP_{}", problem.op.name().to_uppercase());
        let defines =
            || program::defines([("WIDTH", self.width), ("GROUP", self.group), (precision, 1), (op.as_str(), 1)]);
        let (source, defines) = match language {
            Language::CudaC => (Source::CudaC(CUDA.into()), defines()),
            Language::Wgsl => (Source::Wgsl(self.wgsl().into()), Vec::new()),
            _ => (Source::OpenClC(OPENCL.into()), defines()),
        };
        KernelSpec {
            source,
            entry: "stream".to_owned(),
            defines,
            group: [self.group, 1, 1],
            shared_bytes: 0,
            bindings: program::bindings(problem),
            params_bytes: 32,
        }
    }

    fn wgsl(&self) -> String {
        let values = minijinja::context! {
            width => self.width, group => self.group, unroll => UNROLL, op => self.problem.op.name(),
            real => self.problem.precision.storage().name(),
        };
        wgsl::render("stream.wgsl.j2", WGSL, values)
    }

    fn library(&self, name: &str) -> Program {
        let problem = &self.problem;
        let arguments = json!({
            "op": problem.op.name(), "elements": problem.elements, "parts": problem.parts, "passes": problem.passes,
            "type": problem.precision.storage().name(), "s": SCALAR,
        });
        program::library(problem, name, arguments)
    }

    /// Parameter block: vectors of a part, parts, passes, the offset of a pass, s as f32, up to 32 bytes.
    fn params(&self) -> Vec<u8> {
        let vectors = self.problem.part() / u64::from(self.width);
        let words = [vectors as u32, self.problem.parts, self.problem.passes, 0, SCALAR.to_bits(), 0, 0, 0];
        bytemuck::bytes_of(&words).to_vec()
    }
}

impl Plan for StreamPlan {
    fn variant(&self) -> String {
        self.via.variant("stream")
    }

    fn name(&self) -> String {
        match &self.via {
            Via::Language(_) => format!("stream-{}", self.width),
            Via::Library(library) => library.clone(),
        }
    }

    fn program(&self) -> Program {
        match &self.via {
            Via::Language(language) => {
                let grid = fold_grid(self.problem.parts.into(), self.max_grid_x);
                program::single(&self.problem, self.kernel(*language), grid, self.params())
            }
            Via::Library(name) => self.library(name),
        }
    }
}
