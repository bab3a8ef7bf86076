//! Against sums as the definition writes them, in f64.

#![allow(clippy::unwrap_used)] // A test may panic.

use super::planes::Split;
use super::{Layout, Shape};
use crate::LibraryCall;
use crate::host::kernel::PACKED;
use crate::host::testing::{PRECISIONS, call, values};
use serde_json::{Value, json};

/// n, c, [h, w], k, [r, s], stride, pad, dilation, groups.
type Case = (usize, usize, [usize; 2], usize, [usize; 2], [usize; 2], [usize; 2], [usize; 2], usize);

/// Every way to compute it, with sizes that no block divides.
const CASES: &[Case] = &[
    // Products in place.
    (2, 5, [9, 7], 6, [1, 1], [1, 1], [0, 0], [1, 1], 1),
    (1, 24, [31, 29], 70, [1, 1], [1, 1], [0, 0], [1, 1], 2),
    // Products of columns: blocks that start and end within rows and images.
    (3, 7, [13, 11], 9, [3, 3], [1, 1], [1, 1], [1, 1], 1),
    (1, 3, [41, 37], 12, [7, 5], [2, 3], [3, 1], [1, 1], 1),
    (2, 130, [9, 10], 17, [3, 3], [1, 2], [2, 0], [2, 3], 1),
    (17, 16, [6, 7], 34, [3, 3], [1, 1], [1, 1], [1, 1], 2),
    (1, 20, [5, 4], 300, [2, 3], [1, 1], [0, 1], [1, 1], 1),
    // So many products for an output that the columns come in parts.
    (1, 100, [20, 19], 9, [3, 3], [1, 1], [1, 1], [1, 1], 1),
    (2, 6, [8, 8], 5, [1, 1], [2, 2], [0, 0], [1, 1], 1),
    (2, 6, [3, 3], 5, [1, 1], [1, 1], [2, 3], [1, 1], 1),
    (1, 4, [3, 2], 3, [5, 5], [1, 1], [4, 4], [1, 1], 1),
    // Direct sums.
    (2, 11, [12, 9], 11, [3, 3], [1, 1], [1, 1], [1, 1], 11),
    (2, 18, [10, 13], 18, [3, 2], [2, 2], [1, 0], [1, 2], 18),
    (2, 6, [9, 9], 12, [3, 3], [1, 2], [1, 2], [2, 1], 3),
];

fn arguments(case: &Case, layout: &str, storage: &str, accumulate: &str) -> Value {
    let (n, c, [h, w], k, [r, s], [stride_h, stride_w], [pad_h, pad_w], [dilation_h, dilation_w], groups) = *case;
    json!({
        "n": n, "c": c, "h": h, "w": w, "k": k, "r": r, "s": s, "stride_h": stride_h, "stride_w": stride_w,
        "pad_h": pad_h, "pad_w": pad_w, "dilation_h": dilation_h, "dilation_w": dilation_w, "groups": groups,
        "layout": layout, "storage": storage, "accumulate": accumulate,
    })
}

fn shape(arguments: &Value) -> crate::Result<Shape> {
    let arguments = arguments.as_object().unwrap().clone();
    Shape::of(&LibraryCall { library: PACKED.to_owned(), function: "conv2d".to_owned(), arguments })
}

