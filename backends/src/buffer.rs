//! Memory of a device.

use crate::{DeviceToken, Error, Result};
use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Memory of one device. Dropping it frees the memory.
pub struct Buffer {
    token: DeviceToken,
    id: u64,
    bytes: u64,
    pinned: bool,
    inner: Box<dyn Any>,
}

impl Buffer {
    /// Wraps a backend's own handle. Backends call this, users call [`Device::alloc`](crate::Device::alloc).
    pub fn new(token: DeviceToken, bytes: u64, inner: impl Any) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { token, id: NEXT.fetch_add(1, Ordering::Relaxed), bytes, pinned: false, inner: Box::new(inner) }
    }

    /// Wraps a backend's own handle of page-locked host memory, for [`Device::alloc_pinned`](crate::Device::alloc_pinned).
    pub fn new_pinned(token: DeviceToken, bytes: u64, inner: impl Any) -> Self {
        Self { pinned: true, ..Self::new(token, bytes, inner) }
    }

    /// Size in bytes, as it was asked for.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it is page-locked memory of the host, which only copies reach.
    pub fn is_pinned(&self) -> bool {
        self.pinned
    }

    /// A number that no other buffer of this process has or had.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Checks that this buffer is of the device that `token` names.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`] when another device made it.
    pub fn check_owner(&self, token: DeviceToken) -> Result<()> {
        if self.token == token { Ok(()) } else { Err(Error::ForeignHandle { what: "buffer" }) }
    }

    /// The backend's own handle.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`] when another device made this buffer.
    pub fn inner<T: Any>(&self, token: DeviceToken) -> Result<&T> {
        self.check_owner(token)?;
        self.inner.downcast_ref().ok_or(Error::ForeignHandle { what: "buffer" })
    }

    /// Checks that `offset .. offset + bytes` lies inside.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when it does not.
    pub fn check_range(&self, offset: u64, bytes: u64) -> Result<()> {
        match offset.checked_add(bytes) {
            Some(end) if end <= self.bytes => Ok(()),
            _ => Err(Error::invalid(format!(
                "bytes {offset} to {offset}+{bytes} are outside a buffer of {} bytes",
                self.bytes
            ))),
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("id", &self.id).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
