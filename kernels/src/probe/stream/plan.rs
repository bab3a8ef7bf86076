//! The vectors that a device may like to load and store.

use super::{Op, SCALAR, StreamProblem};
use crate::program::fold_grid;
use crate::{BufferRole, BufferSpec, LaunchSpec, Plan, Precision, Program, wgsl};
use accelbench_backends::{Access, Caps, DeviceKind, KernelSpec, Language, LibraryCall, Source};
use serde_json::json;

const OPENCL: &str = include_str!("stream.cl");
const CUDA: &str = include_str!("stream.cu");
const WGSL: &str = include_str!("stream.wgsl.j2");

/// Work-items of a work-group, where a work-group is more than one vector.
const GROUP: u32 = 256;
/// Vectors that a work-item has on their way at a time.
const UNROLL: u32 = 4;
/// A common software driver of Vulkan ends all loops of a work-item, without a word, after 65 535 rounds altogether.
const MOST_ROUNDS: u64 = 65_000;

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

/// How a device is reached.
#[derive(Clone, Debug, PartialEq)]
enum Via {
    Language(Language),
    Library(String),
}

/// The plans for a problem on such a device.
pub(super) fn candidates(problem: &StreamProblem, caps: &Caps) -> Vec<Box<dyn Plan>> {
    if problem.precision.missing(caps).is_some() {
        return Vec::new();
    }
    let mut plans = Vec::new();
    let languages = [Language::CudaC, Language::OpenClC, Language::Wgsl];
    for language in languages.into_iter().filter(|&language| caps.speaks(language)) {
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
    problem.passes.min((MOST_ROUNDS / rounds) as u32).max(1)
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

/// One work-item a work-group where a CPU runs work-items one after another, a sub-group where it makes a vector of them.
fn group(language: Language, caps: &Caps) -> u32 {
    match (language, caps.kind) {
        (Language::OpenClC, DeviceKind::Cpu) => 1,
        (_, DeviceKind::Cpu) => caps.subgroup.map_or(8, |(smallest, _)| smallest),
        // A power of two, for the sum over a group.
        _ => GROUP.min(1 << caps.max_group_items.ilog2()),
    }
}

impl StreamPlan {
    fn valid(&self, caps: &Caps) -> bool {
        let ends_its_loop = self.via != Via::Language(Language::Wgsl)
            || caps.kind != DeviceKind::Cpu
            || rounds(&self.problem, self.width, self.group) * u64::from(self.problem.passes) <= MOST_ROUNDS;
        let grid = fold_grid(self.problem.parts.into(), caps.max_grid[0]);
        ends_its_loop && grid[1] <= caps.max_grid[1] && self.problem.elements <= u32::MAX.into()
    }

    fn source(&self) -> (Source, Vec<(String, String)>) {
        let double = self.problem.precision == Precision::F64;
        let defines = || {
            let number = |name: &str, value: u32| (name.to_owned(), value.to_string());
            vec![
                number("WIDTH", self.width),
                number("GROUP", self.group),
                number(if double { "PRECISION_F64" } else { "PRECISION_F32" }, 1),
                number(&format!("OP_{}", self.problem.op.name().to_uppercase()), 1),
            ]
        };
        match &self.via {
            Via::Language(Language::CudaC) => (Source::CudaC(CUDA.into()), defines()),
            Via::Language(Language::Wgsl) => (Source::Wgsl(self.wgsl().into()), Vec::new()),
            Via::Language(_) => (Source::OpenClC(OPENCL.into()), defines()),
            Via::Library(library) => (Source::Library(self.call(library)), Vec::new()),
        }
    }

    fn wgsl(&self) -> String {
        let values = minijinja::context! {
            width => self.width, group => self.group, unroll => UNROLL, op => self.problem.op.name(),
            real => self.problem.precision.storage().name(),
        };
        wgsl::render("stream.wgsl.j2", WGSL, values)
    }

    fn call(&self, library: &str) -> LibraryCall {
        let problem = &self.problem;
        let arguments = json!({
            "op": problem.op.name(), "elements": problem.elements, "parts": problem.parts, "passes": problem.passes,
            "type": problem.precision.storage().name(), "s": SCALAR,
        });
        LibraryCall {
            library: library.to_owned(),
            function: "stream".to_owned(),
            arguments: arguments.as_object().cloned().unwrap_or_default(),
        }
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
        match &self.via {
            Via::Language(_) => "stream".to_owned(),
            Via::Library(library) => library.clone(),
        }
    }

    fn name(&self) -> String {
        match &self.via {
            Via::Language(_) => format!("stream-{}", self.width),
            Via::Library(library) => library.clone(),
        }
    }

    fn program(&self) -> Program {
        let problem = &self.problem;
        let element = problem.precision.storage().bytes();
        let inputs = problem.op.inputs();
        let written = if problem.op == Op::Dot { u64::from(problem.parts) } else { problem.elements };
        let mut buffers: Vec<BufferSpec> = (0..inputs)
            .map(|input| BufferSpec { role: BufferRole::Input(input), bytes: problem.elements * element })
            .collect();
        buffers.push(BufferSpec { role: BufferRole::Output, bytes: written * element });
        let (params, grid) = match self.via {
            Via::Language(_) => (self.params(), fold_grid(problem.parts.into(), self.max_grid_x)),
            Via::Library(_) => (Vec::new(), [1, 1, 1]),
        };
        let (source, defines) = self.source();
        Program {
            kernels: vec![KernelSpec {
                source,
                entry: "stream".to_owned(),
                defines,
                group: [self.group, 1, 1],
                shared_bytes: 0,
                bindings: [vec![Access::Read; inputs], vec![Access::Write]].concat(),
                params_bytes: params.len() as u32,
            }],
            launches: vec![LaunchSpec { kernel: 0, buffers: (0..buffers.len()).collect(), grid, params }],
            buffers,
        }
    }
}
