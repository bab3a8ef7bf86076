//! Convolutions that networks really run, and odd ones that none does.
//!
//! Sizes are from the networks' publications: ResNet-50 v1.5 (He et al. 2015, with the stride on the 3 × 3 layers), MobileNetV2 (Sandler et al. 2018), the U-Net of Stable Diffusion 1.5 (Rombach et al. 2022), Whisper
//! large-v3 (Radford et al. 2022). Inference is at batch 1 in `nchw`; training is at batch 32 in `nhwc`, as mixed-precision
//! training has it. A one-dimensional convolution has h = 1.

use super::case::pair;
use crate::fields::named;
use crate::{NamedShape, Phase, Profile, fill};
use Profile::{Full, Quick, Standard};
use std::collections::BTreeMap;

/// A network's layer: c, h, w, k, r, s, stride, padding, groups.
type Layer = ([u32; 6], [u32; 2], [u32; 2], u32);

const fn layer(c: u32, side: u32, k: u32, filter: u32, stride: u32) -> Layer {
    ([c, side, side, k, filter, filter], [stride; 2], [filter / 2; 2], 1)
}

const fn depthwise(c: u32, side: u32, stride: u32) -> Layer {
    ([c, side, side, c, 3, 3], [stride; 2], [1; 2], c)
}

