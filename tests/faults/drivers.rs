//! Broken drivers: an absence with its reason, never the end of the program.

use super::program;
use accelbench_reports::Status;
use accelbench_tests::faulty::BAD_PROBE;
use accelbench_tests::program::Program;
use serde_json::Value;

/// What `doctor --json` says of a backend.
fn doctor(program: &Program, backend: &str) -> Value {
    let ran = program.run(&["doctor", "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let rows: Vec<Value> = serde_json::from_str(&ran.stdout).expect("JSON");
    rows.into_iter().find(|row| row["id"] == backend).expect("every backend is listed")
}

fn a_bad_probe(way: &str, words: &[&str]) {
    let program = program().with(BAD_PROBE, way);
    let row = doctor(&program, "badprobe");
    assert_eq!((&row["status"], &row["reason"]), (&"absent".into(), &"probe-failed".into()), "{row}");
    let detail = row["detail"].as_str().unwrap();
    assert!(words.iter().all(|word| detail.contains(word)), "{detail}");
    assert!(row["hint"].as_str().unwrap().contains("ACCELBENCH_DISABLE=badprobe"), "{row}");
    assert_eq!(doctor(&program, "host")["status"], "present");
}

#[test]
fn a_probe_that_crashes() {
    a_bad_probe("abort", &["crashed", "signal 6 (SIGABRT)", "this probe is meant to crash"]);
}

#[test]
fn a_probe_that_panics() {
    a_bad_probe("panic", &["crashed", "exit code 101", "this probe is meant to panic"]);
}

#[test]
fn files_that_are_no_libraries_in_place_of_the_loaders() {
    let program = Program::new(env!("CARGO_BIN_EXE_accelbench-builtin"));
    let folder = program.path("lib");
    std::fs::create_dir(&folder).unwrap();
    for name in ["libOpenCL.so.1", "libOpenCL.so", "libvulkan.so.1", "libvulkan.so", "libcuda.so.1", "libcuda.so"] {
        std::fs::write(folder.join(name), "this is no library\n").unwrap();
    }
    let others = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let program = program
        .with("LD_LIBRARY_PATH", &format!("{}:{others}", folder.display()))
        .with("OPENCL_DYLIB_PATH", &folder.join("libOpenCL.so.1").display().to_string())
        .with("ACCELBENCH_DISABLE", "");
    for backend in ["opencl", "webgpu", "cuda"] {
        let row = doctor(&program, backend);
        assert_eq!((&row["status"], &row["reason"]), (&"absent".into(), &"loader-missing".into()), "{row}");
        assert!(!row["hint"].as_str().unwrap().is_empty(), "{row}");
    }
    let ran = program.run(&["all", "--quick", "-o", "run.jsonl"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let file = program.file("run.jsonl");
    super::complete(&file);
    assert!(file.results.iter().any(|row| row.device == "host:0" && row.status == Status::Ok));
    for backend in ["opencl", "webgpu", "cuda"] {
        assert!(ran.stdout.contains(&format!("{backend} is absent: ")), "{ran:?}");
    }
}
