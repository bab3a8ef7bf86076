//! Library functions on the CPU.

use super::attention::Attention;
use super::blas::BlasGemm;
use super::conv2d::Conv2d;
use super::memory::HostMemory;
use super::packed::PackedGemm;
use super::probe;
use crate::{Error, LibraryCall, Result};

/// The name of this program's own vector code, as a library of the host.
pub(super) const PACKED: &str = "packed";

/// The widest instruction set that vector code uses on this CPU.
pub(super) fn isa() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx512f") {
            return "avx512f";
        }
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            return "avx2+fma";
        }
        "sse2"
    }
    #[cfg(target_arch = "aarch64")]
    {
        "neon"
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        "scalar"
    }
}

/// A prepared function.
pub(super) enum HostKernel {
    PackedGemm(PackedGemm),
    BlasGemm(BlasGemm),
    Conv2d(Conv2d),
    Attention(Attention),
    Fma(probe::Fma),
    Stream(probe::Stream),
}

impl HostKernel {
    pub(super) fn prepare(call: &LibraryCall) -> Result<Self> {
        match (call.library.as_str(), call.function.as_str()) {
            (PACKED, "gemm") => PackedGemm::prepare(call).map(Self::PackedGemm),
            (PACKED, "conv2d") => Conv2d::prepare(call).map(Self::Conv2d),
            (PACKED, "attention") => Attention::prepare(call).map(Self::Attention),
            (probe::NATIVE, "fma") => probe::Fma::prepare(call).map(Self::Fma),
            (probe::NATIVE, "stream") => probe::Stream::prepare(call).map(Self::Stream),
            (_, "gemm") => BlasGemm::prepare(call).map(Self::BlasGemm),
            (library, function) => Err(Error::unsupported(format!("the host has no {library}::{function}"))),
        }
    }

    pub(super) fn run(&self, buffers: &[&HostMemory]) -> Result<()> {
        match self {
            Self::PackedGemm(gemm) => gemm.run(buffers),
            Self::BlasGemm(gemm) => gemm.run(buffers),
            Self::Conv2d(conv2d) => conv2d.run(buffers),
            Self::Attention(attention) => attention.run(buffers),
            Self::Fma(fma) => fma.run(buffers),
            Self::Stream(stream) => stream.run(buffers),
        }
    }
}
