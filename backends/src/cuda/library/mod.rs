//! The maker's libraries as kernels: a function of theirs, prepared with all sizes, is launched like any other kernel.
//!
//! | function | library | covers |
//! |---|---|---|
//! | `gemm` | cuBLASLt 12 and newer | f64, f32, tf32, bf16, f16 with sums in f32 or in f16, all four layouts; f8e4m3 and i8 where sums run along the rows of both matrices |
//! | `conv2d` | cuDNN 9 and newer, graph API | f64, f32, bf16 and f16 with sums in f32; both layouts, strides, padding, dilation, groups |
//! | `attention` | cuDNN 9 and newer, graph API | what cuDNN fuses: bf16 and f16 with sums in f32, head sizes in multiples of 8; causal or not, shared key heads |
//!
//! A library offers many algorithms for a problem and orders them by a guess. So all that it offers are timed when the
//! function is prepared, on memory of their own that holds random numbers, and the fastest is kept; the kernel's log
//! says what was timed. What would not keep the promised precision takes no part: TF32 where f32 was asked for, sums in
//! f16 that should be in f32, and, in cuDNN, Winograd and FFT, whose rounding is not that of a sum.
//!
//! What a library has no algorithm for is [`Unsupported`](crate::Error::Unsupported), with its own words.

mod api;
mod cublaslt;
mod cudnn;
mod operands;
mod race;
mod workspace;

use super::context::Context;
use super::kernel::CudaKernel;
use super::memory::CudaMemory;
use crate::DType::{self, Bf16, F8E4M3, F16, F32, F64, I8, I32, Tf32};
use crate::{DeviceToken, Error, Kernel, KernelSpec, Launch, LibraryCall, LibraryForm, Result};
use api::Optional;
use cudarc::driver::sys::CUdeviceptr;
use serde_json::Value;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use workspace::Workspace;

/// Types that a function takes: that of its operands and that of its sums.
type Types = &'static [(DType, DType)];

/// Functions, the library that has each, and what it takes.
static FUNCTIONS: [(&str, &Optional, Types); 3] = [
    (
        "gemm",
        &api::cublaslt::LIBRARY,
        &[(F64, F64), (F32, F32), (Tf32, F32), (Bf16, F32), (F16, F32), (F16, F16), (F8E4M3, F32), (I8, I32)],
    ),
    ("conv2d", &api::cudnn::LIBRARY, &[(F64, F64), (F32, F32), (Bf16, F32), (F16, F32)]),
    ("attention", &api::cudnn::LIBRARY, &[(Bf16, F32), (F16, F32)]),
];

/// The libraries that were found, by function.
pub(super) fn offered() -> BTreeMap<String, Vec<String>> {
    let found = FUNCTIONS.iter().filter(|(_, library, _)| library.version().is_ok());
    found.map(|(function, library, _)| ((*function).to_owned(), vec![library.name.to_owned()])).collect()
}

/// What the functions take.
pub(super) fn forms() -> Vec<LibraryForm> {
    let forms = FUNCTIONS.iter().flat_map(|(function, library, types)| {
        types.iter().map(|(storage, accumulate)| LibraryForm {
            library: library.name.to_owned(),
            function: (*function).to_owned(),
            arguments: [("storage", storage), ("accumulate", accumulate)]
                .map(|(name, dtype)| (name.to_owned(), dtype.name().into()))
                .into_iter()
                .chain(layout(*storage))
                .collect(),
        })
    });
    forms.collect()
}

/// The layout that a type of operands comes in alone, as arguments.
fn layout(storage: DType) -> impl Iterator<Item = (String, Value)> {
    let along = [("trans_a", false), ("trans_b", true)].map(|(name, value)| (name.to_owned(), value.into()));
    along.into_iter().filter(move |_| storage.bytes() == 1)
}

/// Each library: its name, and its version or why it is missing.
pub(super) fn versions() -> impl Iterator<Item = (&'static str, std::result::Result<&'static str, &'static str>)> {
    [&api::cublaslt::LIBRARY, &api::cudnn::LIBRARY].into_iter().map(|library| (library.name, library.version()))
}

