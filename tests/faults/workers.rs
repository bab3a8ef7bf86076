//! Workers that die, hang, or never come up: each costs its case, and the next one has a new worker.

use super::{program, run, square, struck};
use accelbench_reports::Status;
use accelbench_tests::faulty::Fault;
use accelbench_tests::program::{children, runs, signal};
use std::time::{Duration, Instant};

/// Faults strike the second and the last.
const SIDES: [u32; 4] = [64, 48, 65, 66];

fn lost(fault: Fault, options: &[&str], places: &[usize], status: Status, words: &[&str]) {
    let (ran, rows) = run(fault, "f32", &SIDES, options);
    assert_eq!(ran.code, Some(6), "{ran:?}");
    struck(&rows, places, status, words);
}

#[test]
fn a_crash() {
    lost(Fault::Abort, &[], &[1, 3], Status::Crashed, &["signal 6 (SIGABRT)", "it is meant to crash here"]);
}

#[test]
fn a_hang() {
    lost(Fault::Hang, &["--timeout", "2"], &[1, 3], Status::Timeout, &["no answer within 2 s", "--timeout"]);
}

#[test]
fn a_lost_device() {
    lost(Fault::Lost, &[], &[1, 3], Status::Failed, &["the device was lost: it is meant to go away here"]);
}

#[test]
fn an_error_of_several_lines() {
    lost(Fault::LongError, &[], &[1, 3], Status::Failed, &["the kernel `gemm` does not compile", "one\n\ntwo\nthree"]);
}

#[test]
fn a_device_that_can_t_be_opened() {
    lost(Fault::OpenError, &[], &[0, 1, 2, 3], Status::Failed, &["faulty is unavailable: it is meant not to open"]);
}

#[test]
fn a_device_that_crashes_on_being_opened() {
    let words = ["signal 6 (SIGABRT)", "it is meant to crash on being opened"];
    lost(Fault::OpenAbort, &[], &[0, 1, 2, 3], Status::Crashed, &words);
}

#[test]
fn a_device_that_hangs_on_being_opened_is_not_waited_for_again_and_again() {
    let start = Instant::now();
    lost(Fault::OpenHang, &["--timeout", "4"], &[0, 1, 2, 3], Status::Timeout, &["no answer within 4 s"]);
    // Two tries of four seconds, and not four.
    assert!(start.elapsed() < Duration::from_secs(14), "{:?}", start.elapsed());
}

#[test]
fn a_worker_that_is_killed() {
    let program = program();
    let device = Fault::Hang.device().to_string();
    let [first, hanging, last] = [64, 48, 65].map(square);
    let mut running = program.start(&[
        "run",
        &first,
        &hanging,
        &last,
        "-d",
        &device,
        "-t",
        "f32",
        "--quick",
        "--json",
        "-o",
        "run.jsonl",
    ]);
    running.results(1);
    let workers = children(running.id());
    assert_eq!(workers.len(), 1, "one worker at a time");
    signal(workers[0], "KILL");
    let ran = running.finish();
    assert_eq!(ran.code, Some(6), "{ran:?}");
    let file = program.file("run.jsonl");
    super::complete(&file);
    struck(&file.results, &[1], Status::Crashed, &["signal 9 (SIGKILL)"]);
}

#[test]
fn no_worker_outlives_its_parent() {
    let program = program();
    let device = Fault::Hang.device().to_string();
    let [first, hanging] = [64, 48].map(square);
    let mut running = program.start(&["run", &first, &hanging, "-d", &device, "-t", "f32", "--quick", "--json"]);
    running.results(1);
    let workers = children(running.id());
    assert_eq!(workers.len(), 1, "one worker at a time");
    // By then it hangs.
    std::thread::sleep(Duration::from_secs(1));
    assert!(runs(workers[0]));
    signal(running.id(), "KILL");
    assert_eq!(running.finish().code, None);
    let start = Instant::now();
    while runs(workers[0]) {
        assert!(start.elapsed() < Duration::from_secs(10), "the worker is still there");
        std::thread::sleep(Duration::from_millis(20));
    }
}
