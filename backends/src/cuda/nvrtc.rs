//! NVRTC: CUDA C++ text to machine code. It needs no GPU, so a kernel's registers and spills can be read anywhere.

use super::api::{self, nvrtc};
use super::caps::Capability;
use crate::{Error, KernelSpec, Result, Source};
use cudarc::nvrtc::sys::{nvrtcProgram, nvrtcResult};
use std::ffi::{CString, c_char, c_int};
use std::ptr;

/// The library's version, `13.0`.
pub(super) fn version() -> Result<String> {
    let (mut major, mut minor) = (0, 0);
    // SAFETY: both places outlive the call.
    check("nvrtcVersion", unsafe { nvrtc::nvrtcVersion(&raw mut major, &raw mut minor) })?;
    Ok(format!("{major}.{minor}"))
}

/// A compiled source and what the compiler said of it.
pub struct Compiled {
    /// Machine code, or PTX ended by a 0: what a driver loads.
    pub image: Vec<u8>,
    /// Warnings, and each kernel's registers, stack and spills.
    pub log: String,
}

/// Compiles for a device of this capability, which need not be there.
///
/// # Errors
/// [`Error::Unavailable`] without NVRTC, [`Error::Unsupported`] where it does not know the architecture or the source
/// is in another language, [`Error::Compile`] with its log.
pub fn compile(spec: &KernelSpec, capability: Capability) -> Result<Compiled> {
    let Source::CudaC(source) = &spec.source else {
        return Err(spec.wrong_language("cuda"));
    };
    api::load_compiler().map_err(|absence| Error::Unavailable { api: "cuda", reason: absence.detail })?;
    let Some(target) = Target::of(capability, &supported()?) else {
        return Err(Error::unsupported(format!("NVRTC {} no longer compiles for this device", version()?)));
    };
    let mut options = vec![
        format!("--gpu-architecture={}", target.architecture),
        "--std=c++17".to_owned(),
        // Registers and spills, for the log.
        "--ptxas-options=-v".to_owned(),
    ];
    options.extend(spec.defines.iter().map(|(name, value)| format!("--define-macro={name}={value}")));
    let options = options.into_iter().map(c_text).collect::<Result<Vec<_>>>()?;
    let options: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
    let program = Program::new(source, &spec.entry)?;
    // SAFETY: the program is live, and the options are C strings that outlive the call.
    let result = unsafe { nvrtc::nvrtcCompileProgram(program.0, options.len() as c_int, options.as_ptr()) };
    let log = program.log();
    // A log says more than a code, also where NVRTC lacks one of its own files.
    if result != nvrtcResult::NVRTC_SUCCESS && !log.is_empty() {
        return Err(Error::Compile { entry: spec.entry.clone(), log });
    }
    check("nvrtcCompileProgram", result)?;
    Ok(Compiled { image: if target.binary { program.cubin() } else { program.ptx() }?, log })
}

/// What to compile for.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    architecture: String,
    /// Machine code; otherwise PTX, which the driver finishes.
    binary: bool,
}

impl Target {
    /// The best that a compiler which knows the architectures `supported` (90 for 9.0) can do for a device.
    fn of(capability: Capability, supported: &[u32]) -> Option<Self> {
        let own = capability.major * 10 + capability.minor;
        let newest = *supported.iter().filter(|&&known| known <= own).max()?;
        // Architecture-specific instructions, such as wgmma, exist from 9.0 on and for exactly one architecture.
        let suffix = if newest == own && own >= 90 { "a" } else { "" };
        Some(if newest / 10 == capability.major {
            // Machine code runs on later minor versions.
            Self { architecture: format!("sm_{newest}{suffix}"), binary: true }
        } else {
            Self { architecture: format!("compute_{newest}"), binary: false }
        })
    }
}

fn supported() -> Result<Vec<u32>> {
    let mut count = 0;
    // SAFETY: the place outlives the call.
    check("nvrtcGetNumSupportedArchs", unsafe { nvrtc::nvrtcGetNumSupportedArchs(&raw mut count) })?;
    let mut architectures: Vec<c_int> = vec![0; usize::try_from(count).unwrap_or(0)];
    // SAFETY: the list has room for as many as the library said.
    check("nvrtcGetSupportedArchs", unsafe { nvrtc::nvrtcGetSupportedArchs(architectures.as_mut_ptr()) })?;
    Ok(architectures.into_iter().filter_map(|architecture| u32::try_from(architecture).ok()).collect())
}

/// A program of NVRTC, destroyed on drop.
struct Program(nvrtcProgram);

