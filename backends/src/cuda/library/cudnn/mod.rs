//! conv2d and attention by cuDNN's graph API.
//!
//! A function is a graph of operations ([`graph`]). For a graph the library names engine configurations; each that it
//! makes a plan of is timed, and the fastest plan is kept.

mod attention;
mod conv2d;
mod descriptor;
mod graph;

use super::api::cudnn as api;
use super::operands::{Types, random};
use super::race::{self, Candidate, Race};
use super::workspace::Workspace;
use super::{Function, Prepared};
use crate::cuda::context::Context;
use crate::{DType, Error, LibraryCall, Result};
use cudarc::cudnn::sys::cudnnBackendAttributeName_t as A;
use cudarc::cudnn::sys::cudnnBackendDescriptorType_t as D;
use cudarc::cudnn::sys::cudnnBackendNumericalNote_t as Note;
use cudarc::cudnn::sys::{
    cudnnBackendAttributeType_t, cudnnBackendHeurMode_t, cudnnDataType_t, cudnnHandle_t, cudnnStatus_t,
};
use cudarc::driver::sys::CUdeviceptr;
use descriptor::{Address, Descriptor, Link, Value};
use graph::Graph;
use std::cell::RefCell;
use std::ffi::{CStr, c_char};
use std::fmt::Write;
use std::ptr;
use std::rc::Rc;

/// What a plan may use beside the operands.
const WORKSPACE_BYTES: u64 = 1 << 30;
/// Plans that are timed at most: making one may compile code.
const MOST_PLANS: usize = 16;

/// A handle of the library on a device.
pub(super) struct Handle {
    context: Rc<Context>,
    workspace: Rc<Workspace>,
    raw: cudnnHandle_t,
}

impl Handle {
    /// The context is current.
    pub(super) fn new(context: &Rc<Context>, workspace: &Rc<Workspace>) -> Result<Self> {
        let mut raw = ptr::null_mut();
        // SAFETY: the place is of the handle's type.
        check("cudnnCreate", unsafe { api::cudnnCreate(&raw mut raw) })?;
        let handle = Self { context: Rc::clone(context), workspace: Rc::clone(workspace), raw };
        // SAFETY: handle and stream are live, and the stream outlives the handle.
        check("cudnnSetStream", unsafe { api::cudnnSetStream(raw, context.stream().cast()) })?;
        Ok(handle)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = self.context.enter();
        // SAFETY: the handle is this value's own.
        unsafe {
            let _ = api::cudnnDestroy(self.raw);
        }
    }
}

/// Prepares the function `conv2d` with its types, sizes and layout.
pub(super) fn conv2d(handle: &Rc<Handle>, call: &LibraryCall) -> Result<Prepared> {
    let types = Types::of(call)?;
    let mut refused = vec![
        Note::CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION,
        Note::CUDNN_NUMERICAL_NOTE_FFT,
        Note::CUDNN_NUMERICAL_NOTE_WINOGRAD,
        Note::CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4,
        Note::CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6,
        Note::CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13,
    ];
    if types.storage.bytes() > 2 {
        // TF32.
        refused.push(Note::CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS);
    }
    let (graph, elements) = conv2d::graph(call, types)?;
    prepare(handle, graph, types.storage, &elements, &refused)
}

/// Prepares the function `attention` with its types, sizes and mask.
pub(super) fn attention(handle: &Rc<Handle>, call: &LibraryCall) -> Result<Prepared> {
    let types = Types::of(call)?;
    let (graph, elements) = attention::graph(call, types)?;
    let refused: &[Note] = match types.storage {
        DType::Bf16 | DType::F16 => &[],
        _ => &[Note::CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS],
    };
    prepare(handle, graph, types.storage, &elements, refused)
}

/// Finds the fastest plan for a graph whose last buffer is its output; no plan has a `refused` note.
fn prepare(handle: &Rc<Handle>, graph: Graph, storage: DType, elements: &[u64], refused: &[Note]) -> Result<Prepared> {
    let context = &handle.context;
    let whole = graph.finish(handle)?;
    let (candidates, log) = candidates(handle, &whole, refused)?;
    let buffers = elements.iter().map(|&elements| random(context, storage, elements)).collect::<Result<Vec<_>>>()?;
    let starts: Vec<CUdeviceptr> = buffers.iter().map(|buffer| buffer.start).collect();
    let most = candidates.iter().map(|candidate| candidate.way.workspace_bytes).max().unwrap_or(0);
    let pack = Pack::new(&graph, &starts, handle.workspace.of(most)?)?;
    let Race { way: plan, name, log: times } = race::fastest(context, candidates, |plan| plan.execute(handle, &pack))?;
    let kernel = Fused { last: RefCell::new(None), plan, _whole: whole, graph, handle: Rc::clone(handle) };
    let bytes = elements.iter().map(|elements| elements * storage.bytes()).collect();
    Ok(Prepared { bytes, function: Box::new(kernel), algorithm: name, log: times + &log })
}

