//! GEMM: the library's own parallel product.

use super::element::{Element, Precision, Real};
use super::memory::HostMemory;
use super::views::{narrow, view, view_mut, widen};
use crate::{Error, LibraryCall, Result};
use gemm::Parallelism;
use half::f16;
use std::cell::RefCell;

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

/// C = A·B, row-major.
pub(super) struct Gemm {
    sizes: Sizes,
    precision: Precision,
    /// A, B and C as f32, where they are stored as halves.
    wide: RefCell<[Vec<f32>; 3]>,
}

impl Gemm {
    pub(super) fn prepare(call: &LibraryCall) -> Result<Self> {
        Ok(Self { sizes: Sizes::of(call)?, precision: Precision::of(call)?, wide: RefCell::default() })
    }

    pub(super) fn run(&self, buffers: &[&HostMemory]) -> Result<()> {
        match self.precision {
            Precision::F64 => {
                let (a, b, c) = self.sizes.operands::<f64>(buffers)?;
                self.multiply(a, b, c);
            }
            Precision::F32 => {
                let (a, b, c) = self.sizes.operands::<f32>(buffers)?;
                self.multiply(a, b, c);
            }
            Precision::F16 => {
                let (a, b, c) = self.sizes.operands::<f16>(buffers)?;
                let mut wide = self.wide.borrow_mut();
                let [wide_a, wide_b, wide_c] = &mut *wide;
                widen(a, wide_a);
                widen(b, wide_b);
                wide_c.resize(c.len(), 0.0);
                self.multiply(wide_a, wide_b, wide_c);
                narrow(wide_c, c);
            }
        }
        Ok(())
    }

    fn multiply<T: Real>(&self, a: &[T], b: &[T], c: &mut [T]) {
        let Sizes { m, n, k, trans_a, trans_b } = self.sizes;
        let strides = |rows: usize, columns: usize, transposed: bool| {
            // (column stride, row stride) of the matrix as it is multiplied, not as it is stored.
            if transposed { (rows as isize, 1) } else { (1, columns as isize) }
        };
        let (a_column, a_row) = strides(m, k, trans_a);
        let (b_column, b_row) = strides(k, n, trans_b);
        let threads = rayon::current_num_threads();
        // SAFETY: `operands` checked that the slices hold m·k, k·n and m·n elements, which these strides stay inside;
        // `c` is exclusive, and is only written because `read_dst` is off.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                c.as_mut_ptr(),
                1,
                n as isize,
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