impl Program {
    fn new(source: &str, entry: &str) -> Result<Self> {
        let source = c_text(source)?;
        let name = c_text(format!("{entry}.cu"))?;
        let mut program = Self(ptr::null_mut());
        // SAFETY: the texts outlive the call, which copies them; there are no headers.
        check("nvrtcCreateProgram", unsafe {
            nvrtc::nvrtcCreateProgram(&raw mut program.0, source.as_ptr(), name.as_ptr(), 0, ptr::null(), ptr::null())
        })?;
        Ok(program)
    }

    fn log(&self) -> String {
        let log = self.output(nvrtc::nvrtcGetProgramLogSize, nvrtc::nvrtcGetProgramLog).unwrap_or_default();
        String::from_utf8_lossy(log.strip_suffix(&[0]).unwrap_or(&log)).into_owned()
    }

    fn cubin(&self) -> Result<Vec<u8>> {
        check_output("nvrtcGetCUBIN", self.output(nvrtc::nvrtcGetCUBINSize, nvrtc::nvrtcGetCUBIN))
    }

    fn ptx(&self) -> Result<Vec<u8>> {
        check_output("nvrtcGetPTX", self.output(nvrtc::nvrtcGetPTXSize, nvrtc::nvrtcGetPTX))
    }

    /// One of the program's outputs, by the pair of functions that give its length and its bytes.
    fn output(
        &self,
        length: unsafe fn(nvrtcProgram, *mut usize) -> nvrtcResult,
        bytes: unsafe fn(nvrtcProgram, *mut c_char) -> nvrtcResult,
    ) -> std::result::Result<Vec<u8>, nvrtcResult> {
        let succeeded = |result| if result == nvrtcResult::NVRTC_SUCCESS { Ok(()) } else { Err(result) };
        let mut size = 0;
        // SAFETY: the program is live; the output gets the room that the library asks for.
        unsafe {
            succeeded(length(self.0, &raw mut size))?;
            let mut output = vec![0; size];
            succeeded(bytes(self.0, output.as_mut_ptr().cast()))?;
            Ok(output)
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: the program is this value's own, or null, which the library refuses.
        unsafe {
            let _ = nvrtc::nvrtcDestroyProgram(&raw mut self.0);
        }
    }
}

fn check(call: &'static str, result: nvrtcResult) -> Result<()> {
    if result == nvrtcResult::NVRTC_SUCCESS {
        return Ok(());
    }
    let code = result as u32;
    let name = match code {
        1 => "NVRTC_ERROR_OUT_OF_MEMORY",
        2 => "NVRTC_ERROR_PROGRAM_CREATION_FAILURE",
        3 => "NVRTC_ERROR_INVALID_INPUT",
        4 => "NVRTC_ERROR_INVALID_PROGRAM",
        5 => "NVRTC_ERROR_INVALID_OPTION",
        7 => "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE",
        11 => "NVRTC_ERROR_INTERNAL_ERROR",
        _ => "an NVRTC error",
    };
    Err(Error::Driver { api: "cuda", call, code: code.into(), name: name.to_owned() })
}

fn check_output(call: &'static str, output: std::result::Result<Vec<u8>, nvrtcResult>) -> Result<Vec<u8>> {
    output.or_else(|result| check(call, result).map(|()| Vec::new()))
}

fn c_text(text: impl Into<Vec<u8>>) -> Result<CString> {
    CString::new(text).map_err(|_| Error::invalid("a kernel's text, name or definition has a NUL character"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NVRTC_13: [u32; 12] = [75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121];

    fn target(major: u32, minor: u32, supported: &[u32]) -> Option<(String, bool)> {
        Target::of(Capability { major, minor }, supported).map(|target| (target.architecture, target.binary))
    }

    #[test]
    fn a_known_device_gets_code_for_itself() {
        assert_eq!(target(8, 0, &NVRTC_13), Some(("sm_80".into(), true)));
        assert_eq!(target(9, 0, &NVRTC_13), Some(("sm_90a".into(), true)));
        assert_eq!(target(12, 0, &NVRTC_13), Some(("sm_120a".into(), true)));
    }

    #[test]
    fn a_newer_minor_version_runs_its_generation_s_code() {
        assert_eq!(target(12, 3, &NVRTC_13), Some(("sm_121".into(), true)));
    }

    #[test]
    fn a_newer_generation_gets_ptx() {
        assert_eq!(target(13, 0, &NVRTC_13), Some(("compute_121".into(), false)));
        assert_eq!(target(9, 0, &[70, 75, 80]), Some(("compute_80".into(), false)));
    }

    #[test]
    fn a_device_that_the_compiler_has_dropped_gets_nothing() {
        assert_eq!(target(7, 0, &NVRTC_13), None);
    }
}
