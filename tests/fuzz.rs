//! Text of any kind before what reads text: an error, never a panic.

use accelbench::CaseId;
use accelbench_backends::DeviceId;
use accelbench_kernels::{Catalogue, Operation, Precision};
use accelbench_reports::ci::{Suite, annotations, bencher, benchmark_json, junit, openmetrics};
use accelbench_reports::gate::GateFile;
use accelbench_reports::{End, EndStatus, Line, RunFile, check, markdown};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::cell::Cell;
use std::path::Path;

/// A runner that draws the same on every machine and every day.
fn runner(cases: u32) -> TestRunner {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}

/// A result file: header, one row of each sort, end.
const FILE: &str = include_str!("fuzz/run.jsonl");

fn parse(bytes: &[u8]) -> Result<RunFile, String> {
    RunFile::parse(Path::new("run.jsonl"), bytes).map_err(|error| error.to_string())
}

#[test]
fn the_file_is_sound() {
    assert_eq!(check::check(&parse(FILE.as_bytes()).unwrap()), Vec::<String>::new());
}

#[test]
fn damaged_result_files() {
    let length = FILE.len();
    let spot = (0..length, 0..40_usize, proptest::collection::vec(any::<u8>(), 0..8));
    let spots = proptest::collection::vec(spot, 1..4);
    let mut read = 0;
    let outcome = runner(2000).run(&(spots, 0..2 * length), |(spots, end)| {
        let mut bytes = FILE.as_bytes().to_vec();
        for (start, removed, put) in spots {
            let start = start.min(bytes.len());
            let stop = (start + removed).min(bytes.len());
            bytes.splice(start..stop, put);
        }
        bytes.truncate(end);
        match parse(&bytes) {
            // What is read can be checked and written.
            Ok(file) => {
                check::check(&file);
                prop_assert!(file.resume_at <= bytes.len() as u64);
                prop_assert!(bytes[..file.resume_at as usize].ends_with(b"\n"));
                for row in file.results {
                    serde_json::to_string(&Line::Result(Box::new(row))).unwrap();
                }
            }
            Err(error) => prop_assert!(error.starts_with("run.jsonl: "), "{error}"),
        }
        Ok(())
    });
    outcome.unwrap();
    // Cut at every byte: all but the header's part reads, up to the last whole line.
    for end in 0..=length {
        if let Ok(file) = parse(&FILE.as_bytes()[..end]) {
            read += 1;
            assert_eq!(file.torn, !FILE.as_bytes()[..end].ends_with(b"\n"), "cut at {end}");
        }
    }
    let header = FILE.find('\n').unwrap() + 1;
    assert_eq!(read, length + 1 - header);
}

/// A gate's document with a case of every verdict.
const GATE: &str = include_str!("fuzz/gate.json");

/// What may stand in a document's place, and means something to a format.
const PIECES: [&str; 13] =
    ["pass", "wrong", "time", "energy", "null", "1e308", "-0.0", "\\u0000", "]]>", "::", "%0A", "\\n", "{}"];

#[test]
fn gates_documents_of_any_content() {
    let put = prop_oneof![proptest::sample::select(&PIECES[..]).prop_map(str::to_owned), ".{0,8}"];
    let spots = proptest::collection::vec((0..GATE.len(), 0..20_usize, put), 1..4);
    let read = Cell::new(0);
    let outcome = runner(10_000).run(&spots, |spots| {
        let mut text = GATE.to_owned();
        for (start, removed, put) in spots {
            let start = text.floor_char_boundary(start);
            let stop = text.floor_char_boundary(start + removed);
            text.replace_range(start..stop, &put);
        }
        match GateFile::parse(Path::new("gate.json"), text.as_bytes()) {
            // What is read can be written in every format.
            Ok(file) => {
                let suite = Suite::from(&file);
                let lines = annotations::render(&suite).lines().count();
                prop_assert!(lines <= 10, "{lines} annotations");
                prop_assert!(markdown::gate::render(&suite, markdown::LIMIT).len() <= markdown::LIMIT);
                serde_json::from_str::<serde_json::Value>(&bencher::render(&suite)).unwrap();
                serde_json::from_str::<serde_json::Value>(&benchmark_json::render(&suite)).unwrap();
                prop_assert!(junit::render(&suite).ends_with("</testsuites>\n"));
                prop_assert!(openmetrics::render(&suite).ends_with("# EOF\n"));
                read.set(read.get() + 1);
            }
            Err(error) => prop_assert!(error.to_string().starts_with("gate.json: "), "{error}"),
        }
        Ok(())
    });
    outcome.unwrap();
    assert!(read.get() > 100, "only {} are read", read.get());
}

