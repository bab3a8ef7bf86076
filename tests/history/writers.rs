//! Several writers at once, some of which are killed.

use super::Kept;
use super::made::Run;
use accelbench_tests::program::{Running, signal};
use std::collections::BTreeSet;
use std::time::Duration;

const WRITERS: usize = 10;
const RUNS: usize = 6;
const CASES: usize = 120;

/// The files of a writer. Each shares one with the next.
fn files(kept: &Kept) -> Vec<Vec<String>> {
    let run = |nth: usize| {
        let times: Vec<Option<f64>> = (0..CASES).map(|case| (case % 17 != 0).then(|| super::about(1e6, nth))).collect();
        kept.write(&format!("{nth}.jsonl"), &Run::new(nth, &times))
    };
    let names: Vec<String> = (0..WRITERS * RUNS).map(run).collect();
    (0..WRITERS)
        .map(|writer| (0..=RUNS).map(|at| names[(writer * RUNS + at) % names.len()].clone()).collect())
        .collect()
}

fn start(kept: &Kept, files: &[String]) -> Running {
    let words = ["history", "--wait", "120", "add"].into_iter().chain(files.iter().map(String::as_str));
    kept.0.start(&words.collect::<Vec<_>>())
}

/// Every run once, with all of its rows; and the same when the index is made again.
fn is_whole(kept: &Kept) {
    let listed = kept.json(&["list"]);
    let runs: BTreeSet<&str> = listed.as_array().unwrap().iter().map(|run| run["run_id"].as_str().unwrap()).collect();
    assert_eq!((runs.len(), listed.as_array().unwrap().len()), (WRITERS * RUNS, WRITERS * RUNS));
    assert_eq!(kept.results(), WRITERS * RUNS * CASES);
    kept.run(&["trend"]);
    let dump = kept.dump();
    kept.run(&["rebuild"]);
    assert_eq!(kept.dump(), dump);
    assert!(kept.files().iter().all(|name| !name.contains(".part")), "rebuild leaves no unfinished file");
}

#[test]
fn ten_at_once() {
    let kept = Kept::new();
    // The very first has to make the folder and the index, too.
    let running: Vec<Running> = files(&kept).iter().map(|files| start(&kept, files)).collect();
    for writer in running {
        let ran = writer.finish();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    }
    is_whole(&kept);
}

#[test]
fn some_are_killed_in_the_middle() {
    let kept = Kept::new();
    let files = files(&kept);
    let mut killed = 0;
    for round in 0..3 {
        let mut running: Vec<Running> = files.iter().map(|files| start(&kept, files)).collect();
        for (nth, writer) in running.iter_mut().enumerate().filter(|(nth, _)| nth % 2 == round % 2) {
            // After its first file, or so soon that it may not have come that far.
            if nth % 4 < 2 {
                writer.line();
            } else {
                std::thread::sleep(Duration::from_millis(7));
            }
            signal(writer.id(), "KILL");
        }
        for writer in running {
            let ran = writer.finish();
            killed += usize::from(ran.code.is_none());
            assert!(matches!(ran.code, None | Some(0)), "{ran:?}");
        }
        // While a rebuild is killed, too.
        let rebuild = kept.0.start(&["history", "rebuild"]);
        std::thread::sleep(Duration::from_millis(5 + 10 * round as u64));
        signal(rebuild.id(), "KILL");
        rebuild.finish();
    }
    assert!(killed > 0, "nobody was killed: all were too fast");
    for files in &files {
        let ran = start(&kept, files).finish();
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    is_whole(&kept);
}