/// The outputs, and the sums of the products' magnitudes, which rounding errors are relative to.
fn truth(shape: &Shape, x: &[f64], w: &[f64]) -> Vec<(f64, f64)> {
    let at = |[a, b, c, d]: [usize; 4], [_, channels, height, width]: [usize; 4]| match shape.layout {
        Layout::Nchw => ((a * channels + b) * height + c) * width + d,
        Layout::Nhwc => ((a * height + c) * width + d) * channels + b,
    };
    let (all_c, all_k) = (shape.groups * shape.c, shape.groups * shape.k);
    let y_sizes = [shape.n, all_k, shape.output[0], shape.output[1]];
    let mut y = vec![(f64::NAN, 0.0); y_sizes.iter().product()];
    for (n, k) in (0..shape.n).flat_map(|n| (0..all_k).map(move |k| (n, k))) {
        for (oh, ow) in (0..y_sizes[2]).flat_map(|oh| (0..y_sizes[3]).map(move |ow| (oh, ow))) {
            let (mut sum, mut size) = (0.0, 0.0);
            for ci in 0..shape.c {
                for (r, s) in (0..shape.kernel[0]).flat_map(|r| (0..shape.kernel[1]).map(move |s| (r, s))) {
                    let h = (oh * shape.stride[0] + r * shape.dilation[0]).wrapping_sub(shape.pad[0]);
                    let v = (ow * shape.stride[1] + s * shape.dilation[1]).wrapping_sub(shape.pad[1]);
                    if h < shape.input[0] && v < shape.input[1] {
                        let c = k / shape.k * shape.c + ci;
                        let x = x[at([n, c, h, v], [shape.n, all_c, shape.input[0], shape.input[1]])];
                        let product = x * w[at([k, ci, r, s], [all_k, shape.c, shape.kernel[0], shape.kernel[1]])];
                        sum += product;
                        size += product.abs();
                    }
                }
            }
            y[at([n, k, oh, ow], y_sizes)] = (sum, size);
        }
    }
    y
}

#[test]
fn sums_what_its_definition_says() {
    for case in CASES {
        for layout in ["nchw", "nhwc"] {
            for (storage, accumulate, epsilon) in PRECISIONS {
                let arguments = arguments(case, layout, storage, accumulate);
                let shape = shape(&arguments).unwrap();
                let (x, w) = (values(shape.x_len(), 1), values(shape.w_len(), 2));
                let truth = truth(&shape, &x, &w);
                let y = call("conv2d", &arguments, &[x, w], shape.y_len()).unwrap();
                for (index, (y, (sum, size))) in y.iter().zip(truth).enumerate() {
                    let error = (y - sum).abs();
                    // NaN, where nothing was written, is not within any bound.
                    assert!(error <= 4.0 * epsilon * (size + 1e-3), "{arguments}: element {index} is {y}, not {sum}");
                }
            }
        }
    }
}

#[test]
fn every_product_is_one_tasks() {
    for case in CASES {
        for (threads, width) in [(1, 64), (2, 8), (7, 16), (96, 64)] {
            let split = Split::of(&shape(&arguments(case, "nchw", "f32", "f32")).unwrap(), width, threads);
            let all: Vec<usize> = (0..split.tasks).flat_map(|task| split.of_task(task)).collect();
            assert!(all.into_iter().eq(0..split.products), "{case:?} by {threads} threads");
        }
    }
}

#[test]
fn few_pixels_are_work_for_many_threads() {
    let deep = arguments(&(1, 512, [7, 7], 512, [3, 3], [1, 1], [1, 1], [1, 1], 1), "nchw", "f32", "f32");
    let split = Split::of(&shape(&deep).unwrap(), 64, 8);
    let most = (0..split.tasks).map(|task| split.of_task(task).len()).max();
    // 86 panels of filters.
    assert_eq!((split.tasks, most), (16, Some(6)));
}

#[test]
fn wrong_arguments_are_named() {
    let good = arguments(&CASES[2], "nchw", "f32", "f32");
    let complaint = |name: &str, value: Value| {
        let mut arguments = good.clone();
        arguments[name] = value;
        call("conv2d", &arguments, &[values(7, 1), values(7, 2)], 1).unwrap_err().to_string()
    };
    for name in good.as_object().unwrap().keys() {
        let message = complaint(name, Value::Null);
        assert!(message.contains(&format!("`{name}`")), "{message}");
    }
    assert!(complaint("layout", json!("chwn")).contains("chwn"));
    assert!(complaint("groups", json!(2)).contains("groups 2"));
    assert!(complaint("stride_w", json!(0)).contains("stride"));
    assert!(complaint("r", json!(40)).contains("kernel reaches beyond"));
    assert!(complaint("n", json!(1_u64 << 60)).contains("larger than any memory"));
    assert!(complaint("accumulate", json!("f64")).contains("f32 with sums in f64"));
    let too_small = call("conv2d", &good, &[values(7, 1), values(7, 2)], 1);
    assert!(too_small.unwrap_err().to_string().contains("elements of X"));
}
