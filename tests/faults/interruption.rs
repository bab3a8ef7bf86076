//! Runs that are stopped: by Ctrl-C, by force, in the middle of a line. No case is lost or repeated.

use super::{complete, program, square};
use accelbench_reports::{EndStatus, check};
use accelbench_tests::faulty::Fault;
use accelbench_tests::program::{Program, Running, signal};
use std::fs::OpenOptions;
use std::time::{Duration, Instant};

const CASES: u32 = 12;

/// Starts a run of many small cases, and waits for the first ones.
fn start(program: &Program) -> Running {
    let shapes: Vec<String> = (0..CASES).map(|i| square(32 + i)).collect();
    let device = Fault::Sound.device().to_string();
    let mut arguments =
        vec!["run", "--quick", "--json", "--budget", "100", "-d", &device, "-t", "f32", "-o", "run.jsonl"];
    arguments.extend(shapes.iter().map(String::as_str));
    let mut running = program.start(&arguments);
    running.results(2);
    running
}

fn resume(program: &Program) {
    let before = program.file("run.jsonl").results;
    assert!(before.len() >= 2 && before.len() < CASES as usize, "{} cases are done", before.len());
    let ran = program.run(&["run", "--resume", "run.jsonl"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let file = program.file("run.jsonl");
    complete(&file);
    assert_eq!(file.results.len(), CASES as usize);
    assert_eq!(file.results[..before.len()], before, "rows that were there are kept as they were");
}

#[test]
fn by_ctrl_c() {
    let program = program();
    let running = start(&program);
    signal(running.id(), "INT");
    let ran = running.finish();
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert!(ran.stderr.contains("`accelbench run --resume run.jsonl` goes on"), "{ran:?}");
    let file = program.file("run.jsonl");
    assert_eq!(check::check(&file), Vec::<String>::new());
    assert_eq!(file.end.map(|end| end.status), Some(EndStatus::Interrupted));
    resume(&program);
}

#[test]
fn by_ctrl_c_while_a_worker_hangs() {
    let program = program();
    let device = Fault::Hang.device().to_string();
    let [first, hanging] = [64, 48].map(square);
    let mut running =
        program.start(&["run", &first, &hanging, "-d", &device, "-t", "f32", "--quick", "--json", "-o", "run.jsonl"]);
    running.results(1);
    let start = Instant::now();
    signal(running.id(), "INT");
    assert_eq!(running.finish().code, Some(130));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let file = program.file("run.jsonl");
    assert_eq!(check::check(&file), Vec::<String>::new());
    assert_eq!(file.results.len(), 1);
}

#[test]
fn by_force_and_in_the_middle_of_a_line() {
    let program = program();
    let running = start(&program);
    signal(running.id(), "KILL");
    assert_eq!(running.finish().code, None);
    let whole = program.file("run.jsonl");
    assert!(whole.end.is_none());

    let path = program.path("run.jsonl");
    let text = std::fs::read(&path).unwrap();
    let last = text[..text.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    let half = last + (text.len() - last) / 2;
    OpenOptions::new().write(true).open(&path).unwrap().set_len(half as u64).unwrap();
    // One row is cut in two. A third one, where there was time for it, makes up for it.
    let cut = program.file("run.jsonl");
    assert!(cut.torn && cut.results.len() + 1 == whole.results.len());
    let checked = program.run(&["check", "run.jsonl"]);
    checked.is_user_error(&["run.jsonl", "the last line was cut off", "--resume"]);

    let ran = program.run(&["run", "--resume", "run.jsonl"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let file = program.file("run.jsonl");
    complete(&file);
    assert_eq!(file.results.len(), CASES as usize);
    assert_eq!(file.results[..cut.results.len()], cut.results);
}

#[test]
fn a_complete_run_has_nothing_to_resume() {
    let program = program();
    let device = Fault::Sound.device().to_string();
    let ran = program.run(&["run", &square(32), "-d", &device, "-t", "f32", "--quick", "-o", "run.jsonl"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let before = program.file("run.jsonl");
    let ran = program.run(&["run", "--resume", "run.jsonl"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let after = program.file("run.jsonl");
    complete(&after);
    assert_eq!(after.results, before.results);
}
