//! `accelbench gate`, by the program itself: each exit code, and what it says of each.
//!
//! Both builds are scripts that run the same program with other variables, over a device whose times are made up.

mod codes;
mod documents;
mod real;
mod revisions;
mod stored;

use accelbench_reports::gate::{GateCase, GateFile};
use accelbench_tests::program::{Program, Ran};
use accelbench_tests::timed;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const PROGRAM: &str = env!("CARGO_BIN_EXE_timed");

/// Few pairs, which are enough where nothing scatters.
const PAIRS: [&str; 2] = ["--pairs", "5,6"];

fn program() -> Program {
    let program = Program::new(PROGRAM);
    let state = program.at("state");
    std::fs::create_dir(&state).expect("a folder");
    program.with(timed::STATE, &state)
}

/// A build: a script that runs the program with these variables.
fn build(program: &Program, name: &str, variables: &[(&str, &str)]) -> String {
    let set: Vec<String> = variables.iter().map(|(name, value)| format!("{name}='{value}'")).collect();
    script(&program.path(name), &format!("exec env {} '{PROGRAM}' \"$@\"\n", set.join(" ")))
}

fn script(path: &Path, text: &str) -> String {
    std::fs::write(path, format!("#!/bin/sh\n# {}\n{text}", path.display())).expect("a script");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("an executable");
    path.display().to_string()
}

/// Holds a candidate against a base in single precision, and reads the document.
fn gate(program: &Program, base: &str, candidate: &str, options: &[&str]) -> (Ran, GateFile) {
    gate_of(program, base, candidate, &["-d", "timed", "-t", "f32", "gemm:m=32,n=32,k=32"], options)
}

/// The same of other cases.
fn gate_of(program: &Program, base: &str, candidate: &str, selection: &[&str], options: &[&str]) -> (Ran, GateFile) {
    let mut arguments = vec!["gate", "--base", base, "--cand", candidate, "-o", "gate.json"];
    if !options.contains(&"--pairs") {
        arguments.extend(PAIRS);
    }
    arguments.extend(selection.iter().chain(options));
    let ran = program.run(&arguments);
    let file = GateFile::read(&program.path("gate.json")).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
    assert_eq!(ran.code, Some(file.exit_code.into()), "{ran:#?}");
    assert_eq!(file.exit_code, file.outcome.exit_code());
    (ran, file)
}

/// The only case of a document.
fn only(file: &GateFile) -> &GateCase {
    assert_eq!(file.cases.len(), 1, "{:#?}", file.cases);
    &file.cases[0]
}

/// What stands in a reason.
fn says(case: &GateCase, words: &[&str]) {
    let reason = case.reason.as_deref().unwrap_or_default();
    for word in words {
        assert!(reason.contains(word), "`{word}` is missing: {case:#?}");
    }
}
