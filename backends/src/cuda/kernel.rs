//! Kernels: loaded modules and how they are launched, and functions of libraries.

use super::api::{check, driver};
use super::caps::Capability;
use super::context::Context;
use super::library::LibraryKernel;
use super::memory::CudaMemory;
use super::nvrtc;
use crate::{DeviceToken, Error, Kernel, KernelSpec, Launch, Result};
use cudarc::driver::sys::{CUdeviceptr, CUfunction, CUfunction_attribute, CUmodule};
use std::ffi::{CString, c_void};
use std::ptr;
use std::rc::Rc;

/// Buffers of a kernel, at most: what a launch keeps room for on the stack.
const MAX_BUFFERS: usize = 16;

/// What runs at a launch.
pub(super) enum CudaKernel {
    Code(Code),
    Library(LibraryKernel),
}

impl CudaKernel {
    /// Puts a checked launch into the stream. The context is current.
    pub(super) fn launch(&self, token: DeviceToken, launch: &Launch<'_>) -> Result<()> {
        match self {
            Self::Code(code) => code.launch(token, launch),
            Self::Library(library) => library.launch(token, launch),
        }
    }
}

/// A compiled kernel in its module.
pub(super) struct Code {
    context: Rc<Context>,
    module: CUmodule,
    function: CUfunction,
    shared_bytes: u32,
}

impl Code {
    pub(super) fn compile(
        context: &Rc<Context>,
        token: DeviceToken,
        spec: &KernelSpec,
        capability: Capability,
    ) -> Result<Kernel> {
        if spec.bindings.len() > MAX_BUFFERS {
            return Err(Error::LimitExceeded {
                what: "a kernel's number of buffers",
                asked: spec.bindings.len() as u64,
                limit: MAX_BUFFERS as u64,
            });
        }
        let entry = CString::new(spec.entry.as_str()).map_err(|_| Error::invalid("an entry point has a NUL"))?;
        let compiled = nvrtc::compile(spec, capability)?;
        context.enter()?;
        let mut kernel = Self {
            context: Rc::clone(context),
            module: ptr::null_mut(),
            function: ptr::null_mut(),
            shared_bytes: spec.shared_bytes,
        };
        // SAFETY: the image is whole and outlives the call that loads it; the handles are written to places of their
        // types. A failure drops `kernel`, which unloads what was loaded.
        unsafe {
            let image = compiled.image.as_ptr().cast();
            check("cuModuleLoadData", driver::cuModuleLoadData(&raw mut kernel.module, image))?;
            check(
                "cuModuleGetFunction",
                driver::cuModuleGetFunction(&raw mut kernel.function, kernel.module, entry.as_ptr()),
            )?;
            // Beyond the static limit, a function must ask for shared memory before it is launched with it.
            let attribute = CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            check(
                "cuFuncSetAttribute",
                driver::cuFuncSetAttribute(kernel.function, attribute, spec.shared_bytes as i32),
            )?;
        }
        Ok(Kernel::new(token, spec, compiled.log, CudaKernel::Code(kernel)))
    }

    fn launch(&self, token: DeviceToken, launch: &Launch<'_>) -> Result<()> {
        let mut starts: [CUdeviceptr; MAX_BUFFERS] = [0; MAX_BUFFERS];
        let mut arguments: [*mut c_void; MAX_BUFFERS + 1] = [ptr::null_mut(); MAX_BUFFERS + 1];
        for ((buffer, start), argument) in launch.buffers.iter().zip(&mut starts).zip(&mut arguments) {
            *start = buffer.inner::<CudaMemory>(token)?.start;
            *argument = ptr::from_mut(start).cast();
        }
        arguments[launch.buffers.len()] = launch.params.as_ptr().cast_mut().cast();
        let [grid_x, grid_y, grid_z] = launch.grid;
        let [group_x, group_y, group_z] = launch.kernel.group();
        // SAFETY: the launch was checked against the kernel's declaration, so there is an argument for every parameter;
        // the driver copies them all before it returns. Buffers outlive the work because freeing one waits for it.
        check("cuLaunchKernel", unsafe {
            driver::cuLaunchKernel(
                self.function,
                grid_x,
                grid_y,
                grid_z,
                group_x,
                group_y,
                group_z,
                self.shared_bytes,
                self.context.stream(),
                arguments.as_mut_ptr(),
                ptr::null_mut(),
            )
        })
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        // A kernel may still run when its handle is dropped, and unloading does not wait for it.
        let _ = self.context.enter().and_then(|()| self.context.synchronize());
        if !self.module.is_null() {
            // SAFETY: the module is this value's own, and nothing runs any more.
            unsafe {
                let _ = driver::cuModuleUnload(self.module);
            }
        }
    }
}
