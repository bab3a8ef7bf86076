//! Code for a device: what is asked of its compiler, and what comes back.

use crate::{DeviceToken, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a kernel is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// CUDA C++, compiled by NVRTC.
    CudaC,
    /// OpenCL C 1.2.
    OpenClC,
    /// WGSL.
    Wgsl,
    /// A function of a library that the device offers.
    Library,
}

/// A kernel's source.
#[derive(Clone, Debug)]
pub enum Source {
    /// CUDA C++ text.
    CudaC(Cow<'static, str>),
    /// OpenCL C text.
    OpenClC(Cow<'static, str>),
    /// WGSL text, with every name already substituted.
    Wgsl(Cow<'static, str>),
    /// A call into a library that the device offers.
    Library(LibraryCall),
}

impl Source {
    /// The language it is written in.
    pub fn language(&self) -> Language {
        match self {
            Self::CudaC(_) => Language::CudaC,
            Self::OpenClC(_) => Language::OpenClC,
            Self::Wgsl(_) => Language::Wgsl,
            Self::Library(_) => Language::Library,
        }
    }

    /// The text, for hashing and for logs; a library call gives its description.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::CudaC(text) | Self::OpenClC(text) | Self::Wgsl(text) => Cow::Borrowed(text),
            Self::Library(call) => {
                Cow::Owned(format!("{}::{} {}", call.library, call.function, Value::Object(call.arguments.clone())))
            }
        }
    }
}

/// A function of a library, with its arguments as data, so that the seam needs no method for any operation.
#[derive(Clone, Debug, PartialEq)]
pub struct LibraryCall {
    /// The library, one of those that [`Caps::libraries`](crate::Caps::libraries) lists for the function.
    pub library: String,
    /// The function, such as `gemm`.
    pub function: String,
    /// What the function is told when it is prepared: types, shapes, layouts.
    pub arguments: Map<String, Value>,
}

impl LibraryCall {
    /// An argument that is a whole number.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when it is missing or no such number.
    pub fn size(&self, name: &str) -> Result<usize> {
        self.arguments
            .get(name)
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
            .ok_or_else(|| Error::invalid(format!("{}::{} needs a whole number `{name}`", self.library, self.function)))
    }

    /// An argument that is true or false.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when it is missing or neither.
    pub fn flag(&self, name: &str) -> Result<bool> {
        self.arguments
            .get(name)
            .and_then(Value::as_bool)
            .ok_or_else(|| Error::invalid(format!("{}::{} needs a flag `{name}`", self.library, self.function)))
    }

    /// An argument that is text.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when it is missing or no text.
    pub fn text(&self, name: &str) -> Result<&str> {
        self.arguments
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| Error::invalid(format!("{}::{} needs a text `{name}`", self.library, self.function)))
    }
}

/// How a kernel uses a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Only read.
    Read,
    /// Written, and perhaps read.
    Write,
}

/// All that a device's compiler is told of a kernel.
///
/// A kernel's parameters are its buffers, in order, and then, where `params_bytes` is not 0, one block of plain data:
/// a struct passed by value in CUDA C and OpenCL C, a uniform buffer at the next binding number of group 0 in WGSL.
#[derive(Clone, Debug)]
pub struct KernelSpec {
    /// The source.
    pub source: Source,
    /// The entry point's name.
    pub entry: String,
    /// Preprocessor definitions (`-D name=value`); WGSL has none, so they must be empty there.
    pub defines: Vec<(String, String)>,
    /// Work-items (threads) of a work-group in x, y and z. WGSL states them in the source too; both must agree.
    pub group: [u32; 3],
    /// Bytes of dynamically sized local (shared) memory, beyond what the source declares; CUDA C only.
    pub shared_bytes: u32,
    /// How each buffer is used, in the order of the parameters.
    pub bindings: Vec<Access>,
    /// Bytes of the parameter block; 0 for none. A multiple of 4.
    pub params_bytes: u32,
}

impl KernelSpec {
    /// The error for a device that does not speak this source's language.
    pub fn wrong_language(&self, api: &'static str) -> Error {
        Error::unsupported(format!("{api} compiles no {:?}", self.source.language()))
    }
}

/// A compiled kernel of one device.
pub struct Kernel {
    token: DeviceToken,
    id: u64,
    group: [u32; 3],
    bindings: Vec<Access>,
    params_bytes: u32,
    log: String,
    algorithm: Option<String>,
    inner: Box<dyn Any>,
}

impl Kernel {
    /// Wraps a backend's own handle; `log` is what the compiler said, kept also when it succeeded.
    pub fn new(token: DeviceToken, spec: &KernelSpec, log: String, inner: impl Any) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            token,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            group: spec.group,
            bindings: spec.bindings.clone(),
            params_bytes: spec.params_bytes,
            log,
            algorithm: None,
            inner: Box::new(inner),
        }
    }

    /// The same, of a library that had a choice and took this algorithm.
    #[must_use]
    pub fn by(self, algorithm: String) -> Self {
        Self { algorithm: Some(algorithm), ..self }
    }

    /// A number that no other kernel of this process has or had.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Work-items of a work-group.
    pub fn group(&self) -> [u32; 3] {
        self.group
    }

    /// How each buffer is used.
    pub fn bindings(&self) -> &[Access] {
        &self.bindings
    }

    /// Bytes of the parameter block.
    pub fn params_bytes(&self) -> u32 {
        self.params_bytes
    }

    /// What the compiler said: warnings, registers, spills.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// What a library that had a choice computes with: its version and the algorithm, in its own words.
    pub fn algorithm(&self) -> Option<&str> {
        self.algorithm.as_deref()
    }

    /// Checks that this kernel is of the device that `token` names.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`] when another device made it.
    pub fn check_owner(&self, token: DeviceToken) -> Result<()> {
        if self.token == token { Ok(()) } else { Err(Error::ForeignHandle { what: "kernel" }) }
    }

    /// The backend's own handle.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`] when another device made this kernel.
    pub fn inner<T: Any>(&self, token: DeviceToken) -> Result<&T> {
        self.check_owner(token)?;
        self.inner.downcast_ref().ok_or(Error::ForeignHandle { what: "kernel" })
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel").field("id", &self.id).field("group", &self.group).finish_non_exhaustive()
    }
}