/// A device's handles of the libraries, made when they are first needed.
pub(super) struct Libraries {
    context: Rc<Context>,
    workspace: Rc<Workspace>,
    cublaslt: OnceCell<Rc<cublaslt::Handle>>,
    cudnn: OnceCell<Rc<cudnn::Handle>>,
}

impl Libraries {
    pub(super) fn new(context: &Rc<Context>) -> Self {
        Self {
            context: Rc::clone(context),
            workspace: Rc::new(Workspace::new(context)),
            cublaslt: OnceCell::new(),
            cudnn: OnceCell::new(),
        }
    }

    /// Prepares a function as a kernel: finds out which of the library's algorithms is the fastest.
    pub(super) fn compile(&self, token: DeviceToken, spec: &KernelSpec, call: &LibraryCall) -> Result<Kernel> {
        let (library, function) = (call.library.as_str(), call.function.as_str());
        let known = FUNCTIONS.iter().find(|(name, optional, _)| *name == function && optional.name == library);
        let Some((_, optional, _)) = known else {
            return Err(Error::unsupported(format!("cuda has no {library}::{function}")));
        };
        let version = optional.version().map_err(Error::unsupported)?;
        self.context.enter()?;
        let prepared = match function {
            "gemm" => cublaslt::gemm(self.cublaslt()?, call)?,
            "conv2d" => cudnn::conv2d(self.cudnn()?, call)?,
            _ => cudnn::attention(self.cudnn()?, call)?,
        };
        let Prepared { bytes, function, algorithm, log } = prepared;
        if spec.bindings.len() != bytes.len() || spec.params_bytes != 0 {
            return Err(Error::invalid(format!("{} takes {} buffers and no parameters", spec.entry, bytes.len())));
        }
        let log = format!("{library} {version}\n{log}");
        let kernel = CudaKernel::Library(LibraryKernel { bytes, function, context: Rc::clone(&self.context) });
        Ok(Kernel::new(token, spec, log, kernel).by(format!("{library} {version}: {algorithm}")))
    }

    fn cublaslt(&self) -> Result<&Rc<cublaslt::Handle>> {
        made(&self.cublaslt, || cublaslt::Handle::new(&self.context, &self.workspace))
    }

    fn cudnn(&self) -> Result<&Rc<cudnn::Handle>> {
        made(&self.cudnn, || cudnn::Handle::new(&self.context, &self.workspace))
    }
}

/// What the cell holds, made if it is empty. (`OnceCell::get_or_try_init` is not stable.)
fn made<T>(cell: &OnceCell<Rc<T>>, make: impl FnOnce() -> Result<T>) -> Result<&Rc<T>> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = Rc::new(make()?);
    Ok(cell.get_or_init(|| value))
}

/// A function that is ready, and how its algorithm was found.
struct Prepared {
    /// What its buffers must hold, in bytes.
    bytes: Vec<u64>,
    function: Box<dyn Function>,
    algorithm: String,
    log: String,
}

/// What a library does with the addresses of its buffers.
trait Function {
    /// Puts it into the context's stream. The context is current.
    fn run(&self, starts: &[CUdeviceptr]) -> Result<()>;
}

/// The error of a library's call; where the device is gone, that says more than the library does.
fn cause(context: &Context, error: Error) -> Error {
    match context.synchronize() {
        Err(lost @ Error::DeviceLost { .. }) => lost,
        _ => error,
    }
}

/// A prepared function.
pub(super) struct LibraryKernel {
    bytes: Vec<u64>,
    function: Box<dyn Function>,
    context: Rc<Context>,
}

impl LibraryKernel {
    /// Puts a checked launch into the stream.
    pub(super) fn launch(&self, token: DeviceToken, launch: &Launch<'_>) -> Result<()> {
        let mut starts = [0; 4];
        for ((buffer, &needed), start) in launch.buffers.iter().zip(&self.bytes).zip(&mut starts) {
            buffer.check_range(0, needed)?;
            *start = buffer.inner::<CudaMemory>(token)?.start;
        }
        self.function.run(&starts[..self.bytes.len()]).map_err(|error| cause(&self.context, error))
    }
}
