//! The seam: what every backend offers, and nothing that only one of them could.

use crate::{Buffer, Caps, Command, Error, Kernel, KernelSpec, PhysicalId, Presence, Result, Span, Ticket};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

/// One API on this machine.
pub trait Driver: Send + Sync {
    /// The backend's id: lower-case, and the part before the colon of its devices' ids.
    fn id(&self) -> &'static str;

    /// How the names of environment variables start that change what this API's loaders and drivers do: results are
    /// kept with those that were set.
    fn environment(&self) -> &'static [&'static str] {
        &[]
    }

    /// Looks for the API and its devices. It never panics, and a missing or broken driver is an answer like any other.
    fn probe(&self) -> Presence;

    /// Opens the device with this index.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is none.
    fn open(&self, index: u32) -> Result<Box<dyn Device>>;
}

/// An open device. Everything happens in the order of the calls; only [`submit`](Device::submit) returns before its work
/// is done.
pub trait Device {
    /// Who it is and what it can do.
    fn info(&self) -> &DeviceInfo;

    /// Allocates memory. Its content is undefined.
    ///
    /// # Errors
    /// `OutOfMemory` or `LimitExceeded`, with both numbers; `InvalidArgument` for 0 bytes.
    fn alloc(&self, bytes: u64) -> Result<Buffer>;

    /// Allocates page-locked host memory, which the device reaches by itself: one end of a
    /// [`Command::Copy`] whose other end is the device's memory. Uploads and downloads reach it,
    /// kernels and fills don't.
    ///
    /// # Errors
    /// As [`alloc`](Device::alloc), and `Unsupported` with the reason where the API has no such memory.
    fn alloc_pinned(&self, bytes: u64) -> Result<Buffer> {
        let _ = bytes;
        Err(Error::unsupported("this backend offers no page-locked memory"))
    }

    /// Copies from the host; when it returns, `src` may be reused.
    ///
    /// # Errors
    /// `InvalidArgument` when the range is outside the buffer.
    fn upload(&self, dst: &Buffer, offset: u64, src: &[u8]) -> Result<()>;

    /// Waits for all work so far and copies to the host.
    ///
    /// # Errors
    /// `InvalidArgument` when the range is outside the buffer.
    fn download(&self, src: &Buffer, offset: u64, dst: &mut [u8]) -> Result<()>;

    /// Compiles a kernel, or looks up a library's function.
    ///
    /// # Errors
    /// `Compile` with the whole log; `Unsupported` for a language or a library that is not there.
    fn compile(&self, spec: &KernelSpec) -> Result<Kernel>;

    /// Checks the commands, hands them to the device and returns at once.
    ///
    /// # Errors
    /// `InvalidArgument`, `LimitExceeded` and `ForeignHandle` before anything was handed over.
    fn submit(&self, commands: &[Command<'_>]) -> Result<Ticket>;

    /// Waits for a submission and returns its spans in order.
    ///
    /// # Errors
    /// `DeviceLost` when the device went away under it.
    fn wait(&self, ticket: Ticket) -> Result<Vec<Span>>;

    /// The device's memory now.
    ///
    /// # Errors
    /// Only what the driver reports.
    fn memory(&self) -> Result<Memory>;

    /// Measures the clock of the compute units while they work, in MHz.
    ///
    /// # Errors
    /// `Unsupported` where the API gives no way to.
    fn clock_mhz(&self) -> Result<f64> {
        Err(Error::unsupported("this backend has no way to measure the clock"))
    }

    /// What the device can do.
    fn caps(&self) -> &Caps {
        &self.info().caps
    }
}

/// A device's memory in bytes; what an API does not tell is none, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// All of it.
    pub total: Option<u64>,
    /// What is free now.
    pub free: Option<u64>,
}

/// A device's name on the command line and in files: `cuda:0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct DeviceId {
    /// The backend's id.
    pub backend: String,
    /// Its index there.
    pub index: u32,
}

impl DeviceId {
    /// The `index`-th device of `backend`.
    pub fn new(backend: impl Into<String>, index: u32) -> Self {
        Self { backend: backend.into(), index }
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.backend, self.index)
    }
}

impl FromStr for DeviceId {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong = || format!("`{text}` is no device id: write BACKEND:INDEX, such as opencl:0");
        let (backend, index) = text.split_once(':').ok_or_else(wrong)?;
        if backend.is_empty() || !backend.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            return Err(wrong());
        }
        Ok(Self::new(backend, index.parse().map_err(|_| wrong())?))
    }
}

impl TryFrom<String> for DeviceId {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse()
    }
}

impl From<DeviceId> for String {
    fn from(id: DeviceId) -> Self {
        id.to_string()
    }
}

/// Who a device is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceInfo {
    /// Its id, such as `opencl:1`.
    pub id: DeviceId,
    /// Its name, as the driver states it.
    pub name: String,
    /// Who made it, as the driver states it.
    pub vendor: String,
    /// The driver and its version.
    pub driver: String,
    /// Which physical chip it is.
    pub physical_id: PhysicalId,
    /// What it can do.
    pub caps: Caps,
}

/// Marks what belongs to one open device, so that handles of another are refused and not misused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceToken(u64);

impl DeviceToken {
    /// A token that nothing else in this process has. Each open device makes one.
    #[allow(clippy::new_without_default)] // Two defaults would differ, which `Default` does not lead one to expect.
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}
