//! `accelbench ci`: every format of a kept gate and of a kept run.

use super::program;
use accelbench_tests::program::Program;

const GATE: &str = include_str!("../fuzz/gate.json");
const RUN: &str = include_str!("../fuzz/run.jsonl");

/// A program in a folder with a gate's document and a run's file, outside of GitHub Actions.
fn prepared() -> Program {
    let program = program().with("GITHUB_ACTIONS", "").with("GITHUB_STEP_SUMMARY", "");
    std::fs::write(program.path("gate.json"), GATE).unwrap();
    std::fs::write(program.path("run.jsonl"), RUN).unwrap();
    program
}

#[test]
fn every_flag_writes_its_format() {
    for source in ["gate.json", "run.jsonl"] {
        let program = prepared();
        let flags = ["--junit=j", "--markdown=m", "--bencher=b", "--benchmark-json=g", "--openmetrics=o"];
        let ran = program.run(&[&["ci", source], &flags[..]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
        let text = |name: &str| std::fs::read_to_string(program.path(name)).unwrap();
        assert!(text("j").starts_with("<?xml") && text("j").contains("<testsuite "), "{source}");
        assert!(text("m").starts_with("## accelbench"), "{source}");
        assert!(text("b").starts_with('{') && text("b").contains("\"latency\""), "{source}");
        assert!(text("g").starts_with('[') && text("g").contains("\"unit\": \"ns\""), "{source}");
        assert!(text("o").ends_with("# EOF\n"), "{source}");
    }
}

#[test]
fn github_is_told_within_its_actions_only() {
    let program = prepared();
    let outside = program.run(&["ci", "gate.json", "--github"]);
    assert_eq!((outside.code, outside.stdout.as_str()), (Some(0), ""), "{outside:?}");
    assert!(outside.stderr.contains("not within GitHub Actions"), "{outside:?}");
    std::fs::write(program.path("summary"), "# Before\n").unwrap();
    let program = program.with("GITHUB_ACTIONS", "true").with("GITHUB_STEP_SUMMARY", "summary");
    let inside = program.run(&["ci", "gate.json", "--github"]);
    assert_eq!(inside.code, Some(0), "{inside:?}");
    assert!(inside.stdout.lines().count() > 1, "{inside:?}");
    assert!(inside.stdout.lines().all(|line| line.starts_with("::error ") || line.starts_with("::warning ")));
    let summary = std::fs::read_to_string(program.path("summary")).unwrap();
    assert!(summary.starts_with("# Before\n## accelbench gate"), "{summary}");
}

#[test]
fn mistakes_are_one_line() {
    let program = prepared();
    program.run(&["ci", "gate.json"]).is_user_error(&["nothing is asked for", "--junit"]);
    program.run(&["ci", "absent.json", "--junit=j"]).is_user_error(&["absent.json"]);
    program.run(&["ci", "gate.json", "--junit=no/such/folder"]).is_user_error(&["no/such/folder"]);
    std::fs::write(program.path("other.json"), "{}").unwrap();
    program.run(&["ci", "other.json", "--junit=j"]).is_user_error(&["other.json", "accelbench gate"]);
    let newer = GATE.replace("accelbench.gate/1", "accelbench.gate/2");
    std::fs::write(program.path("gate.json"), newer).unwrap();
    program.run(&["ci", "gate.json", "--junit=j"]).is_user_error(&["use a newer accelbench"]);
    // A gate would find that out only after minutes.
    let unwritable = ["gate", "--base=absent", "--junit=no/such/folder"];
    program.run(&unwritable).is_user_error(&["no/such/folder", "a folder that exists"]);
    let both = program.run(&["gate", "--base=absent", "--json", "--github"]);
    assert!(both.code == Some(2) && both.stderr.contains("--github"), "{both:?}");
}
