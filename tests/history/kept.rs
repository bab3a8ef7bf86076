//! What is kept, once and for good.

use super::Kept;
use super::made::Run;

#[test]
fn a_file_is_kept_once() {
    let kept = Kept::new();
    let run = Run::new(0, &[Some(1e6), None, Some(3e6)]);
    let file = kept.write("run.jsonl", &run);
    let first = kept.run(&["add", &file]);
    assert!(first.stdout.contains("run.jsonl: added as ") && first.stdout.contains("3 results"), "{first:?}");
    let (dump, files) = (kept.dump(), kept.files());
    assert_eq!((files.len(), kept.results()), (1, 3));
    // By another name it is the same.
    let same = kept.write("copy.jsonl", &run);
    for again in [&file, &same] {
        let again = kept.run(&["add", again]);
        assert!(again.stdout.contains("there already"), "{again:?}");
    }
    assert_eq!((kept.dump(), kept.files()), (dump, files));
    assert_eq!(std::fs::read(kept.0.path("history/runs").join(&kept.files()[0])).unwrap(), run.text().as_bytes());
}

#[test]
fn a_rebuilt_index_is_the_same() {
    let kept = Kept::new();
    // Not in the order of time, nor in that of names, nor by one writer.
    for nth in [7, 2, 9, 4, 0, 11, 5, 3, 8, 1, 10, 6] {
        kept.add([Run::new(nth, &[Some(super::about(1e6, nth)), (nth != 4).then_some(2e6)])]);
    }
    let dump = kept.dump();
    let rebuilt = kept.json(&["rebuild"]);
    assert_eq!((&rebuilt["files"], &rebuilt["results"]), (&12.into(), &24.into()));
    assert_eq!(kept.dump(), dump);
    for name in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] {
        let _ = std::fs::remove_file(kept.0.path("history").join(name));
    }
    assert_eq!(kept.json(&["list"]).as_array().unwrap().len(), 12);
    kept.run(&["trend"]);
    assert_eq!(kept.dump(), dump, "an index that is gone is made again by whoever comes first");
}

#[test]
fn a_resumed_run_counts_once() {
    let whole = Run::new(0, &[Some(1e6), Some(2e6), Some(3e6)]);
    let stopped = Run { measured: 1, ..whole.clone() };
    let mut dumps = Vec::new();
    for order in [[&stopped, &whole], [&whole, &stopped]] {
        let kept = Kept::new();
        kept.add(order.into_iter().cloned());
        assert_eq!((kept.results(), kept.files().len()), (3, 2));
        let current: Vec<bool> =
            kept.json(&["list"]).as_array().unwrap().iter().map(|run| run["current"] == true).collect();
        assert_eq!(current.iter().filter(|current| **current).count(), 1);
        assert_eq!(kept.json(&["trend"])["series"][0]["measured"], 1);
        dumps.push(kept.dump());
    }
    assert_eq!(dumps[0], dumps[1]);
}

#[test]
fn what_is_no_sound_result_file_is_refused_with_the_reason() {
    let kept = Kept::new();
    let run = Run::new(0, &[Some(1e6)]);
    let good = kept.write("good.jsonl", &run);
    let text = run.text();
    for (name, text, words) in [
        ("table.jsonl", "| a | b |\n".to_owned(), "not an accelbench result file"),
        ("newer.jsonl", text.replace("accelbench.run/1", "accelbench.run/2"), "use a newer accelbench"),
        ("cut.jsonl", text[..text.len() - 20].to_owned(), "--resume goes on"),
        ("rate.jsonl", text.replace("\"flop_per_s\":1", "\"flop_per_s\":2"), "rate is not the work divided"),
        ("time.jsonl", text.replace("2026-01-01T00", "yesterday"), "is no time"),
    ] {
        std::fs::write(kept.0.path(name), text).unwrap();
        let ran = kept.0.run(&["history", "add", name, &good]);
        ran.is_user_error(&[name, words]);
        assert_eq!(kept.files().len(), 1, "{name}: only the good one is kept");
    }
    kept.0.run(&["history", "add", "gone.jsonl"]).is_user_error(&["gone.jsonl: No such file"]);
    assert_eq!(kept.results(), 1);
}

#[test]
fn a_file_that_is_gone_or_changed_has_no_results() {
    let kept = Kept::new();
    kept.add([Run::new(0, &[Some(1e6)]), Run::new(1, &[Some(1e6)])]);
    let folder = kept.0.path("history/runs");
    std::fs::remove_file(folder.join(&kept.files()[0])).unwrap();
    assert_eq!(kept.json(&["list"]).as_array().unwrap().len(), 1);
    assert_eq!(kept.results(), 1);
    let left = folder.join(&kept.files()[0]);
    let text = std::fs::read_to_string(&left).unwrap();
    std::fs::write(&left, text.replace("made", "forged")).unwrap();
    kept.0.run(&["history", "rebuild"]).is_user_error(&["its content is not what its name says"]);
    assert_eq!(kept.results(), 0);
    let listed = kept.0.run(&["history", "list"]);
    assert_eq!(listed.code, Some(0));
    assert!(listed.stderr.starts_with("left out: ") && listed.stdout.contains("0 runs"), "{listed:?}");
    // The run's own file heals it.
    std::fs::write(kept.0.path("own.jsonl"), &text).unwrap();
    kept.0.run(&["history", "add", "own.jsonl"]);
    assert_eq!(kept.results(), 1);
    kept.run(&["rebuild"]);
}

#[test]
fn the_folder_is_chosen_by_flag_variable_and_user() {
    let kept = Kept::new();
    let file = kept.write("run.jsonl", &Run::new(0, &[Some(1e6)]));
    kept.run(&["add", &file, "--history", "flag"]);
    assert!(kept.0.path("flag/index.sqlite").exists() && !kept.index().exists());
    kept.run(&["add", &file]);
    assert!(kept.index().exists());
    let data = kept.0.at("data");
    let users = kept.0.with("ACCELBENCH_HISTORY", "").with("XDG_DATA_HOME", &data);
    let ran = users.run(&["history", "add", &file]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(users.path("data/accelbench/history/index.sqlite").exists());
}
