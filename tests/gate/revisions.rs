//! Builds from git: revisions, and the working tree as it is.

use super::{PROGRAM, gate, only, program};
use accelbench_reports::gate::Verdict;
use accelbench_tests::program::Program;
use accelbench_tests::timed;
use std::fs;
use std::process::Command;

/// The sources of a program `accelbench` that is this one with a variable.
fn write(program: &Program, slower: &str) {
    let main = format!(
        "fn main() {{\n    use std::os::unix::process::CommandExt;\n    let error = std::process::Command::new({PROGRAM:?})\n        \
         .args(std::env::args_os().skip(1)).env({:?}, {slower:?}).exec();\n    panic!(\"{{error}}\");\n}}\n",
        timed::SLOWER
    );
    fs::create_dir_all(program.path("src")).unwrap();
    fs::write(program.path("src/main.rs"), main).unwrap();
}

fn shell(program: &Program, script: &str) {
    let mut command = Command::new("sh");
    command.args(["-e", "-c", script]);
    let ran = program.start_other(command).finish();
    assert_eq!(ran.code, Some(0), "{ran:#?}");
}

#[test]
fn a_revision_is_built_once_and_the_working_tree_as_it_is() {
    let program = program();
    let cache = program.at("cache");
    let program = program.with("ACCELBENCH_CACHE_DIR", &cache);
    let package = "[package]\nname = \"accelbench\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(program.path("Cargo.toml"), package).unwrap();
    fs::write(program.path("Cargo.lock"), "version = 4\n\n[[package]]\nname = \"accelbench\"\nversion = \"0.0.0\"\n")
        .unwrap();
    write(&program, "0");
    let commit = "git add src Cargo.toml Cargo.lock && git -c user.name=a -c user.email=a@b commit -q -m";
    shell(&program, &format!("git init -q . && {commit} one"));
    write(&program, "8");
    shell(&program, &format!("{commit} two"));
    let (ran, file) = gate(&program, "HEAD~1", "HEAD", &[]);
    assert_eq!((file.exit_code, only(&file).verdict), (1, Verdict::Regressed), "{ran:#?}");
    assert!(ran.stderr.contains("building HEAD~1") && ran.stderr.contains("building HEAD "), "{ran:#?}");
    for build in [&file.base, &file.candidate] {
        assert_eq!((build.revision.as_ref().map(String::len), build.dirty), (Some(40), Some(false)));
    }
    fs::remove_file(program.path("gate.json")).unwrap();
    // What is built is kept; what is not committed is part of the working tree.
    write(&program, "0");
    let (ran, file) = gate(&program, "HEAD~1", ".", &[]);
    assert_eq!((file.exit_code, file.candidate.dirty), (0, Some(true)), "{ran:#?}");
    assert!(!ran.stderr.contains("building HEAD~1") && ran.stderr.contains("building the working tree"), "{ran:#?}");
}
