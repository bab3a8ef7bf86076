//! Joules in result files, and why there are none.

use accelbench_reports::{EnergyStatus, ResultRow, check};
use accelbench_tests::program::{Program, Ran};

fn metered(wrong: &str) -> Program {
    Program::new(env!("CARGO_BIN_EXE_accelbench-metered")).with("ACCELBENCH_TEST_METER", wrong)
}

/// One case's row, from a file that is sound.
fn row(program: &Program, options: &[&str]) -> (ResultRow, Ran) {
    let case = ["run", "gemm:m=64,n=64,k=64", "--device=host", "--dtype=f32", "--quick", "-o", "run.jsonl"];
    let ran = program.run(&[&case[..], options].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let file = program.file("run.jsonl");
    assert_eq!(check::check(&file), Vec::<String>::new());
    (file.results.into_iter().next().unwrap(), ran)
}

#[test]
fn a_meter_s_joules() {
    let (row, ran) = row(&metered("nothing"), &["--json"]);
    let energy = row.energy.unwrap();
    assert_eq!(energy.status, EnergyStatus::Measured, "{energy:?}");
    let figures = energy.figures.unwrap();
    assert!((figures.mean_power_w / 100.0 - 1.0).abs() < 0.005, "{figures:?}");
    assert!((figures.joules_per_run / (100.0 * figures.seconds_per_run) - 1.0).abs() < 0.005, "{figures:?}");
    // The runs that were counted are those that were timed.
    let timed = row.timing.unwrap().median_ns * 1e-9;
    assert!((0.3..3.0).contains(&(figures.seconds_per_run / timed)), "{timed} s, {figures:?}");
    for idle_w in [figures.cold_idle_w, figures.warm_idle_w] {
        assert!((idle_w.unwrap() / 100.0 - 1.0).abs() < 0.02, "{figures:?}");
    }
    assert_eq!((figures.windows.len(), energy.meter.unwrap().id.as_str()), (3, "virtual"));
    assert!(ran.stdout.contains(&format!("\"joules_per_run\":{}", figures.joules_per_run)), "{ran:?}");
}

#[test]
fn what_is_wrong_with_a_meter_costs_no_result() {
    for (wrong, status, words) in [
        ("absent", EnergyStatus::Unavailable, "no meter serves host:0"),
        ("frozen", EnergyStatus::Failed, "frozen"),
        ("silent", EnergyStatus::Failed, "no answer within 1 s"),
        ("shared", EnergyStatus::Contended, "another process uses the device"),
    ] {
        let (row, _) = row(&metered(wrong), &[]);
        let energy = row.energy.unwrap();
        assert_eq!(energy.status, status, "{energy:?}");
        assert!(energy.reason.as_ref().unwrap().contains(words), "{energy:?}");
        assert!(energy.figures.is_none() && row.rate.is_some());
        if wrong == "absent" {
            assert_eq!(energy.tried, ["test: /meter: permission denied (be root)"]);
        }
    }
}

#[test]
fn who_does_not_ask_gets_none() {
    assert_eq!(row(&metered("nothing"), &["--energy", "off"]).0.energy, None);
    let (row, _) = row(&metered("nothing"), &["--cache", "cold"]);
    assert_eq!(row.energy.unwrap().status, EnergyStatus::Unavailable);
}

#[test]
fn an_estimate_is_called_one() {
    let (row, _) = row(&metered("absent"), &["--allow-estimate", "host:0=65"]);
    let energy = row.energy.unwrap();
    assert_eq!(energy.status, EnergyStatus::EstimatedCeiling);
    let estimate = energy.estimate.unwrap();
    let expected = 65.0 * row.timing.unwrap().median_ns * 1e-9;
    assert!((estimate.joules_per_run / expected - 1.0).abs() < 1e-9);
    assert!(energy.figures.is_none());
    let ran = metered("absent").run(&["all", "--allow-estimate", "65"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("write DEVICE=WATTS"), "{ran:?}");
}

#[test]
fn meters_are_shown() {
    let ran = metered("nothing").run(&["meters"]);
    assert!(ran.stdout.contains("present virtual: serves host:0\n"), "{ran:?}");
    let ran = metered("nothing").run(&["meters", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&found["found"][0]["devices"][0], &found["found"][0]["meter"]["kind"]),
        (&"host:0".into(), &"counter".into())
    );
    for command in ["meters", "doctor"] {
        let ran = metered("absent").run(&[command]);
        assert!(
            ran.stdout.contains("absent  test: /meter: permission denied\n        to have it: be root\n"),
            "{ran:?}"
        );
    }
}
