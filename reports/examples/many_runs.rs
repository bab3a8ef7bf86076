//! Makes many runs with made-up figures, a report of them and a site, and says how long each takes.
//!
//! `cargo run --release -p accelbench-reports --example many_runs -- FOLDER [RUNS] [ROWS]`; by default 1000 runs of 300
//! rows, on 20 kinds of device. The limits: 10 s and 1 GiB for each.

mod made_up;

use accelbench_reports::text::Lang;
use accelbench_reports::{Format, LoadOptions, load, site};
use serde_json::Value;
use std::fs;
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
    let id = format!("cuda:{}", run % 2);
    let device = made_up::device(&id, &format!("Model {}", run % 20), &format!("driver {}", run % 3));
    let row = |at: usize| {
        let size = 64 * (at / 12 + 1);
        let case = format!("{}/{}/{size}x{size}x{size}/tiled@{id}", OPS[at % 3], DTYPES[at / 3 % 4]);
        made_up::row(&case, 2.0 * (size as f64).powi(3), 1.0 + (run * 7 + at * 13) as f64 % 31.0 / 10.0)
    };
    let rows: Vec<Value> = (0..rows).map(row).collect();
    let started = format!("2026-{:02}-{:02}T00:00:00Z", run / 28 % 12 + 1, run % 28 + 1);
    made_up::write(&folder.join("runs"), &format!("run-{run:04}"), &started, &[device], &rows)
}
