//! Tuning, from the command to the rows of the runs after it.

use accelbench::tune::Table;
use accelbench::tune::log::{Line, Settled, Trial, Verdict};
use accelbench_reports::ratios::{LaneKind, RatioLane, RatiosFile};
use accelbench_reports::{PlanSource, ResultRow, Status};
use accelbench_tests::program::{Program, Ran, signal};
use accelbench_tests::raced::CHANGED;
use accelbench_tests::require;
use std::collections::BTreeSet;
use std::fs;

/// A program with a cache of its own, so that nothing is known yet.
fn fresh(path: &'static str) -> Program {
    let program = Program::new(path);
    let cache = program.at("cache");
    program.with("ACCELBENCH_CACHE_DIR", &cache)
}

fn raced() -> Program {
    fresh(env!("CARGO_BIN_EXE_accelbench-raced"))
}

const SHAPE: &str = "product:m=256,n=256,k=256";

fn tune(program: &Program, options: &[&str]) -> Ran {
    program.run(&[&["tune", SHAPE, "-d", "host", "--timeout", "4", "-o", "log.jsonl"], options].concat())
}

fn lines(program: &Program) -> Vec<Line> {
    let text = fs::read_to_string(program.path("log.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn trials(program: &Program) -> Vec<Trial> {
    let trial = |line| match line {
        Line::Trial(trial) => Some(trial),
        _ => None,
    };
    lines(program).into_iter().filter_map(trial).collect()
}

fn settled(program: &Program) -> Vec<Settled> {
    let settled = |line| match line {
        Line::Settled(settled) => Some(settled),
        _ => None,
    };
    lines(program).into_iter().filter_map(settled).collect()
}

/// The row of a run of this shape.
fn row(program: &Program, shape: &str, options: &[&str]) -> (ResultRow, Ran) {
    // A file in the way would be an error.
    let _ = fs::remove_file(program.path("run.jsonl"));
    let ran = program.run(&[&["run", shape, "-d", "host", "--quick", "-o", "run.jsonl"], options].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    (program.file("run.jsonl").results.remove(0), ran)
}

fn plan(row: &ResultRow) -> (&str, PlanSource) {
    let provenance = row.provenance.as_ref().unwrap();
    (provenance.plan.as_deref().unwrap(), provenance.plan_source.unwrap())
}

#[test]
fn the_fast_plan_wins_and_a_wrong_one_never_does() {
    let program = raced();
    assert_eq!(plan(&row(&program, SHAPE, &[]).0), ("slow", PlanSource::Default));

    let ran = tune(&program, &["--budget", "60s"]);
    // The wrong plan is a fault that a user must hear of.
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.stdout.contains("better") && ran.stdout.contains("wrong is wrong"), "{ran:?}");
    let [settled] = &settled(&program)[..] else { panic!("{:?}", lines(&program)) };
    assert_eq!((settled.verdict, settled.plan.as_deref()), (Verdict::Better, Some("fast")), "{settled:?}");
    let gain = settled.gain.unwrap();
    assert!(gain.speedup > 1.5 && gain.least > 1.02 && gain.least <= gain.speedup, "{gain:?}");
    let fault = |plan: &str| settled.faults.get(plan).map(|fault| fault.status);
    assert_eq!(fault("wrong"), Some(Status::Wrong), "{settled:?}");
    assert_eq!(fault("crash"), Some(Status::Crashed), "{settled:?}");
    assert_eq!(fault("hang"), Some(Status::Timeout), "{settled:?}");
    assert_eq!((fault("fast"), fault("slow"), fault("slower")), (None, None, None));
    assert!(trials(&program).iter().all(|trial| trial.plan != "wrong" || trial.pairs.is_empty()));

    // What won holds for its bucket and no other.
    assert_eq!(plan(&row(&program, SHAPE, &[]).0), ("fast", PlanSource::UserCache));
    let (other, ran) = row(&program, "product:m=250,n=200,k=256", &[]);
    assert_eq!(plan(&other), ("fast", PlanSource::UserCache));
    assert!(ran.stdout.contains("fast by user cache"), "{ran:?}");
    assert_eq!(plan(&row(&program, "product:m=250,n=200,k=64", &[]).0), ("slow", PlanSource::Default));
    // A plan that no family prefers can be asked for.
    assert_eq!(plan(&row(&program, SHAPE, &["--plan", "slower"]).0), ("slower", PlanSource::Command));

    // Tuned again, it is the incumbent, and stays.
    fs::remove_file(program.path("log.jsonl")).unwrap();
    tune(&program, &["--budget", "60s"]);
    let [again] = &self::settled(&program)[..] else { panic!("{:?}", lines(&program)) };
    assert_eq!((again.verdict, again.incumbent.as_deref()), (Verdict::Kept, Some("fast")), "{again:?}");
    assert_eq!(again.source, Some(PlanSource::UserCache));

    exported(&program);
    beside_the_default(&program);

    // With another kernel under the same name, what was measured says nothing any more.
    let program = program.with(CHANGED, "1");
    let (row, ran) = row(&program, SHAPE, &[]);
    assert_eq!(plan(&row), ("slow", PlanSource::Default));
    assert!(ran.stderr.contains("1 tuned plans are stale") && ran.stderr.contains("has changed"), "{ran:?}");
}

fn exported(program: &Program) {
    let ran = program.run(&["tune", "--export", "tables", "-d", "host"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let files: Vec<_> = fs::read_dir(program.path("tables")).unwrap().map(|file| file.unwrap().path()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    let table = Table::parse(&fs::read(file).unwrap()).unwrap();
    let [entry] = &table.entries[..] else { panic!("{table:?}") };
    assert_eq!((entry.winner.plan.as_str(), entry.over.plan.as_str()), ("fast", "slow"));
    assert_eq!(
        (entry.op.as_str(), entry.shape.as_str(), table.device.backend.as_str()),
        ("product", "256x256x256", "host")
    );
}

/// What won and what would be run without it take turns.
fn beside_the_default(program: &Program) {
    let ran = program.run(&["ratios", SHAPE, "-d", "host", "--rounds", "5", "-o", "ratios.json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let file = RatiosFile::read(&program.path("ratios.json")).unwrap();
    let own = file.cases[0].lane(LaneKind::Own).expect("what won was measured");
    let default = file.cases[0].lane(LaneKind::OwnDefault).expect("so was the default");
    let plan = |lane: &RatioLane| (lane.plan.clone().unwrap_or_default(), lane.plan_source);
    assert_eq!(plan(own.0), ("fast".to_owned(), Some(PlanSource::UserCache)));
    assert_eq!(plan(default.0), ("slow".to_owned(), Some(PlanSource::Default)));
    assert!(default.1.median_ns > 1.5 * own.1.median_ns, "{:?}", file.cases[0]);
}

#[test]
fn a_tuning_that_is_stopped_goes_on_where_it_was() {
    let program = raced();
    let arguments =
        ["tune", SHAPE, "product:m=64,n=64,k=64", "-d", "host", "--timeout", "4", "-o", "log.jsonl", "--json"];
    let mut running = program.start(&arguments);
    let mut seen = 0;
    while seen < 3 {
        let line = running.line().expect("it goes on until it is stopped");
        seen += usize::from(line.contains(r#""type":"trial""#));
    }
    signal(running.id(), "INT");
    let ran = running.finish();
    assert_eq!(ran.code, Some(130), "{ran:?}");
    let before = trials(&program);
    assert!(before.len() >= 3 && settled(&program).is_empty(), "{before:?}");

    // As if it had been killed in the middle of a line.
    let log = program.path("log.jsonl");
    let mut text = fs::read_to_string(&log).unwrap();
    text.push_str(r#"{"type":"trial","case":"#);
    fs::write(&log, text).unwrap();

    let ran = program.run(&["tune", "--resume", "log.jsonl", "--budget", "60s", "--timeout", "4"]);
    assert_eq!(ran.code, Some(6), "{ran:?}");
    let after = trials(&program);
    assert_eq!(after[..before.len()], before[..], "what was there is kept");
    let proofs = after.iter().filter(|trial| trial.against.is_none()).count();
    assert_eq!(proofs, 2, "nothing is measured twice: {after:?}");
    let cases: BTreeSet<String> = settled(&program).into_iter().map(|settled| settled.case).collect();
    assert_eq!(cases.len(), 2);

    let ran = program.run(&["tune", "--resume", "log.jsonl"]);
    assert!(ran.stdout.contains("2 cases, 2 done"), "{ran:?}");
    assert_eq!(trials(&program), after, "nothing is left to do");
}

#[test]
fn mistakes_are_named() {
    let program = raced();
    fs::write(program.path("other.jsonl"), "{}\n").unwrap();
    program.run(&["tune", "--resume", "other.jsonl"]).is_user_error(&["other.jsonl", "line 1"]);
    program.run(&["tune", "--resume", "none.jsonl"]).is_user_error(&["none.jsonl"]);
    program.run(&["tune", "-k", "gemm"]).is_user_error(&["unknown kernel `gemm`", "product"]);
    program.run(&["tune", "--export", "tables"]).is_user_error(&["nothing was won", "accelbench tune"]);
    program.run(&["tune", SHAPE, "-d", "host", "-o", "other.jsonl"]).is_user_error(&["already there", "--resume"]);
    let ran = program.run(&["tune", "--budget", "soon"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

/// The program's own kernels on a device that compiles them, in little time: whatever it finds, it is no worse.
#[test]
fn a_device_is_tuned_within_its_budget() {
    if !require::requires("opencl:pocl") {
        println!("left out: no OpenCL device is promised by ACCELBENCH_REQUIRE");
        return;
    }
    let program = fresh(env!("CARGO_BIN_EXE_accelbench-builtin")).with("ACCELBENCH_DISABLE", "cuda,webgpu,clblast");
    let shape = ["gemm:m=192,n=192,k=192", "-t", "f32", "-d", "host:0,opencl:0"];
    let start = std::time::Instant::now();
    let ran = program.run(&[&["tune"], &shape[..], &["--budget", "30s", "-o", "log.jsonl"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    let [host, device] = &settled(&program)[..] else { panic!("{:?}", lines(&program)) };
    assert!(host.candidates > 1 || host.verdict == Verdict::Single, "a library has no sizes: {host:?}");
    assert!(matches!(device.verdict, Verdict::Better | Verdict::Kept), "{device:?}");
    assert!(device.tried > 0 && device.candidates > 10, "{device:?}");
    let ran = program.run(&[&["run"], &shape[..], &["--quick", "-o", "run.jsonl"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let source = if device.verdict == Verdict::Better { PlanSource::UserCache } else { PlanSource::Default };
    let rows = program.file("run.jsonl").results;
    let row = rows.iter().find(|row| row.device == "opencl:0").unwrap();
    assert_eq!(plan(row), (device.plan.as_deref().unwrap(), source));
}
