//! What stands in a gate's document, and what decides beside the builds: tolerances and noise.

use super::{PROGRAM, build, gate, only, program};
use accelbench_reports::gate::{GateFile, Severity, Verdict};
use accelbench_tests::timed;

#[test]
fn it_names_what_was_compared() {
    let program = program();
    let base = build(&program, "base", &[]);
    let (ran, file) = gate(&program, &base, &base, &["--json"]);
    assert_eq!(file.exit_code, 0);
    let printed: GateFile = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(printed, file);
    for build in [&file.base, &file.candidate] {
        assert_eq!((build.given.as_str(), build.sha256.len()), (base.as_str(), 64));
        assert!(build.version.is_some());
    }
    assert_eq!(file.devices.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["timed:0"]);
    assert!(file.notes.iter().any(|note| note.contains("the same file")), "{:?}", file.notes);
    // Nothing is written over.
    program.run(&["gate", "--base", &base, "-o", "gate.json"]).is_user_error(&["gate.json is already there"]);
}

#[test]
fn the_program_itself_is_the_usual_candidate() {
    let program = program();
    let ran = program.run(&[
        "gate",
        "--base",
        PROGRAM,
        "--json",
        "--pairs",
        "5,6",
        "-d",
        "timed",
        "-t",
        "f32",
        "gemm:m=32,n=32,k=32",
    ]);
    let file: GateFile = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &file.base.sha256), (Some(0), &file.candidate.sha256));
}

#[test]
fn a_tolerance_of_the_configuration_counts() {
    let program = program();
    let (base, slow) = (build(&program, "base", &[]), build(&program, "slow", &[(timed::SLOWER, "8")]));
    let rule = |rest: &str| format!("[[gate.rules]]\npattern = \"gemm/*@timed:*\"\n{rest}\n");
    let outcome = |name: &str, text: String| {
        std::fs::write(program.path(name), text).unwrap();
        let (_, file) = gate(&program, &base, &slow, &["--config", name]);
        std::fs::remove_file(program.path("gate.json")).unwrap();
        (file.exit_code, only(&file).verdict, only(&file).severity)
    };
    assert_eq!(outcome("a.toml", String::new()), (1, Verdict::Regressed, Severity::Fail));
    assert_eq!(outcome("b.toml", rule("threshold = 0.09")), (0, Verdict::Pass, Severity::Fail));
    assert_eq!(outcome("c.toml", rule("severity = \"warn\"")), (0, Verdict::Regressed, Severity::Warn));
    assert_eq!(outcome("d.toml", rule("severity = \"ignore\"")), (0, Verdict::Unsettled, Severity::Ignore));
    let other = rule("threshold = 0.09\nsystem = \"another machine\"");
    assert_eq!(outcome("e.toml", other), (1, Verdict::Regressed, Severity::Fail));
    // The nearest one counts without being named.
    std::fs::write(program.path("accelbench.toml"), rule("threshold = 0.09")).unwrap();
    assert_eq!(gate(&program, &base, &slow, &[]).1.exit_code, 0);
    std::fs::write(program.path("accelbench.toml"), "[gate]\nmargni = 1").unwrap();
    let ran = program.run(&["gate", "--base", &base]);
    ran.is_user_error(&["accelbench.toml: line 2", "margni"]);
}

#[test]
fn what_identical_builds_differ_by_is_no_regression() {
    let program = program();
    let noisy = [(timed::NOISE, "1")];
    let (base, slow) = (build(&program, "base", &noisy), build(&program, "slow", &[(timed::SLOWER, "4")]));
    let steady = build(&program, "steady", &[]);
    // Noise of the base against itself, measured here or read from an earlier document.
    let (_, file) = gate(&program, &base, &base, &["--aa"]);
    let noise = only(&file).noise.expect("it was measured");
    assert!(noise > 0.04, "{noise}");
    let noise = only(&file).noise_of_identical_builds().expect("it is one itself");
    std::fs::rename(program.path("gate.json"), program.path("aa.json")).unwrap();
    let (_, file) = gate(&program, &steady, &slow, &["--noise", "aa.json"]);
    let case = only(&file);
    assert_eq!(case.noise, Some(noise));
    assert!(case.estimate.is_some_and(|estimate| estimate.margin >= noise), "{case:#?}");
    assert_ne!(case.verdict, Verdict::Regressed, "4% is less than that: {case:#?}");
    std::fs::rename(program.path("gate.json"), program.path("two.json")).unwrap();
    let ran = program.run(&[
        "gate",
        "--base",
        &steady,
        "--noise",
        "two.json",
        "-d",
        "timed",
        "-t",
        "f32",
        "gemm:m=32,n=32,k=32",
    ]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.stderr.contains("error: two.json: it compares two different builds"), "{ran:#?}");
}
