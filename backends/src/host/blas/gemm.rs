//! GEMM by such a library.

use super::cblas::{Cblas, Multiply, multiply};
use super::named;
use crate::host::element::{Element, Precision};
use crate::host::memory::HostMemory;
use crate::host::sizes::Sizes;
use crate::{Error, LibraryCall, Result};

/// C = A·B, row-major.
pub(in crate::host) struct BlasGemm {
    cblas: &'static Cblas,
    sizes: Sizes,
    precision: Precision,
}

impl BlasGemm {
    pub(in crate::host) fn prepare(call: &LibraryCall) -> Result<Self> {
        let cblas = named(&call.library)
            .ok_or_else(|| Error::unsupported(format!("the host has no {}::{}", call.library, call.function)))?;
        match Precision::of(call)? {
            Precision::F16 => Err(Error::unsupported(format!("{} has no f16 with sums in f32", call.library))),
            precision => Ok(Self { cblas, sizes: Sizes::of(call)?, precision }),
        }
    }

    pub(in crate::host) fn run(&self, buffers: &[&HostMemory]) -> Result<()> {
        match self.precision {
            Precision::F64 => self.multiply::<f64>(buffers),
            _ => self.multiply::<f32>(buffers),
        }
    }

    fn multiply<T: Multiply + Element>(&self, buffers: &[&HostMemory]) -> Result<()> {
        let (a, b, c) = self.sizes.operands::<T>(buffers)?;
        multiply(self.cblas, self.sizes, a, b, c);
        Ok(())
    }
}
