//! Against sums as the definition writes them, in f64.

#![allow(clippy::unwrap_used)] // A test may panic.

use super::*;
use crate::host::testing::values;
use crate::host::tiles::{columns, steps};

const LAYOUTS: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

fn sizes([m, n, k]: [usize; 3], (trans_a, trans_b): (bool, bool)) -> Sizes {
    Sizes { m, n, k, trans_a, trans_b }
}

/// The largest difference from the truth, in units of what rounding may give.
fn error<E: Element<Real: Lanes> + Into<f64>>(sizes: Sizes, epsilon: f64, product: impl Fn(&[E], &[E], &mut [E])) -> f64
where
    E::Real: From<f32>,
{
    let Sizes { m, n, k, trans_a, trans_b } = sizes;
    // Multiples of 1/256, which every type has.
    let stored = |values: Vec<f64>| -> Vec<E> { values.into_iter().map(|x| E::stored((x as f32).into())).collect() };
    let (a, b) = (stored(values(m * k, 1)), stored(values(k * n, 2)));
    // What is not written must not look like a result.
    let mut c = vec![E::stored(f32::NAN.into()); m * n];
    product(&a, &b, &mut c);
    let mut worst: f64 = 0.0;
    for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
        let terms = (0..k).map(|l| {
            let a: f64 = a[if trans_a { l * m + i } else { i * k + l }].into();
            let b: f64 = b[if trans_b { j * k + l } else { l * n + j }].into();
            a * b
        });
        let (sum, magnitude) = terms.fold((0.0, 0.0), |(sum, size), x: f64| (sum + x, size + x.abs()));
        let got: f64 = c[i * n + j].into();
        if got.is_nan() {
            return f64::INFINITY;
        }
        worst = worst.max((got - sum).abs() / (epsilon * (magnitude + f64::MIN_POSITIVE)));
    }
    worst
}

fn panels<E: Element<Real: Lanes>>(sizes: Sizes, limits: Limits) -> impl Fn(&[E], &[E], &mut [E]) {
    move |a, b, c| {
        let (mut shared, own) = (Scratch::default(), Pool::new());
        // Twice: the second time memory holds what the first one left.
        for _ in 0..2 {
            multiply(&sizes, limits, a, b, c, &mut shared, &own).unwrap();
        }
    }
}

fn holds(shape: [usize; 3], limits: Limits) {
    for layout in LAYOUTS {
        let sizes = sizes(shape, layout);
        let worst = [
            error::<f64>(sizes, f64::EPSILON, panels(sizes, limits)),
            error::<f32>(sizes, f32::EPSILON.into(), panels(sizes, limits)),
            error::<f16>(sizes, 1.0 / 1024.0, panels(sizes, limits)),
        ];
        assert!(worst.iter().all(|worst| *worst < 1.0), "{sizes:?}: {worst:?}");
    }
}

#[test]
fn products_of_every_shape_and_layout() {
    let width = columns::<f32>();
    let edges = [1, 2, 5, 6, 7, 13, width - 1, width, width + 1, 2 * width + 3];
    for (index, &m) in edges.iter().enumerate() {
        for (step, &n) in edges.iter().enumerate() {
            let k = [1, 3, steps::<f64>(), steps::<f32>(), 17, 31, 100, 257, 300][(index + step) % 9];
            holds([m, n, k], Limits::default());
        }
    }
}

#[test]
fn blocks_along_every_dimension_join() {
    // A chunk of one panel, blocks of one panel of B and of a few steps.
    let tiny = Limits { chunk_bytes: 1, b_bytes: 1, depth: 16 };
    let some = Limits { chunk_bytes: 20_000, b_bytes: 30_000, depth: 48 };
    for limits in [tiny, some] {
        holds([65, 131, 95], limits);
        holds([7, 300, 33], limits);
        holds([301, 9, 64], limits);
    }
}

#[test]
fn thin_products_of_every_type() {
    for (shape, trans_a) in [[1, 1, 1], [1, 9, 7], [3, 70, 65], [4, 131, 2100], [2, 5, 1024]]
        .into_iter()
        .flat_map(|shape| [(shape, false), (shape, true)])
    {
        let sizes = sizes(shape, (trans_a, true));
        assert!(thin::suits(&sizes));
        let worst = [
            error::<f64>(sizes, f64::EPSILON, |a, b, c| thin::multiply(&sizes, a, b, c)),
            error::<f32>(sizes, f32::EPSILON.into(), |a, b, c| thin::multiply(&sizes, a, b, c)),
            error::<f16>(sizes, 1.0 / 1024.0, |a, b, c| thin::multiply(&sizes, a, b, c)),
        ];
        assert!(worst.iter().all(|worst| *worst < 1.0), "{sizes:?}: {worst:?}");
    }
}

#[test]
fn few_rows_by_a_transposed_matrix() {
    let width = columns::<f32>();
    for (shape, trans_a) in
        [[5, 40, 256], [6, 96, 300], [13, 203, 1025], [24, 193, 2048], [width + 1, 8 * width + 9, 513]]
            .into_iter()
            .flat_map(|shape| [(shape, false), (shape, true)])
    {
        let sizes = sizes(shape, (trans_a, true));
        assert!(few::suits(&sizes));
        let worst = [
            error::<f64>(sizes, f64::EPSILON, few_rows(sizes)),
            error::<f32>(sizes, f32::EPSILON.into(), few_rows(sizes)),
            error::<f16>(sizes, 1.0 / 1024.0, few_rows(sizes)),
        ];
        assert!(worst.iter().all(|worst| *worst < 1.0), "{sizes:?}: {worst:?}");
    }
}

fn few_rows<E: Element<Real: Lanes>>(sizes: Sizes) -> impl Fn(&[E], &[E], &mut [E]) {
    move |a, b, c| {
        let (mut shared, own) = (Scratch::default(), Pool::new());
        for _ in 0..2 {
            few::multiply(&sizes, a, b, c, &mut shared, &own).unwrap();
        }
    }
}
