//! The bandwidth of memory, and of caches where the arrays fit into them: the five kernels of `BabelStream`
//! (T. Deakin et al., Int. J. Comput. Sci. Eng. 17(3), 2018), with its count of bytes.
//!
//! The arrays are cut into `parts`, and one work-group, or one thread of the host, goes over one part `passes` times in
//! one launch: small arrays so stay in the cache next to the unit that uses them, and what a launch costs does not show.
//! The offset of a pass comes from the parameter block and is 0, so that a compiler has to assume that each pass reads
//! and writes something else and may leave none out.
//!
//! `dot` gives one sum for each part, over all passes.

mod plan;
mod reference;
mod sets;

use super::Fields;
use crate::fields::{Reader, named, object};
use crate::{
    Case, NamedShape, Operation, Phase, Plan, Precision, Profile, ShapeError, Tensor, TensorSpec, Verdict, Work,
};
use accelbench_backends::Caps;
use serde_json::{Map, Value, json};

pub use plan::StreamPlan;
pub use sets::{fields, working_set, working_sets};

/// What is computed of each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// z = x
    Copy,
    /// z = s·x
    Mul,
    /// z = x + y
    Add,
    /// z = x + s·y
    Triad,
    /// Σ x·y
    Dot,
}

impl Op {
    /// All of them, in `BabelStream`'s order.
    pub const ALL: [Self; 5] = [Self::Copy, Self::Mul, Self::Add, Self::Triad, Self::Dot];

    /// The name in shapes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Mul => "mul",
            Self::Add => "add",
            Self::Triad => "triad",
            Self::Dot => "dot",
        }
    }

    /// Arrays that it reads.
    pub const fn inputs(self) -> usize {
        match self {
            Self::Copy | Self::Mul => 1,
            Self::Add | Self::Triad | Self::Dot => 2,
        }
    }

    /// Arrays that it reads or writes: what `BabelStream` counts for an element.
    pub const fn arrays(self) -> u64 {
        match self {
            Self::Copy | Self::Mul | Self::Dot => 2,
            Self::Add | Self::Triad => 3,
        }
    }

    /// Floating-point operations for an element.
    const fn flop(self) -> f64 {
        match self {
            Self::Copy => 0.0,
            Self::Mul | Self::Add => 1.0,
            Self::Triad | Self::Dot => 2.0,
        }
    }
}

/// The factor s, as `BabelStream` has it.
const SCALAR: f32 = 0.4;
/// Every vector divides a part: parts have multiples of so many elements.
const VECTOR: u64 = 16;

/// The operation `stream`.
pub struct Stream;

impl Operation for Stream {
    fn name(&self) -> &'static str {
        "stream"
    }

    fn summary(&self) -> &'static str {
        "copy, mul, add, triad and dot of long vectors: the bandwidth of memory and caches"
    }

    fn grammar(&self) -> &'static str {
        "stream:op=copy|mul|add|triad|dot,elements=N[,parts=P][,passes=Q]"
    }

    fn precisions(&self) -> &'static [Precision] {
        &[Precision::F64, Precision::F32]
    }

    fn shapes(&self, _profile: Profile) -> Vec<NamedShape> {
        let shape = |op| NamedShape { fields: shape(op, 1 << 22, 64, 1), origin: "vector", phase: Phase::Ladder };
        Op::ALL.map(shape).to_vec()
    }

    fn conformance(&self) -> Vec<Fields> {
        // One vector; parts shorter than a group, of odd lengths, and longer than a group's stride; several passes.
        let sizes = [(16, 1, 1), (48 * 7, 7, 3), (16 * 1023 * 3, 3, 2), (16 * 5000, 2, 1), (16 * 300 * 64, 64, 5)];
        let shapes = |op| sizes.map(|(elements, parts, passes)| shape(op, elements, parts, passes));
        Op::ALL.into_iter().flat_map(shapes).collect()
    }

    fn case(&self, precision: Precision, fields: &Fields) -> Result<Box<dyn Case>, ShapeError> {
        Ok(Box::new(StreamProblem::from_fields(precision, fields)?))
    }

    fn parse_shape_text(&self, text: &str) -> Result<Fields, ShapeError> {
        let wrong = || ShapeError(format!("`{text}` is no stream shape; write OP-ELEMENTSxPARTSxPASSES"));
        let (op, sizes) = text.split_once('-').ok_or_else(wrong)?;
        let sizes: Vec<&str> = sizes.split('x').collect();
        let [elements, parts, passes] = sizes[..] else { return Err(wrong()) };
        Ok(named([("op", op), ("elements", elements), ("parts", parts), ("passes", passes)]))
    }
}

