//! GEMM of this program's own.

mod few;
#[cfg(test)]
mod tests;
mod thin;

use super::block::Pool;
use super::element::{Element, Precision};
use super::memory::HostMemory;
use super::sizes::Sizes;
use super::tiles::{Lanes, Limits, Order, Product, Scratch, pack_a, pack_b};
use crate::{LibraryCall, Result};
use half::f16;
use std::cell::RefCell;

/// C = A·B, row-major.
pub(super) struct PackedGemm {
    sizes: Sizes,
    precision: Precision,
    shared: RefCell<Scratch>,
    own: Pool<Scratch>,
}

impl PackedGemm {
    pub(super) fn prepare(call: &LibraryCall) -> Result<Self> {
        Ok(Self {
            sizes: Sizes::of(call)?,
            precision: Precision::of(call)?,
            shared: RefCell::default(),
            own: Pool::new(),
        })
    }

    pub(super) fn run(&self, buffers: &[&HostMemory]) -> Result<()> {
        match self.precision {
            Precision::F64 => self.multiply::<f64>(buffers),
            Precision::F32 => self.multiply::<f32>(buffers),
            Precision::F16 => self.multiply::<f16>(buffers),
        }
    }

    fn multiply<E: Element<Real: Lanes>>(&self, buffers: &[&HostMemory]) -> Result<()> {
        let (a, b, c) = self.sizes.operands::<E>(buffers)?;
        if thin::suits(&self.sizes) {
            thin::multiply(&self.sizes, a, b, c);
            return Ok(());
        }
        let shared = &mut self.shared.borrow_mut();
        if few::suits(&self.sizes) {
            return few::multiply(&self.sizes, a, b, c, shared, &self.own);
        }
        multiply(&self.sizes, Limits::default(), a, b, c, shared, &self.own)
    }
}

/// C = A·B, in panels.
fn multiply<E: Element<Real: Lanes>>(
    sizes: &Sizes,
    limits: Limits,
    a: &[E],
    b: &[E],
    c: &mut [E],
    shared: &mut Scratch,
    own: &Pool<Scratch>,
) -> Result<()> {
    let &Sizes { m, n, k, trans_a, trans_b } = sizes;
    let order = if trans_a { Order::ByStep } else { Order::ByRow };
    let (row, row_stride) = if trans_a { (1, m) } else { (k, k) };
    let (column, column_stride) = if trans_b { (k, k) } else { (1, n) };
    // SAFETY: C holds m rows of n elements, and is borrowed exclusively.
    let product = unsafe {
        Product::new(
            [m, n, k],
            order,
            |rows, depth, to| pack_a(order, &a[rows.start * row..], row_stride, rows.len(), depth, to),
            |columns, depth, to| pack_b(trans_b, &b[columns.start * column..], column_stride, columns.len(), depth, to),
            c.as_mut_ptr(),
            n,
            limits,
        )
    };
    product.run(shared, own)
}
