//! The functions of the driver and of NVRTC that this backend calls: whether they are there, and what their codes mean.

use crate::{Absence, AbsenceReason, Error, Result};
use cudarc::driver::sys::CUresult;
use libloading::Library;
use std::ffi::CStr;
use std::ptr;

/// Names the functions that are used of a library once: to import them, and to look them up before the first call.
macro_rules! functions {
    ($list:ident = $path:path { $($name:ident),+ $(,)? }) => {
        pub(in crate::cuda) use $path::{$($name),+};
        const $list: &[&str] = &[$(stringify!($name)),+];
    };
}
pub(super) use functions;

pub(super) mod driver {
    functions!(
        NAMES = cudarc::driver::sys {
            cuCtxSetCurrent,
            cuDeviceGet,
            cuDeviceGetAttribute,
            cuDeviceGetCount,
            cuDeviceGetName,
            cuDeviceGetPCIBusId,
            cuDeviceGetUuid_v2,
            cuDevicePrimaryCtxRelease_v2,
            cuDevicePrimaryCtxRetain,
            cuDeviceTotalMem_v2,
            cuDriverGetVersion,
            cuEventCreate,
            cuEventDestroy_v2,
            cuEventElapsedTime_v2,
            cuEventRecord,
            cuEventSynchronize,
            cuFuncSetAttribute,
            cuGetErrorName,
            cuInit,
            cuLaunchKernel,
            cuMemAlloc_v2,
            cuMemFreeHost,
            cuMemFree_v2,
            cuMemGetInfo_v2,
            cuMemHostAlloc,
            cuMemcpyAsync,
            cuMemsetD32Async,
            cuMemsetD8Async,
            cuModuleGetFunction,
            cuModuleLoadData,
            cuModuleUnload,
            cuStreamCreate,
            cuStreamDestroy_v2,
            cuStreamSynchronize,
        }
    );

    /// The first function that the library lacks; only asked of a library that is there.
    pub(super) fn missing() -> Option<&'static str> {
        // SAFETY: loading runs the driver's own initialisers, which is what a caller of this backend asks for.
        super::missing(unsafe { cudarc::driver::sys::culib() }, NAMES)
    }
}

pub(super) mod nvrtc {
    functions!(
        NAMES = cudarc::nvrtc::sys {
            nvrtcCompileProgram,
            nvrtcCreateProgram,
            nvrtcDestroyProgram,
            nvrtcGetCUBIN,
            nvrtcGetCUBINSize,
            nvrtcGetNumSupportedArchs,
            nvrtcGetPTX,
            nvrtcGetPTXSize,
            nvrtcGetProgramLog,
            nvrtcGetProgramLogSize,
            nvrtcGetSupportedArchs,
            nvrtcVersion,
        }
    );

    /// The first function that the library lacks; only asked of a library that is there.
    pub(super) fn missing() -> Option<&'static str> {
        // SAFETY: loading runs the library's own initialisers, which is what a caller of this backend asks for.
        super::missing(unsafe { cudarc::nvrtc::sys::culib() }, NAMES)
    }
}

/// The first of these functions that the library lacks.
pub(super) fn missing(library: &Library, names: &'static [&'static str]) -> Option<&'static str> {
    // SAFETY: the symbols are looked up and never called through this type.
    names.iter().copied().find(|name| unsafe { library.get::<*const ()>(*name) }.is_err())
}

const DRIVER_HINT: &str = "install NVIDIA's driver, or, in a container, start it with the GPU (`--gpus all`)";

/// Makes the driver and the compiler ready for calls.
///
/// # Errors
/// An [`Absence`] that says which of them is missing, broken, too old or without a device.
pub(super) fn load() -> std::result::Result<(), Absence> {
    // SAFETY: as in `driver::missing`.
    if !unsafe { cudarc::driver::sys::is_culib_present() } {
        return Err(Absence::new(AbsenceReason::LoaderMissing, loader_message(&["cuda", "nvcuda"]), DRIVER_HINT));
    }
    if let Some(name) = driver::missing() {
        return Err(Absence::new(
            AbsenceReason::DriverTooOld,
            format!("the CUDA driver has no `{name}`"),
            "install NVIDIA's driver 570 or newer",
        ));
    }
    // SAFETY: the function was found, and takes no pointer.
    let result = unsafe { driver::cuInit(0) };
    if result != CUresult::CUDA_SUCCESS {
        return Err(not_initialised(result));
    }
    load_compiler()
}

