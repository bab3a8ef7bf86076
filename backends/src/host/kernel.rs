//! Library functions on the CPU.

use super::memory::HostMemory;
use super::probe;
use crate::{Error, LibraryCall, Result};
use bytemuck::Pod;
use gemm::Parallelism;
use half::f16;
use half::slice::HalfFloatSliceExt;
use rayon::prelude::*;
use std::cell::RefCell;

/// The library's name in plans and ids.
pub(super) const GEMM_RS: &str = "gemm-rs";
/// Its version, as the workspace's manifest pins it.
pub(super) const GEMM_VERSION: &str = "0.19";

/// The widest instruction set that the library's kernels use on this CPU.
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
    Gemm(Gemm),
    Fma(probe::Fma),
    Stream(probe::Stream),
}

impl HostKernel {
    pub(super) fn prepare(call: &LibraryCall) -> Result<Self> {
        match (call.library.as_str(), call.function.as_str()) {
            (GEMM_RS, "gemm") => Gemm::prepare(call).map(Self::Gemm),
            (probe::NATIVE, "fma") => probe::Fma::prepare(call).map(Self::Fma),
            (probe::NATIVE, "stream") => probe::Stream::prepare(call).map(Self::Stream),
            (library, function) => Err(Error::unsupported(format!("the host has no {library}::{function}"))),
        }
    }

    pub(super) fn run(&self, buffers: &[&HostMemory]) -> Result<()> {
        match self {
            Self::Gemm(gemm) => gemm.run(buffers),
            Self::Fma(fma) => fma.run(buffers),
            Self::Stream(stream) => stream.run(buffers),
        }
    }
}

#[derive(Clone, Copy)]
enum Storage {
    F64,
    F32,
    /// Widened to f32 for the product.
    F16,
}

/// C = A·B, row-major.
pub(super) struct Gemm {
    m: usize,
    n: usize,
    k: usize,
    trans_a: bool,
    trans_b: bool,
    storage: Storage,
    /// A, B and C as f32, where they are stored as halves.
    wide: RefCell<[Vec<f32>; 3]>,
}

impl Gemm {
    fn prepare(call: &LibraryCall) -> Result<Self> {
        let flag = |name: &str| {
            let value = call.arguments.get(name).and_then(serde_json::Value::as_bool);
            value.ok_or_else(|| Error::invalid(format!("{GEMM_RS}::gemm needs a flag `{name}`")))
        };
        let storage = match (call.text("storage")?, call.text("accumulate")?) {
            ("f64", "f64") => Storage::F64,
            ("f32", "f32") => Storage::F32,
            ("f16", "f32") => Storage::F16,
            (storage, accumulate) => {
                return Err(Error::unsupported(format!("{GEMM_RS} has no {storage} with sums in {accumulate}")));
            }
        };
        Ok(Self {
            m: call.size("m")?,
            n: call.size("n")?,
            k: call.size("k")?,
            trans_a: flag("trans_a")?,
            trans_b: flag("trans_b")?,
            storage,
            wide: RefCell::default(),
        })
    }

    fn run(&self, buffers: &[&HostMemory]) -> Result<()> {
        let [a, b, c] = buffers else {
            return Err(Error::invalid("gemm takes the buffers A, B and C"));
        };
        let (m, n, k) = (self.m, self.n, self.k);
        match self.storage {
            Storage::F64 => self.multiply(view::<f64>(a, m * k)?, view(b, k * n)?, view_mut(c, m * n)?),
            Storage::F32 => self.multiply(view::<f32>(a, m * k)?, view(b, k * n)?, view_mut(c, m * n)?),
            Storage::F16 => {
                let mut wide = self.wide.borrow_mut();
                let [wide_a, wide_b, wide_c] = &mut *wide;
                widen(view(a, m * k)?, wide_a);
                widen(view(b, k * n)?, wide_b);
                wide_c.resize(m * n, 0.0);
                self.multiply(wide_a, wide_b, wide_c);
                narrow(wide_c, view_mut(c, m * n)?);
            }
        }
        Ok(())
    }

    fn multiply<T: Pod + num::One>(&self, a: &[T], b: &[T], c: &mut [T]) {
        let strides = |rows: usize, columns: usize, transposed: bool| {
            // (column stride, row stride) of the matrix as it is multiplied, not as it is stored.
            if transposed { (rows as isize, 1) } else { (1, columns as isize) }
        };
        let (a_column, a_row) = strides(self.m, self.k, self.trans_a);
        let (b_column, b_row) = strides(self.k, self.n, self.trans_b);
        let threads = rayon::current_num_threads();
        // SAFETY: `run` checked that the slices hold m·k, k·n and m·n elements, which these strides stay inside; `c` is
        // exclusive, and is only written because `read_dst` is off.
        unsafe {
            gemm::gemm(
                self.m,
                self.n,
                self.k,
                c.as_mut_ptr(),
                1,
                self.n as isize,
                false,
                a.as_ptr(),
                a_column,
                a_row,
                b.as_ptr(),
                b_column,
                b_row,
                T::ZERO,
                T::ONE,
                false,
                false,
                false,
                if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None },
            );
        }
    }
}

/// The two constants that a product needs.
mod num {
    pub(in crate::host) trait One: 'static {
        const ZERO: Self;
        const ONE: Self;
    }

    impl One for f32 {
        const ZERO: Self = 0.0;
        const ONE: Self = 1.0;
    }

    impl One for f64 {
        const ZERO: Self = 0.0;
        const ONE: Self = 1.0;
    }
}

pub(super) fn view<T: Pod>(memory: &HostMemory, elements: usize) -> Result<&[T]> {
    let bytes = memory.bytes();
    let bytes = bytes.get(..elements * size_of::<T>()).ok_or_else(|| too_small(bytes.len(), elements))?;
    Ok(bytemuck::cast_slice(bytes))
}

#[allow(clippy::mut_from_ref)] // The queue checked that a written buffer is bound once.
pub(super) fn view_mut<T: Pod>(memory: &HostMemory, elements: usize) -> Result<&mut [T]> {
    let bytes = memory.bytes_mut();
    let length = bytes.len();
    let bytes = bytes.get_mut(..elements * size_of::<T>()).ok_or_else(|| too_small(length, elements))?;
    Ok(bytemuck::cast_slice_mut(bytes))
}

fn too_small(bytes: usize, elements: usize) -> Error {
    Error::invalid(format!("a buffer of {bytes} bytes does not hold the {elements} elements of its matrix"))
}

/// Elements that a thread converts at a time: enough to hide the hand-over, few enough to share out evenly.
const CHUNK: usize = 1 << 16;

fn widen(from: &[f16], to: &mut Vec<f32>) {
    to.resize(from.len(), 0.0);
    to.par_chunks_mut(CHUNK).zip(from.par_chunks(CHUNK)).for_each(|(to, from)| from.convert_to_f32_slice(to));
}

fn narrow(from: &[f32], to: &mut [f16]) {
    to.par_chunks_mut(CHUNK).zip(from.par_chunks(CHUNK)).for_each(|(to, from)| to.convert_from_f32_slice(from));
}
