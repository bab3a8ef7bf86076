//! A plan made concrete: the buffers, kernels and launches that compute one case on one kind of device.

use crate::{Case, fields};
use accelbench_backends::{Access, Caps, KernelSpec, Language, LibraryCall, Source};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// What a buffer of a program holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BufferRole {
    /// The case's input with this index in [`Case::inputs`].
    Input(usize),
    /// The case's output.
    Output,
    /// Memory of the program's own, such as packed panels. Its content on entry is undefined.
    Scratch,
}

/// A buffer of a program.
#[derive(Clone, Debug)]
pub struct BufferSpec {
    /// What it holds.
    pub role: BufferRole,
    /// Its size.
    pub bytes: u64,
}

/// One launch of a program. Launches run in order, each seeing what those before it wrote.
#[derive(Clone, Debug)]
pub struct LaunchSpec {
    /// Index into [`Program::kernels`].
    pub kernel: usize,
    /// Indices into [`Program::buffers`], in the order of the kernel's bindings.
    pub buffers: Vec<usize>,
    /// Work-groups in x, y and z.
    pub grid: [u32; 3],
    /// The parameter block.
    pub params: Vec<u8>,
}

/// All that a device needs to compute one case: plain data.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its buffers.
    pub buffers: Vec<BufferSpec>,
    /// Its kernels.
    pub kernels: Vec<KernelSpec>,
    /// One run of the operation.
    pub launches: Vec<LaunchSpec>,
}

impl Program {
    /// Bytes of device memory that the program holds at once.
    pub fn bytes(&self) -> u64 {
        self.buffers.iter().map(|buffer| buffer.bytes).sum()
    }

    /// SHA-256 over every kernel's language, source, entry point and definitions, in hexadecimal.
    pub fn source_sha256(&self) -> String {
        let mut hash = Sha256::new();
        for kernel in &self.kernels {
            let language: Language = kernel.source.language();
            hash.update(format!("{language:?}\0{}\0{}\0", kernel.source.text(), kernel.entry));
            for (name, value) in &kernel.defines {
                hash.update(format!("{name}={value}\0"));
            }
        }
        hash.finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// The buffers of a case's inputs, in order, and of its output.
pub(crate) fn operands(case: &dyn Case) -> Vec<BufferSpec> {
    let inputs = case.inputs().into_iter().enumerate().map(|(index, spec)| (BufferRole::Input(index), spec));
    let all = inputs.chain([(BufferRole::Output, case.output())]);
    all.map(|(role, spec)| BufferSpec { role, bytes: spec.bytes() }).collect()
}

/// How a kernel binds [`operands`]: it reads the inputs and writes the output.
pub(crate) fn bindings(case: &dyn Case) -> Vec<Access> {
    [vec![Access::Read; case.inputs().len()], vec![Access::Write]].concat()
}

/// The program that launches one kernel once over [`operands`].
pub(crate) fn single(case: &dyn Case, kernel: KernelSpec, grid: [u32; 3], params: Vec<u8>) -> Program {
    let buffers = operands(case);
    let launch = LaunchSpec { kernel: 0, buffers: (0..buffers.len()).collect(), grid, params };
    Program { buffers, kernels: vec![kernel], launches: vec![launch] }
}

/// The libraries whose function of the operation's name computes a case when it is called with these arguments: those
/// that are part of this program, and those that the device found on the machine. Each list has the preferred one first.
pub(crate) fn libraries(case: &dyn Case, caps: &Caps, arguments: &Value) -> [Vec<String>; 2] {
    let arguments = fields::object(arguments.clone());
    let able = |name: &&String| case.missing(caps).is_none() && caps.takes(name, case.op(), &arguments);
    let (found, own) =
        caps.libraries(case.op()).iter().filter(able).cloned().partition(|name| caps.external.contains_key(name));
    [own, found]
}

/// The program that calls a library's function of the operation's name over [`operands`]: prepared with all sizes, so
/// that a launch needs no parameter. `arguments` is a JSON object.
pub(crate) fn library(case: &dyn Case, library: &str, arguments: Value) -> Program {
    let kernel = KernelSpec {
        source: Source::Library(LibraryCall {
            library: library.to_owned(),
            function: case.op().to_owned(),
            arguments: fields::object(arguments),
        }),
        entry: case.op().to_owned(),
        defines: Vec::new(),
        group: [1, 1, 1],
        shared_bytes: 0,
        bindings: bindings(case),
        params_bytes: 0,
    };
    single(case, kernel, [1, 1, 1], Vec::new())
}

/// A kernel's definitions, from numbers.
pub(crate) fn defines<'a>(numbers: impl IntoIterator<Item = (&'a str, u32)>) -> Vec<(String, String)> {
    numbers.into_iter().map(|(name, value)| (name.to_owned(), value.to_string())).collect()
}

/// Folds a number of work-groups into a grid whose x side stays under a device's limit. Kernels take
/// `x + y * width_of_the_grid` as their number and return at once where it is not below `groups`.
pub fn fold_grid(groups: u64, max_x: u32) -> [u32; 3] {
    let width = groups.min(u64::from(max_x)).max(1);
    let height = groups.div_ceil(width).max(1);
    // Evened out, so that the last row is nearly full.
    let width = groups.div_ceil(height).max(1);
    [width as u32, height as u32, 1]
}
