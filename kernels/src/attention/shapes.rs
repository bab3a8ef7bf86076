//! Attention that models really run, and odd shapes that none does.
//!
//! Sizes are from the models' published configurations: BERT-large (Devlin et al. 2018), GPT-3 175B (Brown et al. 2020),
//! Llama 3 (Grattafiori et al. 2024), Whisper large (Radford et al. 2022), Stable Diffusion 1.5 and 2.1 (Rombach et al.
//! 2022), Falcon 7B (Almazrouei et al. 2023: one key and value head), Gemma 7B (Gemma Team 2024: heads of 256).

use crate::fields::named;
use crate::{NamedShape, Phase, Profile, fill};
use Phase::{Decode, Ladder, Prefill, Training};
use Profile::{Full, Quick, Standard};
use std::collections::BTreeMap;

/// The first profile that has it, the sizes in the order of ids, whether it is causal, origin, phase. In the order of
/// running: sizes that tell most come first, so that a run that is stopped early has them.
type Row = (Profile, [u32; 6], bool, &'static str, Phase);

const SHAPES: &[Row] = &[
    (Quick, [1, 8, 8, 1024, 1024, 64], false, "square", Ladder),
    (Quick, [1, 8, 8, 1024, 1024, 128], true, "square", Ladder),
    (Quick, [1, 32, 8, 1, 4096, 128], true, "Llama-3-8B, cache of 4k", Decode),
    (Standard, [1, 8, 8, 2048, 2048, 128], false, "square", Ladder),
    (Standard, [1, 16, 16, 512, 512, 64], false, "BERT-large", Prefill),
    (Standard, [1, 20, 20, 1500, 1500, 64], false, "Whisper large encoder", Prefill),
    (Standard, [1, 8, 8, 1024, 1024, 80], false, "Stable Diffusion 1.5, 32x32 self-attention", Prefill),
    (Standard, [2, 8, 8, 1024, 77, 80], false, "Stable Diffusion 1.5, 32x32 cross-attention", Prefill),
    (Standard, [1, 64, 8, 1, 8192, 128], true, "Llama-3-70B, cache of 8k", Decode),
    (Standard, [16, 32, 8, 1, 2048, 128], true, "Llama-3-8B, 16 sequences, cache of 2k", Decode),
    (Standard, [1, 71, 1, 1, 2048, 64], true, "Falcon-7B, cache of 2k", Decode),
    (Standard, [1, 32, 8, 2048, 2048, 128], true, "Llama-3-8B", Prefill),
    (Standard, [1, 16, 16, 1024, 1024, 256], true, "Gemma-7B", Prefill),
    (Standard, [1, 20, 20, 1, 1500, 64], false, "Whisper large cross-attention", Decode),
    (Standard, [1, 1, 1, 4096, 4096, 128], false, "square", Ladder),
    (Standard, [1, 1, 1, 16384, 16384, 128], false, "square", Ladder),
    (Standard, [16, 16, 16, 512, 512, 64], false, "BERT-large, 16 sequences", Training),
    (Standard, [1, 96, 96, 2048, 2048, 128], true, "GPT-3-175B", Prefill),
    (Standard, [1, 32, 8, 8192, 8192, 128], true, "Llama-3-8B, 8k", Prefill),
    (Standard, [1, 32, 8, 16384, 16384, 128], true, "Llama-3-8B, 16k", Prefill),
    (Full, [1, 5, 5, 4096, 4096, 64], false, "Stable Diffusion 2.1, 64x64 self-attention", Prefill),
    (Full, [1, 8, 8, 4096, 4096, 40], false, "Stable Diffusion 1.5, 64x64 self-attention", Prefill),
    (Full, [1, 64, 8, 2048, 2048, 128], true, "Llama-3-70B", Prefill),
    (Full, [1, 64, 8, 8192, 8192, 128], true, "Llama-3-70B, 8k", Prefill),
    (Full, [1, 71, 1, 2048, 2048, 64], true, "Falcon-7B", Prefill),
    (Full, [4, 96, 96, 1, 2048, 128], true, "GPT-3-175B, 4 sequences, cache of 2k", Decode),
    (Full, [8, 16, 16, 4096, 4096, 64], false, "square", Ladder),
    (Full, [4, 16, 16, 4096, 4096, 128], false, "square", Ladder),
    (Full, [4, 16, 16, 4096, 4096, 128], true, "square", Ladder),
    (Full, [4, 8, 8, 4096, 4096, 256], false, "square", Ladder),
    (Full, [1, 16, 16, 16384, 16384, 64], false, "square", Ladder),
    (Full, [1, 16, 16, 16384, 16384, 128], false, "square", Ladder),
    (Full, [1, 16, 16, 16384, 16384, 128], true, "square", Ladder),
    (Full, [1, 32, 8, 1, 131_072, 128], true, "Llama-3.1-8B, cache of 128k", Decode),
    (Full, [1, 32, 8, 131_072, 131_072, 128], true, "Llama-3.1-8B, 128k", Prefill),
];

/// Where implementations go wrong: ones, remainders of every tile, every way to share heads, masks that end inside a tile.
const CONFORMANCE: &[([u32; 6], bool)] = &[
    ([1, 1, 1, 1, 1, 1], false),
    ([1, 1, 1, 1, 1, 64], true),
    ([1, 1, 1, 2, 3, 5], true),
    ([2, 3, 3, 7, 5, 16], false),
    ([1, 2, 1, 16, 16, 32], true),
    ([1, 2, 2, 33, 31, 64], false),
    ([1, 4, 2, 63, 65, 64], true),
    ([2, 2, 2, 64, 64, 64], true),
    ([1, 6, 2, 65, 129, 80], true),
    ([1, 3, 1, 100, 77, 80], false),
    ([1, 2, 2, 128, 128, 128], false),
    ([1, 2, 1, 127, 130, 128], true),
    ([1, 1, 1, 70, 300, 256], true),
    ([1, 2, 1, 33, 64, 256], false),
    ([1, 1, 1, 40, 40, 40], true),
    ([1, 1, 1, 19, 200, 160], false),
    ([3, 4, 1, 1, 37, 64], true),
    ([1, 8, 2, 1, 1000, 128], true),
    ([1, 7, 1, 1, 513, 64], true),
    ([2, 4, 4, 1, 257, 80], false),
    ([1, 2, 2, 2, 600, 256], true),
    ([1, 8, 1, 5, 333, 128], true),
    // In chunks of 128 to 192 keys, the first queries see none of the last one.
    ([1, 2, 1, 20, 970, 64], true),
];

/// [`CONFORMANCE`] as fields.
pub(super) fn conformance() -> Vec<BTreeMap<String, String>> {
    CONFORMANCE.iter().map(|&(sizes, causal)| shape_fields(sizes, causal)).collect()
}

/// The `index`-th of an endless sequence of odd shapes.
pub(super) fn odd(index: u64) -> BTreeMap<String, String> {
    let mut draw = fill::Draw::new(index);
    let (kv_heads, group) = (draw.size(3), draw.size(4));
    let head_dim = if draw.one_in(2) { draw.of(&[64, 80, 128, 256]) } else { draw.size(256) };
    let causal = draw.one_in(2);
    let decode = draw.one_in(3);
    let seq_q = if decode { draw.size(3) } else { draw.size(140) };
    let seq_kv = if decode { draw.size(900) } else { draw.size(200) };
    let seq_kv = if causal { seq_kv.max(seq_q) } else { seq_kv };
    shape_fields([draw.size(2), kv_heads * group, kv_heads, seq_q, seq_kv, head_dim], causal)
}

/// One sequence, and one key and value head with those that share it.
pub(super) fn at_small_batch(fields: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let number = |name: &str| fields.get(name).and_then(|text| text.parse::<u32>().ok()).unwrap_or(1);
    let group = number("heads") / number("kv_heads").max(1);
    let mut small = fields.clone();
    small.extend(
        [("batch", 1), ("heads", group), ("kv_heads", 1)].map(|(name, value)| (name.to_owned(), value.to_string())),
    );
    small
}

/// The shapes of a profile.
pub(super) fn of(profile: Profile) -> Vec<NamedShape> {
    SHAPES
        .iter()
        .filter(|(first, ..)| *first <= profile)
        .map(|&(_, sizes, causal, origin, phase)| NamedShape { fields: shape_fields(sizes, causal), origin, phase })
        .collect()
}

fn shape_fields(sizes: [u32; 6], causal: bool) -> BTreeMap<String, String> {
    let texts = sizes.map(|size| size.to_string());
    text_fields(std::array::from_fn(|i| texts[i].as_str()), if causal { "yes" } else { "no" })
}

/// Fields from the texts of the sizes, in the order of ids.
pub(super) fn text_fields(
    [batch, heads, kv_heads, seq_q, seq_kv, head_dim]: [&str; 6],
    causal: &str,
) -> BTreeMap<String, String> {
    named([
        ("batch", batch),
        ("heads", heads),
        ("kv_heads", kv_heads),
        ("seq_q", seq_q),
        ("seq_kv", seq_kv),
        ("head_dim", head_dim),
        ("causal", causal),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Case, Precision, attention::AttentionProblem};

    #[test]
    fn a_thousand_odd_shapes_make_sense_and_differ() {
        let texts: std::collections::BTreeSet<String> = (0..1000)
            .map(|index| AttentionProblem::from_fields(Precision::F32, &odd(index)).unwrap().shape_text())
            .collect();
        assert!(texts.len() > 990);
        assert!(texts.iter().any(|text| text.contains("-causal")) && texts.iter().any(|text| text.contains("-1x")));
    }

    #[test]
    fn a_small_batch_keeps_the_sequences_and_the_sharing() {
        let shape = shape_fields([16, 32, 8, 1, 2048, 128], true);
        assert_eq!(at_small_batch(&shape), shape_fields([1, 4, 1, 1, 2048, 128], true));
    }
}
