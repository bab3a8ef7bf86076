//! An operation from outside: `axpy`, z = α·x + y, in three languages, run through the conformance suite on every device.
//!
//!     cargo run --example add_operation
//!
//! An [`Operation`] makes [`Case`]s of shapes, a case has [`Plan`]s for a device, and a plan is a [`Program`]: plain data.
//! The host compiles no kernels and has no library for it, so there the case says why it is unsupported.

use accelbench::App;
use accelbench_backends::{Access, Caps, KernelSpec, Language, Source};
use accelbench_kernels::compare::Comparison;
use accelbench_kernels::program::fold_grid;
use accelbench_kernels::{
    BufferRole, BufferSpec, Case, Catalogue, LaunchSpec, NamedShape, Operation, Phase, Plan, Precision, Profile,
    Program, ShapeError, Tensor, TensorSpec, Verdict, Work,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::process::ExitCode;

fn main() -> ExitCode {
    accelbench_tests::conformance::main(app())
}

/// This operation alone; `Catalogue::builtin()` would have it beside the others, and `accelbench::main_with` would make
/// the whole program of it.
pub(crate) fn app() -> App {
    let catalogue = || {
        let mut catalogue = Catalogue::default();
        catalogue.register(Box::new(Axpy));
        catalogue
    };
    App { catalogue, ..App::builtin() }
}

const ALPHA: f64 = 2.5;
/// Work-items of a work-group.
const GROUP: u32 = 64;

// Element `i` is the same in all three: a grid may be folded, since its sides are limited.
const CUDA: &str = r#"
struct params_t { unsigned n, a, b, c; };
extern "C" __global__ void axpy(const REAL *x, const REAL *y, REAL *z, params_t params)
{
    unsigned i = (blockIdx.x + blockIdx.y * gridDim.x) * 64 + threadIdx.x;
    if (i < params.n)
        z[i] = (REAL)2.5 * x[i] + y[i];
}
"#;
const OPENCL: &str = "
typedef struct { uint n, a, b, c; } params_t;
kernel void axpy(global const REAL *x, global const REAL *y, global REAL *z, params_t params)
{
    uint i = (get_group_id(0) + get_group_id(1) * get_num_groups(0)) * 64 + get_local_id(0);
    if (i < params.n)
        z[i] = (REAL)2.5 * x[i] + y[i];
}
";
const WGSL: &str = "
@group(0) @binding(0) var<storage> x: array<REAL>;
@group(0) @binding(1) var<storage> y: array<REAL>;
@group(0) @binding(2) var<storage, read_write> z: array<REAL>;
@group(0) @binding(3) var<uniform> params: vec4<u32>;
@compute @workgroup_size(64)
fn axpy(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) item: u32)
{
    let i = (id.x + id.y * groups.x) * 64u + item;
    if (i < params.x) {
        z[i] = REAL(2.5) * x[i] + y[i];
    }
}
";

struct Axpy;

impl Operation for Axpy {
    fn name(&self) -> &'static str {
        "axpy"
    }

    fn summary(&self) -> &'static str {
        "z = 2.5·x + y for vectors of n elements"
    }

    fn grammar(&self) -> &'static str {
        "axpy:n=N"
    }

    fn precisions(&self) -> &'static [Precision] {
        &[Precision::F64, Precision::F32]
    }

    fn shapes(&self, _profile: Profile) -> Vec<NamedShape> {
        vec![NamedShape { fields: fields("16777216"), origin: "vector", phase: Phase::Ladder }]
    }

    fn conformance(&self) -> Vec<BTreeMap<String, String>> {
        ["1", "63", "64", "65", "100003", "5000011"].map(fields).into()
    }

    fn odd(&self, index: u64) -> Option<BTreeMap<String, String>> {
        Some(fields(&(index * 7919 % 5000 + 1).to_string()))
    }

    fn case(&self, precision: Precision, fields: &BTreeMap<String, String>) -> Result<Box<dyn Case>, ShapeError> {
        let n = fields.get("n").and_then(|n| n.parse().ok()).filter(|&n| n > 0 && fields.len() == 1);
        let n = n.ok_or_else(|| ShapeError("axpy needs n=NUMBER, from 1 on, and nothing else".into()))?;
        Ok(Box::new(Problem { precision, n }))
    }

    fn parse_shape_text(&self, text: &str) -> Result<BTreeMap<String, String>, ShapeError> {
        Ok(fields(text))
    }
}

