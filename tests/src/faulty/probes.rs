//! Probes of ceilings with a fault.

use accelbench_backends::Caps;
use accelbench_kernels::{
    Case, Catalogue, NamedShape, Operation, Plan, Precision, Profile, ShapeError, Tensor, TensorSpec, Verdict, Work,
    probe,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is wrong with the probe of the vector units: `low`, `crash` or `hang`. Without it, nothing is.
pub const BAD_CEILINGS: &str = "FAULTY_CEILINGS";

/// The program's own probes, that of the vector units with the fault that the variable names.
pub fn probes() -> Catalogue {
    if std::env::var_os(BAD_CEILINGS).is_none() {
        return probe::catalogue();
    }
    let mut catalogue = Catalogue::default();
    catalogue.register(Box::new(Faulty(probe::fma::Fma)));
    catalogue.register(Box::new(probe::stream::Stream));
    catalogue
}

struct Faulty(probe::fma::Fma);

impl Operation for Faulty {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn summary(&self) -> &'static str {
        self.0.summary()
    }

    fn grammar(&self) -> &'static str {
        self.0.grammar()
    }

    fn precisions(&self) -> &'static [Precision] {
        self.0.precisions()
    }

    fn shapes(&self, profile: Profile) -> Vec<NamedShape> {
        self.0.shapes(profile)
    }

    fn conformance(&self) -> Vec<BTreeMap<String, String>> {
        self.0.conformance()
    }

    fn odd(&self, index: u64) -> Option<BTreeMap<String, String>> {
        self.0.odd(index)
    }

    fn case(&self, precision: Precision, fields: &BTreeMap<String, String>) -> Result<Box<dyn Case>, ShapeError> {
        Ok(Box::new(FaultyCase(self.0.case(precision, fields)?)))
    }

    fn parse_shape_text(&self, text: &str) -> Result<BTreeMap<String, String>, ShapeError> {
        self.0.parse_shape_text(text)
    }
}

struct FaultyCase(Box<dyn Case>);

impl Case for FaultyCase {
    fn op(&self) -> &'static str {
        self.0.op()
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
        let work = self.0.work();
        Work { flop: work.flop * 1e-6, ..work }
    }

    fn inputs(&self) -> Vec<TensorSpec> {
        self.0.inputs()
    }

    fn output(&self) -> TensorSpec {
        self.0.output()
    }

    fn plans(&self, caps: &Caps) -> Vec<Box<dyn Plan>> {
        self.0.plans(caps)
    }

    fn unsupported(&self, caps: &Caps) -> Option<String> {
        self.0.unsupported(caps)
    }

    fn verify(&self, inputs: &[Tensor], output: &Tensor) -> Verdict {
        match std::env::var(BAD_CEILINGS).as_deref() {
            Ok("crash") => super::abort("this probe is meant to crash"),
            Ok("hang") => super::hang(),
            _ => self.0.verify(inputs, output),
        }
    }
}
