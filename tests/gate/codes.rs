//! Every exit code.

use super::{build, gate, only, program, says, script};
use accelbench_reports::gate::{Arm, Cause, Doubt, Stage, Verdict};
use accelbench_tests::program::signal;
use accelbench_tests::timed;

#[test]
fn zero_where_nothing_is_worse() {
    let program = program();
    let (base, same) = (build(&program, "base", &[]), build(&program, "same", &[]));
    let (ran, file) = gate(&program, &base, &same, &[]);
    let case = only(&file);
    assert_eq!((file.exit_code, case.verdict, case.stage), (0, Verdict::Pass, Some(Stage::Screen)), "{ran:#?}");
    assert_eq!((case.base, case.candidate, case.reason.as_ref()), (Some(1e6), Some(1e6), None));
    assert_eq!(case.estimate.map(|estimate| (estimate.pairs, estimate.effect)), Some((5, 0.0)));
    assert!(ran.stdout.contains("nothing is worse: 1 PASS") && ran.stderr.contains("screen 5/5"), "{ran:#?}");
}

#[test]
fn zero_where_something_is_better() {
    let program = program();
    let (base, fast) = (build(&program, "base", &[(timed::SLOWER, "10")]), build(&program, "fast", &[]));
    let (_, file) = gate(&program, &base, &fast, &[]);
    assert_eq!((file.exit_code, only(&file).verdict), (0, Verdict::Improved));
    says(only(&file), &["9.1% faster"]);
}

#[test]
fn one_where_it_is_slower() {
    let program = program();
    let (base, slow) = (build(&program, "base", &[]), build(&program, "slow", &[(timed::SLOWER, "4")]));
    let (ran, file) = gate(&program, &base, &slow, &[]);
    let case = only(&file);
    assert_eq!((file.exit_code, case.verdict, case.stage), (1, Verdict::Regressed, Some(Stage::Confirm)));
    // The device's clock was the same, so that it is cycles.
    assert_eq!(case.cause, Some(Cause::Cycles));
    says(case, &["4.0% slower", "up to 2.0% is no regression", "more cycles"]);
    assert!(ran.stdout.contains("REGRESSED") && ran.stdout.contains("Next: look at one"), "{ran:#?}");
    // The pairs behind it: five to flag it, six to confirm it, in an order of their own.
    assert_eq!(case.pairs.len(), 11);
    assert!(case.pairs.iter().any(|pair| pair.first == Arm::Base));
    assert!(case.pairs.iter().any(|pair| pair.first == Arm::Candidate));
    assert!(case.pairs.iter().all(|pair| pair.candidate.unwrap() / pair.base.unwrap() - 1.04 < 1e-9));
}

#[test]
fn a_lower_clock_is_called_so() {
    let program = program();
    let base = build(&program, "base", &[]);
    let slow = build(&program, "slow", &[(timed::SLOWER, "25"), (timed::CLOCK, "800")]);
    let (_, file) = gate(&program, &base, &slow, &[]);
    assert_eq!((file.exit_code, only(&file).cause), (1, Some(Cause::Clock)));
    says(only(&file), &["25.0% slower", "a clock effect"]);
}

#[test]
fn two_where_there_is_nothing_to_run() {
    let program = program();
    let base = build(&program, "base", &[]);
    let dead = script(&program.path("dead"), "echo 'no such library' >&2\nexit 127\n");
    let garbage = program.at("garbage");
    std::fs::write(&garbage, "not a program").unwrap();
    for (candidate, words) in [
        (dead.as_str(), &["the candidate `", "dead` does not start", "no such library"][..]),
        (&garbage, &["garbage` does not start"]),
        ("no-such-revision", &["`no-such-revision` is neither an executable file nor a revision"]),
    ] {
        program.run(&["gate", "--base", &base, "--cand", candidate, "-d", "timed"]).is_user_error(words);
    }
    program.run(&["gate", "--base", &base, "--cand", &base, "-d", "warp"]).is_user_error(&["no device `warp`"]);
    program.run(&["gate", "--base", &base, "--pairs", "3,16"]).is_user_error(&["3 pairs can't show anything"]);
    assert_eq!(program.run(&["gate"]).code, Some(2));
}