#[test]
fn counts_that_are_off_are_seen() {
    let mut file = parse(FILE.as_bytes()).unwrap();
    file.end = Some(End { status: EndStatus::Complete, counts: check::counts(&file.results[1..]), wall_s: 1.0 });
    assert_eq!(check::check(&file).len(), 1);
}

const WORDS: [&str; 25] = [
    "gemm",
    "f32",
    "f16-acc16",
    "8x8x8",
    "-nt",
    "tiled",
    "host",
    "m=8",
    "n=8",
    "k=8",
    "trans=nt",
    "0",
    "9",
    "conv2d",
    "2x8x9x9",
    "-4x3x3",
    "-s2x1",
    "-p1",
    "-g4",
    "-nhwc",
    "layout=nhwc",
    "attention",
    "1x4x2",
    "-causal",
    "head_dim=64",
];

/// Text that is nearly right more often than chance would have it.
fn nearly() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        proptest::sample::select(&WORDS[..]).prop_map(str::to_owned),
        proptest::sample::select(&["/", "@", ":", ",", "=", "x", "-", "×", ""][..]).prop_map(str::to_owned),
        any::<u64>().prop_map(|number| number.to_string()),
        ".{0,4}",
    ];
    prop_oneof![proptest::collection::vec(word, 0..12).prop_map(|words| words.concat()), ".{0,40}"]
}

#[test]
fn names_of_cases_and_shapes() {
    let catalogue = Catalogue::builtin();
    let mut good = 0;
    let outcome = runner(5000).run(&nearly(), |text| {
        if let Ok(id) = text.parse::<CaseId>() {
            prop_assert_eq!(id.to_string().parse::<CaseId>().unwrap(), id);
        }
        if let Ok(id) = text.parse::<DeviceId>() {
            prop_assert_eq!(id.to_string().parse::<DeviceId>().unwrap(), id);
        }
        let _ = catalogue.parse_shape(&text).map(|(operation, fields)| operation.case(Precision::F64, &fields));
        for operation in catalogue.iter().map(Operation::name) {
            if let Ok(case) = catalogue.case(operation, Precision::F64, &text) {
                let again = catalogue.case(operation, Precision::F64, &case.shape_text()).map(|case| case.shape());
                prop_assert_eq!(again.unwrap(), case.shape());
            }
        }
        Ok(())
    });
    outcome.unwrap();
    // The same for names that are right but for one byte.
    let right = [
        "gemm/f32/640x480x320-nt/tiled@opencl:12",
        "conv2d/f16/2x64x56x40-64x3x3-s2x1-p1-d2-g4-nhwc/packed@opencl:0",
        "attention/f64/2x32x8-640x2048x128-causal/direct@webgpu:0",
    ];
    for (right, place) in right.iter().flat_map(|right| (0..right.len()).map(move |place| (right, place))) {
        for byte in 0..128_u8 {
            let mut text = right.as_bytes().to_vec();
            text[place] = byte;
            if let Ok(id) = String::from_utf8(text).unwrap().parse::<CaseId>() {
                let _ = catalogue.case(&id.op, id.precision, &id.shape);
                good += 1;
            }
        }
    }
    assert!(good > 100, "{good} names could be read");
}
