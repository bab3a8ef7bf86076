//! Libraries of the machine: which stand-ins the host takes and computes with, and in what words it refuses the others.

use accelbench_reports::gate::GateFile;
use accelbench_reports::{RunFile, Status, check};
use accelbench_tests::blas::built;
use accelbench_tests::program::Program;
use serde_json::Value;
use std::path::Path;

/// The program with no library but one, which lies here.
fn with(name: &str, library: &Path) -> Program {
    let others: Vec<&str> = ["openblas", "mkl", "blis"].into_iter().filter(|other| *other != name).collect();
    Program::new(env!("CARGO_BIN_EXE_accelbench-builtin"))
        .with("ACCELBENCH_DISABLE", &format!("cuda,opencl,webgpu,{}", others.join(",")))
        .with(&format!("ACCELBENCH_{}", name.to_uppercase()), &library.display().to_string())
        // A device of one thread would take a library that has but one.
        .with("RAYON_NUM_THREADS", "2")
}

/// What `doctor` says of the library.
fn note(program: &Program, name: &str) -> String {
    let ran = program.run(&["doctor", "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let rows: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
    let host = rows.iter().find(|row| row["id"] == "host").unwrap();
    let notes: Vec<&str> = host["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    (*notes.iter().find(|note| note.starts_with(name)).unwrap_or_else(|| panic!("{notes:?}"))).to_owned()
}

/// The rows of a small product in f32 and f64 by every library and kernel, in order.
fn rows(program: &Program) -> RunFile {
    let ran = program.run(&["run", "gemm:m=33,n=17,k=65,trans=tn", "--dtype", "f64,f32", "--quick", "-o", "run.jsonl"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let file = program.file("run.jsonl");
    assert_eq!(check::check(&file), Vec::<String>::new());
    file
}

fn variants(file: &RunFile) -> Vec<&str> {
    file.results.iter().map(|row| row.variant.as_str()).collect()
}

#[test]
fn a_library_is_measured_before_the_program_s_own_which_is_held_against_it() {
    let folder = tempfile::tempdir().unwrap();
    let program = with("openblas", &built(folder.path(), "libopenblas.so.0", &[]));
    assert!(note(&program, "openblas").contains("OpenBLAS 9.8.7 stand-in, 2 threads, from "));
    let file = rows(&program);
    assert_eq!(variants(&file), ["openblas", "packed", "openblas", "packed"]);
    for pair in file.results.chunks(2) {
        assert!(pair.iter().all(|row| row.status == Status::Ok), "{pair:?}");
        let [library, own] = pair else { panic!("{pair:?}") };
        assert_eq!(library.ceiling.as_ref().and_then(|ceiling| ceiling.vendor.clone()), None);
        let vendor = own.ceiling.as_ref().and_then(|ceiling| ceiling.vendor.as_ref()).expect("a library was measured");
        assert_eq!(vendor.variant, "openblas");
        assert_eq!(Some(vendor.flop_per_s.to_bits()), library.rate.map(|rate| rate.flop_per_s.to_bits()));
    }
    let device = &file.header.devices[0];
    assert_eq!(device.caps["external"], serde_json::json!({ "openblas": "OpenBLAS 9.8.7 stand-in, 2 threads" }));
}

#[test]
fn a_resumed_run_knows_what_the_library_reached() {
    let folder = tempfile::tempdir().unwrap();
    let program = with("openblas", &built(folder.path(), "libopenblas.so.0", &[]));
    let whole = rows(&program);
    let vendor = |file: &RunFile| file.results[3].ceiling.as_ref().and_then(|ceiling| ceiling.vendor.clone());
    let path = program.path("run.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(&path, lines[..lines.len() - 2].join("\n") + "\n").unwrap();
    let ran = program.run(&["run", "--resume", "run.jsonl"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(vendor(&whole).is_some());
    assert_eq!(vendor(&program.file("run.jsonl")), vendor(&whole));

    let rate = vendor(&whole).unwrap().flop_per_s;
    let forged = text
        .replace(&format!(r#""variant":"openblas","flop_per_s":{rate:?}"#), r#""variant":"openblas","flop_per_s":1.0"#);
    assert_ne!(forged, text);
    std::fs::write(&path, forged).unwrap();
    let wrong = "the rate of the library beside it is not that of the library's row";
    program.run(&["check", "run.jsonl"]).is_user_error(&[wrong]);
}

#[test]
fn a_gate_leaves_libraries_out_unless_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let program = with("openblas", &built(folder.path(), "libopenblas.so.0", &[]));
    let itself = env!("CARGO_BIN_EXE_accelbench-builtin");
    let gated = |options: &[&str]| {
        let _ = std::fs::remove_file(program.path("gate.json"));
        let fixed = ["gate", "--base", itself, "--cand", itself, "gemm:m=32,n=32,k=32", "--dtype", "f32"];
        // Whatever it says of speed on this machine.
        program.run(&[&fixed[..], &["--pairs", "5,6", "-o", "gate.json"], options].concat());
        GateFile::read(&program.path("gate.json")).unwrap()
    };
    let cases = |file: &GateFile| file.cases.iter().map(|case| case.case.clone()).collect::<Vec<_>>();
    let file = gated(&[]);
    assert_eq!(cases(&file), ["gemm/f32/32x32x32/packed@host:0"]);
    assert!(file.notes.iter().any(|note| note.starts_with("1 cases of the machine's libraries")), "{:?}", file.notes);
    assert_eq!(cases(&gated(&["--variant", "openblas"])), ["gemm/f32/32x32x32/openblas@host:0"]);
}

#[test]
fn integers_of_64_bits_are_passed_where_the_library_says_so() {
    let wide = ["-DINT=long long", r#"-DCONFIG="OpenBLAS 9.8.7 USE64BITINT""#];
    for options in [&wide[..], &[&wide[..], &["-DSUFFIX=64_"]].concat()] {
        let folder = tempfile::tempdir().unwrap();
        let program = with("openblas", &built(folder.path(), "libopenblas64.so.0", options));
        let file = rows(&program);
        assert_eq!(variants(&file), ["openblas", "packed", "openblas", "packed"], "{options:?}");
        assert!(file.results.iter().all(|row| row.status == Status::Ok), "{options:?}");
    }
}

#[test]
fn what_can_t_be_used_is_left_out_in_words() {
    for (options, words) in [
        (&["-DNO_DGEMM"][..], "it has no cblas_dgemm"),
        (&["-DNO_CONFIG"], "it has no openblas_get_config, which tells how wide its integers are"),
        (&["-DSUFFIX=64_"], "its functions end in 64_, and its integers are not of 64 bits"),
        (&["-DTHREADS=1"], "this build uses one thread, and the device has 2"),
        (&["-DWRONG=+ 1"], "it computes a small product wrongly"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let program = with("openblas", &built(folder.path(), "libopenblas.so.0", options));
        let note = note(&program, "openblas");
        assert!(note.starts_with("openblas is not used: ") && note.contains(words), "{options:?}: {note}");
        assert_eq!(variants(&rows(&program)), ["packed", "packed"], "{options:?}");
    }
}

#[test]
fn a_file_that_is_missing_or_no_library_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libopenblas.so.0");
    let program = with("openblas", &path);
    let missing = note(&program, "openblas");
    assert!(missing.contains("ACCELBENCH_OPENBLAS") && missing.contains(&path.display().to_string()), "{missing}");
    std::fs::write(&path, "this is no library\n").unwrap();
    let broken = note(&program, "openblas");
    assert!(broken.contains(&path.display().to_string()) && broken != missing, "{broken}");
    let disabled = note(&program, "mkl");
    assert_eq!(disabled, "mkl is left out: ACCELBENCH_DISABLE names it");
}

/// A library's file with its parts beside it.
fn mkl(folder: &Path, parts: &[&str], options: &[&str]) -> Program {
    for part in parts {
        std::fs::write(folder.join(format!("libmkl_{part}.so.2")), "").unwrap();
    }
    built(folder, "libiomp5.so", &[]);
    with("mkl", &built(folder, "libmkl_rt.so.2", options))
}

#[test]
fn a_library_of_layers_is_taken_where_they_are_whole() {
    let whole = ["core", "intel_lp64", "intel_thread"];
    let folder = tempfile::tempdir().unwrap();
    let program = mkl(folder.path(), &whole, &["-DMKL=-1"]);
    assert!(note(&program, "mkl").contains("Stand-in for MKL, 2 threads, from "));
    assert_eq!(variants(&rows(&program)), ["mkl", "packed", "mkl", "packed"]);
    for (parts, options, words) in [
        (&whole[..], &["-DMKL=1"][..], "it does not take integers of 32 bits"),
        (&whole, &["-DMKL=-1", "-DTHREADS=1"], "it uses one thread, and the device has 2"),
        (&["intel_lp64", "intel_thread"], &["-DMKL=-1"], "its part libmkl_core.so.2 is not in"),
        (&["core", "intel_lp64"], &["-DMKL=-1"], "none of its threading layers is whole"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let note = note(&mkl(folder.path(), parts, options), "mkl");
        assert!(note.starts_with("mkl is not used: ") && note.contains(words), "{note}");
    }
}