#[test]
fn two_where_a_revision_does_not_build() {
    let program = program();
    let base = build(&program, "base", &[]);
    let init = "git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m empty";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", init]);
    assert_eq!(program.start_other(shell).finish().code, Some(0));
    let ran = program.run(&["gate", "--base", &base, "--cand", "HEAD", "-d", "timed"]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    let error = ran.stderr.lines().find(|line| line.starts_with("error: ")).expect("an error");
    assert!(error.contains("`HEAD` does not build") && error.contains("Cargo.toml"), "{ran:#?}");
    let mut list = std::process::Command::new("git");
    list.args(["worktree", "list"]);
    assert_eq!(program.start_other(list).finish().stdout.lines().count(), 1, "no work tree is left behind");
}

#[test]
fn three_where_noise_hides_it() {
    let program = program();
    let noisy = [(timed::NOISE, "1")];
    let (base, same) = (build(&program, "base", &noisy), build(&program, "same", &noisy));
    let (ran, file) = gate(&program, &base, &same, &["--alpha", "0.001", "--pairs", "10,10"]);
    assert_eq!((file.exit_code, only(&file).verdict), (3, Verdict::Inconclusive), "{ran:#?}");
    assert!(only(&file).doubt.is_some_and(|doubt| doubt != Doubt::ThrownOut));
    assert!(ran.stdout.contains("--pairs 20,20"), "{ran:#?}");
}

#[test]
fn three_where_heat_spoils_the_pairs_and_zero_where_it_passes() {
    for (last, code, thrown_out) in [("1000", 3, 10), ("6", 0, 2)] {
        let program = program();
        let hot = [(timed::HOT, last)];
        let (base, same) = (build(&program, "base", &hot), build(&program, "same", &hot));
        let (_, file) = gate(&program, &base, &same, &[]);
        let case = only(&file);
        assert_eq!((file.exit_code, case.thrown_out), (code, thrown_out), "{case:#?}");
        assert_eq!(case.pairs.iter().filter(|pair| pair.thrown_out.is_some()).count() as u64, thrown_out);
        assert!(case.pairs[0].thrown_out.as_deref().is_some_and(|why| why.contains("thermal")));
        if code == 3 {
            assert_eq!(case.doubt, Some(Doubt::ThrownOut));
            says(case, &["too many pairs were thrown out", "hw_thermal_slowdown"]);
        } else {
            // Repeated whole: as many sound pairs as without heat.
            assert_eq!(case.estimate.map(|estimate| estimate.pairs), Some(5));
        }
    }
}

#[test]
fn four_where_the_driver_differs() {
    let program = program();
    let base = build(&program, "base", &[]);
    let other = build(&program, "other", &[(timed::DRIVER, "timed 2")]);
    let (_, file) = gate(&program, &base, &other, &[]);
    assert_eq!((file.exit_code, only(&file).verdict), (4, Verdict::Incomparable));
    says(only(&file), &["the driver of timed:0", "`timed 1`", "`timed 2`"]);
    assert!(only(&file).pairs.is_empty(), "nothing is timed");
}

#[test]
fn five_where_a_case_exists_on_one_side_only() {
    let program = program();
    let whole = build(&program, "whole", &[]);
    let less = build(&program, "less", &[(timed::NO_F64, "1")]);
    for (base, candidate, arm) in [(&whole, &less, Arm::Candidate), (&less, &whole, Arm::Base)] {
        let (_, file) = gate(&program, base, candidate, &["-t", "f64"]);
        assert_eq!(file.exit_code, 5);
        let missing = file.cases.iter().find(|case| case.case.contains("/f64/") && case.arm == Some(arm));
        assert_eq!(missing.map(|case| case.verdict), Some(Verdict::Missing), "{:#?}", file.cases);
        std::fs::remove_file(program.path("gate.json")).unwrap();
    }
    // Who means it says so.
    let (_, file) = gate(&program, &whole, &less, &["-t", "f64", "--allow-missing", "*/f64/*"]);
    assert_eq!((file.exit_code, file.cases.len()), (0, 1));
}

#[test]
fn six_where_a_tile_s_edge_is_wrong_before_anything_is_timed() {
    let program = program();
    let base = build(&program, "base", &[]);
    // However fast it is.
    let wrong = build(&program, "wrong", &[(timed::WRONG, "1"), (timed::SLOWER, "-50")]);
    let (ran, file) = gate(&program, &base, &wrong, &["--keep", "blocks", "gemm:m=64,n=64,k=64"]);
    assert_eq!(file.exit_code, 6, "{ran:#?}");
    for case in &file.cases {
        assert_eq!((case.verdict, case.arm), (Verdict::Wrong, Some(Arm::Candidate)));
        assert!(case.pairs.is_empty());
        says(case, &["the candidate: ", "error"]);
    }
    assert!(ran.stdout.contains("nothing was timed"), "{ran:#?}");
    let blocks = std::fs::read_dir(program.path("blocks")).unwrap();
    let timed = blocks.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("screen"));
    assert_eq!(timed.count(), 0);
}

#[test]
fn six_where_a_case_fails() {
    let program = program();
    let base = build(&program, "base", &[]);
    let failing = build(&program, "failing", &[(timed::FAILS, "1")]);
    let (_, file) = gate(&program, &base, &failing, &[]);
    assert_eq!((file.exit_code, only(&file).verdict), (6, Verdict::Failed));
    says(only(&file), &["the candidate: failed", "it is meant to fail"]);
}

#[test]
fn stopped_by_ctrl_c_it_keeps_what_it_has() {
    let program = program();
    let base = build(&program, "base", &[]);
    let arguments = ["gate", "--base", &base, "--cand", &base, "-d", "timed", "-t", "f32", "gemm:m=32,n=32,k=32"];
    let arguments = [&arguments[..], &["--keep", "blocks", "-o", "gate.json"]].concat();
    let running = program.start(&arguments);
    let second = program.path("blocks/screen-02-base.jsonl");
    while !second.exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    signal(running.id(), "INT");
    let ran = running.finish();
    assert_eq!(ran.code, Some(130), "{ran:#?}");
    let file = accelbench_reports::gate::GateFile::read(&program.path("gate.json")).unwrap();
    let case = only(&file);
    assert_eq!((case.verdict, file.exit_code), (Verdict::Unsettled, 130));
    assert!(!case.pairs.is_empty() && case.pairs.len() < 8, "{case:#?}");
}

#[test]
fn two_where_no_meter_tells_the_energy_that_is_asked_for() {
    let program = super::Program::new(env!("CARGO_BIN_EXE_accelbench-metered")).with("ACCELBENCH_TEST_METER", "absent");
    let base = env!("CARGO_BIN_EXE_accelbench-metered");
    let ran =
        program.run(&["gate", "--base", base, "--metric", "energy", "-d", "host", "-t", "f32", "gemm:m=32,n=32,k=32"]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.stderr.contains("error: no meter serves host:0"), "{ran:#?}");
}
