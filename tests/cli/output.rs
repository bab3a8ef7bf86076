//! What commands print: for readers, for programs, and for nobody.

use super::{TWO_CASES, program};
use serde_json::Value;

fn stdout(arguments: &[&str]) -> String {
    let ran = program().run(arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    ran.stdout
}

fn json(arguments: &[&str]) -> Vec<Value> {
    serde_json::from_str(&stdout(arguments)).expect("a JSON list")
}

#[test]
fn no_command_prints_first_steps() {
    let text = stdout(&[]);
    for command in ["accelbench all --quick", "accelbench devices", "accelbench doctor", "accelbench list"] {
        assert!(text.contains(command), "{text}");
    }
}

#[test]
fn help_tells_exit_codes_where_there_are_some_to_tell() {
    for command in ["all", "run", "check", "probe", "history"] {
        let text = stdout(&[command, "--help"]);
        assert!(text.contains("Exit codes:\n  0 ") && text.contains("\n  2 "), "{text}");
    }
    for text in [stdout(&["--help"]), stdout(&["run", "--help"]), stdout(&["all", "--help"])] {
        for code in ["0", "2", "6", "130"] {
            assert!(text.lines().any(|line| line.split_whitespace().next() == Some(code)), "{code}: {text}");
        }
    }
    for command in ["devices", "doctor", "list", "roofline", "completions", "man"] {
        assert!(stdout(&[command, "--help"]).contains("Usage: "));
    }
    assert!(stdout(&["--version"]).starts_with("accelbench "));
}

#[test]
fn devices() {
    let text = stdout(&["devices"]);
    assert!(text.starts_with("host:0  ") && text.contains("absent: cuda, opencl, webgpu"), "{text}");
    let devices = json(&["devices", "--json"]);
    assert_eq!(devices.len(), 1);
    assert_eq!((&devices[0]["id"], &devices[0]["caps"]["kind"]), (&"host:0".into(), &"cpu".into()));
}

#[test]
fn doctor() {
    let text = stdout(&["doctor"]);
    assert!(text.contains("present host: ") && text.contains("absent  cuda: ACCELBENCH_DISABLE names cuda"), "{text}");
    let rows = json(&["doctor", "--json"]);
    let found: Vec<_> = rows.iter().map(|row| [&row["id"], &row["status"], &row["reason"]]).collect();
    let expected = |id: &str, status: &str, reason: Value| [id.into(), status.into(), reason];
    assert_eq!(found[0], expected("host", "present", Value::Null).each_ref());
    for (row, id) in found[1..].iter().zip(["cuda", "opencl", "webgpu"]) {
        assert_eq!(*row, expected(id, "absent", "disabled".into()).each_ref());
    }
    assert_eq!(found.len(), 4);
}

#[test]
fn list() {
    let text = stdout(&["list"]);
    assert!(text.starts_with("gemm: ") && text.contains("1x4096x4096-nt"), "{text}");
    let text = stdout(&["list", "--plans"]);
    assert!(text.lines().any(|line| line.split_whitespace().eq(["host:0", "f32", "packed"])), "{text}");
    let kernels = json(&["list", "--json", "--plans"]);
    assert_eq!(kernels[0]["kernel"], "gemm");
    assert_eq!(
        kernels[0]["dtypes"],
        serde_json::json!(["f64", "f32", "tf32", "bf16", "f16", "f16-acc16", "f8e4m3", "i8"])
    );
    let plans = kernels[0]["plans"].as_array().unwrap();
    assert!(plans.iter().any(|row| row["dtype"] == "f16-acc16" && row["unsupported"].is_string()), "{plans:?}");
    assert!(json(&["list", "--json"])[0]["plans"].is_null());
}

#[test]
fn completions_and_the_manual() {
    for (shell, words) in
        [("bash", "complete -F _accelbench"), ("zsh", "#compdef accelbench"), ("fish", "complete -c accelbench")]
    {
        let text = stdout(&["completions", shell]);
        assert!(text.contains(words) && text.contains("resume"), "{shell}: {text}");
    }
    let manual = stdout(&["man"]);
    assert!(manual.contains(".TH accelbench 1") && manual.contains("Exit codes"), "{manual}");
}

#[test]
fn json_lines_are_those_of_the_file() {
    let program = program();
    let ran = program.run(&[&TWO_CASES[..], &["--json", "-o", "run.jsonl"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.stdout, std::fs::read_to_string(program.path("run.jsonl")).unwrap());
    assert!(ran.stderr.contains("[2/2] gemm/f32/33x33x33/packed@host:0"), "{ran:?}");
}

#[test]
fn nobody_reading_is_no_error() {
    let program = program();
    let run = [&TWO_CASES[..], &["-o", "run.jsonl"]].concat();
    let stream = [&TWO_CASES[..], &["--json", "-o", "stream.jsonl"]].concat();
    for arguments in
        [&[][..], &["--help"], &["list", "--plans"], &["devices"], &["doctor", "--json"], &["man"], &run, &stream]
    {
        let ran = program.run_unread(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    }
    for file in ["run.jsonl", "stream.jsonl"] {
        assert_eq!(program.file(file).results.len(), 2, "the run goes on unseen");
    }
}

#[test]
fn output_that_can_t_be_written_is_one() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in [&["list"][..], &["doctor"], &["man"], &[]] {
        program().run_into(arguments, full()).is_user_error(&["standard output: No space left on device"]);
    }
}

#[test]
fn colours_only_where_they_are_wanted() {
    let arguments = [&TWO_CASES[..], &["-o"]].concat();
    let coloured = |program: accelbench_tests::program::Program| {
        let runs = [&["doctor"][..], &["check", "gone"], &["--help"], &[&arguments[..], &["run.jsonl"]].concat()]
            .map(|arguments| program.run(arguments));
        runs.map(|ran| ran.stdout.contains('\u{1b}') || ran.stderr.contains('\u{1b}'))
    };
    assert_eq!(coloured(program()), [false; 4]);
    assert_eq!(coloured(program().with("CLICOLOR_FORCE", "1")), [true; 4]);
    assert_eq!(coloured(program().with("CLICOLOR_FORCE", "1").with("NO_COLOR", "1")), [false; 4]);
}
