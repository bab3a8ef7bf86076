//! The functions of cuBLASLt and cuDNN that this backend calls, and whether they are there: both may be missing, and
//! then there are no variants by them.

use crate::cuda::api::{loader_message, missing};
use libloading::Library;
use std::sync::OnceLock;

pub(super) mod cublaslt {
    crate::cuda::api::functions!(
        NAMES = cudarc::cublaslt::sys {
            cublasLtCreate,
            cublasLtDestroy,
            cublasLtGetVersion,
            cublasLtMatmul,
            cublasLtMatmulAlgoConfigGetAttribute,
            cublasLtMatmulAlgoGetHeuristic,
            cublasLtMatmulDescCreate,
            cublasLtMatmulDescDestroy,
            cublasLtMatmulDescSetAttribute,
            cublasLtMatmulPreferenceCreate,
            cublasLtMatmulPreferenceDestroy,
            cublasLtMatmulPreferenceSetAttribute,
            cublasLtMatrixLayoutCreate,
            cublasLtMatrixLayoutDestroy,
        }
    );

    /// cuBLASLt, loaded where it is there.
    pub(in crate::cuda) static LIBRARY: super::Optional = super::Optional {
        name: "cublaslt",
        title: "cuBLASLt",
        stem: "cublasLt",
        functions: NAMES,
        // SAFETY: only called once the function was found; it takes nothing.
        version: || unsafe { cublasLtGetVersion() },
        oldest: 120_000,
        hint: "install the CUDA toolkit, or `pip install nvidia-cublas`",
        found: std::sync::OnceLock::new(),
    };
}

pub(super) mod cudnn {
    crate::cuda::api::functions!(
        NAMES = cudarc::cudnn::sys {
            cudnnBackendCreateDescriptor,
            cudnnBackendDestroyDescriptor,
            cudnnBackendExecute,
            cudnnBackendFinalize,
            cudnnBackendGetAttribute,
            cudnnBackendSetAttribute,
            cudnnCreate,
            cudnnDestroy,
            cudnnGetErrorString,
            cudnnGetLastErrorString,
            cudnnGetVersion,
            cudnnSetStream,
        }
    );

    /// cuDNN, loaded where it is there.
    pub(in crate::cuda) static LIBRARY: super::Optional = super::Optional {
        name: "cudnn",
        title: "cuDNN",
        stem: "cudnn",
        functions: NAMES,
        // SAFETY: only called once the function was found; it takes nothing.
        version: || unsafe { cudnnGetVersion() },
        // Its status codes are others than those of 8.
        oldest: 90_000,
        hint: "install cuDNN, or `pip install nvidia-cudnn-cu13`",
        found: std::sync::OnceLock::new(),
    };
}

/// A library that may be missing.
pub(in crate::cuda) struct Optional {
    /// The name in plans, ids and facts.
    pub(in crate::cuda) name: &'static str,
    title: &'static str,
    stem: &'static str,
    functions: &'static [&'static str],
    version: fn() -> usize,
    /// The oldest version that will do, as [`Optional::version`] gives it.
    oldest: usize,
    hint: &'static str,
    found: OnceLock<Result<String, String>>,
}

impl Optional {
    /// The version, `13.0.2`, of a library whose every function can be called; else one line on why there is none, and
    /// what would help.
    pub(in crate::cuda) fn version(&self) -> Result<&str, &str> {
        self.found.get_or_init(|| self.look()).as_deref().map_err(String::as_str)
    }

    fn look(&self) -> Result<String, String> {
        let Self { title, hint, .. } = self;
        let library = load(self.stem).map_err(|reason| {
            format!("{title} was not found: {reason}; {hint}, and put its folder on LD_LIBRARY_PATH")
        })?;
        if let Some(name) = missing(library, self.functions) {
            return Err(format!("{title} has no `{name}`; {hint}"));
        }
        let number = (self.version)();
        if number < self.oldest {
            let oldest = text(self.oldest);
            return Err(format!("{title} is {}, and {oldest} is the oldest that will do; {hint}", text(number)));
        }
        Ok(text(number))
    }
}

/// The library, never to be unloaded: what it registers with the driver would not survive that. The binding looks for
/// the same names in the same order, so this is the one that it calls.
fn load(stem: &str) -> Result<&'static Library, String> {
    cudarc::get_lib_name_candidates(stem)
        .into_iter()
        // SAFETY: loading runs the library's own initialisers, which is what a caller of this backend asks for.
        .find_map(|name| unsafe { Library::new(name) }.ok())
        .map(|library| &*Box::leak(Box::new(library)))
        .ok_or_else(|| loader_message(&[stem]))
}

/// A version that the libraries give as one number: 130002 is 13.0.2, and 8907, of before cuDNN 9, is 8.9.7.
fn text(number: usize) -> String {
    let (major, minor) =
        if number < 10_000 { (number / 1000, number / 100 % 10) } else { (number / 10_000, number / 100 % 100) };
    format!("{major}.{minor}.{}", number % 100)
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn versions_read_as_their_makers_write_them() {
        assert_eq!(text(130_002), "13.0.2");
        assert_eq!(text(120_103), "12.1.3");
        assert_eq!(text(91_002), "9.10.2");
        assert_eq!(text(8907), "8.9.7");
    }
}
