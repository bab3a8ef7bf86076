use super::*;
use std::path::Path;

/// `UPDATE_SCHEMA=1 cargo test -p accelbench-reports` writes the file anew.
#[test]
fn the_checked_in_schema_is_the_types_own() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/ratios.v1.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, json_schema()).unwrap();
    }
    assert!(std::fs::read_to_string(path).unwrap() == json_schema(), "{path} is not the types' own");
}

fn lane(kind: LaneKind, device: &str, variant: &str, gflop_per_s: f64) -> RatioLane {
    let flop_per_s = gflop_per_s * 1e9;
    RatioLane {
        kind,
        device: device.to_owned(),
        variant: variant.to_owned(),
        plan: Some(format!("{variant}-8x3x16")),
        plan_source: None,
        unit: Unit::Vector,
        clock: "device-event".to_owned(),
        status: Status::Ok,
        reason: None,
        blocks_ns: vec![vec![1e18 / flop_per_s; 2]],
        figures: Some(LaneFigures {
            rounds: 2,
            median_ns: 1e18 / flop_per_s,
            flop_per_s,
            ci95_flop_per_s: [0.99 * flop_per_s, 1.01 * flop_per_s],
            of_peak: Some(gflop_per_s / 202.0),
            of_library: None,
        }),
    }
}

/// A case of 1 GFLOP with an own kernel at 190 GFLOP/s, its launch alone, its default plan, a library on the host, and one
/// that is wrong.
pub(crate) fn case(shape: &str) -> RatioCase {
    let mut own = lane(LaneKind::Own, "opencl:0", "packed", 190.0);
    let ratio =
        PairedRatio { to: "openblas".to_owned(), on: "host:0".to_owned(), ratio: 1.056, ci95: [1.02, 1.1], pairs: 20 };
    own.figures.iter_mut().for_each(|figures| figures.of_library = Some(ratio.clone()));
    let wrong = RatioLane {
        status: Status::Wrong,
        reason: Some("element 3\nand more".to_owned()),
        figures: None,
        blocks_ns: Vec::new(),
        ..lane(LaneKind::Library, "opencl:0", "clblast", 1.0)
    };
    RatioCase {
        case: format!("gemm/f32/{shape}/any@opencl:0"),
        op: "gemm".to_owned(),
        dtype: "f32".to_owned(),
        shape: shape.to_owned(),
        origin: None,
        device: "opencl:0".to_owned(),
        flop: 1e9,
        tries: 1,
        unsteady: None,
        left_out: None,
        peaks: vec![PeakPair {
            device: "opencl:0".to_owned(),
            unit: Unit::Vector,
            dtype: "f32".to_owned(),
            before: 200e9,
            after: 204e9,
        }],
        lanes: vec![
            own,
            lane(LaneKind::OwnKernel, "opencl:0", "packed", 194.0),
            lane(LaneKind::Library, "host:0", "openblas", 180.0),
            lane(LaneKind::OwnDefault, "opencl:0", "packed", 158.0),
            wrong,
        ],
        command: "accelbench ratios".to_owned(),
    }
}

/// A document with these cases.
pub(crate) fn file(cases: Vec<RatioCase>) -> RatiosFile {
    let device = DeviceRow {
        id: "opencl:0".to_owned(),
        backend: "opencl".to_owned(),
        name: "A chip".to_owned(),
        vendor: "A maker".to_owned(),
        kind: "cpu".to_owned(),
        driver: "1.0".to_owned(),
        physical_id: serde_json::Map::new(),
        caps: serde_json::Map::new(),
        power_limit_w: None,
        clock_policy: None,
    };
    let peer = "python3 tests/peers/one.py x";
    let count = cases.len() as u64;
    RatiosFile {
        schema: SCHEMA.to_owned(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        wall_s: 61.5,
        resumed: Vec::new(),
        complete: true,
        argv: ["accelbench", "ratios", "-d", "opencl:0", "--peer", peer].map(str::to_owned).to_vec(),
        suite: Suite { version: "1.2.3".to_owned(), git_commit: None, git_dirty: None },
        host: Host {
            hostname: None,
            os: None,
            kernel: None,
            arch: "x86_64".to_owned(),
            cpu: "a CPU".to_owned(),
            cores: None,
            threads: 2,
            memory_bytes: 1 << 30,
        },
        devices: vec![device],
        options: RatioOptions {
            rounds: 20,
            blocks: 4,
            steady: 0.05,
            tries: 3,
            seed: 1,
            turn_s: 0.1,
            rest_s: 0.25,
            shapes: Vec::new(),
            kernels: Vec::new(),
            dtypes: Vec::new(),
            devices: Vec::new(),
            peers: vec![peer.to_owned()],
        },
        cases,
        means: vec![RatioMean {
            device: "opencl:0".to_owned(),
            op: "gemm".to_owned(),
            dtype: "f32".to_owned(),
            measure: Measure::OwnOfPeak,
            ratio: 0.94,
            least: 0.9,
            most: 0.98,
            cases: count,
        }],
        notes: Vec::new(),
    }
}

#[test]
fn what_is_written_is_read() {
    let file = file(vec![case("8x8x8")]);
    let text = serde_json::to_string_pretty(&file).unwrap();
    assert_eq!(RatiosFile::parse(Path::new("ratios.json"), text.as_bytes()).unwrap(), file);
    assert!(file.has_faults());
}

#[test]
fn what_is_no_document_is_refused() {
    let refused = |text: &str| RatiosFile::parse(Path::new("ratios.json"), text.as_bytes()).unwrap_err().to_string();
    for text in ["", "[1]", "{}", r#"{"schema":"accelbench.run/1"}"#, r#"{"schema":"accelbench.ratios/1"}"#] {
        assert!(refused(text).starts_with("ratios.json: not a document of `accelbench ratios`"), "{text}");
    }
    assert!(refused(r#"{"schema":"accelbench.ratios/2"}"#).contains("newer accelbench"));
}

#[test]
fn the_fastest_library_that_is_right_counts() {
    let case = case("8x8x8");
    assert_eq!(case.best_library().map(|(lane, _)| lane.variant.as_str()), Some("openblas"));
    assert!(case.lane(LaneKind::Peer).is_none());
}

#[test]
fn a_peak_is_the_median_of_its_probes_and_drift_has_no_sign() {
    let pair =
        |before, after| PeakPair { device: String::new(), unit: Unit::Vector, dtype: String::new(), before, after };
    assert!((pair(100.0, 110.0).peak() - 105.0).abs() < 1e-12);
    assert!((pair(100.0, 110.0).drift() - 0.1).abs() < 1e-12);
    assert!((pair(110.0, 100.0).drift() - 0.1).abs() < 1e-12);
}