fn fields(n: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("n".into(), n.into())])
}

#[derive(Clone, Copy)]
struct Problem {
    precision: Precision,
    n: u32,
}

impl Problem {
    fn tensor(self, name: &'static str) -> TensorSpec {
        TensorSpec { name, dtype: self.precision.storage(), elements: self.n.into() }
    }

    /// The kernel's source in a language that the device speaks, and its definitions.
    fn source(self, caps: &Caps) -> Option<(Source, Vec<(String, String)>)> {
        let double = self.precision == Precision::F64;
        let real = |name: &str| vec![("REAL".to_owned(), name.to_owned())];
        let c_type = if double { "double" } else { "float" };
        if caps.speaks(Language::CudaC) {
            Some((Source::CudaC(CUDA.into()), real(c_type)))
        } else if caps.speaks(Language::OpenClC) {
            Some((Source::OpenClC(OPENCL.into()), real(c_type)))
        } else if caps.speaks(Language::Wgsl) {
            // WGSL has no preprocessor.
            Some((Source::Wgsl(WGSL.replace("REAL", if double { "f64" } else { "f32" }).into()), Vec::new()))
        } else {
            None
        }
    }
}

impl Case for Problem {
    fn op(&self) -> &'static str {
        "axpy"
    }

    fn precision(&self) -> Precision {
        self.precision
    }

    fn shape_text(&self) -> String {
        self.n.to_string()
    }

    fn shape(&self) -> Map<String, Value> {
        Map::from_iter([("n".to_owned(), self.n.into())])
    }

    fn work(&self) -> Work {
        let n = f64::from(self.n);
        Work { flop: 2.0 * n, bytes: 3.0 * n * self.precision.storage().bytes() as f64 }
    }

    fn inputs(&self) -> Vec<TensorSpec> {
        vec![self.tensor("x"), self.tensor("y")]
    }

    fn output(&self) -> TensorSpec {
        self.tensor("z")
    }

    fn plans(&self, caps: &Caps) -> Vec<Box<dyn Plan>> {
        if self.missing(caps).is_some() {
            return Vec::new();
        }
        vec![Box::new(Simple { problem: *self, caps: caps.clone() })]
    }

    fn missing(&self, caps: &Caps) -> Option<String> {
        let no_language = || self.source(caps).is_none().then(|| "the device compiles no kernels".to_owned());
        self.precision.missing(caps).or_else(no_language)
    }

    fn verify(&self, inputs: &[Tensor], output: &Tensor) -> Verdict {
        let mut comparison = Comparison::new();
        for i in 0..self.n as usize {
            let (product, y) = (ALPHA * inputs[0].get(i), inputs[1].get(i));
            // A rounding after the product, which a fused multiplication spares, and one after the sum.
            let bound = self.precision.storage().ulp() * (product.abs() + (product + y).abs());
            comparison.element(output.get(i), product + y, bound, || format!("element {i}"));
        }
        comparison.verdict("elementwise")
    }
}

/// A work-item an element.
struct Simple {
    problem: Problem,
    caps: Caps,
}

impl Plan for Simple {
    fn variant(&self) -> String {
        "simple".into()
    }

    fn name(&self) -> String {
        "simple".into()
    }

    fn program(&self) -> Program {
        let n = self.problem.n;
        let bytes = self.problem.output().bytes();
        let buffer = |role| BufferSpec { role, bytes };
        let kernel = |(source, defines)| KernelSpec {
            source,
            entry: "axpy".into(),
            defines,
            group: [GROUP, 1, 1],
            shared_bytes: 0,
            bindings: vec![Access::Read, Access::Read, Access::Write],
            params_bytes: 16,
        };
        Program {
            buffers: vec![buffer(BufferRole::Input(0)), buffer(BufferRole::Input(1)), buffer(BufferRole::Output)],
            kernels: self.problem.source(&self.caps).map(kernel).into_iter().collect(),
            launches: vec![LaunchSpec {
                kernel: 0,
                buffers: vec![0, 1, 2],
                grid: fold_grid(n.div_ceil(GROUP).into(), self.caps.max_grid[0]),
                params: [n, 0, 0, 0].into_iter().flat_map(u32::to_le_bytes).collect(),
            }],
        }
    }
}
