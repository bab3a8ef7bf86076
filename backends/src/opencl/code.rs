//! OpenCL's error codes as this crate's errors.

use crate::Error;
use opencl3::error_codes::{
    CL_CONTEXT_TERMINATED_KHR, CL_DEVICE_NOT_AVAILABLE, CL_INVALID_COMMAND_QUEUE, CL_INVALID_CONTEXT,
    CL_INVALID_DEVICE, CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_OUT_OF_HOST_MEMORY, cl_int, error_text,
};

/// NVIDIA's code, outside the standard's range, for a kernel that read or wrote where no buffer is.
const ILLEGAL_ACCESS_NV: cl_int = -9999;

/// The error for a code that `call` returned.
pub(super) fn error(call: &'static str, code: cl_int) -> Error {
    match code {
        // All handles are this crate's own and alive, so one that became invalid means that the device went away.
        CL_DEVICE_NOT_AVAILABLE
        | CL_INVALID_COMMAND_QUEUE
        | CL_INVALID_CONTEXT
        | CL_INVALID_DEVICE
        | CL_CONTEXT_TERMINATED_KHR
        | ILLEGAL_ACCESS_NV => Error::DeviceLost { reason: format!("{call} failed with {} ({code})", name(code)) },
        _ => Error::Driver { api: "opencl", call, code: code.into(), name: name(code).to_owned() },
    }
}

/// The error for a code that `call` returned when it needed `bytes` of device memory.
pub(super) fn memory_error(call: &'static str, code: cl_int, bytes: u64) -> Error {
    match code {
        CL_MEM_OBJECT_ALLOCATION_FAILURE | CL_OUT_OF_HOST_MEMORY => Error::OutOfMemory { asked: bytes, free: None },
        _ => error(call, code),
    }
}

/// The code's name in OpenCL's headers.
pub(super) fn name(code: cl_int) -> &'static str {
    match code {
        ILLEGAL_ACCESS_NV => "illegal access (NVIDIA)",
        _ => error_text(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_their_names() {
        let Error::Driver { call, code, name, .. } = error("clBuildProgram", -11) else {
            unreachable!("a build failure is a driver's code");
        };
        assert_eq!((call, code, name.as_str()), ("clBuildProgram", -11, "CL_BUILD_PROGRAM_FAILURE"));
        assert_eq!(name_of_unknown(), "UNKNOWN_ERROR");
    }

    fn name_of_unknown() -> &'static str {
        name(-12_345)
    }

    #[test]
    fn a_lost_device_is_told_from_a_failed_call() {
        for code in [-2, -33, -34, -36, -1121, -9999] {
            assert!(matches!(error("clFinish", code), Error::DeviceLost { .. }), "{code}");
        }
        assert!(matches!(error("clFinish", -5), Error::Driver { .. }));
    }

    #[test]
    fn memory_errors_say_how_much_was_asked_for() {
        for code in [-4, -6] {
            let error = memory_error("clCreateBuffer", code, 64);
            assert!(matches!(error, Error::OutOfMemory { asked: 64, free: None }), "{error}");
        }
        assert!(matches!(memory_error("clCreateBuffer", -30, 64), Error::Driver { .. }));
    }
}
