//! GEMM shapes that models really run, and a ladder of squares.
//!
//! m is the number of tokens, images or samples that go through a layer at once, n its outputs, k its inputs. A linear
//! layer's weights are stored as n × k, hence `nt`; gradients of weights are `tn`, of activations `nn`. Sizes are from
//! the models' published configurations: ResNet-50 (He et al. 2015), BERT-large (Devlin et al. 2018), GPT-3 175B (Brown
//! et al. 2020), DLRM (Naumov et al. 2019), Whisper large (Radford et al. 2022), Llama 3 (Grattafiori et al. 2024).

use crate::fields::named;
use crate::{NamedShape, Phase, Profile, fill};
use Phase::{Decode, Ladder, Prefill, Training};
use Profile::{Full, Quick, Standard};
use std::collections::BTreeMap;

/// The first profile that has it, (m, n, k), layout, origin, phase. In the order of running: sizes that tell most come
/// first, so that a run that is stopped early has them.
type Row = (Profile, [u32; 3], &'static str, &'static str, Phase);

const SHAPES: &[Row] = &[
    (Quick, [256, 256, 256], "nn", "square", Ladder),
    (Quick, [1024, 1024, 1024], "nn", "square", Ladder),
    (Quick, [1, 4096, 4096], "nt", "Llama-3-8B attention output", Decode),
    (Standard, [2048, 2048, 2048], "nn", "square", Ladder),
    (Standard, [512, 512, 512], "nn", "square", Ladder),
    (Standard, [64, 1000, 2048], "nt", "ResNet-50 classifier", Training),
    (Standard, [512, 1024, 1024], "nt", "BERT-large attention output", Prefill),
    (Standard, [512, 4096, 1024], "nt", "BERT-large feed-forward up", Prefill),
    (Standard, [1024, 4096, 512], "tn", "BERT-large feed-forward, weight gradient", Training),
    (Standard, [1500, 1280, 1280], "nt", "Whisper large attention output", Prefill),
    (Standard, [2048, 1024, 479], "nt", "DLRM top MLP, first layer", Training),
    (Standard, [2048, 512, 1024], "nn", "DLRM top MLP, activation gradient", Training),
    (Standard, [128, 4096, 4096], "nt", "Llama-3-8B attention output", Prefill),
    (Standard, [1, 14336, 4096], "nt", "Llama-3-8B feed-forward up", Decode),
    (Standard, [4096, 4096, 4096], "nn", "square", Ladder),
    (Standard, [8192, 8192, 8192], "nn", "square", Ladder),
    (Standard, [2048, 4096, 14336], "nt", "Llama-3-8B feed-forward down", Prefill),
    (Standard, [2048, 12288, 12288], "nt", "GPT-3-175B attention output", Prefill),
    (Full, [64, 64, 64], "nn", "square", Ladder),
    (Full, [128, 128, 128], "nn", "square", Ladder),
    (Full, [1536, 1536, 1536], "nn", "square", Ladder),
    (Full, [3072, 3072, 3072], "nn", "square", Ladder),
    (Full, [16384, 16384, 16384], "nn", "square", Ladder),
    (Full, [1024, 1024, 1024], "nt", "square", Ladder),
    (Full, [1024, 1024, 1024], "tn", "square", Ladder),
    (Full, [1024, 1024, 1024], "tt", "square", Ladder),
    (Full, [1, 12288, 12288], "nt", "GPT-3-175B attention output", Decode),
    (Full, [1, 28672, 8192], "nt", "Llama-3-70B feed-forward up", Decode),
    (Full, [32, 8192, 8192], "nt", "Llama-3-70B attention output, 32 sequences", Decode),
    (Full, [2048, 49152, 12288], "nt", "GPT-3-175B feed-forward up", Prefill),
    (Full, [2048, 28672, 8192], "nt", "Llama-3-70B feed-forward up", Prefill),
    (Full, [4096, 14336, 2048], "tn", "Llama-3-8B feed-forward, weight gradient", Training),
    (Full, [2048, 128_256, 4096], "nt", "Llama-3-8B vocabulary", Prefill),
];

/// Sizes around every tile's side: vectors, single elements, primes, exact fits, and one more or less.
const CONFORMANCE: [[u32; 3]; 21] = [
    [1, 1, 1],
    [1, 1, 300],
    [1, 257, 65],
    [259, 1, 17],
    [2, 3, 1],
    [7, 5, 3],
    [16, 16, 16],
    [17, 15, 33],
    [31, 97, 64],
    [48, 48, 48],
    [49, 47, 50],
    [64, 64, 64],
    [65, 63, 61],
    [96, 128, 31],
    [127, 129, 15],
    [128, 128, 128],
    [129, 127, 130],
    [8, 200, 1],
    [255, 33, 257],
    [256, 256, 8],
    [136, 264, 72],
];

/// [`CONFORMANCE`] in every layout.
pub(super) fn conformance() -> Vec<BTreeMap<String, String>> {
    let layouts = ["nn", "nt", "tn", "tt"];
    layouts.iter().flat_map(|trans| CONFORMANCE.iter().map(|&size| shape_fields(size, trans))).collect()
}

/// The `index`-th of an endless sequence of odd shapes.
pub(super) fn odd(index: u64) -> BTreeMap<String, String> {
    let mut draw = fill::Draw::new(index);
    // Mostly small, now and then beyond every tile.
    let size = [(); 3].map(|()| {
        let largest = if draw.one_in(6) { 300 } else { 70 };
        draw.size(largest)
    });
    shape_fields(size, draw.of(&["nn", "nt", "tn", "tt"]))
}

/// The shapes of a profile.
pub(super) fn of(profile: Profile) -> Vec<NamedShape> {
    SHAPES
        .iter()
        .filter(|(first, ..)| *first <= profile)
        .map(|&(_, size, trans, origin, phase)| NamedShape { fields: shape_fields(size, trans), origin, phase })
        .collect()
}

fn shape_fields([m, n, k]: [u32; 3], trans: &str) -> BTreeMap<String, String> {
    named([("m", m.to_string()), ("n", n.to_string()), ("k", k.to_string()), ("trans", trans.to_owned())])
}
