//! An index that is locked, of a newer program, or damaged: exit code 2, one line, and nothing lost.

use super::Kept;
use super::made::Run;
use rusqlite::Connection;
use std::fs::{self, File};

/// A history of a few runs, and what its index says.
fn kept() -> (Kept, Vec<Vec<rusqlite::types::Value>>) {
    let kept = Kept::new();
    kept.add((0..5).map(|nth| Run::new(nth, &vec![Some(1e6); 100])));
    let dump = kept.dump();
    (kept, dump)
}

const COMMANDS: [&[&str]; 5] = [
    &["history", "list"],
    &["history", "trend"],
    &["history", "show", "gemm"],
    &["history", "bisect-hint", "gemm"],
    &["history", "add", "0-0.jsonl"],
];

#[test]
fn no_history() {
    let kept = Kept::new();
    for command in [&["history", "list"][..], &["history", "trend"], &["history", "rebuild"]] {
        kept.0.run(command).is_user_error(&["no history there", "`accelbench history add FILE` starts one"]);
    }
    assert!(!kept.0.path("history").exists(), "looking makes nothing");
}

#[test]
fn an_index_of_a_newer_program() {
    let (kept, dump) = kept();
    Connection::open(kept.index()).unwrap().pragma_update(None, "user_version", 7).unwrap();
    let new = kept.write("new.jsonl", &Run::new(9, &[Some(1e6)]));
    for command in COMMANDS.iter().copied().chain([&["history", "add", &new][..]]) {
        kept.0.run(command).is_user_error(&["an index of version 7", "use a newer accelbench", "history rebuild"]);
    }
    assert_eq!(kept.files().len(), 5);
    kept.run(&["rebuild"]);
    assert_eq!(kept.dump(), dump);
}

#[test]
fn a_damaged_index() {
    let (kept, dump) = kept();
    let whole = fs::read(kept.index()).unwrap();
    let garbled = |from: usize, to: usize| {
        let mut bytes = whole.clone();
        bytes[from..to].fill(0xa5);
        bytes
    };
    for (what, bytes) in [
        ("no database", b"# Results\n".repeat(500)),
        ("the first page", garbled(0, 4096)),
        ("all but the header", garbled(100, whole.len())),
        ("cut in half", whole[..whole.len() / 2 / 4096 * 4096].to_vec()),
        ("empty", Vec::new()),
    ] {
        for ending in ["-wal", "-shm"] {
            let _ = fs::remove_file(kept.0.path(&format!("history/index.sqlite{ending}")));
        }
        fs::write(kept.index(), bytes).unwrap();
        for command in COMMANDS {
            let ran = kept.0.run(command);
            assert_eq!(ran.code, Some(2), "{what}, {command:?}: {ran:?}");
            ran.is_user_error(&["index.sqlite: damaged", "`accelbench history rebuild` makes it again"]);
        }
        kept.run(&["rebuild"]);
        assert_eq!(kept.dump(), dump, "{what}");
    }
}

#[test]
fn an_index_that_others_write_to() {
    let (kept, dump) = kept();
    let other = Connection::open(kept.index()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let new = kept.write("new.jsonl", &Run::new(9, &[Some(1e6)]));
    kept.0
        .run(&["history", "--wait", "0.2", "add", &new])
        .is_user_error(&["locked by another program for 0", "--wait"]);
    other.execute_batch("ROLLBACK").unwrap();
    // It was kept all the same, and is read by whoever comes next.
    assert_eq!(kept.json(&["list"]).as_array().unwrap().len(), 6);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    kept.run(&["--wait", "0.2", "list"]);
    kept.run(&["--wait", "0.2", "trend"]);
    other.execute_batch("ROLLBACK").unwrap();
    assert!(kept.dump().len() > dump.len());
}

#[test]
fn an_index_that_is_in_use_is_not_replaced() {
    let (kept, dump) = kept();
    let lock = File::open(kept.0.path("history/lock")).unwrap();
    lock.lock_shared().unwrap();
    kept.0.run(&["history", "--wait", "0.2", "rebuild"]).is_user_error(&["lock: locked by another program"]);
    kept.run(&["list"]);
    lock.unlock().unwrap();
    lock.lock().unwrap();
    kept.0.run(&["history", "--wait", "0.2", "list"]).is_user_error(&["lock: locked by another program"]);
    lock.unlock().unwrap();
    assert_eq!(kept.dump(), dump);
}
