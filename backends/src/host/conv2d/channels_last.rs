//! Convolution where a pixel's channels lie together, as products: pixels are the rows of A, and filters the columns of B.

use super::Shape;
use super::windows::gather_windows;
use crate::Result;
use crate::host::block::Pool;
use crate::host::element::Element;
use crate::host::tiles::{Lanes, Limits, Order, Product, Scratch, pack_a, pack_b};

pub(super) fn run<E: Element<Real: Lanes>>(
    shape: &Shape,
    x: &[E],
    w: &[E],
    y: &mut [E],
    shared: &mut Scratch,
    own: &Pool<Scratch>,
) -> Result<()> {
    let reduction = shape.reduction();
    let (x_row, y_row) = (shape.groups * shape.c, shape.groups * shape.k);
    for group in 0..shape.groups {
        let x = &x[group * shape.c..];
        let w = &w[group * shape.k * reduction..];
        let y = &mut y[group * shape.k..];
        // SAFETY: Y is borrowed exclusively, and a group's filters are a part of each of its rows.
        let product = unsafe {
            Product::new(
                [shape.pixels(), shape.k, reduction],
                Order::ByRow,
                |pixels, depth, to| {
                    if shape.is_pointwise() {
                        pack_a(Order::ByRow, &x[pixels.start * x_row..], x_row, pixels.len(), depth, to);
                    } else {
                        gather_windows(shape, x, pixels, depth, to);
                    }
                },
                |filters, depth, to| pack_b(true, &w[filters.start * reduction..], reduction, filters.len(), depth, to),
                y.as_mut_ptr(),
                y_row,
                Limits::default(),
            )
        };
        product.run(shared, own)?;
    }
    Ok(())
}
