//! conv2d as an operation of the catalogue.

use super::{ConvProblem, plan, reference, shapes};
use crate::bound::bind;
use crate::fields::object;
use crate::space::bucket_side;
use crate::{
    Bucket, Case, NamedShape, Operation, Plan, Precision, Profile, ShapeError, Tensor, TensorSpec, Verdict, Work,
};
use accelbench_backends::Caps;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The operation `conv2d`.
pub struct Conv2d;

impl Operation for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn summary(&self) -> &'static str {
        "forward convolution of n images of c channels with k filters, strided, padded, dilated, grouped"
    }

    fn grammar(&self) -> &'static str {
        "conv2d:c=C,h=H,w=W,k=K,r=R,s=S[,n=N][,stride=HxW][,pad=HxW][,dilation=HxW][,groups=G][,layout=nchw|nhwc]"
    }

    fn precisions(&self) -> &'static [Precision] {
        &[Precision::F64, Precision::F32, Precision::Bf16, Precision::F16]
    }

    fn shapes(&self, profile: Profile) -> Vec<NamedShape> {
        shapes::of(profile)
    }

    fn conformance(&self) -> Vec<BTreeMap<String, String>> {
        shapes::conformance()
    }

    fn odd(&self, index: u64) -> Option<BTreeMap<String, String>> {
        Some(shapes::odd(index))
    }

    fn at_small_batch(&self, fields: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut fields = fields.clone();
        fields.insert("n".to_owned(), "1".to_owned());
        fields
    }

    fn case(&self, precision: Precision, fields: &BTreeMap<String, String>) -> Result<Box<dyn Case>, ShapeError> {
        Ok(Box::new(ConvProblem::from_fields(precision, fields)?))
    }

    fn parse_shape_text(&self, text: &str) -> Result<BTreeMap<String, String>, ShapeError> {
        let wrong = || {
            ShapeError(format!(
                "`{text}` is no conv2d shape; write NxCxHxW-KxRxS[-sSTRIDE][-pPAD][-dDILATION][-gGROUPS]-LAYOUT"
            ))
        };
        let mut parts = text.split('-');
        let mut sizes = |names: &[&str]| {
            let values: Vec<&str> = parts.next()?.split('x').collect();
            let pairs = names.iter().zip(&values).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            (values.len() == names.len()).then(|| pairs.collect::<BTreeMap<_, _>>())
        };
        let mut fields = sizes(&["n", "c", "h", "w"]).ok_or_else(wrong)?;
        fields.extend(sizes(&["k", "r", "s"]).ok_or_else(wrong)?);
        for part in parts {
            let names = [("s", "stride"), ("p", "pad"), ("d", "dilation"), ("g", "groups")];
            let (name, value) = match part {
                "nchw" | "nhwc" => ("layout", part),
                _ => names
                    .iter()
                    .find_map(|(letter, name)| Some((*name, part.strip_prefix(letter)?)))
                    .ok_or_else(wrong)?,
            };
            if fields.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(wrong());
            }
        }
        Ok(fields)
    }
}

/// `2`, or `2x1` where height and width differ.
pub(super) fn pair([height, width]: [u32; 2]) -> String {
    if height == width { height.to_string() } else { format!("{height}x{width}") }
}

impl Case for ConvProblem {
    fn op(&self) -> &'static str {
        "conv2d"
    }

    fn precision(&self) -> Precision {
        self.precision
    }

    fn shape_text(&self) -> String {
        let Self { n, c, h, w, k, r, s, .. } = self;
        let mut text = format!("{n}x{c}x{h}x{w}-{k}x{r}x{s}");
        // What is usual is left out: writing to a string can't fail.
        for (letter, value, usual) in [("s", self.stride, 1), ("p", self.pad, 0), ("d", self.dilation, 1)] {
            if value != [usual; 2] {
                let _ = write!(text, "-{letter}{}", pair(value));
            }
        }
        if self.groups != 1 {
            let _ = write!(text, "-g{}", self.groups);
        }
        format!("{text}-{}", self.layout.name())
    }

    fn shape(&self) -> Map<String, Value> {
        object(json!({
            "n": self.n, "c": self.c, "h": self.h, "w": self.w, "k": self.k, "r": self.r, "s": self.s,
            "stride": self.stride, "pad": self.pad, "dilation": self.dilation, "groups": self.groups,
            "layout": self.layout.name(),
        }))
    }

    fn work(&self) -> Work {
        Work::moving_once(2.0 * f64::from(self.pixels()) * f64::from(self.k) * f64::from(self.depth()), self)
    }

    fn inputs(&self) -> Vec<TensorSpec> {
        let [x, w, _] = self.elements();
        vec![self.precision.input("X", x), self.precision.input("W", w)]
    }

    fn output(&self) -> TensorSpec {
        self.precision.output("Y", self.elements()[2])
    }

    fn plans(&self, caps: &Caps) -> Vec<Box<dyn Plan>> {
        bind(plan::candidates(self, caps), self, caps)
    }

    fn space(&self, caps: &Caps) -> Vec<Box<dyn Plan>> {
        bind(plan::space(self, caps), self, caps)
    }

    /// Filters of one size, stride and dilation, over as many pixels, channels and groups.
    fn bucket(&self) -> Bucket {
        let sides = [self.pixels(), self.group_c(), self.group_k(), self.groups].map(bucket_side);
        let [pixels, channels, filters, groups] = sides;
        let window = format!("{}x{}-s{}-d{}", self.r, self.s, pair(self.stride), pair(self.dilation));
        Bucket {
            layout: self.layout.name().to_owned(),
            sizes: format!("{pixels}x{channels}x{filters}-{window}-g{groups}"),
        }
    }

    fn verify(&self, inputs: &[Tensor], output: &Tensor) -> Verdict {
        reference::verify(self, inputs, output)
    }
}
