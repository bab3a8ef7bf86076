use super::*;
use std::path::Path;

/// `UPDATE_SCHEMA=1 cargo test -p accelbench-reports` writes the file anew.
#[test]
fn the_checked_in_schema_is_the_types_own() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/gate.v1.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, json_schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), json_schema());
}

/// A case with figures.
pub(crate) fn case(name: &str, verdict: Verdict) -> GateCase {
    let pair = |round, first, base, candidate| Pair {
        stage: Stage::Confirm,
        round,
        first,
        base: Some(base),
        candidate: Some(candidate),
        base_clock_mhz: None,
        candidate_clock_mhz: Some(1500.0),
        thrown_out: None,
    };
    GateCase {
        case: format!("gemm/f32/{name}/tiled@opencl:0"),
        metric: Metric::Time,
        verdict,
        severity: Severity::Fail,
        reason: (verdict != Verdict::Pass).then(|| format!("a reason for {verdict}")),
        arm: (!verdict.is_of_speed()).then_some(Arm::Candidate),
        cause: (verdict == Verdict::Regressed).then_some(Cause::Cycles),
        doubt: (verdict == Verdict::Inconclusive).then_some(Doubt::Detectable),
        stage: Some(Stage::Confirm),
        estimate: verdict.is_of_speed().then_some(Estimate {
            pairs: 2,
            effect: 0.081,
            interval: [0.052, 0.113],
            level: 0.05,
            ceiling: 0.113,
            margin: 0.02,
            p: Some(0.001),
            detectable: Some(0.049),
        }),
        base: Some(1000.0),
        candidate: Some(1081.0),
        thrown_out: 0,
        noise: None,
        pairs: vec![pair(1, Arm::Base, 1000.0, 1081.0), pair(2, Arm::Candidate, 1001.0, 1080.0)],
    }
}

/// A document with these cases.
pub(crate) fn file(cases: Vec<GateCase>) -> GateFile {
    let build = |given: &str| Build {
        given: given.to_owned(),
        path: format!("/cache/{given}/accelbench"),
        sha256: "00".repeat(32),
        revision: Some(given.to_owned()),
        dirty: Some(false),
        version: Some("1.2.3".to_owned()),
    };
    let mut file = GateFile {
        schema: SCHEMA.to_owned(),
        gate_id: "20260101T000000Z-1-1".to_owned(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        wall_s: 61.5,
        argv: ["accelbench", "gate"].map(str::to_owned).to_vec(),
        suite: Suite { version: "1.2.3".to_owned(), git_commit: None, git_dirty: None },
        mode: Mode::Paired,
        options: GateOptions {
            margin: 0.02,
            allowed: 0.05,
            detectable: 0.1,
            alpha: 0.05,
            pass_level: 0.05,
            power: 0.9,
            screen_pairs: 8,
            confirm_pairs: 16,
            seed: 0,
            metrics: vec![Metric::Time],
            config: None,
            noise: None,
        },
        base: build("aaaa"),
        candidate: build("bbbb"),
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
        devices: Vec::new(),
        cases,
        outcome: Outcome::Pass,
        exit_code: 0,
        summary: "what there is to say".to_owned(),
        notes: Vec::new(),
    };
    file.outcome = file.outcome_of_cases();
    file.exit_code = file.outcome.exit_code();
    file
}

#[test]
fn what_is_written_is_read() {
    let file = file(Verdict::ALL.map(|verdict| case("8x8x8", verdict)).to_vec());
    let text = serde_json::to_string_pretty(&file).unwrap();
    assert_eq!(GateFile::parse(Path::new("gate.json"), text.as_bytes()).unwrap(), file);
}

#[test]
fn what_is_no_document_is_refused() {
    let refused = |text: &str| GateFile::parse(Path::new("gate.json"), text.as_bytes()).unwrap_err().to_string();
    for text in ["", "[1]", "{}", r#"{"schema":"accelbench.run/1"}"#, r#"{"schema":"accelbench.gate/1"}"#] {
        assert!(refused(text).starts_with("gate.json: not a document of `accelbench gate`"), "{text}");
    }
    assert!(refused(r#"{"schema":"accelbench.gate/2"}"#).contains("newer accelbench"));
}

#[test]
fn the_worst_case_decides_and_codes_do_not_count() {
    let outcome =
        |verdicts: &[Verdict]| file(verdicts.iter().map(|verdict| case("8x8x8", *verdict)).collect()).exit_code;
    assert_eq!(outcome(&[]), 3);
    assert_eq!(outcome(&[Verdict::Pass, Verdict::Improved]), 0);
    assert_eq!(outcome(&[Verdict::Regressed, Verdict::Inconclusive]), 1);
    assert_eq!(outcome(&[Verdict::Regressed, Verdict::Incomparable]), 4);
    assert_eq!(outcome(&[Verdict::Missing, Verdict::Incomparable]), 5);
    assert_eq!(outcome(&[Verdict::Missing, Verdict::Wrong]), 6);
    assert_eq!(outcome(&[Verdict::Pass, Verdict::Unsettled]), 3);
    assert_eq!(outcome(&[Verdict::Wrong, Verdict::Unsettled]), 6);
    for count in [255, 256, 257, 512] {
        assert_eq!(outcome(&vec![Verdict::Regressed; count]), 1, "{count}");
    }
}

#[test]
fn a_warning_is_about_speed_only() {
    let exit_code = |verdict| file(vec![GateCase { severity: Severity::Warn, ..case("8x8x8", verdict) }]).exit_code;
    assert_eq!([Verdict::Regressed, Verdict::Inconclusive].map(exit_code), [0, 0]);
    assert_eq!([Verdict::Incomparable, Verdict::Missing, Verdict::Failed, Verdict::Wrong].map(exit_code), [4, 5, 6, 6]);
}
