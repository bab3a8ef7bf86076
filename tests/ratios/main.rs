//! Ratios, from the command to the page: lanes that are right, wrong ones, peers that can and can't be believed.

use accelbench_reports::ratios::{LaneKind, RatioLane, RatiosFile};
use accelbench_reports::{Status, markdown};
use accelbench_tests::blas::built;
use accelbench_tests::program::{Program, signal};
use std::path::Path;

const SHAPE: &str = "gemm:m=160,n=160,k=160";

/// The program with a library that lies here.
fn with(library: &Path) -> Program {
    Program::new(env!("CARGO_BIN_EXE_accelbench-builtin"))
        .with("ACCELBENCH_DISABLE", "cuda,opencl,webgpu,mkl,blis")
        .with("ACCELBENCH_OPENBLAS", &library.display().to_string())
        .with("RAYON_NUM_THREADS", "2")
}

fn ratios<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["ratios", SHAPE, "-t", "f32", "-d", "host", "--rounds", "3", "-o", "ratios.json"], more].concat()
}

fn read(program: &Program) -> RatiosFile {
    RatiosFile::read(&program.path("ratios.json")).unwrap()
}

fn lane<'a>(file: &'a RatiosFile, variant: &str) -> &'a RatioLane {
    let [case] = &file.cases[..] else { panic!("{file:?}") };
    case.lanes.iter().find(|lane| lane.variant == variant).unwrap_or_else(|| panic!("no {variant}: {case:?}"))
}

#[test]
fn a_kernel_is_held_against_the_peak_and_the_library_that_took_turns_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let program = with(&built(folder.path(), "libopenblas.so.0", &[]));
    let ran = program.run(&ratios(&["--json", "--markdown", "page.md"]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("[1/1] gemm/f32/160x160x160/any@host:0"), "{ran:?}");
    let file = read(&program);
    assert!(file.complete && !file.has_faults());
    assert_eq!(serde_json::from_str::<RatiosFile>(&ran.stdout).unwrap(), file);
    assert_eq!(file.argv[..2], ["accelbench-builtin", "ratios"]);

    let case = &file.cases[0];
    assert_eq!((case.case.as_str(), case.lanes.len()), ("gemm/f32/160x160x160/any@host:0", 2));
    assert!(
        case.command.starts_with("accelbench ratios gemm:k=160,m=160,n=160 --dtype f32 --device host:0 --rounds 3")
    );
    assert_eq!(case.peaks.len(), 1);
    let (own, figures) = case.lane(LaneKind::Own).unwrap();
    assert_eq!((own.blocks_ns.len(), figures.rounds), (1, 3), "one process takes all turns in one block");
    let of_peak = figures.of_peak.unwrap();
    assert!((of_peak * case.peaks[0].peak() / figures.flop_per_s - 1.0).abs() < 1e-9);
    // Three loops in plain C are no match.
    let ratio = figures.of_library.as_ref().unwrap();
    assert_eq!((ratio.to.as_str(), ratio.on.as_str()), ("openblas", "host:0"));
    assert!(matches!(ratio.pairs, 1 | 3), "one that is far behind has one turn: {ratio:?}");
    assert!(ratio.ratio > 1.0 && ratio.ci95[0] <= ratio.ratio && ratio.ratio <= ratio.ci95[1], "{ratio:?}");

    let page = std::fs::read_to_string(program.path("page.md")).unwrap();
    assert_eq!(page, markdown::ratios::render(&file));
    // The document gives the same page again.
    let again = program.run(&["ratios", "--from", "ratios.json", "--markdown", "-"]);
    assert_eq!((again.code, again.stdout), (Some(0), page));
}

