//! An operation whose plans are known to be slow, fast, wrong, or the end of their process: what a tuner has to tell apart.
//!
//! It is the program's own matrix product under another name, on devices whose library computes it.

use accelbench_backends::{Caps, Source};
use accelbench_kernels::gemm::Gemm;
use accelbench_kernels::{
    Bucket, Case, Catalogue, NamedShape, Operation, Plan, Precision, Profile, Program, ShapeError, Tensor, TensorSpec,
    Verdict, Work,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Another source of every kernel, which computes the same.
pub const CHANGED: &str = "RACED_CHANGED";

/// The operation alone.
pub fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    catalogue.register(Box::new(Product));
    catalogue
}

struct Product;

impl Operation for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    fn summary(&self) -> &'static str {
        Gemm.summary()
    }

    fn grammar(&self) -> &'static str {
        "product:m=M,n=N,k=K"
    }

    fn precisions(&self) -> &'static [Precision] {
        &[Precision::F32]
    }

    fn shapes(&self, profile: Profile) -> Vec<NamedShape> {
        Gemm.shapes(profile)
    }

    fn conformance(&self) -> Vec<BTreeMap<String, String>> {
        Gemm.conformance()
    }

    fn case(&self, precision: Precision, fields: &BTreeMap<String, String>) -> Result<Box<dyn Case>, ShapeError> {
        Ok(Box::new(Raced(Gemm.case(precision, fields)?)))
    }

    fn parse_shape_text(&self, text: &str) -> Result<BTreeMap<String, String>, ShapeError> {
        Gemm.parse_shape_text(text)
    }
}

struct Raced(Box<dyn Case>);

impl Raced {
    fn of(&self, caps: &Caps, kinds: &[Kind]) -> Vec<Box<dyn Plan>> {
        let plan = |kind: &Kind| {
            let inner = self.0.plans(caps).into_iter().next()?;
            Some(Box::new(RacedPlan { kind: *kind, inner }) as Box<dyn Plan>)
        };
        kinds.iter().filter_map(plan).collect()
    }
}

impl Case for Raced {
    fn op(&self) -> &'static str {
        "product"
    }

    fn precision(&self) -> Precision {
        self.0.precision()
    }

    fn shape_text(&self) -> String {
        self.0.shape_text()
    }

    fn shape(&self) -> Map<String, Value> {
        self.0.shape()
    }

    fn work(&self) -> Work {
        self.0.work()
    }

    fn inputs(&self) -> Vec<TensorSpec> {
        self.0.inputs()
    }

    fn output(&self) -> TensorSpec {
        self.0.output()
    }

    fn plans(&self, caps: &Caps) -> Vec<Box<dyn Plan>> {
        self.of(caps, &[Kind::Slow])
    }

    fn space(&self, caps: &Caps) -> Vec<Box<dyn Plan>> {
        self.of(caps, &[Kind::Slow, Kind::Wrong, Kind::Crash, Kind::Fast, Kind::Hang, Kind::Slower])
    }

    fn bucket(&self) -> Bucket {
        self.0.bucket()
    }

    fn verify(&self, inputs: &[Tensor], output: &Tensor) -> Verdict {
        self.0.verify(inputs, output)
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Three products, one after the other, into the same output.
    Slow,
    /// Five.
    Slower,
    /// One product.
    Fast,
    /// One over half of k: the fastest.
    Wrong,
    Crash,
    Hang,
}

struct RacedPlan {
    kind: Kind,
    inner: Box<dyn Plan>,
}

impl Plan for RacedPlan {
    fn variant(&self) -> String {
        "raced".to_owned()
    }

    fn name(&self) -> String {
        format!("{:?}", self.kind).to_lowercase()
    }

    fn program(&self) -> Program {
        let mut program = self.inner.program();
        let times = match self.kind {
            Kind::Slow => 3,
            Kind::Slower => 5,
            Kind::Fast | Kind::Wrong => 1,
            Kind::Crash => {
                eprintln!("it is meant to crash here");
                std::process::abort()
            }
            Kind::Hang => loop {
                std::thread::park();
            },
        };
        program.launches = std::iter::repeat_n(program.launches.clone(), times).flatten().collect();
        for kernel in &mut program.kernels {
            let Source::Library(call) = &mut kernel.source else { continue };
            if matches!(self.kind, Kind::Wrong) {
                let k = call.arguments["k"].as_u64().expect("a product has a k");
                call.arguments.insert("k".to_owned(), Value::from(k / 2));
            }
            if std::env::var_os(CHANGED).is_some() {
                call.arguments.insert("changed".to_owned(), Value::from(true));
            }
        }
        program
    }
}
