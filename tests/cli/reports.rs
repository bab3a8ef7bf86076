//! `report`, `compare` and `show`: what was found, shown in every way.

use super::{program, sound_file};
use accelbench_tests::program::{Program, Ran};
use serde_json::Value;

/// Times of `row`'s, made so many times as long.
fn slower(row: &mut Value, times: f64) {
    let scale = |value: &mut Value, by: f64| *value = (value.as_f64().unwrap() * by).into();
    scale(&mut row["timing"]["median_ns"], times);
    for list in ["ci95_ns", "samples_ns"] {
        row["timing"][list].as_array_mut().unwrap().iter_mut().for_each(|value| scale(value, times));
    }
    for rate in ["flop_per_s", "bytes_per_s"] {
        scale(&mut row["rate"][rate], 1.0 / times);
    }
}

/// The sound file, each line changed.
fn changed(change: impl Fn(&mut Value)) -> String {
    let lines = sound_file().lines().map(|line| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        change(&mut value);
        format!("{value}\n")
    });
    lines.collect()
}

/// The same run, a thousand times as slow, under another name.
fn slow_file() -> String {
    changed(|line| match line["type"].as_str() {
        Some("run") => line["run_id"] = "another".into(),
        Some("result") => slower(line, 1000.0),
        _ => {}
    })
}

/// A folder with a run `a.jsonl` and the same made slower, `b.jsonl`.
fn two_runs() -> Program {
    let program = program();
    std::fs::write(program.path("a.jsonl"), sound_file()).unwrap();
    std::fs::write(program.path("b.jsonl"), slow_file()).unwrap();
    program
}

