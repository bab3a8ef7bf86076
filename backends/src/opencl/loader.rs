//! Finding out why there is no OpenCL.

use crate::external::message;
use crate::{Absence, AbsenceReason};
use opencl3::error_codes::{
    CL_PLATFORM_NOT_FOUND_KHR, DLOPEN_FUNCTION_NOT_AVAILABLE, DLOPEN_RUNTIME_LOAD_FAILED, cl_int,
};

/// Paths to try before the system's loader, separated by semicolons; a variable of the `opencl3` crate.
const PATH_VARIABLE: &str = "OPENCL_DYLIB_PATH";

#[cfg(target_os = "windows")]
const SYSTEM_LOADER: &str = "OpenCL.dll";
#[cfg(target_os = "macos")]
const SYSTEM_LOADER: &str = "/System/Library/Frameworks/OpenCL.framework/OpenCL";
#[cfg(not(any(target_os = "windows", target_os = "macos")))]
const SYSTEM_LOADER: &str = "libOpenCL.so.1";

const GET_LOADER: &str = "install the OpenCL loader and a driver: the GPU vendor's driver, or for the CPU Debian's and \
                          Ubuntu's `ocl-icd-libopencl1 pocl-opencl-icd`, Fedora's `ocl-icd pocl`";
const GET_DRIVER: &str = "install a driver for the loader to find: the GPU vendor's (NVIDIA's comes with its driver, \
                          AMD's is `rocm-opencl-runtime`, Intel's `intel-opencl-icd`), or for the CPU \
                          `pocl-opencl-icd`; if OCL_ICD_VENDORS is set, it must name a folder with `.icd` files";

/// The absence for the code with which looking for platforms failed.
pub(super) fn absence(code: cl_int) -> Absence {
    match code {
        DLOPEN_RUNTIME_LOAD_FAILED => Absence::new(AbsenceReason::LoaderMissing, load_messages(), GET_LOADER),
        DLOPEN_FUNCTION_NOT_AVAILABLE => {
            Absence::new(AbsenceReason::Incomplete, "the loader library has no clGetPlatformIDs", GET_LOADER)
        }
        CL_PLATFORM_NOT_FOUND_KHR => no_platform(),
        code => Absence::new(
            AbsenceReason::ProbeFailed,
            format!("clGetPlatformIDs failed with {} ({code})", super::code::name(code)),
            GET_DRIVER,
        ),
    }
}

/// The absence where the loader knows no platform.
pub(super) fn no_platform() -> Absence {
    Absence::new(AbsenceReason::NoPlatform, "the OpenCL loader knows no platform", GET_DRIVER)
}

/// The absence where platforms have no device that could be used; `notes` say why of each.
pub(super) fn no_device(notes: &[String]) -> Absence {
    Absence::new(AbsenceReason::NoDevice, notes.join("; "), GET_DRIVER)
}

/// What the dynamic linker says of each place where the loader was looked for: `opencl3` keeps only that it failed.
fn load_messages() -> String {
    let named = std::env::var(PATH_VARIABLE).unwrap_or_default();
    let paths = named.split(';').filter(|path| !path.is_empty()).chain([SYSTEM_LOADER]);
    let messages = paths.filter_map(|path| {
        // SAFETY: this load failed a moment ago. Should it succeed now, it runs the initialisers of the library that
        // this backend is there to load.
        unsafe { libloading::Library::new(path) }.err().map(|error| message(&error))
    });
    messages.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_absence_has_its_reason_and_a_hint() {
        for (code, reason) in [
            (-2000, AbsenceReason::LoaderMissing),
            (-2001, AbsenceReason::Incomplete),
            (-1001, AbsenceReason::NoPlatform),
            (-6, AbsenceReason::ProbeFailed),
        ] {
            let absence = absence(code);
            assert_eq!(absence.reason, reason);
            assert!(absence.hint.contains("pocl-opencl-icd"), "{}", absence.hint);
        }
        assert!(absence(-6).detail.contains("CL_OUT_OF_HOST_MEMORY (-6)"));
    }

    #[test]
    fn platforms_that_were_passed_over_are_told() {
        let absence = no_device(&["Clover has no device".to_owned()]);
        assert_eq!(absence.reason, AbsenceReason::NoDevice);
        assert!(absence.detail.contains("Clover"));
    }
}
