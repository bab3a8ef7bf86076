//! Against the definition in f64, with all scores of a query at once.

#![allow(clippy::unwrap_used)] // A test may panic.

use super::{KEYS, QUERIES, Scratch, Shape};
use crate::LibraryCall;
use crate::host::testing::{PRECISIONS, call, values};
use serde_json::{Value, json};

/// Batch, heads of Q, heads of K and V, queries, keys, width of a head, whether causal.
type Case = (usize, usize, usize, usize, usize, usize, bool);

const CASES: &[Case] = &[
    (2, 3, 3, 5, 7, 9, false),
    (1, 2, 1, 37, 53, 16, true),
    (2, 4, 2, 1, 600, 24, true),
    (1, 6, 2, 3, 1100, 8, false),
    (1, 1, 1, 1, 3000, 33, true),
    (1, 2, 2, 300, 300, 40, true),
    (1, 2, 1, 530, 790, 17, true),
    (1, 1, 1, 517, 263, 64, false),
    (1, 8, 2, 90, 300, 12, true),
];

fn arguments(case: &Case, storage: &str, accumulate: &str) -> Value {
    let (batch, heads, kv_heads, seq_q, seq_kv, head_dim, causal) = *case;
    json!({
        "batch": batch, "heads": heads, "kv_heads": kv_heads, "seq_q": seq_q, "seq_kv": seq_kv, "head_dim": head_dim,
        "causal": causal, "storage": storage, "accumulate": accumulate,
    })
}

fn shape(arguments: &Value) -> crate::Result<Shape> {
    let arguments = arguments.as_object().unwrap().clone();
    Shape::of(&LibraryCall { library: "packed".to_owned(), function: "attention".to_owned(), arguments })
}

fn truth(case: &Case, q: &[f64], k: &[f64], v: &[f64]) -> Vec<f64> {
    let (batch, heads, kv_heads, seq_q, seq_kv, d, causal) = *case;
    let mut output = Vec::new();
    for row in 0..batch * heads * seq_q {
        let (head, i) = (row / seq_q, row % seq_q);
        let kv_head = head / heads * kv_heads + head % heads / (heads / kv_heads);
        let of = |from: &[f64], j: usize| from[(kv_head * seq_kv + j) * d..][..d].to_vec();
        let keys = if causal { i + seq_kv - seq_q + 1 } else { seq_kv };
        let q = &q[row * d..][..d];
        let scores: Vec<f64> =
            (0..keys).map(|j| q.iter().zip(of(k, j)).map(|(q, k)| q * k).sum::<f64>() / (d as f64).sqrt()).collect();
        let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = scores.iter().map(|score| (score - max).exp()).collect();
        let sum: f64 = weights.iter().sum();
        let values: Vec<_> = (0..keys).map(|j| of(v, j)).collect();
        output.extend((0..d).map(|e| weights.iter().zip(&values).map(|(p, v)| p * v[e]).sum::<f64>() / sum));
    }
    output
}

/// Q is scaled, so that the scores differ enough for the largest one to change along the keys.
fn operands(shape: &Shape) -> [Vec<f64>; 3] {
    let q = values(shape.q_len(), 1).into_iter().map(|q| 8.0 * q).collect();
    [q, values(shape.kv_len(), 2), values(shape.kv_len(), 3)]
}

#[test]
fn weighs_as_its_definition_says() {
    for case in CASES {
        for (storage, accumulate, epsilon) in PRECISIONS {
            let arguments = arguments(case, storage, accumulate);
            let shape = shape(&arguments).unwrap();
            let operands = operands(&shape);
            let truth = truth(case, &operands[0], &operands[1], &operands[2]);
            let output = call("attention", &arguments, &operands, shape.q_len()).unwrap();
            for (index, (got, truth)) in output.iter().zip(truth).enumerate() {
                let error = (got - truth).abs();
                assert!(error <= 32.0 * epsilon, "{arguments}: element {index} is {got}, not {truth}");
            }
        }
    }
}

#[test]
fn infinite_and_undefined_scores_come_through() {
    let arguments = arguments(&(1, 1, 1, 2, 2 * KEYS, 1, false), "f32", "f32");
    let (mut k, v) = (vec![f64::NEG_INFINITY; 2 * KEYS], values(2 * KEYS, 1));
    // The first block's scores are all -∞ for the first query: only the one finite score counts.
    k[KEYS + 3] = 0.5;
    let output = call("attention", &arguments, &[vec![1.0, f64::NAN], k, v.clone()], 2).unwrap();
    assert!((output[0] - v[KEYS + 3]).abs() < f64::EPSILON);
    assert!(output[1].is_nan());
}

#[test]
fn memory_does_not_grow_with_the_sequence() {
    // A block's rows are all that a thread's memory is sized by.
    for (seq_q, seq_kv, group) in [(1, 1 << 20, 64), (100, 1 << 20, 7), (1 << 14, 1 << 14, 1), (257, 300, 3)] {
        let arguments = arguments(&(1, group, 1, seq_q, seq_kv, 128, true), "f16", "f32");
        let shape = shape(&arguments).unwrap();
        let blocks = shape.blocks();
        assert_eq!(blocks.iter().map(ExactSizeIterator::len).sum::<usize>(), group * seq_q);
        assert!(blocks.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert!(blocks.iter().all(|rows| (1..=QUERIES).contains(&rows.len())), "{blocks:?}");
    }
    let mut scratch = Scratch::<f32>::new(128);
    scratch.state.clear(QUERIES, 128);
    let Scratch { queries, keys, values, scores, state } = &scratch;
    let elements = queries.len() + keys.len() + values.len() + scores.len() + state.output.len() + 2 * QUERIES;
    // Half of the operands and the result, 16k keys and queries, 128 wide.
    assert!(elements < (4 << 14) * 128 / 2);
}

#[test]
fn wrong_arguments_are_named() {
    let good = arguments(&CASES[1], "f32", "f32");
    let operands = [values(7, 1), values(7, 2), values(7, 3)];
    let complaint = |name: &str, value: Value| {
        let mut arguments = good.clone();
        arguments[name] = value;
        call("attention", &arguments, &operands, 1).unwrap_err().to_string()
    };
    for name in good.as_object().unwrap().keys() {
        let message = complaint(name, Value::Null);
        assert!(message.contains(&format!("`{name}`")), "{message}");
    }
    assert!(complaint("kv_heads", json!(3)).contains("kv_heads 3"));
    assert!(complaint("head_dim", json!(0)).contains("`head_dim` 0"));
    assert!(complaint("seq_kv", json!(36)).contains("seq_kv 36"));
    assert!(complaint("batch", json!(1_u64 << 60)).contains("larger than any memory"));
    assert!(complaint("storage", json!("bf16")).contains("bf16 with sums in f32"));
    let too_small = call("attention", &good, &operands, 1);
    assert!(too_small.unwrap_err().to_string().contains("elements of Q"));
}