fn shape(op: Op, elements: u64, parts: u64, passes: u64) -> Fields {
    named([
        ("op", op.name().to_owned()),
        ("elements", elements.to_string()),
        ("parts", parts.to_string()),
        ("passes", passes.to_string()),
    ])
}

/// What is computed, of how many elements, in how many parts, how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamProblem {
    /// The numeric types: stored and computed in the same.
    pub precision: Precision,
    /// What is computed.
    pub op: Op,
    /// Elements of an array: a multiple of 16 for each part.
    pub elements: u64,
    /// Parts of an array.
    pub parts: u32,
    /// How often a launch goes over its part.
    pub passes: u32,
}

impl StreamProblem {
    fn from_fields(precision: Precision, fields: &Fields) -> Result<Self, ShapeError> {
        let sizes = Reader::new("stream", fields, &["op", "elements", "parts", "passes"])?;
        let name = fields.get("op").ok_or_else(|| ShapeError("stream needs op=NAME".to_owned()))?;
        let op = Op::ALL.into_iter().find(|op| op.name() == name);
        let op =
            op.ok_or_else(|| ShapeError(format!("stream's op of `{name}` is none of copy, mul, add, triad, dot")))?;
        let count = |name, most| match fields.get(name) {
            Some(_) => sizes.multiple(name, 1, most),
            None => Ok(1),
        };
        let (parts, passes) = (count("parts", 1 << 20)?, count("passes", 1 << 24)?);
        let elements = sizes.multiple("elements", VECTOR * parts, 1 << 35)?;
        Ok(Self { precision, op, elements, parts: parts as u32, passes: passes as u32 })
    }

    /// Elements of a part.
    fn part(&self) -> u64 {
        self.elements / u64::from(self.parts)
    }
}

impl Case for StreamProblem {
    fn op(&self) -> &'static str {
        "stream"
    }

    fn precision(&self) -> Precision {
        self.precision
    }

    fn shape_text(&self) -> String {
        format!("{}-{}x{}x{}", self.op.name(), self.elements, self.parts, self.passes)
    }

    fn shape(&self) -> Map<String, Value> {
        object(json!({
            "op": self.op.name(), "elements": self.elements, "parts": self.parts, "passes": self.passes,
        }))
    }

    /// `BabelStream`'s count, for every pass.
    fn work(&self) -> Work {
        let elements = self.elements as f64 * f64::from(self.passes);
        Work {
            flop: self.op.flop() * elements,
            bytes: (self.op.arrays() * self.precision.storage().bytes()) as f64 * elements,
        }
    }

    fn inputs(&self) -> Vec<TensorSpec> {
        ["x", "y"].iter().take(self.op.inputs()).map(|name| self.precision.input(name, self.elements)).collect()
    }

    fn output(&self) -> TensorSpec {
        match self.op {
            Op::Dot => self.precision.output("sums", self.parts.into()),
            _ => self.precision.output("z", self.elements),
        }
    }

    fn plans(&self, caps: &Caps) -> Vec<Box<dyn Plan>> {
        plan::candidates(self, caps)
    }

    fn verify(&self, inputs: &[Tensor], output: &Tensor) -> Verdict {
        reference::verify(self, inputs, output)
    }
}
