//! Memory to time algorithms on: random numbers, since on zeros a device draws less power and runs faster.

use crate::cuda::api::{check, driver};
use crate::cuda::context::Context;
use crate::cuda::memory::CudaMemory;
use crate::{DType, Error, LibraryCall, Result};
use cudarc::driver::sys::CUdeviceptr;
use float8::F8E4M3;
use half::{bf16, f16};
use std::rc::Rc;

/// So many numbers are made, and repeated.
const BLOCK: u64 = 1 << 17;

/// What a function stores its operands in, or rounds them to, and what it sums in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Types {
    pub(super) storage: DType,
    pub(super) accumulate: DType,
}

impl Types {
    pub(super) fn of(call: &LibraryCall) -> Result<Self> {
        let dtype = |argument: &str| {
            let name = call.text(argument)?;
            DType::named(name).ok_or_else(|| Error::unsupported(format!("{} has no type `{name}`", call.library)))
        };
        Ok(Self { storage: dtype("storage")?, accumulate: dtype("accumulate")? })
    }

    /// What it stores its results in.
    pub(super) const fn result(self) -> DType {
        match self.storage {
            DType::Tf32 => DType::F32,
            DType::F8E4M3 => DType::Bf16,
            DType::I8 => DType::I32,
            storage => storage,
        }
    }
}

/// A size from 1 to 2³¹−1, so that three of them can be multiplied.
pub(super) fn side(call: &LibraryCall, name: &str) -> Result<u64> {
    let size = call.size(name)? as u64;
    if (1..=i32::MAX as u64).contains(&size) {
        return Ok(size);
    }
    Err(Error::invalid(format!("{}::{} with `{name}` of {size}", call.library, call.function)))
}

/// The product of sizes, of what could be in a memory.
pub(super) fn elements(sides: &[u64]) -> Result<u64> {
    let product = sides.iter().try_fold(1_u64, |product, side| product.checked_mul(*side));
    let fits = product.filter(|&product| product < 1 << 60);
    fits.ok_or_else(|| Error::invalid(format!("a tensor of {sides:?} is larger than any memory")))
}

/// Memory filled with normal random numbers; whole ones have a deviation of 32.
pub(super) fn random(context: &Rc<Context>, dtype: DType, elements: u64) -> Result<CudaMemory> {
    let memory = CudaMemory::device(context, elements * dtype.bytes())?;
    let block = normal(dtype, elements.min(BLOCK));
    let total = elements * dtype.bytes();
    let mut filled = block.len() as u64;
    // SAFETY: the block is no longer than the memory, and outlives the copy: the stream is waited for.
    check("cuMemcpyAsync", unsafe {
        driver::cuMemcpyAsync(memory.start, block.as_ptr() as CUdeviceptr, block.len(), context.stream())
    })?;
    while filled < total {
        let bytes = filled.min(total - filled);
        // SAFETY: both ranges lie inside the memory, and do not overlap.
        check("cuMemcpyAsync", unsafe {
            driver::cuMemcpyAsync(memory.start + filled, memory.start, bytes as usize, context.stream())
        })?;
        filled += bytes;
    }
    context.synchronize()?;
    Ok(memory)
}

/// Numbers of mean 0 and variance 1, the same ones each time.
fn normal(dtype: DType, count: u64) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    // Each of the four has a variance of 1/12.
    let mut number = || (uniform() + uniform() + uniform() + uniform()) * 3_f64.sqrt();
    let mut bytes = Vec::with_capacity((count * dtype.bytes()) as usize);
    for _ in 0..count {
        match dtype {
            DType::F64 => bytes.extend(number().to_le_bytes()),
            DType::F32 | DType::Tf32 => bytes.extend((number() as f32).to_le_bytes()),
            DType::Bf16 => bytes.extend(bf16::from_f64(number()).to_le_bytes()),
            DType::I32 => bytes.extend(((number() * 32.0) as i32).to_le_bytes()),
            DType::I8 => bytes.extend(((number() * 32.0) as i8).to_le_bytes()),
            DType::F16 => bytes.extend(f16::from_f64(number()).to_le_bytes()),
            DType::F8E4M3 => bytes.push(F8E4M3::from_f64(number()).to_bits()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bounded() {
        let call = |size: u64| LibraryCall {
            library: "l".into(),
            function: "f".into(),
            arguments: [("m".to_owned(), size.into())].into_iter().collect(),
        };
        assert_eq!(side(&call(7), "m").unwrap(), 7);
        for size in [0, 1 << 31, u64::MAX] {
            assert!(matches!(side(&call(size), "m"), Err(Error::InvalidArgument(_))), "{size}");
        }
        assert_eq!(elements(&[2, 3, 4, 5]).unwrap(), 120);
        assert!(elements(&[1 << 31, 1 << 31]).is_err());
    }

    #[test]
    fn numbers_are_normal_enough() {
        let bytes = normal(DType::F64, 100_000);
        let numbers: Vec<f64> = bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        let mean = numbers.iter().sum::<f64>() / 1e5;
        let variance = numbers.iter().map(|x| x * x).sum::<f64>() / 1e5;
        assert_eq!(numbers.len(), 100_000);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        assert!(DType::ALL.into_iter().all(|dtype| normal(dtype, 3).len() as u64 == 3 * dtype.bytes()));
    }
}
