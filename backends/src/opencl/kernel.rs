//! Compilation, and the arguments that a kernel holds.

use super::code;
use super::device::Memory;
use super::handle::Handle;
use super::library::LibraryKernel;
use crate::{DeviceToken, Error, KernelSpec, Launch, Result};
use opencl3::error_codes::{CL_BUILD_PROGRAM_FAILURE, CL_INVALID_KERNEL_NAME};
use opencl3::kernel::{
    CL_KERNEL_NUM_ARGS, CL_KERNEL_WORK_GROUP_SIZE, create_kernel, get_kernel_data, get_kernel_work_group_data,
    release_kernel, set_kernel_arg,
};
use opencl3::program::{
    CL_PROGRAM_BUILD_LOG, build_program, create_program_with_source, get_program_build_data, release_program,
};
use opencl3::types::{cl_context, cl_device_id, cl_kernel, cl_mem};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::rc::Rc;

/// The language version: the oldest with all that kernels use. Nothing here relaxes arithmetic.
const STANDARD: &str = "-cl-std=CL1.2";

/// The programs of a device by their source and options. Kernels of one source and the same kernel for many sizes are
/// built once.
#[derive(Default)]
pub(super) struct Programs(RefCell<HashMap<(String, CString), Rc<Program>>>);

/// A built program.
pub(super) struct Program {
    handle: Handle,
    /// What the compiler said.
    pub(super) log: String,
}

impl Programs {
    /// Builds `text` as `spec` defines it, or finds it built.
    pub(super) fn build(
        &self,
        context: cl_context,
        device: cl_device_id,
        text: &str,
        spec: &KernelSpec,
    ) -> Result<Rc<Program>> {
        let key = (text.to_owned(), options(spec)?);
        if let Some(program) = self.0.borrow().get(&key) {
            return Ok(Rc::clone(program));
        }
        let program = Rc::new(Program::build(context, device, text, &key.1, &spec.entry)?);
        self.0.borrow_mut().insert(key, Rc::clone(&program));
        Ok(program)
    }
}

impl Program {
    fn build(context: cl_context, device: cl_device_id, text: &str, options: &CStr, entry: &str) -> Result<Self> {
        let program = create_program_with_source(context, &[text])
            .map_err(|status| code::error("clCreateProgramWithSource", status))?;
        // SAFETY: just created, and released by this handle only.
        let handle = unsafe { Handle::new(program, release_program) };
        let built = build_program(handle.raw(), &[device], options, None, std::ptr::null_mut());
        let log = get_program_build_data(handle.raw(), device, CL_PROGRAM_BUILD_LOG).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).trim_end_matches(['\0', '\n', ' ']).to_owned();
        match built {
            Ok(()) => Ok(Self { handle, log }),
            // Some drivers have other codes for what is a mistake in the source; all of them log it.
            Err(status) if status == CL_BUILD_PROGRAM_FAILURE || !log.is_empty() => {
                Err(Error::Compile { entry: entry.to_owned(), log })
            }
            Err(status) => Err(code::error("clBuildProgram", status)),
        }
    }
}

/// What a device's kernel is: one of its own, or a library's.
pub(super) enum Compiled {
    Source(OpenClKernel),
    Library(LibraryKernel),
}

/// A kernel, with what its arguments are set to.
pub(super) struct OpenClKernel {
    handle: Handle,
    arguments: RefCell<Arguments>,
}

/// Setting an argument costs a call into the driver, and most launches repeat the last one's.
struct Arguments {
    /// Buffers by [`Buffer::id`](crate::Buffer::id), which is never used twice.
    buffers: Vec<Option<u64>>,
    params: Vec<u8>,
}

impl OpenClKernel {
    /// The kernel that `spec` names, of a program that was built for it.
    pub(super) fn new(program: &Program, device: cl_device_id, spec: &KernelSpec) -> Result<Self> {
        let entry = CString::new(spec.entry.as_str()).map_err(|_| Error::invalid("an entry point's name has a NUL"))?;
        let raw = create_kernel(program.handle.raw(), &entry).map_err(|status| match status {
            CL_INVALID_KERNEL_NAME => Error::invalid(format!("the source has no kernel `{}`", spec.entry)),
            status => code::error("clCreateKernel", status),
        })?;
        // SAFETY: just created, and released by this handle only.
        let handle = unsafe { Handle::new(raw, release_kernel) };
        check(handle.raw(), device, spec)?;
        let arguments = Arguments { buffers: vec![None; spec.bindings.len()], params: Vec::new() };
        Ok(Self { handle, arguments: RefCell::new(arguments) })
    }