/// A peer that can be believed, one that says what can't be, and a case that nobody knows.
fn peer(program: &Program) -> String {
    let line = |peer: &str, op: &str, gflops: f64| {
        let shape = r#"{"m":160,"n":160,"k":"160"}"#;
        format!(r#"{{"peer":"{peer}","op":"{op}","dtype":"f32","shape":{shape},"device":"cpu","gflops":{gflops}}}"#)
    };
    let lines = [
        "loading".to_owned(),
        line("honest", "gemm", 0.001),
        line("boastful", "gemm", 1e9),
        line("strange", "sort", 1.0),
    ];
    std::fs::write(program.path("lines"), lines.join("\n") + "\n").unwrap();
    "cat lines".to_owned()
}

#[test]
fn what_is_wrong_has_no_figure_whether_library_or_peer() {
    let folder = tempfile::tempdir().unwrap();
    // Right in the small product that it is tried with, and wrong in larger ones.
    let program = with(&built(folder.path(), "libopenblas.so.0", &["-DWRONG=+ (m > 30)"]));
    let peer = peer(&program);
    let ran = program.run(&ratios(&["--peer", &peer, "--markdown", "page.md"]));
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.stdout.contains("openblas on host:0") && ran.stdout.contains("wrong"), "{ran:?}");
    let file = read(&program);
    assert!(file.complete && file.has_faults());
    for (variant, status, words) in [
        ("openblas", Status::Wrong, "bound"),
        ("boastful", Status::Failed, "of the measured peak, which the device can't do"),
    ] {
        let lane = lane(&file, variant);
        assert_eq!((lane.status, &lane.figures, lane.blocks_ns.len()), (status, &None, 0), "{lane:?}");
        assert!(lane.reason.as_ref().is_some_and(|reason| reason.contains(words)), "{lane:?}");
    }
    let honest = lane(&file, "honest");
    assert_eq!((honest.kind, honest.blocks_ns.len()), (LaneKind::Peer, 4), "blocks of turns and the peer alternate");
    let rate = honest.figures.as_ref().unwrap().flop_per_s;
    assert!((rate / 1e6 - 1.0).abs() < 1e-9, "{rate}");
    let (_, own) = file.cases[0].lane(LaneKind::Own).unwrap();
    let ratio = own.of_library.as_ref().unwrap();
    assert_eq!((ratio.to.as_str(), ratio.pairs), ("honest", 4), "what is wrong is no best library");
    assert!(file.notes.iter().any(|note| note.contains("unknown kernel `sort`")), "{:?}", file.notes);
    let page = std::fs::read_to_string(program.path("page.md")).unwrap();
    for words in
        ["openblas is wrong", "boastful on cpu is failed", "honest on cpu", "unknown kernel", "--peer 'cat lines'"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[test]
fn a_run_that_is_stopped_leaves_what_was_measured() {
    let program = Program::new(env!("CARGO_BIN_EXE_accelbench-builtin"));
    let more = ["gemm:m=32,n=32,k=32", "gemm:m=40,n=40,k=40", "gemm:m=56,n=56,k=56", "gemm:m=64,n=64,k=64"];
    let mut running = program.start(&ratios(&more));
    while !running.line().expect("it goes on until it is stopped").starts_with("[1/5]") {}
    signal(running.id(), "INT");
    let ran = running.finish();
    assert_eq!(ran.code, Some(130), "{ran:?}");
    let file = read(&program);
    assert!(!file.complete && !file.cases.is_empty() && file.cases.len() < 5, "{file:?}");
    let page = program.run(&["ratios", "--from", "ratios.json", "--markdown", "-"]);
    assert!(page.stdout.contains("The run was stopped: cases are missing."), "{page:?}");
    program.run(&ratios(&[])).is_user_error(&["ratios.json is already there", "--resume"]);
}

/// Changes a document, as another machine or another day would have written it.
fn rewrite(program: &Program, change: impl FnOnce(&mut RatiosFile)) {
    let mut file = read(program);
    change(&mut file);
    std::fs::write(program.path("ratios.json"), serde_json::to_string(&file).unwrap()).unwrap();
}

/// Whatever else ran on the machine.
fn calm(file: &mut RatiosFile) {
    file.cases.iter_mut().for_each(|case| case.unsteady = None);
}

#[test]
fn a_document_is_taken_up_again_where_it_is_the_same_machine() {
    let program = Program::new(env!("CARGO_BIN_EXE_accelbench-builtin"));
    let resume = ["ratios", "--resume", "ratios.json"];
    let more = ["gemm:m=32,n=32,k=32", "gemm:m=40,n=40,k=40", "gemm:m=56,n=56,k=56"];
    assert_eq!(program.run(&ratios(&more)).code, Some(0));
    let whole = read(&program);
    // The second case was lost, the third had no rest.
    rewrite(&program, |file| {
        calm(file);
        file.complete = false;
        file.cases.remove(1);
        file.cases[1].unsteady = Some("the peak moved".to_owned());
    });
    let ran = program.run(&resume);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("4 cases, 2 of them done, 3 rounds at least, into ratios.json"), "{ran:?}");
    let file = read(&program);
    assert!(file.complete && file.wall_s > whole.wall_s && file.resumed.len() == 1);
    let names = |file: &RatiosFile| file.cases.iter().map(|case| case.case.clone()).collect::<Vec<_>>();
    assert_eq!(names(&file), names(&whole), "in the old order");
    for (place, is_kept) in [(0, true), (1, false), (2, false), (3, true)] {
        assert_eq!(file.cases[place].lanes == whole.cases[place].lanes, is_kept, "{place}");
    }
    assert_eq!(file.cases[2].command, whole.cases[2].command);
    assert!(!file.means.is_empty() && file.options == whole.options);
    let page = program.run(&["ratios", "--from", "ratios.json", "--markdown", "-"]).stdout;
    assert!(page.contains("one run in 2 sittings") && page.contains(&file.resumed[0]), "{page}");

    // What is to be measured anew is there until it was.
    rewrite(&program, |file| file.cases.iter_mut().for_each(|case| case.unsteady = Some("the peak moved".to_owned())));
    let mut running = program.start(&resume);
    while !running.line().expect("it goes on until it is stopped").starts_with("[1/4]") {}
    signal(running.id(), "INT");
    let ran = running.finish();
    assert_eq!((ran.code, names(&read(&program))), (Some(130), names(&whole)), "{ran:?}");

    // Nothing is left to do, and nothing is lost.
    rewrite(&program, calm);
    let file = read(&program);
    assert_eq!(program.run(&resume).code, Some(0));
    assert_eq!(read(&program).cases, file.cases);
    assert_eq!(program.run(&[&resume[..], &["-t", "f64"]].concat()).code, Some(2), "its own options hold");
    for (change, words) in [
        (
            Box::new(|file: &mut RatiosFile| file.suite.version = "0.0.0".to_owned()) as Box<dyn FnOnce(&mut _)>,
            "program",
        ),
        (Box::new(|file: &mut RatiosFile| file.host.cpu = "another one".to_owned()), "processor"),
        (Box::new(|file: &mut RatiosFile| file.devices[0].driver = "older".to_owned()), "host:0 was"),
    ] {
        rewrite(&program, change);
        let before = std::fs::read(program.path("ratios.json")).unwrap();
        program.run(&resume).is_user_error(&["ratios.json: ", words, "measure it anew"]);
        assert_eq!(std::fs::read(program.path("ratios.json")).unwrap(), before);
        std::fs::write(program.path("ratios.json"), serde_json::to_string(&file).unwrap()).unwrap();
    }
}

#[test]
fn mistakes_are_named() {
    let program = Program::new(env!("CARGO_BIN_EXE_accelbench-builtin"));
    std::fs::write(program.path("other.json"), "{}").unwrap();
    std::fs::write(program.path("bad"), "{\"peer\":\"x\"}\n").unwrap();
    program.run(&["ratios", "--from", "other.json"]).is_user_error(&["other.json", "accelbench.ratios/1"]);
    program.run(&["ratios", "-k", "gem"]).is_user_error(&["unknown kernel `gem`"]);
    program.run(&["ratios", "-d", "cuda"]).is_user_error(&["no device `cuda`"]);
    program.run(&["ratios", SHAPE, "-o", "-"]).is_user_error(&["--json"]);
    program
        .run(&["ratios", SHAPE, "-o", "none/ratios.json"])
        .is_user_error(&["none/ratios.json", "a folder that exists"]);
    program
        .run(&ratios(&["--peer", "no-such-peer x"]))
        .is_user_error(&["the peer `no-such-peer x`", "can't be started"]);
    program.run(&ratios(&["--peer", "cat bad"])).is_user_error(&["line 1 of its output", "missing field"]);
    program.run(&ratios(&["--peer", "false"])).is_user_error(&["the peer `false`"]);
    assert!(!program.path("ratios.json").exists(), "nothing was measured");
    let ran = program.run(&ratios(&["--peer", " "]));
    assert_eq!(ran.code, Some(2), "{ran:?}");
}
