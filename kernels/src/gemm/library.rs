//! GEMM by a library of the device: prepared with all sizes, so that a launch needs no parameter.

use super::{GemmPlan, GemmProblem};
use crate::{Program, program};
use accelbench_backends::Caps;
use serde_json::{Value, json};

/// The plans by libraries of this program, and by those of the machine.
pub(super) fn candidates(problem: &GemmProblem, caps: &Caps) -> [Vec<GemmPlan>; 2] {
    program::libraries(problem, caps, &arguments(problem))
        .map(|names| names.into_iter().map(GemmPlan::Library).collect())
}

/// The program that calls the library `name`.
pub(super) fn program(name: &str, problem: &GemmProblem) -> Program {
    program::library(problem, name, arguments(problem))
}

/// A function that rounds its operands takes them by the type that it rounds them to.
fn arguments(problem: &GemmProblem) -> Value {
    json!({
        "m": problem.m, "n": problem.n, "k": problem.k,
        "trans_a": problem.trans_a, "trans_b": problem.trans_b,
        "storage": problem.precision.operand().name(),
        "accumulate": problem.precision.accumulate().name(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::plan;
    use super::*;
    use crate::bound::TypedPlan;
    use crate::{Precision, testing};
    use accelbench_backends::{DeviceKind, Language, LibraryForm};
    use std::collections::BTreeMap;

    #[test]
    fn libraries_of_the_machine_come_last_and_only_where_they_take_the_types() {
        let caps = Caps {
            libraries: BTreeMap::from([("gemm".to_owned(), vec!["found".to_owned(), "own".to_owned()])]),
            library_forms: vec![LibraryForm {
                library: "found".to_owned(),
                function: "gemm".to_owned(),
                arguments: crate::fields::object(json!({ "storage": "f64", "accumulate": "f64" })),
            }],
            external: BTreeMap::from([("found".to_owned(), "1.0".to_owned())]),
            ..testing::caps(DeviceKind::Cpu, Language::OpenClC)
        };
        let names = |precision| {
            let problem = GemmProblem { precision, m: 64, n: 64, k: 64, trans_a: false, trans_b: false };
            plan::candidates(&problem, &caps).iter().map(TypedPlan::variant).collect::<Vec<_>>()
        };
        let (f64, f32) = (names(Precision::F64), names(Precision::F32));
        assert_eq!((f64.first().map(String::as_str), f64.last().map(String::as_str)), (Some("own"), Some("found")));
        assert!(f32.first().is_some_and(|name| name == "own") && !f32.contains(&"found".to_owned()), "{f32:?}");
        assert!(f64.contains(&"packed".to_owned()));
        assert!(names(Precision::F16Acc16).is_empty(), "the device does not compute in f16");
    }
}