/// A graph with its plan.
struct Fused {
    /// That of the last launch: mostly the next has the same buffers.
    last: RefCell<Option<Pack>>,
    plan: Plan,
    /// What the plan refers to.
    _whole: Descriptor,
    graph: Graph,
    handle: Rc<Handle>,
}

impl Drop for Fused {
    fn drop(&mut self) {
        // The plan may still run, and its code goes with it.
        let context = &self.handle.context;
        let _ = context.enter().and_then(|()| context.synchronize());
    }
}

impl Function for Fused {
    fn run(&self, starts: &[CUdeviceptr]) -> Result<()> {
        let workspace = self.handle.workspace.of(self.plan.workspace_bytes)?;
        let mut last = self.last.borrow_mut();
        let pack = match last.take() {
            Some(pack) if pack.starts == starts && pack.workspace == workspace => pack,
            _ => Pack::new(&self.graph, starts, workspace)?,
        };
        self.plan.execute(&self.handle, last.insert(pack))
    }
}

/// An execution plan and what it refers to.
struct Plan {
    descriptor: Descriptor,
    _configuration: Descriptor,
    workspace_bytes: u64,
}

/// Plans for a graph, from the library's own suggestions, with a log of those that are none.
fn candidates(handle: &Handle, graph: &Descriptor, refused: &[Note]) -> Result<(Vec<Candidate<Plan>>, String)> {
    let mut log = String::new();
    let mut note = |what: &str, reason: &dyn std::fmt::Display| {
        let _ = writeln!(log, "     refused  {what}: {reason}");
    };
    let mut plans = Vec::new();
    for mode in [cudnnBackendHeurMode_t::CUDNN_HEUR_MODE_A, cudnnBackendHeurMode_t::CUDNN_HEUR_MODE_FALLBACK] {
        let configurations = configurations(graph, mode).unwrap_or_else(|error| {
            note(&format!("{mode:?}"), &error);
            Vec::new()
        });
        for configuration in configurations {
            let name = name(&configuration);
            match plan(handle, configuration, refused) {
                Ok(way) => plans.push(Candidate { name: format!("{name}, workspace {}", way.workspace_bytes), way }),
                Err(error) => note(&name, &error),
            }
            if plans.len() == MOST_PLANS {
                break;
            }
        }
        if !plans.is_empty() {
            return Ok((plans, log));
        }
    }
    Err(Error::unsupported(format!("cudnn has no plan for this:\n{log}")))
}

