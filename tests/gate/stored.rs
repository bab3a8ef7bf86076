//! Stored figures: advisory, and only between equal environments.

use super::{build, program};
use accelbench_reports::gate::{GateFile, Mode, Verdict};
use accelbench_tests::program::{Program, Ran};
use accelbench_tests::timed;

const SELECTION: [&str; 8] =
    ["-d", "timed", "-t", "f32", "gemm:m=32,n=32,k=32", "gemm:m=64,n=64,k=64", "--quick", "--budget=100"];

/// A program with a stored run.
fn stored() -> Program {
    let program = program();
    let ran = program.run(&[&["run", "-o", "base.jsonl", "--energy", "off"], &SELECTION[..]].concat());
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    program
}

fn against(program: &Program, candidate: &str, options: &[&str]) -> (Ran, GateFile) {
    let arguments = ["gate", "--against", "base.jsonl", "--cand", candidate, "--json", "--pairs", "5,6"];
    let ran = program.run(&[&arguments[..], &SELECTION[..6], options].concat());
    let file: GateFile = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
    assert_eq!((ran.code, file.mode), (Some(file.exit_code.into()), Mode::Stored), "{ran:#?}");
    (ran, file)
}

#[test]
fn a_build_or_a_run_is_held_against_them() {
    let program = stored();
    for (slower, code, verdict) in
        [("8", 0, Verdict::Pass), ("15", 1, Verdict::Regressed), ("-15", 0, Verdict::Improved)]
    {
        let candidate = build(&program, &format!("candidate{slower}"), &[(timed::SLOWER, slower)]);
        let (_, file) = against(&program, &candidate, &[]);
        assert_eq!(file.exit_code, code);
        assert!(file.cases.len() == 2 && file.cases.iter().all(|case| case.verdict == verdict), "{:#?}", file.cases);
        assert!(file.notes.iter().any(|note| note.starts_with("advisory")), "{:?}", file.notes);
        // A run of that build says the same.
        let run = format!("candidate{slower}.jsonl");
        let mut command = std::process::Command::new(&candidate);
        command.args(["run", "-o", &run, "--energy", "off"]).args(SELECTION);
        assert_eq!(program.start_other(command).finish().code, Some(0));
        let (_, file) = against(&program, &run, &[]);
        assert!(file.exit_code == code && file.cases.iter().all(|case| case.verdict == verdict), "{:#?}", file.cases);
    }
}

#[test]
fn another_driver_is_incomparable() {
    let program = stored();
    let candidate = build(&program, "candidate", &[(timed::DRIVER, "timed 2")]);
    let (_, file) = against(&program, &candidate, &[]);
    assert_eq!(file.exit_code, 4);
    assert!(file.cases.iter().all(|case| case.reason.as_ref().is_some_and(|why| why.contains("timed 2"))));
}

#[test]
fn a_device_that_is_set_otherwise_is_incomparable() {
    let program = program();
    let set = |name: &str, governor: &str, microwatts: u64| {
        let tree = program.path(name);
        let write = |file: &str, text: &str| {
            let path = tree.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("cpu/cpufreq/policy0/scaling_governor", governor);
        write("powercap/intel-rapl:0/name", "package-0");
        write("powercap/intel-rapl:0/constraint_0_power_limit_uw", &microwatts.to_string());
        let file = program.path(&format!("{name}.toml"));
        let places = format!("[places]\ncpu = {:?}\npowercap = {:?}\n", tree.join("cpu"), tree.join("powercap"));
        std::fs::write(&file, places).unwrap();
        build(&program, &format!("{name}-build"), &[("ACCELBENCH_METERS", file.to_str().unwrap())])
    };
    let [base, same, governor, limit] = [
        set("base", "performance", 200_000_000),
        set("same", "performance", 200_400_000),
        set("governor", "powersave", 200_000_000),
        set("limit", "performance", 150_000_000),
    ];
    let mut command = std::process::Command::new(&base);
    command.args(["run", "-o", "base.jsonl", "--energy", "off"]).args(SELECTION);
    assert_eq!(program.start_other(command).finish().code, Some(0));
    assert_eq!(against(&program, &same, &[]).1.exit_code, 0);
    for (candidate, why) in [
        (governor, "the clock policy of timed:0 is `performance` for the base and `powersave` for the candidate"),
        (limit, "the power limit of timed:0 is 200 W for the base and 150 W for the candidate"),
    ] {
        let (_, file) = against(&program, &candidate, &[]);
        assert_eq!(file.exit_code, 4);
        assert!(file.cases.iter().all(|case| case.reason.as_ref().is_some_and(|told| told.contains(why))), "{file:#?}");
    }
}

#[test]
fn a_case_that_one_side_lacks_is_missing() {
    let program = stored();
    let candidate = build(&program, "candidate", &[]);
    let (_, file) = against(&program, &candidate, &["gemm:m=48,n=48,k=48"]);
    assert_eq!((file.exit_code, file.cases.len()), (5, 3));
    let (_, file) = against(&program, &candidate, &["gemm:m=48,n=48,k=48", "--allow-missing", "*/48x*"]);
    assert_eq!((file.exit_code, file.cases.len()), (0, 2));
}

#[test]
fn a_wrong_candidate_ends_with_six() {
    let program = stored();
    let candidate = build(&program, "candidate", &[(timed::WRONG, "1")]);
    let (_, file) = against(&program, &candidate, &[]);
    assert_eq!(file.exit_code, 6);
    assert!(file.cases.iter().all(|case| case.verdict == Verdict::Wrong), "{:#?}", file.cases);
}

#[test]
fn a_missing_or_damaged_file_is_never_a_pass() {
    let program = stored();
    let candidate = build(&program, "candidate", &[]);
    let text = std::fs::read_to_string(program.path("base.jsonl")).unwrap();
    std::fs::write(program.path("damaged.jsonl"), text.replacen("\"samples_ns\":[", "\"samples_ns\":{", 1)).unwrap();
    std::fs::write(program.path("empty.jsonl"), "").unwrap();
    std::fs::write(program.path("newer.jsonl"), text.replacen("accelbench.run/1", "accelbench.run/9", 1)).unwrap();
    for (file, words) in [
        ("absent.jsonl", &["absent.jsonl"][..]),
        ("damaged.jsonl", &["damaged.jsonl: damaged in line"]),
        ("empty.jsonl", &["empty.jsonl: not an accelbench result file"]),
        ("newer.jsonl", &["newer.jsonl", "use a newer accelbench"]),
    ] {
        program.run(&["gate", "--against", file, "--cand", &candidate]).is_user_error(words);
    }
    // One without any figure says nothing of anything.
    let header = text.lines().next().unwrap();
    std::fs::write(program.path("bare.jsonl"), format!("{header}\n")).unwrap();
    let ran = program.run(&[&["gate", "--against", "bare.jsonl", "--cand", &candidate], &SELECTION[..6]].concat());
    assert_eq!(ran.code, Some(5), "{ran:#?}");
}
