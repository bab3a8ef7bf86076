//! What the history says of changes.

use super::made::Run;
use super::{Kept, about};
use serde_json::Value;
use std::process::Command;

/// 40 runs of three cases: a step of 6% after the 25th, a crash in the 10th, and nothing.
fn stepped() -> Kept {
    let kept = Kept::new();
    kept.add((0..40).map(|nth| {
        let step = about(if nth < 25 { 1e6 } else { 1.06e6 }, nth);
        Run::new(nth, &[Some(step), (nth != 9).then(|| about(2e6, nth + 50)), Some(about(3e6, nth + 99))])
    }));
    kept
}

#[test]
fn a_step_is_found_between_its_runs() {
    let kept = stepped();
    let trends = kept.json(&["trend"]);
    let series = trends["series"].as_array().unwrap();
    assert_eq!((series.len(), &trends["left_out"]), (3, &0.into()));
    let first = &series[0];
    assert_eq!(first["case"], Run::case(0), "what changed comes first");
    let change = &first["changes"][0];
    assert_eq!(
        (&change["before"]["commit"], &change["after"]["commit"]),
        (&Run::commit(24).into(), &Run::commit(25).into())
    );
    assert!((change["ratio"].as_f64().unwrap() - 1.06).abs() < 0.01, "{change}");
    assert!(series[1..].iter().all(|quiet| quiet["changes"].as_array().unwrap().is_empty()));
    let points = first["points"].as_array().unwrap();
    assert_eq!((points.len(), &points[0]["new_commit"], &points[1]["new_commit"]), (40, &false.into(), &true.into()));
    let text = kept.run(&["trend"]).stdout;
    assert!(text.contains("% between 2026-01-01 00:24 of 000000180 and ") && text.contains('█'), "{text}");
}

#[test]
fn a_page_shows_what_the_table_says() {
    let kept = stepped();
    let path = kept.0.path("trends.html");
    let told = kept.0.run(&["history", "trend", "--html", path.to_str().unwrap(), "--lang", "zh"]);
    assert!(told.code == Some(0) && told.stderr.contains("trends.html written") && told.stdout.is_empty(), "{told:?}");
    let page = std::fs::read_to_string(&path).unwrap();
    assert_eq!((page.matches("<svg").count(), page.matches("stroke-dasharray=\"3 3\"").count()), (3, 1));
    assert!(page.contains("最近一次变化后 1 个序列变差，0 个变好") && page.contains("1.06× 变差"));
    let refused = kept.0.run(&["history", "trend", "--html", kept.0.path("history").to_str().unwrap()]);
    assert!(refused.code == Some(2) && refused.stderr.contains("is a folder"), "{refused:?}");
}

#[test]
fn a_fault_is_a_gap() {
    let kept = stepped();
    let trends = kept.json(&["trend", &Run::case(1)]);
    let series = &trends["series"][0];
    assert_eq!((&series["measured"], &series["faults"]), (&39.into(), &1.into()));
    assert_eq!((&series["points"][9]["status"], &series["points"][9]["value"]), (&"crashed".into(), &Value::Null));
    assert_eq!(series["spark"].as_str().unwrap().chars().nth(9), Some('×'));
    assert!(kept.run(&["show", &Run::case(1)]).stdout.contains("crashed"));
}

#[test]
fn a_drift_below_every_threshold_is_seen() {
    let kept = Kept::new();
    kept.add((0..60).map(|nth| Run::new(nth, &[Some(about(1e6 * (1.0 + 0.0005 * nth as f64), nth))])));
    let trends = kept.json(&["trend"]);
    let drift = &trends["series"][0]["drift"];
    assert!((drift["ratio"].as_f64().unwrap() - 1.03).abs() < 0.008, "{trends}");
    assert!(kept.run(&["trend"]).stdout.contains("adrift over 60 runs"));
}

#[test]
fn a_driver_starts_a_series_that_says_what_it_follows() {
    let kept = Kept::new();
    kept.add((0..20).map(|nth| {
        let (driver, level) = if nth < 12 { ("driver 1", 1e6) } else { ("driver 2", 0.9e6) };
        Run { driver: driver.to_owned(), ..Run::new(nth, &[Some(about(level, nth))]) }
    }));
    let trends = kept.json(&["trend"]);
    let series = trends["series"].as_array().unwrap();
    let of = |driver: &str| series.iter().find(|series| series["driver"] == driver).unwrap();
    assert_eq!((series.len(), &of("driver 1")["measured"], &of("driver 2")["measured"]), (2, &12.into(), &8.into()));
    assert_eq!((&of("driver 1")["follows"], &of("driver 2")["follows"]["driver"]), (&Value::Null, &"driver 1".into()));
    assert!((of("driver 2")["follows"]["ratio"].as_f64().unwrap() - 0.9).abs() < 0.01);
    assert!(kept.run(&["trend"]).stdout.contains("since the driver was driver 1"));
}