/// The engine configurations that the library suggests, the one that it takes for the fastest first.
fn configurations(graph: &Descriptor, mode: cudnnBackendHeurMode_t) -> Result<Vec<Descriptor>> {
    let heuristic = Descriptor::new(D::CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR)?;
    heuristic.set(A::CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, &[graph.link()])?;
    heuristic.set(A::CUDNN_ATTR_ENGINEHEUR_MODE, &[mode])?;
    heuristic.finalize()?;
    let count = heuristic.count(A::CUDNN_ATTR_ENGINEHEUR_RESULTS, Link::TYPE)?;
    let make = |_| Descriptor::new(D::CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    let mut configurations = (0..count).map(make).collect::<Result<Vec<_>>>()?;
    let filled = heuristic.fill(A::CUDNN_ATTR_ENGINEHEUR_RESULTS, &configurations)?;
    configurations.truncate(filled);
    Ok(configurations)
}

/// A configuration's engine and how its knobs are turned, in the library's own numbers.
fn name(configuration: &Descriptor) -> String {
    let engine = engine(configuration).and_then(|engine| engine.number(A::CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
    let engine = engine.map_or_else(|_| "engine unknown".to_owned(), |number| format!("engine {number}"));
    let knobs: Vec<String> = knobs(configuration)
        .unwrap_or_default()
        .into_iter()
        .map(|(knob, value)| format!("knob {knob} at {value}"))
        .collect();
    [vec![engine], knobs].concat().join(", ")
}

fn engine(configuration: &Descriptor) -> Result<Descriptor> {
    let engine = Descriptor::new(D::CUDNN_BACKEND_ENGINE_DESCRIPTOR)?;
    configuration.fill(A::CUDNN_ATTR_ENGINECFG_ENGINE, std::slice::from_ref(&engine))?;
    Ok(engine)
}

fn knobs(configuration: &Descriptor) -> Result<Vec<(u32, i64)>> {
    let count = configuration.count(A::CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, Link::TYPE)?;
    let make = |_| Descriptor::new(D::CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
    let knobs = (0..count).map(make).collect::<Result<Vec<_>>>()?;
    let filled = configuration.fill(A::CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, &knobs)?;
    let read = |knob: &Descriptor| {
        let kind = cudnnBackendAttributeType_t::CUDNN_TYPE_KNOB_TYPE;
        let codes = knob.codes(A::CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, kind)?;
        Ok((codes.first().copied().unwrap_or_default(), knob.number(A::CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE)?))
    };
    knobs[..filled].iter().map(read).collect()
}

/// The plan of a configuration whose engine has none of the `refused` notes.
fn plan(handle: &Handle, configuration: Descriptor, refused: &[Note]) -> Result<Plan> {
    let kind = cudnnBackendAttributeType_t::CUDNN_TYPE_NUMERICAL_NOTE;
    let notes = engine(&configuration)?.codes(A::CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, kind)?;
    if let Some(note) = refused.iter().find(|&&note| notes.contains(&(note as u32))) {
        return Err(Error::unsupported(format!("left out for its {note:?}")));
    }
    let plan = Descriptor::new(D::CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR)?;
    plan.set(A::CUDNN_ATTR_EXECUTION_PLAN_HANDLE, &[handle.raw])?;
    plan.set(A::CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, &[configuration.link()])?;
    plan.finalize()?;
    let bytes = plan.number(A::CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE)?;
    match u64::try_from(bytes) {
        Ok(workspace_bytes) if workspace_bytes <= WORKSPACE_BYTES => {
            Ok(Plan { descriptor: plan, _configuration: configuration, workspace_bytes })
        }
        _ => Err(Error::unsupported(format!("it needs a workspace of {bytes} bytes"))),
    }
}

impl Plan {
    /// Puts it into the stream.
    fn execute(&self, handle: &Handle, pack: &Pack) -> Result<()> {
        // SAFETY: the pack names every tensor of the plan's graph, and memory that holds what the graph says.
        check("cudnnBackendExecute", unsafe {
            api::cudnnBackendExecute(handle.raw, self.descriptor.raw(), pack.descriptor.raw())
        })
    }
}

/// What a launch tells the library: which tensor lies where.
struct Pack {
    starts: Vec<CUdeviceptr>,
    workspace: CUdeviceptr,
    descriptor: Descriptor,
}

impl Pack {
    fn new(graph: &Graph, starts: &[CUdeviceptr], workspace: CUdeviceptr) -> Result<Self> {
        let scalars = graph.scalars.iter().map(|(tensor, bits)| (*tensor, Address(ptr::from_ref::<u32>(bits) as u64)));
        let buffers = graph.buffers.iter().zip(starts).map(|(&tensor, &start)| (tensor, Address(start)));
        let (tensors, addresses): (Vec<i64>, Vec<Address>) = buffers.chain(scalars).unzip();
        let descriptor = Descriptor::new(D::CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)?;
        descriptor.set(A::CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, &tensors)?;
        descriptor.set(A::CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, &addresses)?;
        descriptor.set(A::CUDNN_ATTR_VARIANT_PACK_WORKSPACE, &[Address(workspace)])?;
        descriptor.finalize()?;
        Ok(Self { starts: starts.to_vec(), workspace, descriptor })
    }
}

fn data_type(dtype: DType) -> cudnnDataType_t {
    match dtype {
        DType::F64 => cudnnDataType_t::CUDNN_DATA_DOUBLE,
        DType::F32 | DType::Tf32 => cudnnDataType_t::CUDNN_DATA_FLOAT,
        DType::Bf16 => cudnnDataType_t::CUDNN_DATA_BFLOAT16,
        DType::F16 => cudnnDataType_t::CUDNN_DATA_HALF,
        DType::F8E4M3 => cudnnDataType_t::CUDNN_DATA_FP8_E4M3,
        DType::I32 => cudnnDataType_t::CUDNN_DATA_INT32,
        DType::I8 => cudnnDataType_t::CUDNN_DATA_INT8,
    }
}

fn check(call: &'static str, status: cudnnStatus_t) -> Result<()> {
    // As a number: a library may know more codes than the bindings.
    let code = status as u32;
    if code == 0 {
        return Ok(());
    }
    let mut message = [0_u8; 512];
    // SAFETY: the library names every code by a constant text, and its message fits into the room that is told.
    let name = unsafe {
        api::cudnnGetLastErrorString(message.as_mut_ptr().cast::<c_char>(), message.len());
        CStr::from_ptr(api::cudnnGetErrorString(status)).to_string_lossy().into_owned()
    };
    let message = CStr::from_bytes_until_nul(&message).map(CStr::to_string_lossy).unwrap_or_default();
    let name = if message.is_empty() { name } else { format!("{name}: {}", message.trim()) };
    // All of these say that there is no code for what was asked.
    if (3000..4000).contains(&code) {
        return Err(Error::unsupported(format!("{call}: {name}")));
    }
    Err(Error::Driver { api: "cuda", call, code: code.into(), name })
}
