//! No room for results: the run ends with one line that says so, and what is on disk can be gone on with.

use super::{complete, program, square};
use accelbench_tests::faulty::Fault;
use accelbench_tests::program::{Program, Ran};
use std::process::Command;

/// A file system's unit of room.
const PAGE: usize = 4096;
/// More than fit into three pages: a row has about 1 KB or more.
const CASES: u32 = 24;

#[test]
fn a_device_that_is_always_full() {
    let device = Fault::Sound.device().to_string();
    let ran = program().run(&["run", &square(32), "-d", &device, "-t", "f32", "--quick", "-o", "/dev/full"]);
    ran.is_user_error(&["/dev/full", "No space left on device"]);
    assert!(!ran.stderr.contains("--resume"), "there is nothing to resume: {ran:?}");
    assert!(std::fs::exists("/dev/full").unwrap());
}

/// Runs its arguments where `small/` has as many bytes as the first one says, and copies to `kept/` what came to lie
/// there.
const ON_A_SMALL_DISK: &str = r#"
mkdir small kept
mount -t tmpfs -o size="$0" tmpfs small || exit 99
"$@"
code=$?
cp -r small/. kept/
exit $code
"#;

fn on_a_small_disk(program: &Program, pages: usize) -> Ran {
    let device = Fault::Sound.device().to_string();
    let size = (pages * PAGE).to_string();
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", ON_A_SMALL_DISK, &size, env!("CARGO_BIN_EXE_faulty"), "run", "--quick"]);
    command.args(["--budget", "100", "-d", &device, "-t", "f32", "-o", "small/run.jsonl"]);
    command.args((0..CASES).map(|i| square(32 + i)));
    let ran = program.start_other(command).finish();
    assert!(
        ran.code != Some(99) && !ran.stderr.contains("unshare"),
        "this test mounts a small file system by `unshare -rm`, which this machine does not permit; permit it, or run \
         the tests as root: {ran:?}"
    );
    ran
}

/// The bytes of such a run's header.
fn header(program: &Program) -> usize {
    let device = Fault::Sound.device().to_string();
    let ran = program.run(&["run", &square(32), "-d", &device, "-t", "f32", "--quick", "-o", "header.jsonl"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let text = std::fs::read_to_string(program.path("header.jsonl")).unwrap();
    text.lines().next().unwrap().len() + CASES as usize * "gemm/f32/32x32x32/packed@faulty:00, ".len()
}

#[test]
fn a_disk_that_fills_up() {
    let program = program();
    let ran = on_a_small_disk(&program, header(&program).div_ceil(PAGE) + 2);
    ran.is_user_error(&["small/run.jsonl", "No space left on device", "--resume"]);
    let text = std::fs::read(program.path("kept/run.jsonl")).unwrap();
    assert_eq!(text.last(), Some(&b'\n'), "the file ends with a whole line");
    let before = program.file("kept/run.jsonl");
    let done = before.results.len();
    assert!(!before.torn && done > 0 && done < CASES as usize, "{done} cases are done");

    let ran = program.run(&["run", "--resume", "kept/run.jsonl"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let file = program.file("kept/run.jsonl");
    complete(&file);
    assert_eq!(file.results.len(), CASES as usize);
    assert_eq!(file.results[..done], before.results);
}

#[test]
fn a_disk_without_room_for_the_header_keeps_no_empty_file() {
    let program = program();
    let ran = on_a_small_disk(&program, 1);
    ran.is_user_error(&["small/run.jsonl", "No space left on device"]);
    assert!(!ran.stderr.contains("--resume"), "there is nothing to resume: {ran:?}");
    assert!(!program.path("kept/run.jsonl").exists());
}