/// Makes the compiler ready for calls; it needs no driver.
///
/// # Errors
/// An [`Absence`] that says whether it is missing or too old.
pub(super) fn load_compiler() -> std::result::Result<(), Absence> {
    // SAFETY: as in `nvrtc::missing`.
    if !unsafe { cudarc::nvrtc::sys::is_culib_present() } {
        return Err(Absence::new(
            AbsenceReason::Incomplete,
            format!("NVRTC was not found: {}", loader_message(&["nvrtc"])),
            "install the CUDA toolkit, or `pip install nvidia-cuda-nvrtc`, and put the folder of libnvrtc on \
             LD_LIBRARY_PATH",
        ));
    }
    if let Some(name) = nvrtc::missing() {
        return Err(Absence::new(
            AbsenceReason::Incomplete,
            format!("NVRTC has no `{name}`"),
            "install NVRTC 12 or newer",
        ));
    }
    Ok(())
}

/// Why none of a library's file names can be loaded. The message of a file that is there and broken says most.
pub(super) fn loader_message(stems: &[&str]) -> String {
    let messages: Vec<String> = stems
        .iter()
        .flat_map(|stem| cudarc::get_lib_name_candidates(stem))
        // SAFETY: none of them loads, or the caller would not ask.
        .filter_map(|name| unsafe { Library::new(name) }.err())
        // The loader's own words are behind the error's.
        .map(|error| std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string))
        .collect();
    let broken = messages.iter().find(|message| !message.contains("No such file"));
    broken.or(messages.first()).cloned().unwrap_or_default()
}

fn not_initialised(result: CUresult) -> Absence {
    let code = result as u32;
    let (reason, hint) = match code {
        34 => (AbsenceReason::LoaderMissing, "the toolkit's stub library was loaded: take its folder off the path"),
        46 | 100 | 101 => {
            (AbsenceReason::NoDevice, "check `nvidia-smi` and CUDA_VISIBLE_DEVICES; in a container, `--gpus all`")
        }
        36 | 803 | 804 => {
            (AbsenceReason::DriverTooOld, "the library and the kernel module differ: update the driver, then restart")
        }
        802 => (AbsenceReason::ProbeFailed, "start nvidia-fabricmanager, or wait until the system is ready"),
        _ => (AbsenceReason::ProbeFailed, "check `nvidia-smi` and the kernel's log"),
    };
    Absence::new(reason, format!("cuInit failed with {} ({code})", error_name(result)), hint)
}

/// The driver's name of a code.
fn error_name(result: CUresult) -> String {
    let mut name = ptr::null();
    // SAFETY: `load` found the function; it writes a pointer to a constant string, or null for a code it does not know.
    unsafe {
        let _ = driver::cuGetErrorName(result, &raw mut name);
        if name.is_null() { "an unknown error".to_owned() } else { CStr::from_ptr(name).to_string_lossy().into_owned() }
    }
}

/// Turns a result of the driver into ours.
///
/// # Errors
/// [`Error::DeviceLost`] for errors that a context never recovers from, [`Error::Timeout`] where the driver's watchdog
/// ended a kernel, [`Error::Driver`] for the rest.
pub(super) fn check(call: &'static str, result: CUresult) -> Result<()> {
    if result == CUresult::CUDA_SUCCESS { Ok(()) } else { Err(failure(call, result)) }
}

#[cold]
fn failure(call: &'static str, result: CUresult) -> Error {
    // As a number: a driver may know more codes than the bindings.
    let code = result as u32;
    let name = error_name(result);
    match code {
        // After these, every call on the context gives the same error again.
        4 | 46 | 201 | 214 | 220 | 226 | 700 | 709 | 710 | 714..=719 | 721 | 999 => {
            Error::DeviceLost { reason: format!("{call} failed with {name} ({code})") }
        }
        702 | 909 => Error::Timeout { what: format!("{call}: {name} ({code})") },
        _ => Error::Driver { api: "cuda", call, code: code.into(), name },
    }
}