fn went_well(ran: &Ran) {
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn a_site_is_made_and_brought_up_to_date() {
    let program = two_runs();
    went_well(&program.run(&["publish", "a.jsonl", "--to", "site", "--title", "Here"]));
    let index = || std::fs::read_to_string(program.path("site/index.html")).unwrap();
    assert!(index().contains("<title>Here</title>"), "{}", index());
    let both = program.run(&["publish", "a.jsonl", "b.jsonl", "no.jsonl", "--to", "site", "--title", "Here"]);
    went_well(&both);
    assert!(both.stderr.contains("no.jsonl") && both.stderr.contains("2 runs"), "{both:?}");
    assert!(index().contains("runs/another.html"), "{}", index());
    let data = std::fs::read_to_string(program.path("site/data/another.jsonl")).unwrap();
    assert_eq!(data, slow_file());
    let strict = program.run(&["publish", "a.jsonl", "no.jsonl", "--to", "site", "--strict"]);
    assert_eq!(strict.code, Some(2), "{strict:?}");
    std::fs::create_dir(program.path("index.html")).unwrap();
    assert_eq!(program.run(&["publish", "a.jsonl", "--to", "."]).code, Some(2));
    let anonymous = program.run(&["publish", "a.jsonl", "--to", "nameless", "--anonymous"]);
    went_well(&anonymous);
    let files = std::fs::read_dir(program.path("nameless/data")).unwrap();
    let run = files.map(|entry| entry.unwrap().path()).find(|path| path.extension().unwrap() == "jsonl").unwrap();
    went_well(&program.run(&["check", run.to_str().unwrap()]));
}

#[test]
fn a_report_in_every_format_at_once() {
    let program = two_runs();
    let outputs = ["page.html", "page.md", "page.csv", "page.json"];
    let mut words = vec!["report", "a.jsonl", "b.jsonl"];
    for output in outputs {
        words.extend(["-o", output]);
    }
    went_well(&program.run(&words));
    let [html, markdown, csv, json] = outputs.map(|name| std::fs::read_to_string(program.path(name)).unwrap());
    assert!(html.starts_with("<!DOCTYPE html>"), "{}", &html[..80]);
    assert!(markdown.contains("1000× (") || markdown.contains("998"), "{markdown}");
    // A header, and a line for each of two results in two runs.
    assert_eq!(csv.lines().count(), 5);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((report["schema"].as_str(), report["common_cases"].as_u64()), (Some("accelbench.report/1"), Some(2)));
    let mean = &report["standings"][0]["ranks"][0]["over_next"];
    assert!((mean["ratio"]["value"].as_f64().unwrap() / 1000.0 - 1.0).abs() < 1e-9, "{mean}");
    assert_eq!(mean["cases"].as_u64(), Some(2));
    // No half file is left beside them.
    assert_eq!(std::fs::read_dir(program.path(".")).unwrap().count(), 6);
}

#[test]
fn a_report_on_standard_output_and_in_chinese() {
    let program = two_runs();
    let ran = program.run(&["report", "a.jsonl", "-o", "-", "--lang", "zh", "--title", "My <b>machines</b>"]);
    went_well(&ran);
    assert!(ran.stdout.starts_with("# My &lt;b&gt;machines&lt;/b&gt;\n"), "{ran:?}");
    assert!(ran.stdout.contains("谁最快"), "{ran:?}");
    let ran = program.run(&["report", "a.jsonl", "-o", "-", "--format", "csv"]);
    went_well(&ran);
    assert!(ran.stdout.starts_with("run,run_id,file,"), "{ran:?}");
}

#[test]
fn files_that_can_t_be_taken_are_named_and_passed_over() {
    let program = two_runs();
    std::fs::write(program.path("notes.txt"), "All well.\n").unwrap();
    std::fs::write(program.path("empty.jsonl"), "").unwrap();
    let newer = sound_file().replace("accelbench.run/1", "accelbench.run/2");
    std::fs::write(program.path("newer.jsonl"), newer).unwrap();
    let runs =
        ["report", "a.jsonl", "notes.txt", "empty.jsonl", "newer.jsonl", "gone.jsonl", "a.jsonl", "-o", "out.md"];
    let ran = program.run(&runs);
    went_well(&ran);
    let reasons = [
        "notes.txt: not an accelbench",
        "empty.jsonl: not",
        "newer.jsonl: written as",
        "gone.jsonl: No such",
        "the same run",
    ];
    for reason in reasons {
        assert!(ran.stderr.contains(reason), "{reason}: {ran:?}");
    }
    let text = std::fs::read_to_string(program.path("out.md")).unwrap();
    assert!(text.contains("| notes.txt | not an accelbench"), "{text}");
    program.run(&[&runs[..], &["--strict"]].concat()).is_user_error(&["notes.txt: not an accelbench result file"]);
    let ran = program.run(&["report", "notes.txt", "empty.jsonl", "-o", "none.md"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("none of these files") && ran.stderr.contains("empty.jsonl: "), "{ran:?}");
    assert!(!program.path("none.md").exists());
}

#[test]
fn outputs_that_can_t_be_written() {
    let program = two_runs();
    program.run(&["report", "a.jsonl", "-o", "page.pdf"]).is_user_error(&[
        "page.pdf",
        ".html, .md, .csv, .json",
        "--format",
    ]);
    program.run(&["report", "a.jsonl", "-o", "gone/page.md"]).is_user_error(&["gone/page.md: No such file"]);
    std::fs::create_dir(program.path("folder.md")).unwrap();
    program.run(&["report", "a.jsonl", "-o", "folder.md"]).is_user_error(&["folder.md is a folder"]);
}

#[test]
fn names_are_left_out() {
    let program = program();
    let named = changed(|line| {
        if line["type"] == "run" {
            line["host"]["hostname"] = "secret-host".into();
            line["host"]["cpu"] = "Secret Chip 9".into();
            line["argv"] = serde_json::json!(["/home/secretuser/bin/accelbench", "all"]);
            line["environment"] = serde_json::json!({ "A_PATH": "/home/secretuser/lib" });
            line["devices"][0]["name"] = "Secret Chip 9".into();
            line["devices"][0]["vendor"] = "Secret Maker".into();
            line["devices"][0]["driver"] = "Secret Driver 1".into();
            line["devices"][0]["physical_id"] = serde_json::json!({ "uuid": "5ec4e700-0000-0000-0000-000000000000" });
        }
    });
    std::fs::write(program.path("secret-run.jsonl"), named).unwrap();
    let formats = ["md", "csv", "json", "html"];
    for format in formats {
        let command = ["report", "secret-run.jsonl", "-o", "-", "--format", format];
        let open = program.run(&command);
        assert!(open.stdout.to_lowercase().contains("secret chip 9"), "{format}: {open:?}");
        let ran = program.run(&[&command[..], &["--anonymous"]].concat());
        went_well(&ran);
        let text = ran.stdout.to_lowercase();
        assert!(!text.contains("secret") && !text.contains("5ec4e700"), "{format}: {text}");
        assert!(text.contains("device a"), "{format}: {text}");
    }
}

#[test]
fn comparing_runs_and_devices() {
    let program = two_runs();
    let ran = program.run(&["compare", "a.jsonl", "b.jsonl", "--cases"]);
    went_well(&ran);
    assert!(ran.stdout.contains("0.001×") && ran.stdout.contains("worse"), "{ran:?}");
    assert!(ran.stdout.contains("32x32x32"), "{ran:?}");
    let ran = program.run(&["compare", "b.jsonl", "a.jsonl", "--device", "host:0", "--json"]);
    went_well(&ran);
    let pairs: Value = serde_json::from_str(&ran.stdout).unwrap();
    let one = &pairs[0]["comparisons"][0];
    assert!((one["mean"]["ratio"]["value"].as_f64().unwrap() / 1000.0 - 1.0).abs() < 1e-9, "{ran:?}");
    assert_eq!(one["verdict"], "better");
    assert!(one["cases"][0]["first"]["command"].as_str().unwrap().starts_with("accelbench run gemm:"), "{ran:?}");
    program.run(&["compare", "a.jsonl"]).is_user_error(&["name two runs"]);
    program.run(&["compare", "a.jsonl", "b.jsonl", "--device", "cuda:7"]).is_user_error(&["cuda:7", "it has host:0"]);
    program.run(&["compare", "a.jsonl", "gone.jsonl"]).is_user_error(&["gone.jsonl: No such file"]);
}

#[test]
fn a_run_is_shown() {
    let program = two_runs();
    let ran = program.run(&["show", "a.jsonl"]);
    went_well(&ran);
    for word in ["complete", "host:0", "32x32x32", "33x33x33", "FLOP/s", "2 ok"] {
        assert!(ran.stdout.contains(word), "{word}: {ran:?}");
    }
    let ran = program.run(&["show", "a.jsonl", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap()["rows"].as_array().unwrap().len(), 2);
    program.run(&["show", "gone.jsonl"]).is_user_error(&["gone.jsonl: No such file"]);
}
