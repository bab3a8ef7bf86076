//! Memory of the host for devices that compute in it.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// A cache line, and the widest vector.
const ALIGNMENT: usize = 64;
/// Bytes of a large page, on x86-64 and on `AArch64` with pages of 4 KiB.
const LARGE_PAGE: usize = 2 << 20;

/// A block of zeroed memory that starts at a cache line. On Linux one of 2 MiB and more asks for large pages: with small
/// ones a kernel that goes over tens of megabytes waits for translations, in a virtual machine for two of each.
pub(crate) struct HostBlock {
    start: NonNull<u8>,
    bytes: usize,
    source: Source,
}

/// What a block was taken from, and is given back to.
enum Source {
    Heap(Layout),
    #[cfg(target_os = "linux")]
    Pages(linux::Mapping),
}

// SAFETY: it owns its memory, which no thread's state knows of.
unsafe impl Send for HostBlock {}

impl HostBlock {
    /// A block of so many bytes, which are not 0; none where the system has no such memory.
    pub(crate) fn new(bytes: usize) -> Option<Self> {
        #[cfg(target_os = "linux")]
        if bytes >= LARGE_PAGE {
            let mapping = linux::Mapping::new(bytes)?;
            return Some(Self { start: mapping.start, bytes, source: Source::Pages(mapping) });
        }
        let layout = Layout::from_size_align(bytes, ALIGNMENT).ok().filter(|layout| layout.size() > 0)?;
        // SAFETY: the layout's size is not 0.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Self { start, bytes, source: Source::Heap(layout) })
    }

    /// Its first byte.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// How long it is.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }
}

impl Drop for HostBlock {
    fn drop(&mut self) {
        match &self.source {
            // SAFETY: allocated by `alloc_zeroed` with this layout.
            Source::Heap(layout) => unsafe { dealloc(self.start.as_ptr(), *layout) },
            #[cfg(target_os = "linux")]
            Source::Pages(mapping) => mapping.end(),
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::LARGE_PAGE;
    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
    use std::ffi::c_void;
    use std::ptr::{NonNull, null_mut};

    /// Pages of a block's own, which starts at the first large one among them.
    pub(super) struct Mapping {
        pub(super) start: NonNull<u8>,
        base: *mut c_void,
        bytes: usize,
    }

    impl Mapping {
        pub(super) fn new(bytes: usize) -> Option<Self> {
            let whole = bytes.checked_next_multiple_of(LARGE_PAGE)?;
            let mapped = whole.checked_add(LARGE_PAGE)?;
            let access = ProtFlags::READ | ProtFlags::WRITE;
            // SAFETY: a new mapping, wherever the system likes.
            let base = unsafe { mmap_anonymous(null_mut(), mapped, access, MapFlags::PRIVATE) }.ok()?;
            let start = base.cast::<u8>().wrapping_add(base.addr().next_multiple_of(LARGE_PAGE) - base.addr());
            // A system without large pages says so, and small ones serve as well.
            // SAFETY: the range lies in the mapping, whose content the advice leaves as it is.
            let _ = unsafe { madvise(start.cast(), whole, Advice::LinuxHugepage) };
            Some(Self { start: NonNull::new(start)?, base, bytes: mapped })
        }

        pub(super) fn end(&self) {
            // SAFETY: the mapping is this one's own, and ends once: with its block.
            let _ = unsafe { munmap(self.base, self.bytes) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_zeroed_and_given_back() {
        for bytes in [1, 63, LARGE_PAGE - 1, LARGE_PAGE, 5 * LARGE_PAGE + 7] {
            // Again and again: what is not given back adds up.
            for _ in 0..100 {
                let block = HostBlock::new(bytes).unwrap();
                assert_eq!((block.len(), block.start().addr().get() % ALIGNMENT), (bytes, 0));
                // SAFETY: the block has so many bytes, and nobody else has it.
                let content = unsafe { std::slice::from_raw_parts_mut(block.start().as_ptr(), bytes) };
                assert!(content.iter().step_by(61).chain(content.last()).all(|byte| *byte == 0));
                content.fill(255);
            }
        }
        assert!(HostBlock::new(0).is_none() && HostBlock::new(usize::MAX).is_none());
    }
}
