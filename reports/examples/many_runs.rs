//! Makes many runs with made-up figures, a report of them and a site, and says how long each takes.
//!
//! `cargo run --release -p accelbench-reports --example many_runs -- FOLDER [RUNS] [ROWS]`; by default 1000 runs of 300
//! rows, on 20 kinds of device. The limits: 10 s and 1 GiB for each.

use accelbench_reports::text::Lang;
use accelbench_reports::{Format, LoadOptions, load, site};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

const OPS: [&str; 3] = ["gemm", "conv2d", "attention"];
const DTYPES: [&str; 4] = ["f64", "f32", "f16", "f16-acc16"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(arguments.first().expect("name a folder"));
    let count = |at: usize, usual: usize| arguments.get(at).map_or(usual, |text| text.parse().expect("a number"));
    let (runs, rows) = (count(1, 1000), count(2, 300));
    fs::create_dir_all(folder.join("runs")).expect("a folder that can be written");
    let paths: Vec<PathBuf> = (0..runs).map(|run| write(folder, run, rows)).collect();
    let options = LoadOptions::default();

    let start = Instant::now();
    let report = load(&paths, &options).expect("sound runs");
    let mut page = Vec::new();
    Format::Html.write(&report, Lang::En, &mut page).expect("a page");
    println!("report: {:.1} s, page of {} bytes, peak {} MiB", start.elapsed().as_secs_f64(), page.len(), peak_mib());
    drop((report, page));

    for what in ["site", "site again"] {
        let start = Instant::now();
        let done = site::publish(&paths, &folder.join("site"), Lang::En, &options).expect("a site");
        println!("{what}: {:.1} s, {} written, peak {} MiB", start.elapsed().as_secs_f64(), done.written, peak_mib());
    }
}

/// The most memory that the process held so far; 0 where the system doesn't tell.
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn write(folder: &Path, run: usize, rows: usize) -> PathBuf {
    let path = folder.join("runs").join(format!("{run:04}.jsonl"));
    let device = format!("cuda:{}", run % 2);
    let cases: Vec<(String, f64)> = (0..rows)
        .map(|row| {
            let size = 64 * (row / 12 + 1);
            let (op, dtype) = (OPS[row % 3], DTYPES[row / 3 % 4]);
            (format!("{op}/{dtype}/{size}x{size}x{size}/tiled@{device}"), 2.0 * (size as f64).powi(3))
        })
        .collect();
    let header = json!({
        "type": "run", "schema": "accelbench.run/1", "run_id": format!("made-up-{run:04}"), "argv": ["accelbench", "all"],
        "started": format!("2026-{:02}-{:02}T00:00:00Z", run / 28 % 12 + 1, run % 28 + 1),
        "suite": { "version": "0.1.0", "git_commit": null, "git_dirty": null },
        "plan": {
            "profile": "standard", "cache": "warm", "seed": 1, "timeout_s": 60.0, "budget_s": null, "case_limit_s": null,
            "plan": null, "cases": cases.iter().map(|(case, _)| case).collect::<Vec<_>>(),
        },
        "host": {
            "hostname": format!("host-{}", run % 50), "os": "Linux", "kernel": "6.1", "arch": "x86_64", "cpu": "CPU",
            "cores": 8, "threads": 16, "memory_bytes": 1u64 << 36,
        },
        "environment": {}, "backends": [],
        "devices": [{
            "id": device, "backend": "cuda", "name": format!("Model {}", run % 20), "vendor": "Maker", "kind": "gpu",
            "driver": format!("driver {}", run % 3), "physical_id": {}, "caps": { "libraries": {}, "memory_bytes": 1u64 << 35 },
        }],
    });
    let mut file = std::io::BufWriter::new(fs::File::create(&path).expect("a file that can be written"));
    let mut line = |value: &Value| writeln!(file, "{value}").expect("room on the disk");
    line(&header);
    for (at, (case, flop)) in cases.iter().enumerate() {
        line(&row(case, *flop, 1.0 + (run * 7 + at * 13) as f64 % 31.0 / 10.0));
    }
    line(&json!({ "type": "end", "status": "complete", "counts": { "ok": rows }, "wall_s": 60.0 }));
    path
}

/// A measured row at `speed` TFLOP/s.
fn row(case: &str, flop: f64, speed: f64) -> Value {
    let (parts, device) = case.rsplit_once('@').expect("a case's name");
    let parts: Vec<&str> = parts.split('/').collect();
    let mut samples: Vec<f64> = (0..31).map(|sample| flop / speed / 1e3 * (1.0 + f64::from(sample * 11 % 31) / 1e3)).collect();
    let ordered = {
        let mut ordered = samples.clone();
        ordered.sort_by(f64::total_cmp);
        ordered
    };
    let median = ordered[15];
    samples.rotate_left(3);
    let bytes = flop / 100.0;
    json!({
        "type": "result", "case": case, "op": parts[0], "dtype": parts[1], "shape": {}, "origin": null, "phase": "ladder",
        "variant": parts[3], "device": device, "status": "ok", "reason": null,
        "verify": { "method": "elementwise", "checked": 4096, "max_error": 1e-4, "bound": 1e-3 },
        "timing": {
            "clock": "device-event", "cache": "warm", "samples_ns": samples, "batch": 4, "warmup_runs": 3, "steady": true,
            "median_ns": median, "ci95_ns": [ordered[9], ordered[21]],
        },
        "work": { "flop": flop, "bytes": bytes },
        "rate": { "flop_per_s": flop / median * 1e9, "bytes_per_s": bytes / median * 1e9 },
        "provenance": {
            "source_sha256": null, "plan": "tiled-128", "seed": 1, "fill": "normal(0,1)",
            "command": format!("accelbench run --device {device} --kernel {} --dtype {} --shape {}", parts[0], parts[1], parts[2]),
        },
    })
}
