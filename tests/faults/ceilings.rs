//! Ceilings that are wrong: a rate above one is a fault, unless a new probing finds that the device can do it.

use super::{complete, program, square};
use accelbench_reports::{RunFile, Status};
use accelbench_tests::faulty::{BAD_CEILINGS, Fault};
use accelbench_tests::program::{Program, Ran};
use serde_json::Value;
use std::path::PathBuf;

/// With a cache of its own: what is kept there is wrong.
fn own_cache() -> Program {
    let program = program();
    let cache = program.at("cache");
    program.with("ACCELBENCH_CACHE_DIR", &cache)
}

/// Two products on the sound device, so small that no ceiling is near.
fn run(program: &Program, file: &str, options: &[&str]) -> (Ran, RunFile) {
    let device = Fault::Sound.device().to_string();
    let (first, second) = (square(8), square(10));
    let mut arguments = vec!["run", &first, &second, "-d", &device, "-t", "f32", "--quick", "-o", file];
    arguments.extend(options);
    let ran = program.run(&arguments);
    let file = program.file(file);
    complete(&file);
    (ran, file)
}

#[test]
fn a_probe_that_says_too_little_makes_every_rate_a_fault() {
    let program = own_cache().with(BAD_CEILINGS, "low");
    let (ran, file) = run(&program, "run.jsonl", &[]);
    assert_eq!(ran.code, Some(6), "{ran:?}");
    for row in &file.results {
        let reason = row.reason.as_deref().unwrap_or_default();
        assert_eq!(row.status, Status::Failed, "{row:?}");
        for words in ["GFLOP/s is above what the device can do", "the clock or the probe is wrong"] {
            assert!(reason.contains(words), "{words} in {reason}");
        }
        assert!(row.timing.is_none() && row.rate.is_none() && row.ceiling.is_none(), "{row:?}");
    }
    // It was probed once more, and not for each row.
    assert_eq!(file.ceilings.len(), 2);
    assert_eq!(ran.stdout.matches("probing ceilings").count(), 2, "{ran:?}");
}

/// The one file of the cache.
fn kept(program: &Program) -> PathBuf {
    let entries = std::fs::read_dir(program.path("cache/ceilings")).expect("a probing was kept");
    let files: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    file.clone()
}

#[test]
fn a_kept_ceiling_that_is_out_of_date_is_found_again() {
    let program = own_cache();
    let (ran, file) = run(&program, "first.jsonl", &[]);
    assert_eq!((ran.code, file.ceilings.len()), (Some(0), 1), "{ran:?}");
    let sound = file.ceilings[0].clone();

    // What is kept is used.
    let (ran, file) = run(&program, "second.jsonl", &[]);
    assert_eq!((ran.code, &file.ceilings), (Some(0), &vec![sound.clone()]), "{ran:?}");
    assert!(!ran.stdout.contains("probing"), "{ran:?}");

    let mut value: Value = serde_json::from_slice(&std::fs::read(kept(&program)).unwrap()).unwrap();
    for peak in value["ceilings"]["peaks"].as_array_mut().unwrap() {
        peak["flop_per_s"] = 1.0.into();
    }
    std::fs::write(kept(&program), value.to_string()).unwrap();
    let (ran, file) = run(&program, "third.jsonl", &[]);
    assert_eq!((ran.code, file.ceilings.len()), (Some(0), 2), "{ran:?}");
    assert!(file.results.iter().all(|row| row.ceiling.as_ref().is_some_and(|ceiling| ceiling.fraction < 1.02)));

    // And what was found is kept.
    let (ran, file) = run(&program, "fourth.jsonl", &[]);
    assert_eq!((ran.code, file.ceilings.len()), (Some(0), 1), "{ran:?}");

    std::fs::write(kept(&program), "damaged").unwrap();
    let (ran, file) = run(&program, "fifth.jsonl", &[]);
    assert_eq!((ran.code, file.ceilings.len()), (Some(0), 1), "{ran:?}");
    assert!(ran.stdout.contains("probing"), "{ran:?}");
}

#[test]
fn a_probe_that_crashes_costs_itself_only() {
    let program = own_cache().with(BAD_CEILINGS, "crash");
    let (ran, file) = run(&program, "run.jsonl", &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    struck(&file, &["SIGABRT", "this probe is meant to crash"]);
    // A probing with a crash is not kept.
    assert!(!program.path("cache/ceilings").exists());
}

#[test]
fn a_probe_that_hangs_costs_itself_only() {
    let program = own_cache().with(BAD_CEILINGS, "hang");
    let (ran, file) = run(&program, "run.jsonl", &["--timeout", "4"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    struck(&file, &["no answer within 4 s"]);
}

/// No peak is known, and no row has a ceiling; the rows are as good as ever.
fn struck(file: &RunFile, words: &[&str]) {
    let [ceilings] = &file.ceilings[..] else { panic!("{:?}", file.ceilings) };
    let missing = ceilings.missing.iter().find(|missing| missing.what == "vector peak in f32");
    let reason = missing.map(|missing| missing.reason.clone()).unwrap_or_default();
    assert!(words.iter().all(|word| reason.contains(word)), "{words:?} in {reason}");
    assert!(file.results.iter().all(|row| row.status == Status::Ok && row.ceiling.is_none()), "{:?}", file.results);
}

#[test]
fn a_cache_that_can_t_be_written_hinders_nothing() {
    let program = program();
    std::fs::write(program.path("cache"), "a file").unwrap();
    let cache = program.at("cache");
    let program = program.with("ACCELBENCH_CACHE_DIR", &cache);
    let (ran, file) = run(&program, "run.jsonl", &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("are not kept for the next run: "), "{ran:?}");
    assert!(file.results.iter().all(|row| row.ceiling.is_some()));
}