#[test]
fn patterns_devices_and_metrics() {
    let kept = stepped();
    let count = |arguments: &[&str]| kept.json(&[&["trend"], arguments].concat())["series"].as_array().unwrap().len();
    for (arguments, expected) in [
        (&["8x8x8"][..], 1),
        (&["gemm"], 3),
        (&["gemm/*/9x9x9/*"], 1),
        (&["gemm/f32/?x?x?/tiled"], 2),
        (&["gemm@host:0"], 3),
        (&["gemm@processor"], 3),
        (&["-d", "host"], 3),
        (&["-m", "rate"], 3),
        (&["-m", "energy"], 0),
        (&["--limit", "2"], 2),
    ] {
        assert_eq!(count(arguments), expected, "{arguments:?}");
    }
    assert_eq!(kept.json(&["trend", "--limit", "2"])["left_out"], 1);
    let rate = kept.json(&["trend", "8x8x8", "-m", "rate"]);
    assert!((rate["series"][0]["changes"][0]["ratio"].as_f64().unwrap() - 1.0 / 1.06).abs() < 0.01, "{rate}");
    for nothing in [
        &["trend", "conv"][..],
        &["trend", "gemm@cuda"],
        &["trend", "-d", "cuda:0"],
        &["show", "conv"],
        &["bisect-hint", "conv"],
        &["trend", "[g]emm"],
    ] {
        kept.0.run(&[&["history"], nothing].concat()).is_user_error(&["in this history", "accelbench history"]);
    }
}

#[test]
fn list_and_show() {
    let kept = stepped();
    let commit = Run::commit(7);
    let listed = kept.json(&["list", "--commit", &commit]);
    let run = &listed[0];
    assert_eq!((listed.as_array().unwrap().len(), &run["results"], &run["ok"]), (1, &3.into(), &3.into()));
    assert_eq!(run["devices"][0]["id"], "host:0");
    assert!(kept.json(&["list", "-d", "cuda"]).as_array().unwrap().is_empty());
    assert_eq!(kept.run(&["list"]).stdout.lines().count(), 41);
    let name = run["sha256"].as_str().unwrap();
    let shown = kept.json(&["show", &name[..10]]);
    assert_eq!((&shown["run"]["commit"], shown["results"].as_array().unwrap().len()), (&commit.as_str().into(), 3));
    assert!(kept.run(&["show", &name[..10]]).stdout.contains("gemm/f32/8x8x8/tiled@host:0"));
    kept.0.run(&["history", "show", "run-1"]).is_user_error(&["runs are called `run-1…`", "write more"]);
    let text = kept.run(&["show", "8x8x8"]).stdout;
    assert_eq!(text.lines().filter(|line| line.starts_with("  2026-01-01 00:")).count(), 40, "{text}");
}

/// The commands that the hint prints, in a repository whose program becomes slow at one commit.
#[test]
fn bisecting_as_the_hint_says_finds_the_commit() {
    let kept = Kept::new();
    let folder = kept.0.path("clone");
    std::fs::create_dir_all(folder.join("target/release")).unwrap();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
        let ran = Command::new("git").args(identity).args(arguments).current_dir(&folder).output().expect("git");
        assert!(ran.status.success(), "{arguments:?}: {ran:?}");
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet"]);
    let row = |time: f64| Run::new(0, &[Some(time)]).text().replace('\n', "\\n");
    let mut commits = Vec::new();
    for nth in 0..8 {
        // What stands for the program prints the file of a run.
        let script = format!("#!/bin/sh\n# {nth}\nprintf '%b' '{}'\n", row(if nth < 5 { 1e6 } else { 1.06e6 }));
        let program = folder.join("target/release/accelbench");
        std::fs::write(&program, script).unwrap();
        git(&["add", "--all", "--force"]);
        git(&["update-index", "--chmod=+x", "target/release/accelbench"]);
        git(&["commit", "--quiet", "--message", &nth.to_string()]);
        commits.push(git(&["rev-parse", "HEAD"]));
    }
    git(&["reset", "--quiet", "--hard"]);
    kept.add((0..24).map(|nth| {
        let (commit, level) = if nth < 12 { (&commits[0], 1e6) } else { (&commits[7], 1.06e6) };
        Run { commit: commit.clone(), ..Run::new(nth, &[Some(about(level, nth))]) }
    }));
    let hint = kept.json(&["bisect-hint", "8x8x8"]);
    assert_eq!(hint[0]["command"], "accelbench run gemm:m=8,n=8,k=8 --device host:0");
    let steps: Vec<&str> = hint[0]["steps"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect();
    assert_eq!(steps.len(), 2);
    let text = kept.run(&["bisect-hint", "8x8x8"]).stdout;
    assert!(steps.iter().all(|step| text.contains(step)), "{text}");
    // Building is not what is tested here.
    let tools = kept.0.path("tools");
    std::fs::create_dir(&tools).unwrap();
    std::os::unix::fs::symlink("/bin/true", tools.join("cargo")).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    for step in &steps {
        let ran = Command::new("sh").args(["-c", step]).current_dir(&folder).env("PATH", &path).output().unwrap();
        assert!(ran.status.success(), "{step}: {ran:?}");
    }
    assert_eq!(git(&["rev-parse", "refs/bisect/bad"]), commits[5]);
}

#[test]
fn a_case_without_a_change_has_no_hint() {
    let kept = stepped();
    assert_eq!(kept.run(&["bisect-hint", "9x9x9"]).stdout, "no change point\n");
}

/// What is asked for is found before anyone asks.
#[test]
fn every_series_is_analysed_when_a_file_is_added() {
    let kept = stepped();
    let analysed = |revision: &str| {
        let connection = rusqlite::Connection::open(kept.index()).unwrap();
        let series = "SELECT COUNT(*) FROM series s JOIN analyses a ON a.series = s.id";
        let query = format!("{series} WHERE a.revision {revision} s.revision");
        connection.query_row(&query, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!((analysed("="), analysed("<>")), (3, 0));
    kept.add([Run::new(40, &[Some(1e6); 3])]);
    assert_eq!((analysed("="), analysed("<>")), (3, 0));
    assert_eq!(kept.json(&["trend", "8x8x8"])["series"][0]["last"], 1e6);
}
