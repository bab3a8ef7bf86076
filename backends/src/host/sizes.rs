//! The sizes of a product of matrices, and its operands.

use super::element::Element;
use super::memory::HostMemory;
use super::views::{view, view_mut};
use crate::{Error, LibraryCall, Result};

/// Row-major matrices: C of m × n is A of m × k times B of k × n, each of these perhaps stored transposed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
    pub(super) trans_a: bool,
    pub(super) trans_b: bool,
}

impl Sizes {
    pub(super) fn of(call: &LibraryCall) -> Result<Self> {
        Ok(Self {
            m: call.size("m")?,
            n: call.size("n")?,
            k: call.size("k")?,
            trans_a: call.flag("trans_a")?,
            trans_b: call.flag("trans_b")?,
        })
    }

    /// A, B and C.
    pub(super) fn operands<'a, E: Element>(
        &self,
        buffers: &[&'a HostMemory],
    ) -> Result<(&'a [E], &'a [E], &'a mut [E])> {
        let [a, b, c] = buffers else {
            return Err(Error::invalid("gemm takes the buffers A, B and C"));
        };
        let (m, n, k) = (self.m, self.n, self.k);
        Ok((view("A", a, m * k)?, view("B", b, k * n)?, view_mut("C", c, m * n)?))
    }
}