    pub(super) fn raw(&self) -> cl_kernel {
        self.handle.raw()
    }

    /// Sets the arguments that differ from the last launch's: buffers by their ids, then the parameter block.
    pub(super) fn set_arguments(&self, token: DeviceToken, launch: &Launch<'_>) -> Result<()> {
        let mut set = self.arguments.borrow_mut();
        for (index, (buffer, set)) in (0..).zip(launch.buffers.iter().zip(&mut set.buffers)) {
            if *set != Some(buffer.id()) {
                let memory = buffer.inner::<Memory>(token)?.raw();
                *set = None;
                // SAFETY: the kernel has as many parameters as it declared, and a buffer's argument is its `cl_mem`.
                unsafe { set_kernel_arg(self.raw(), index, size_of::<cl_mem>(), (&raw const memory).cast()) }
                    .map_err(|status| code::error("clSetKernelArg", status))?;
                *set = Some(buffer.id());
            }
        }
        let params = launch.params;
        if set.params != params {
            // SAFETY: the block is as long as declared, follows the buffers, and the driver copies it.
            unsafe { set_kernel_arg(self.raw(), launch.buffers.len() as u32, params.len(), params.as_ptr().cast()) }
                .map_err(|status| code::error("clSetKernelArg", status))?;
            set.params.clear();
            set.params.extend_from_slice(params);
        }
        Ok(())
    }
}

/// Holds the compiled kernel against its declaration, before a launch could go wrong by it.
fn check(kernel: cl_kernel, device: cl_device_id, spec: &KernelSpec) -> Result<()> {
    let declared = spec.bindings.len() + usize::from(spec.params_bytes > 0);
    let count = get_kernel_data(kernel, CL_KERNEL_NUM_ARGS).map_err(|status| code::error("clGetKernelInfo", status))?;
    let count = count.as_chunks().0.first().map_or(0, |chunk| u32::from_ne_bytes(*chunk) as usize);
    if count != declared {
        return Err(Error::invalid(format!(
            "the kernel `{}` has {count} parameters and {declared} were declared",
            spec.entry
        )));
    }
    let limit = get_kernel_work_group_data(kernel, device, CL_KERNEL_WORK_GROUP_SIZE)
        .map_err(|status| code::error("clGetKernelWorkGroupInfo", status))?;
    let limit = limit.as_chunks().0.first().map_or(0, |chunk| usize::from_ne_bytes(*chunk) as u64);
    let asked = spec.group.iter().map(|&n| u64::from(n)).product();
    if asked > limit {
        return Err(Error::LimitExceeded { what: "this kernel's work-group", asked, limit });
    }
    Ok(())
}

fn options(spec: &KernelSpec) -> Result<CString> {
    let mut options = STANDARD.to_owned();
    for (name, value) in &spec.defines {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_+-.()".contains(c);
        if name.is_empty() || !name.chars().chain(value.chars()).all(plain) {
            return Err(Error::invalid(format!("the definition {name}={value} would be split or changed on its way")));
        }
        options.extend([" -D ", name, "=", value]);
    }
    CString::new(options).map_err(|_| Error::invalid("a definition has a NUL"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    fn spec(name: &str, value: &str) -> KernelSpec {
        KernelSpec {
            source: Source::OpenClC("".into()),
            entry: "k".to_owned(),
            defines: vec![("TILE".to_owned(), "8".to_owned()), (name.to_owned(), value.to_owned())],
            group: [1, 1, 1],
            shared_bytes: 0,
            bindings: Vec::new(),
            params_bytes: 0,
        }
    }

    #[test]
    fn definitions_become_options() {
        let options = options(&spec("SCALE", "-1.5")).map(CString::into_string);
        assert!(matches!(options, Ok(Ok(text)) if text == "-cl-std=CL1.2 -D TILE=8 -D SCALE=-1.5"));
    }

    #[test]
    fn a_definition_with_white_space_or_quotes_is_refused() {
        for (name, value) in [("", "1"), ("A B", "1"), ("A", "1 2"), ("A", "\"x\""), ("A", "1\0")] {
            assert!(matches!(options(&spec(name, value)), Err(Error::InvalidArgument(_))), "{name}={value}");
        }
    }
}