/// The profile that has the layer at inference, the one that has it in training, the layer, its origin. In the order of
/// running: layers that tell most come first, so that a run that is stopped early has them.
type Row = (Profile, Profile, Layer, &'static str);

const LAYERS: &[Row] = &[
    (Quick, Standard, layer(64, 56, 64, 3, 1), "ResNet-50 stage 1, 3x3"),
    (Quick, Standard, depthwise(144, 56, 1), "MobileNetV2 depthwise, 144 channels"),
    (Quick, Standard, layer(1024, 14, 256, 1, 1), "ResNet-50 stage 3, 1x1 down"),
    (Standard, Standard, layer(256, 14, 256, 3, 1), "ResNet-50 stage 3, 3x3"),
    (Standard, Standard, layer(3, 224, 64, 7, 2), "ResNet-50 stem"),
    (Standard, Standard, layer(128, 56, 128, 3, 2), "ResNet-50 stage 2, 3x3, stride 2"),
    (Standard, Full, layer(320, 64, 320, 3, 1), "Stable Diffusion 1.5 U-Net, 64x64"),
    (Standard, Full, ([128, 1, 3000, 1280, 1, 3], [1, 1], [0, 1], 1), "Whisper large-v3 stem, first"),
    (Standard, Full, layer(512, 7, 512, 3, 1), "ResNet-50 stage 4, 3x3"),
    (Standard, Full, layer(64, 56, 256, 1, 1), "ResNet-50 stage 1, 1x1 up"),
    (Standard, Full, layer(128, 28, 128, 3, 1), "ResNet-50 stage 2, 3x3"),
    (Standard, Full, ([1280, 1, 3000, 1280, 1, 3], [1, 2], [0, 1], 1), "Whisper large-v3 stem, second"),
    (Standard, Full, layer(960, 7, 320, 1, 1), "MobileNetV2 pointwise, 960 to 320"),
    (Standard, Full, depthwise(960, 7, 1), "MobileNetV2 depthwise, 960 channels"),
    (Full, Full, layer(64, 56, 64, 1, 1), "ResNet-50 stage 1, 1x1"),
    (Full, Full, layer(256, 56, 64, 1, 1), "ResNet-50 stage 1, 1x1 down"),
    (Full, Full, layer(256, 56, 128, 1, 1), "ResNet-50 stage 2, 1x1 down, first"),
    (Full, Full, layer(128, 28, 512, 1, 1), "ResNet-50 stage 2, 1x1 up"),
    (Full, Full, layer(256, 56, 512, 1, 2), "ResNet-50 stage 2, shortcut"),
    (Full, Full, layer(512, 28, 128, 1, 1), "ResNet-50 stage 2, 1x1 down"),
    (Full, Full, layer(512, 28, 256, 1, 1), "ResNet-50 stage 3, 1x1 down, first"),
    (Full, Full, layer(256, 28, 256, 3, 2), "ResNet-50 stage 3, 3x3, stride 2"),
    (Full, Full, layer(256, 14, 1024, 1, 1), "ResNet-50 stage 3, 1x1 up"),
    (Full, Full, layer(512, 28, 1024, 1, 2), "ResNet-50 stage 3, shortcut"),
    (Full, Full, layer(1024, 14, 512, 1, 1), "ResNet-50 stage 4, 1x1 down, first"),
    (Full, Full, layer(512, 14, 512, 3, 2), "ResNet-50 stage 4, 3x3, stride 2"),
    (Full, Full, layer(512, 7, 2048, 1, 1), "ResNet-50 stage 4, 1x1 up"),
    (Full, Full, layer(1024, 14, 2048, 1, 2), "ResNet-50 stage 4, shortcut"),
    (Full, Full, layer(2048, 7, 512, 1, 1), "ResNet-50 stage 4, 1x1 down"),
    (Full, Full, layer(3, 224, 32, 3, 2), "MobileNetV2 stem"),
    (Full, Full, depthwise(32, 112, 1), "MobileNetV2 depthwise, 32 channels"),
    (Full, Full, depthwise(96, 112, 2), "MobileNetV2 depthwise, 96 channels, stride 2"),
    (Full, Full, depthwise(144, 56, 2), "MobileNetV2 depthwise, 144 channels, stride 2"),
    (Full, Full, depthwise(192, 28, 1), "MobileNetV2 depthwise, 192 channels"),
    (Full, Full, depthwise(192, 28, 2), "MobileNetV2 depthwise, 192 channels, stride 2"),
    (Full, Full, depthwise(384, 14, 1), "MobileNetV2 depthwise, 384 channels"),
    (Full, Full, depthwise(576, 14, 1), "MobileNetV2 depthwise, 576 channels"),
    (Full, Full, depthwise(576, 14, 2), "MobileNetV2 depthwise, 576 channels, stride 2"),
    (Full, Full, layer(32, 112, 16, 1, 1), "MobileNetV2 pointwise, 32 to 16"),
    (Full, Full, layer(16, 112, 96, 1, 1), "MobileNetV2 pointwise, 16 to 96"),
    (Full, Full, layer(96, 56, 24, 1, 1), "MobileNetV2 pointwise, 96 to 24"),
    (Full, Full, layer(24, 56, 144, 1, 1), "MobileNetV2 pointwise, 24 to 144"),
    (Full, Full, layer(144, 56, 24, 1, 1), "MobileNetV2 pointwise, 144 to 24"),
    (Full, Full, layer(144, 28, 32, 1, 1), "MobileNetV2 pointwise, 144 to 32"),
    (Full, Full, layer(32, 28, 192, 1, 1), "MobileNetV2 pointwise, 32 to 192"),
    (Full, Full, layer(192, 28, 32, 1, 1), "MobileNetV2 pointwise, 192 to 32"),
    (Full, Full, layer(192, 14, 64, 1, 1), "MobileNetV2 pointwise, 192 to 64"),
    (Full, Full, layer(64, 14, 384, 1, 1), "MobileNetV2 pointwise, 64 to 384"),
    (Full, Full, layer(384, 14, 64, 1, 1), "MobileNetV2 pointwise, 384 to 64"),
    (Full, Full, layer(384, 14, 96, 1, 1), "MobileNetV2 pointwise, 384 to 96"),
    (Full, Full, layer(96, 14, 576, 1, 1), "MobileNetV2 pointwise, 96 to 576"),
    (Full, Full, layer(576, 14, 96, 1, 1), "MobileNetV2 pointwise, 576 to 96"),
    (Full, Full, layer(576, 7, 160, 1, 1), "MobileNetV2 pointwise, 576 to 160"),
    (Full, Full, layer(160, 7, 960, 1, 1), "MobileNetV2 pointwise, 160 to 960"),
    (Full, Full, layer(960, 7, 160, 1, 1), "MobileNetV2 pointwise, 960 to 160"),
    (Full, Full, layer(320, 7, 1280, 1, 1), "MobileNetV2 last pointwise"),
    (Full, Full, layer(4, 64, 320, 3, 1), "Stable Diffusion 1.5 U-Net, input"),
    (Full, Full, layer(640, 32, 640, 3, 1), "Stable Diffusion 1.5 U-Net, 32x32"),
    (Full, Full, layer(1280, 16, 1280, 3, 1), "Stable Diffusion 1.5 U-Net, 16x16"),
    (Full, Full, layer(1280, 8, 1280, 3, 1), "Stable Diffusion 1.5 U-Net, 8x8"),
    (Full, Full, layer(320, 64, 320, 3, 2), "Stable Diffusion 1.5 U-Net, downsampling"),
];

/// Where implementations go wrong, in the text of ids without the layout.
const CONFORMANCE: [&str; 25] = [
    "1x1x1x1-1x1x1",
    "1x1x5x5-1x3x3",
    "1x1x3x3-1x3x3-p2",
    "2x3x7x9-5x3x3-p1",
    "1x4x8x8-8x1x1",
    "3x16x5x7-17x1x1",
    "2x8x9x9-16x3x3-s2-p1",
    "1x5x11x6-7x2x3-s2x1-p1x0",
    "1x6x10x10-9x3x3-p2-d2",
    "1x3x13x9-4x3x2-p3x1-d3x2",
    "1x8x6x6-8x3x3-p1-g8",
    "2x16x9x9-16x3x3-s2-p1-g16",
    "1x6x7x7-12x3x3-p1-g6",
    "1x8x8x8-12x3x3-p1-g4",
    "2x12x5x5-6x1x1-g3",
    "1x2x1x40-5x1x3-s1x2-p0x1",
    "1x3x40x1-5x3x1-s2x1-p1x0",
    "1x3x30x30-16x7x7-s2-p3",
    "1x64x14x14-64x3x3-p1",
    "1x40x9x33-70x3x3-p1",
    "5x33x6x5-130x1x1",
    // Vectors of pixels of one image, and of two.
    "3x10x9x13-20x1x1-g2",
    "1x130x4x4-33x3x3-p1",
    "2x7x17x19-25x5x5-p2",
    "1x17x8x8-65x1x1-s3",
];

const LAYOUTS: [&str; 2] = ["nchw", "nhwc"];

/// [`CONFORMANCE`] in both layouts, as texts of ids.
pub(super) fn conformance() -> Vec<BTreeMap<String, String>> {
    let texts = LAYOUTS.iter().flat_map(|layout| CONFORMANCE.map(|text| format!("{text}-{layout}")));
    // The texts are this file's own, and its tests read them all.
    texts.filter_map(|text| crate::Operation::parse_shape_text(&super::Conv2d, &text).ok()).collect()
}

/// The `index`-th of an endless sequence of odd shapes.
pub(super) fn odd(index: u64) -> BTreeMap<String, String> {
    let mut draw = fill::Draw::new(index);
    let groups = if draw.one_in(3) { draw.size(6) } else { 1 };
    let channels = if draw.one_in(4) { 1 } else { draw.size(if groups > 1 { 9 } else { 40 }) };
    let filters = if draw.one_in(3) { 1 } else { draw.size(if groups > 1 { 9 } else { 70 }) };
    let mut axis = || {
        let filter = draw.size(4);
        let dilation = if draw.one_in(3) { draw.size(3) } else { 1 };
        let (stride, pad) = (draw.size(3), draw.size(4) - 1);
        let spread = dilation * (filter - 1) + 1;
        let side = draw.size(20).max(spread.saturating_sub(2 * pad));
        [side, filter, stride, pad, dilation]
    };
    let ([h, r, stride_h, pad_h, dilation_h], [w, s, stride_w, pad_w, dilation_w]) = (axis(), axis());
    let (n, layout) = (draw.size(3), draw.of(&LAYOUTS));
    named([
        ("n", n.to_string()),
        ("c", (channels * groups).to_string()),
        ("h", h.to_string()),
        ("w", w.to_string()),
        ("k", (filters * groups).to_string()),
        ("r", r.to_string()),
        ("s", s.to_string()),
        ("stride", pair([stride_h, stride_w])),
        ("pad", pair([pad_h, pad_w])),
        ("dilation", pair([dilation_h, dilation_w])),
        ("groups", groups.to_string()),
        ("layout", layout.to_owned()),
    ])
}

/// The shapes of a profile.
pub(super) fn of(profile: Profile) -> Vec<NamedShape> {
    let inference =
        LAYERS.iter().map(|&(first, _, layer, origin)| (first, shape(layer, 1, "nchw", origin, Phase::Prefill)));
    let training =
        LAYERS.iter().map(|&(_, first, layer, origin)| (first, shape(layer, 32, "nhwc", origin, Phase::Training)));
    inference.chain(training).filter(|(first, _)| *first <= profile).map(|(_, shape)| shape).collect()
}

/// A layer's fields, usual values left out, as texts of ids have them.
fn shape(
    ([c, h, w, k, r, s], stride, pad, groups): Layer,
    n: u32,
    layout: &str,
    origin: &'static str,
    phase: Phase,
) -> NamedShape {
    let sizes = [("n", n), ("c", c), ("h", h), ("w", w), ("k", k), ("r", r), ("s", s)];
    let mut fields: BTreeMap<String, String> =
        sizes.into_iter().map(|(name, value)| (name.to_owned(), value.to_string())).collect();
    let usual = [("stride", pair(stride), "1"), ("pad", pair(pad), "0"), ("groups", groups.to_string(), "1")];
    for (name, value, usual) in usual {
        if value != usual {
            fields.insert(name.to_owned(), value);
        }
    }
    fields.insert("layout".to_owned(), layout.to_owned());
    NamedShape { fields, origin, phase }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Case, Operation, Precision, conv2d::Conv2d, conv2d::ConvProblem};

    #[test]
    fn every_conformance_text_is_a_shape() {
        assert_eq!(conformance().len(), LAYOUTS.len() * CONFORMANCE.len());
        for fields in conformance() {
            Conv2d.case(Precision::F32, &fields).unwrap();
        }
    }

    #[test]
    fn fields_of_shapes_are_those_of_their_texts() {
        for shape in of(Full) {
            let problem = ConvProblem::from_fields(Precision::F32, &shape.fields).unwrap();
            assert_eq!(Conv2d.parse_shape_text(&problem.shape_text()).unwrap(), shape.fields);
        }
    }

    #[test]
    fn a_thousand_odd_shapes_make_sense_and_differ() {
        let texts: std::collections::BTreeSet<String> = (0..1000)
            .map(|index| ConvProblem::from_fields(Precision::F32, &odd(index)).unwrap().shape_text())
            .collect();
        assert!(texts.len() > 990);
        assert!(texts.iter().any(|text| text.contains("-g")) && texts.iter().any(|text| text.contains("-d")));
    }
}
