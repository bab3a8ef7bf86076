//! `probe` and `roofline`: what is shown, what programs read, and what is refused.

use super::{TWO_CASES, program, sound_file};
use accelbench_reports::{Ceilings, check};
use serde_json::Value;

#[test]
fn probing_the_cpu() {
    let program = program();
    let cache = program.at("cache");
    let program = program.with("ACCELBENCH_CACHE_DIR", &cache);
    let ran = program.run(&["probe", "--quick", "--json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let [ceilings] = &serde_json::from_str::<Vec<Ceilings>>(&ran.stdout).unwrap()[..] else { panic!("{ran:?}") };
    assert_eq!((ceilings.device.as_str(), ceilings.profile.as_str()), ("host:0", "quick"));
    for dtype in ["f64", "f32"] {
        assert!(ceilings.peaks.iter().any(|peak| peak.dtype == dtype && peak.flop_per_s > 0.0), "{ceilings:?}");
    }
    // On a busy machine, time may be used up before the last steps.
    for (what, found) in [
        ("memory bandwidth", ceilings.memory.len()),
        ("cache bandwidth", ceilings.sweep.len()),
        ("transfers", ceilings.transfers.len()),
    ] {
        let missing = ceilings.missing.iter().any(|missing| missing.what == what && missing.reason.contains("used up"));
        assert!(missing == (found == 0), "{what}: {ceilings:?}");
    }
    // What the CPU lacks is named, with the reason.
    let reason = |what: &str| {
        let missing = ceilings.missing.iter().find(|missing| missing.what == what);
        missing.map(|missing| missing.reason.clone()).unwrap_or_default()
    };
    assert!(reason("vector peak in f16").contains("does not compute in f16"), "{ceilings:?}");
    if !ceilings.transfers.is_empty() {
        assert!(reason("pinned transfer to the device").contains("the device's own"), "{ceilings:?}");
    }

    // It is kept, and the next run takes it.
    assert_eq!(std::fs::read_dir(program.path("cache/ceilings")).unwrap().count(), 1);
    let ran = program.run(&[&TWO_CASES[..], &["-o", "run.jsonl"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(program.file("run.jsonl").ceilings[0], *ceilings);
}

#[test]
fn what_there_is_not_is_not_probed() {
    let program = program();
    program.run(&["probe", "--device", "nope"]).is_user_error(&["no device `nope`", "there are host:0"]);
    let ran = program.run(&["probe", "--quick", "--full"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

#[test]
fn a_run_s_roofline() {
    let program = program();
    let ran = program.run(&[&TWO_CASES[..], &["-o", "run.jsonl"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let file = program.file("run.jsonl");
    assert_eq!(check::check(&file), Vec::<String>::new());
    for row in &file.results {
        let ceiling = row.ceiling.as_ref().expect("the CPU's ceilings are known");
        assert!(ceiling.fraction > 0.0 && ceiling.attainable_flop_per_s <= ceiling.peak_flop_per_s, "{ceiling:?}");
    }
    let text = program.run(&["roofline", "run.jsonl"]);
    assert_eq!((text.code, text.stderr.as_str()), (Some(0), ""), "{text:?}");
    for words in ["host:0", "peak", "ridge at", "memory", "transfers", "latency", "missing", "results", "gemm  f32"] {
        assert!(text.stdout.contains(words), "{words}: {text:?}");
    }
    let json = program.run(&["roofline", "--json", "run.jsonl"]);
    let devices: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(devices[0]["ceilings"]["device"], "host:0");
    assert!(devices[0]["ridges"][0]["flop_per_byte"].as_f64().unwrap() > 0.0);
    let best = file.results.iter().filter_map(|row| Some(row.ceiling.as_ref()?.fraction)).fold(0.0, f64::max);
    assert_eq!(devices[0]["best"][0]["fraction"].as_f64(), Some(best));
}

#[test]
fn files_without_ceilings_have_no_roofline() {
    let program = program();
    program.run(&["roofline", "gone.jsonl"]).is_user_error(&["gone.jsonl: No such file"]);
    std::fs::write(program.path("older.jsonl"), sound_file()).unwrap();
    assert_eq!(program.run(&["check", "older.jsonl"]).code, Some(0));
    program.run(&["roofline", "older.jsonl"]).is_user_error(&["older.jsonl: no ceilings", "accelbench probe"]);
}

#[test]
fn ceilings_that_were_tampered_with() {
    let program = program();
    let ran = program.run(&[&TWO_CASES[..], &["-o", "run.jsonl"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let text = std::fs::read_to_string(program.path("run.jsonl")).unwrap();
    let refused = |line: usize, change: &dyn Fn(&mut Value), words: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut value = serde_json::from_str(&lines[line]).unwrap();
        change(&mut value);
        lines[line] = value.to_string();
        std::fs::write(program.path("changed.jsonl"), lines.join("\n") + "\n").unwrap();
        let ran = program.run(&["check", "changed.jsonl"]);
        assert_eq!(ran.code, Some(2), "{words}: {ran:?}");
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    };
    refused(1, &|line| line["peaks"][0]["flop_per_s"] = 0.0.into(), "a figure is not a positive number");
    refused(1, &|line| line["memory"][0]["bytes_per_s"] = (-1.0).into(), "a figure is not a positive number");
    refused(1, &|line| line["peaks"][0]["verify"]["checked"] = 0.into(), "a probe's output was not right");
    refused(1, &|line| line["missing"][0]["reason"] = "".into(), "no reason is given");
    refused(1, &|line| line["device"] = "host:5".into(), "the device is not in the header");
    refused(2, &|row| row["ceiling"]["fraction"] = 0.9.into(), "its ceiling does not follow");
    let higher = |row: &mut Value| {
        row["ceiling"]["fraction"] = 1.03.into();
        row["ceiling"]["attainable_flop_per_s"] = 1.0.into();
    };
    refused(2, &higher, "its rate is above its ceiling");
}
