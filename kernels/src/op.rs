//! What an operation offers. One [`Case`] object serves verifying, measuring, tuning and the support matrix.

use crate::{Demand, NamedShape, Precision, Profile, Program, Tensor, Verdict};
use accelbench_backends::{Caps, DType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An operation, such as GEMM.
pub trait Operation: Send + Sync {
    /// Its name in ids and on the command line: lower-case letters and digits.
    fn name(&self) -> &'static str;

    /// One line on what it computes.
    fn summary(&self) -> &'static str;

    /// How a shape is written on the command line, such as `gemm:m=M,n=N,k=K[,trans=nn|nt|tn|tt]`.
    fn grammar(&self) -> &'static str;

    /// The numeric types it comes in.
    fn precisions(&self) -> &'static [Precision];

    /// The shapes of a profile, each with where it comes from.
    fn shapes(&self, profile: Profile) -> Vec<NamedShape>;

    /// Small shapes where implementations go wrong: ones, remainders of every tile, every layout. What a backend must
    /// compute rightly to be called conforming.
    fn conformance(&self) -> Vec<BTreeMap<String, String>>;

    /// The `index`-th of an endless, fixed sequence of small shapes that nobody would choose: what backends are held
    /// against beyond [`Operation::conformance`]. None where only few shapes make sense at all.
    fn odd(&self, _index: u64) -> Option<BTreeMap<String, String>> {
        None
    }

    /// A shape of a profile at the smallest batch that still is this layer: how the whole catalogue is verified on a
    /// slow device.
    fn at_small_batch(&self, fields: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        fields.clone()
    }

    /// The case of a shape given by its fields (`m=64`, `trans=nt`).
    ///
    /// # Errors
    /// [`ShapeError`], naming the field that is missing, unknown or makes no sense.
    fn case(&self, precision: Precision, fields: &BTreeMap<String, String>) -> Result<Box<dyn Case>, ShapeError>;

    /// The fields of the compact shape text in ids (`4096x4096x4096-nt`): the inverse of [`Case::shape_text`].
    ///
    /// # Errors
    /// [`ShapeError`] where the text has another form.
    fn parse_shape_text(&self, text: &str) -> Result<BTreeMap<String, String>, ShapeError>;
}

/// A shape that makes no sense, in words that name the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ShapeError(pub String);

/// One problem: an operation with its types and its shape.
pub trait Case: Send + Sync {
    /// The operation's name.
    fn op(&self) -> &'static str;

    /// The numeric types.
    fn precision(&self) -> Precision;

    /// The shape in the compact form of ids; no `/`, no `@`, no white space.
    fn shape_text(&self) -> String;

    /// The shape as a result row states it.
    fn shape(&self) -> Map<String, Value>;

    /// What one run computes and moves.
    fn work(&self) -> Work;

    /// The inputs, in order.
    fn inputs(&self) -> Vec<TensorSpec>;

    /// The output.
    fn output(&self) -> TensorSpec;

    /// The ways to compute this case on such a device, the preferred one first. Empty means that there is none, and
    /// [`Case::unsupported`] says why.
    fn plans(&self, caps: &Caps) -> Vec<Box<dyn Plan>>;

    /// All ways to compute this case on such a device that a search may choose from: those of [`Case::plans`] first, in
    /// their order, then whatever sizes the kernels can be made in and the device can hold.
    fn space(&self, caps: &Caps) -> Vec<Box<dyn Plan>> {
        self.plans(caps)
    }

    /// The way with this name, preferred or not.
    fn plan(&self, caps: &Caps, name: &str) -> Option<Box<dyn Plan>> {
        let named = |plans: Vec<Box<dyn Plan>>| plans.into_iter().find(|plan| plan.name() == name);
        named(self.plans(caps)).or_else(|| named(self.space(caps)))
    }

    /// Which shapes are so much like this one that what is best for one of them is good for all.
    fn bucket(&self) -> Bucket {
        Bucket { layout: String::new(), sizes: self.shape_text() }
    }

    /// What such a device lacks for this case, whatever the plan; none where it lacks nothing.
    fn missing(&self, caps: &Caps) -> Option<String> {
        self.precision().missing(caps)
    }

    /// Why there is no plan for such a device: what is [missing](Case::missing), or that [`Case::plans`] gives none.
    fn unsupported(&self, caps: &Caps) -> Option<String> {
        self.missing(caps).or_else(|| {
            let none = self.plans(caps).is_empty();
            none.then(|| {
                format!("no {} plan fits {} within the device's languages and limits", self.op(), self.shape_text())
            })
        })
    }

    /// Holds an output against the f64 truth.
    fn verify(&self, inputs: &[Tensor], output: &Tensor) -> Verdict;
}

/// One way to compute a case.
pub trait Plan {
    /// The kernel family: the `variant` part of a case's id.
    fn variant(&self) -> String;

    /// The whole plan in one word, unique among the case's plans, such as `tiled-64x64x16-4x4`.
    fn name(&self) -> String;

    /// The program, for the device that the plan was made for.
    fn program(&self) -> Program;

    /// The units that it computes on, whose peak is its ceiling.
    fn unit(&self) -> Unit {
        Unit::Vector
    }

    /// The sizes that make it this plan of its family, in a fixed order: plans with nearly the same ones are neighbours.
    /// Empty where there is nothing to choose, as of a library.
    fn sizes(&self) -> Vec<u32> {
        Vec::new()
    }

    /// What it asks of the device; none where that is not known, as of a library.
    fn demand(&self) -> Option<Demand> {
        None
    }
}

/// Shapes that are much like each other, in words that say how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Bucket {
    /// How the tensors lie in memory, or what else has kernels of its own.
    pub layout: String,
    /// The sizes, rounded up.
    pub sizes: String,
}

/// A device's arithmetic units: each kind has a peak of its own, and one never stands for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// The ordinary ones, scalar or SIMD.
    Vector,
    /// Those that multiply small matrices in one instruction.
    Matrix,
    /// A library's choice: the better of both is its ceiling.
    Any,
}

/// What one run of a case computes and moves, by the operation's definition and not by what an algorithm really does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    /// Floating-point operations; a multiplication and an addition are two.
    pub flop: f64,
    /// Bytes that must move between memory and the device: each input read once, each output written once.
    pub bytes: f64,
}

impl Work {
    /// That of a case that moves each of its tensors once.
    pub(crate) fn moving_once(flop: f64, case: &dyn Case) -> Self {
        let tensors = case.inputs().into_iter().chain([case.output()]);
        Self { flop, bytes: tensors.map(|tensor| tensor.bytes() as f64).sum() }
    }
}

/// A tensor of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its name in messages.
    pub name: &'static str,
    /// Its element type.
    pub dtype: DType,
    /// How many elements.
    pub elements: u64,
}

impl TensorSpec {
    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        self.elements * self.dtype.bytes()
    }
}
