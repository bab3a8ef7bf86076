//! Attention as an operation of the catalogue.

use super::split::compiled_head;
use super::{AttentionProblem, plan, reference, shapes};
use crate::bound::bind;
use crate::fields::object;
use crate::space::bucket_side;
use crate::{
    Bucket, Case, NamedShape, Operation, Plan, Precision, Profile, ShapeError, Tensor, TensorSpec, Verdict, Work,
};
use accelbench_backends::Caps;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The operation `attention`.
pub struct Attention;

impl Operation for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn summary(&self) -> &'static str {
        "softmax(Q·Kᵀ/√head_dim)·V for each head, grouped or not, causal or not"
    }

    fn grammar(&self) -> &'static str {
        "attention:heads=H,seq_q=M,head_dim=D[,batch=B][,kv_heads=H][,seq_kv=N][,causal=no|yes]"
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
        shapes::at_small_batch(fields)
    }

    fn case(&self, precision: Precision, fields: &BTreeMap<String, String>) -> Result<Box<dyn Case>, ShapeError> {
        Ok(Box::new(AttentionProblem::from_fields(precision, fields)?))
    }

    fn parse_shape_text(&self, text: &str) -> Result<BTreeMap<String, String>, ShapeError> {
        let wrong = || {
            ShapeError(format!(
                "`{text}` is no attention shape; write BATCHxHEADSxKV_HEADS-SEQ_QxSEQ_KVxHEAD_DIM[-causal]"
            ))
        };
        let (sizes, causal) = text.strip_suffix("-causal").map_or((text, "no"), |sizes| (sizes, "yes"));
        let (heads, sequences) = sizes.split_once('-').ok_or_else(wrong)?;
        let heads: Vec<&str> = heads.split('x').collect();
        let sequences: Vec<&str> = sequences.split('x').collect();
        let ([batch, heads, kv_heads], [seq_q, seq_kv, head_dim]) = (&heads[..], &sequences[..]) else {
            return Err(wrong());
        };
        Ok(shapes::text_fields([batch, heads, kv_heads, seq_q, seq_kv, head_dim], causal))
    }
}

impl Case for AttentionProblem {
    fn op(&self) -> &'static str {
        "attention"
    }

    fn precision(&self) -> Precision {
        self.precision
    }

    fn shape_text(&self) -> String {
        let Self { batch, heads, kv_heads, seq_q, seq_kv, head_dim, .. } = self;
        let mask = if self.causal { "-causal" } else { "" };
        format!("{batch}x{heads}x{kv_heads}-{seq_q}x{seq_kv}x{head_dim}{mask}")
    }

    fn shape(&self) -> Map<String, Value> {
        object(json!({
            "batch": self.batch, "heads": self.heads, "kv_heads": self.kv_heads, "seq_q": self.seq_q,
            "seq_kv": self.seq_kv, "head_dim": self.head_dim, "causal": self.causal,
        }))
    }

    fn work(&self) -> Work {
        let [seq_q, seq_kv] = [self.seq_q, self.seq_kv].map(f64::from);
        let masked = if self.causal { seq_q * seq_q / 2.0 } else { 0.0 };
        let pairs = f64::from(self.batch) * f64::from(self.heads) * (seq_q * seq_kv - masked);
        Work::moving_once(4.0 * pairs * f64::from(self.head_dim), self)
    }

    fn inputs(&self) -> Vec<TensorSpec> {
        let inputs = ["Q", "K", "V"].into_iter().zip(self.elements());
        inputs.map(|(name, elements)| self.precision.input(name, elements)).collect()
    }

    fn output(&self) -> TensorSpec {
        self.precision.output("O", self.elements()[3])
    }

    fn plans(&self, caps: &Caps) -> Vec<Box<dyn Plan>> {
        bind(plan::candidates(self, caps), self, caps)
    }

    fn space(&self, caps: &Caps) -> Vec<Box<dyn Plan>> {
        bind(plan::space(self, caps), self, caps)
    }

    /// As many key heads, rows of each and keys, with heads that take the same kernel.
    fn bucket(&self) -> Bucket {
        let [heads, rows, keys] = [self.key_heads(), self.rows(), self.seq_kv].map(bucket_side);
        let dim = compiled_head(self.head_dim).unwrap_or(self.head_dim);
        let layout = if self.causal { "causal" } else { "full" };
        Bucket { layout: layout.to_owned(), sizes: format!("{heads}-{rows}x{keys}x{dim}") }
    }

    fn verify(&self, inputs: &[Tensor], output: &Tensor) -> Verdict {
        reference::verify(self, inputs, output)
    }
}
