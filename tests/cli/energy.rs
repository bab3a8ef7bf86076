//! Joules in result files, and why there are none.

use accelbench_reports::{Ceilings, EnergyStatus, ResultRow, check};
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
    // Beside a JSON stream, what is for people goes to standard error.
    assert!(ran.stderr.contains("Least measured energy") && !ran.stderr.contains("No joules"), "{ran:?}");
    assert!(ran.stderr.contains("J/FLOP") && ran.stderr.contains("FLOP/s/W"), "{ran:?}");
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
    assert_eq!(
        (figures.mean_clock_mhz, figures.temperature_c, figures.power_limit_w, &figures.throttle[..]),
        (Some(1500.0), Some(60.0), Some(250.0), &["sw_power_cap".to_owned()][..])
    );
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
    let (row, ran) = row(&metered("nothing"), &["--cache", "cold"]);
    assert_eq!(row.energy.unwrap().status, EnergyStatus::Unavailable);
    assert!(ran.stdout.contains("No joules: with cold caches"), "{ran:?}");
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

/// A device's probing is kept without joules where there was no meter, and gets them once there is one.
#[test]
fn what_a_byte_and_a_flop_take() {
    let nothing = metered("nothing");
    let cache = nothing.at("cache");
    let kept = |wrong: &str| metered(wrong).with("ACCELBENCH_CACHE_DIR", &cache);
    let ran = kept("absent").run(&["probe", "--quick", "--json"]);
    let without: Vec<Ceilings> = serde_json::from_str(&ran.stdout).unwrap();
    let energy = without[0].energy.as_ref().unwrap();
    assert_eq!((energy.status, energy.points.len()), (EnergyStatus::Unavailable, 0));
    assert_eq!(energy.tried, ["test: /meter: permission denied (be root)"]);

    // `run` takes what is known, `all` measures what is not.
    let some =
        ["run", "gemm:m=64,n=64,k=64", "--device=host", "--dtype=f32", "--quick", "--energy=off", "-o", "1.jsonl"];
    let program = kept("nothing");
    assert_eq!(program.run(&some).code, Some(0));
    assert_eq!(program.file("1.jsonl").ceilings[0].energy.as_ref(), Some(energy));
    let ran = program.run(&["all", "--quick", "--budget=0.1", "-o", "all.jsonl"]);
    assert!(ran.stdout.contains("host:0 measuring what a byte and a FLOP take") && ran.code == Some(0), "{ran:?}");
    assert!(!ran.stdout.contains("probing ceilings"), "the rates are known: {ran:?}");
    let file = program.file("all.jsonl");
    assert_eq!(check::check(&file), Vec::<String>::new());
    let ceilings = &file.ceilings[0];
    let energy = ceilings.energy.as_ref().unwrap();
    assert_eq!(energy.status, EnergyStatus::Measured, "{energy:?}");
    assert_eq!(energy.points[0].kernel, "triad", "{energy:?}");
    for point in &energy.points {
        let figures = point.energy.figures.as_ref().unwrap();
        assert!((figures.mean_power_w / 100.0 - 1.0).abs() < 0.02, "{figures:?}");
        let per_byte = 100.0 * figures.seconds_per_run / point.work.bytes * 1e12;
        let stated = point.pj_per_byte;
        assert_eq!(stated.is_some(), !point.kernel.starts_with("fma"), "{point:?}");
        assert!(stated.is_none_or(|stated| (stated / per_byte - 1.0).abs() < 0.02), "{point:?}");
    }
    // Fitted, or refused with a reason: on a busy machine time may be short.
    let refused =
        ceilings.missing.iter().any(|missing| missing.what == "energy roofline" && !missing.reason.is_empty());
    assert_ne!(energy.roofline.is_some(), refused, "{ceilings:?}");
    if let Some(fit) = &energy.roofline {
        assert!(fit.constant_w.is_none_or(|watts| (watts / 100.0 - 1.0).abs() < 0.2), "{fit:?}");
    }
    let text = program.run(&["roofline", "all.jsonl"]);
    assert!(text.stdout.contains("energy        triad") && text.stdout.contains(" W "), "{text:?}");

    // They are kept: neither lost with the meter nor by a probing without it.
    let program = kept("absent");
    assert_eq!(program.run(&some).code, Some(0));
    assert_eq!(program.file("1.jsonl").ceilings[0].energy.as_ref(), Some(energy));
}
