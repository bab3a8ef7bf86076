//! Result files of every sort, put before `check` and `--resume`.

use super::{program, sound_file};
use serde_json::Value;

/// Both commands refuse a file for the same reason, and leave it as it is.
fn refused(bytes: &[u8], words: &[&str]) {
    let program = program();
    std::fs::write(program.path("run.jsonl"), bytes).unwrap();
    let words = [&["run.jsonl: "], words].concat();
    program.run(&["check", "run.jsonl"]).is_user_error(&words);
    program.run(&["run", "--resume", "run.jsonl"]).is_user_error(&words);
    assert_eq!(std::fs::read(program.path("run.jsonl")).unwrap(), bytes);
}

/// The sound file with one of its lines changed.
fn changed(line: usize, change: impl FnOnce(&mut Value)) -> String {
    let mut lines: Vec<String> = sound_file().lines().map(str::to_owned).collect();
    let mut value = serde_json::from_str(&lines[line]).unwrap();
    change(&mut value);
    lines[line] = value.to_string();
    lines.join("\n") + "\n"
}

#[test]
fn files_that_hold_no_results() {
    refused(b"", &["not an accelbench result file", "it is empty"]);
    refused(b"\n", &["not an accelbench result file", "no JSON object"]);
    refused(b"# Results\n\nAll well.\n", &["not an accelbench result file", "no JSON object"]);
    refused(b"{\"benchmarks\": []}\n", &["not an accelbench result file", "no `schema` of `accelbench.run/1`"]);
    refused(b"[1, 2]\n", &["not an accelbench result file", "no `schema` of `accelbench.run/1`"]);
    let garbage: Vec<u8> = (0..10_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    refused(&garbage, &["not an accelbench result file", "no JSON object"]);
    let results = sound_file().split_once('\n').unwrap().1;
    refused(results.as_bytes(), &["not an accelbench result file", "no `schema`"]);
}

#[test]
fn files_of_a_newer_program() {
    let newer = sound_file().replace("accelbench.run/1", "accelbench.run/2");
    refused(newer.as_bytes(), &["written as `accelbench.run/2`", "reads `accelbench.run/1`", "use a newer accelbench"]);
}

#[test]
fn files_that_are_damaged() {
    let lines: Vec<&str> = sound_file().lines().collect();
    let header = lines[0];
    refused(&header.as_bytes()[..header.len() / 2], &["no JSON object"]);
    refused(header.as_bytes(), &["damaged in line 1", "the header was cut off"]);
    let half = &lines[1][..lines[1].len() / 2];
    refused([header, half, lines[2], lines[3], ""].join("\n").as_bytes(), &["damaged in line 2"]);
    refused([header, lines[1], "", lines[2], ""].join("\n").as_bytes(), &["damaged in line 3"]);
    refused([header, header, lines[1], ""].join("\n").as_bytes(), &["damaged in line 2", "a second header"]);
    refused([header, lines[3], lines[1], ""].join("\n").as_bytes(), &["damaged in line 3", "after the `end` line"]);
    let missing = changed(0, |header| drop(header.as_object_mut().unwrap().remove("plan")));
    refused(missing.as_bytes(), &["damaged in line 1", "missing field `plan`"]);
    let strange = changed(1, |row| row["status"] = "splendid".into());
    refused(strange.as_bytes(), &["damaged in line 2", "unknown variant `splendid`"]);
}

#[test]
fn files_that_are_not_there() {
    let program = program();
    for command in [&["check", "gone.jsonl"][..], &["run", "--resume", "gone.jsonl"]] {
        program.run(command).is_user_error(&["gone.jsonl: No such file"]);
    }
    for command in [&["check", "."][..], &["run", "--resume", "."]] {
        program.run(command).is_user_error(&[".: Is a directory"]);
    }
}

/// What `check` says of a file, and whether `--resume` refuses it too.
fn tampered(text: &str, words: &str, resumable: bool) {
    let program = program();
    std::fs::write(program.path("run.jsonl"), text).unwrap();
    // One line for each problem.
    let ran = program.run(&["check", "run.jsonl"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.lines().all(|line| line.starts_with("error: run.jsonl: ")), "{ran:?}");
    assert!(ran.stderr.lines().any(|line| line.contains(words)), "{words}: {ran:?}");
    let ran = program.run(&["check", "--json", "run.jsonl"]);
    let reports: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(reports[0]["problems"][0].as_str().unwrap().contains(words), "{reports}");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), ""));
    let ran = program.run(&["run", "--resume", "run.jsonl"]);
    if resumable {
        assert_eq!(ran.code, Some(0), "{ran:?}");
    } else {
        ran.is_user_error(&["run.jsonl: ", words]);
    }
}

#[test]
fn numbers_that_were_tampered_with() {
    tampered(&changed(3, |end| end["counts"]["ok"] = 3.into()), "counts are not those of the rows", true);
    let faster =
        changed(1, |row| row["rate"]["flop_per_s"] = (row["rate"]["flop_per_s"].as_f64().unwrap() * 1.01).into());
    tampered(&faster, "the rate is not the work divided by the median time", false);
    tampered(&changed(1, |row| row["verify"]["max_error"] = 1.0.into()), "its verification does not say so", false);
    tampered(&changed(1, |row| row["status"] = "wrong".into()), "it is not ok and ", false);
    tampered(&changed(1, |row| row["device"] = "host:9".into()), "its device is not in the header", false);
    let lines: Vec<&str> = sound_file().lines().collect();
    tampered(&[lines[0], lines[1], lines[1], lines[2], ""].join("\n"), "it has two rows", false);
    tampered(&[lines[0], lines[1], lines[3], ""].join("\n"), "counts are not those of the rows", true);
    tampered(&[lines[0], lines[1], ""].join("\n"), "there is no `end` line", true);
}

#[test]
fn runs_of_another_machine_or_program_are_not_gone_on_with() {
    let header = |change: fn(&mut Value)| changed(0, change).lines().next().unwrap().to_owned() + "\n";
    let program = program();
    for (name, text, words) in [
        ("device", header(|header| header["devices"][0]["name"] = "Abacus".into()), "host:0 was `Abacus`"),
        ("driver", header(|header| header["devices"][0]["driver"] = "beads 1".into()), "with beads 1"),
        ("gone", header(|header| header["plan"]["cases"][0] = "gemm/f32/8x8x8/packed@host:5".into()), "host:5"),
        ("kernel", header(|header| header["plan"]["cases"][0] = "conv/f32/8x8x8/x@host:0".into()), "kernel `conv`"),
        ("case", header(|header| header["plan"]["cases"][0] = "what?".into()), "`what?` is no case"),
        ("profile", header(|header| header["plan"]["profile"] = "heroic".into()), "unknown profile `heroic`"),
    ] {
        std::fs::write(program.path(name), &text).unwrap();
        program.run(&["run", "--resume", name]).is_user_error(&[name, words]);
        assert_eq!(std::fs::read_to_string(program.path(name)).unwrap(), text);
    }
}

#[test]
fn a_sound_file_is_called_so() {
    let program = program();
    std::fs::write(program.path("run.jsonl"), sound_file()).unwrap();
    let ran = program.run(&["check", "run.jsonl"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "run.jsonl: sound, 2 results\n", ""));
    let ran = program.run(&["check", "--json", "run.jsonl"]);
    let reports: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(reports, serde_json::json!([{ "file": "run.jsonl", "rows": 2, "problems": [] }]));
}
