//! Host buffers: blocks of the machine's memory, and how much it has.

use crate::host_block::HostBlock;
use crate::{Buffer, DeviceToken, Error, Memory, Result};

/// A buffer's memory. The device runs one submission at a time, on the thread that owns it, so access is exclusive.
pub(super) struct HostMemory(HostBlock);

impl HostMemory {
    pub(super) fn buffer(token: DeviceToken, bytes: u64) -> Result<Buffer> {
        if bytes == 0 {
            return Err(Error::invalid("a buffer of 0 bytes"));
        }
        let out_of_memory = || Error::OutOfMemory { asked: bytes, free: memory().free };
        // The kernel hands out more than it has and kills the process that uses it, so ask it first.
        if memory().free.is_some_and(|free| bytes > free) {
            return Err(out_of_memory());
        }
        let size = usize::try_from(bytes).map_err(|_| out_of_memory())?;
        let memory = Self(HostBlock::new(size).ok_or_else(out_of_memory)?);
        // Until it is written to, all of it may be one page of zeros, which no cache misses.
        memory.bytes_mut().fill(0);
        Ok(Buffer::new(token, bytes, memory))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the allocation has this size and is initialised; writers run only inside calls on the same thread.
        unsafe { std::slice::from_raw_parts(self.0.start().as_ptr(), self.0.len()) }
    }

    #[allow(clippy::mut_from_ref)] // Handles are shared, as on every device; see the type's invariant.
    pub(super) fn bytes_mut(&self) -> &mut [u8] {
        // SAFETY: as for `bytes`; a call takes this once for a buffer, after checking that no two of its buffers are
        // the same where one is written.
        unsafe { std::slice::from_raw_parts_mut(self.0.start().as_ptr(), self.0.len()) }
    }
}

/// The machine's memory: Linux's own estimate of what can be had without swapping.
pub(super) fn memory() -> Memory {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
    };
    Memory { total: field("MemTotal:"), free: field("MemAvailable:") }
}
