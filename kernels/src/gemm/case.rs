//! GEMM as an operation of the catalogue.

use super::{GemmProblem, plan, reference, shapes};
use crate::bound::bind;
use crate::fields::{named, object};
use crate::space::bucket_side;
use crate::{
    Bucket, Case, NamedShape, Operation, Plan, Precision, Profile, ShapeError, Tensor, TensorSpec, Verdict, Work,
};
use accelbench_backends::Caps;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The operation `gemm`.
pub struct Gemm;

impl Operation for Gemm {
    fn name(&self) -> &'static str {
        "gemm"
    }

    fn summary(&self) -> &'static str {
        "C = A·B with A of m × k and B of k × n, row-major, either of them stored transposed"
    }

    fn grammar(&self) -> &'static str {
        "gemm:m=M,n=N,k=K[,trans=nn|nt|tn|tt]"
    }

    fn precisions(&self) -> &'static [Precision] {
        &Precision::ALL
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

    fn case(&self, precision: Precision, fields: &BTreeMap<String, String>) -> Result<Box<dyn Case>, ShapeError> {
        Ok(Box::new(GemmProblem::from_fields(precision, fields)?))
    }

    fn parse_shape_text(&self, text: &str) -> Result<BTreeMap<String, String>, ShapeError> {
        let (sizes, trans) = text.split_once('-').unwrap_or((text, "nn"));
        let sizes: Vec<&str> = sizes.split('x').collect();
        let [m, n, k] = sizes[..] else {
            return Err(ShapeError(format!("`{text}` is no GEMM shape; write MxNxK or MxNxK-nt")));
        };
        Ok(named([("m", m), ("n", n), ("k", k), ("trans", trans)]))
    }
}

impl Case for GemmProblem {
    fn op(&self) -> &'static str {
        "gemm"
    }

    fn precision(&self) -> Precision {
        self.precision
    }

    fn shape_text(&self) -> String {
        let suffix = match self.trans() {
            "nn" => String::new(),
            trans => format!("-{trans}"),
        };
        format!("{}x{}x{}{suffix}", self.m, self.n, self.k)
    }

    fn shape(&self) -> Map<String, Value> {
        object(json!({ "m": self.m, "n": self.n, "k": self.k, "trans": self.trans() }))
    }

    fn work(&self) -> Work {
        Work::moving_once(2.0 * f64::from(self.m) * f64::from(self.n) * f64::from(self.k), self)
    }

    fn inputs(&self) -> Vec<TensorSpec> {
        let [a, b, _] = self.elements();
        vec![self.precision.input("A", a), self.precision.input("B", b)]
    }

    fn output(&self) -> TensorSpec {
        self.precision.output("C", self.elements()[2])
    }

    fn plans(&self, caps: &Caps) -> Vec<Box<dyn Plan>> {
        bind(plan::candidates(self, caps), self, caps)
    }

    fn space(&self, caps: &Caps) -> Vec<Box<dyn Plan>> {
        bind(plan::space(self, caps), self, caps)
    }

    fn bucket(&self) -> Bucket {
        let [m, n, k] = [self.m, self.n, self.k].map(bucket_side);
        Bucket { layout: self.trans().to_owned(), sizes: format!("{m}x{n}x{k}") }
    }

    fn verify(&self, inputs: &[Tensor], output: &Tensor) -> Verdict {
        reference::verify(self, inputs, output)
    }
}
