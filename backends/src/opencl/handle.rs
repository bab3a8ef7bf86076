//! Ownership of OpenCL's reference-counted objects.

use opencl3::error_codes::cl_int;
use std::ffi::c_void;

/// A function that gives one reference back, such as `clReleaseEvent`.
pub(super) type Release = unsafe fn(*mut c_void) -> Result<(), cl_int>;

/// One reference to an object, given back on drop.
pub(super) struct Handle {
    raw: *mut c_void,
    release: Release,
}

impl Handle {
    /// # Safety
    /// `raw` is an object of the kind that `release` releases, and this reference to it is nobody else's.
    pub(super) unsafe fn new(raw: *mut c_void, release: Release) -> Self {
        Self { raw, release }
    }

    /// The object, for a call while this handle lives.
    pub(super) fn raw(&self) -> *mut c_void {
        self.raw
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: `new`'s contract. A failure leaves nothing to be done: the device is gone and its objects with it.
        let _ = unsafe { (self.release)(self.raw) };
    }
}
