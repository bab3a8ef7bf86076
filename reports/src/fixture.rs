//! Small runs for tests, with figures that can be worked out by hand.

use crate::report::Builder;
use crate::{Report, RunFile};
use serde_json::{Value, json};
use std::path::Path;

/// A run's lines, to be changed before they are read.
#[derive(Clone)]
pub(crate) struct Fixture {
    pub(crate) header: Value,
    pub(crate) lines: Vec<Value>,
}

/// A measured row: its case, and the low end, the median and the high end of its time in nanoseconds.
pub(crate) fn row(case: &str, clock: &str, [low, median, high]: [f64; 3]) -> Value {
    let mut row = missing(case, "ok", "");
    let (flop, bytes) = (2e6, 1e5);
    row["reason"] = Value::Null;
    row["verify"] = json!({ "method": "elementwise", "checked": 16, "max_error": 0.5, "bound": 1.0 });
    row["timing"] = json!({
        "clock": clock, "cache": "warm", "samples_ns": [low, median, high], "batch": 1, "warmup_runs": 1,
        "steady": true, "median_ns": median, "ci95_ns": [low, high],
    });
    row["work"] = json!({ "flop": flop, "bytes": bytes });
    row["rate"] = json!({ "flop_per_s": flop / median * 1e9, "bytes_per_s": bytes / median * 1e9 });
    row
}

/// A row without figures.
pub(crate) fn missing(case: &str, status: &str, reason: &str) -> Value {
    let (path, device) = case.rsplit_once('@').unwrap();
    let parts: Vec<&str> = path.split('/').collect();
    json!({
        "type": "result", "case": case, "op": parts[0], "dtype": parts[1], "shape": {}, "variant": parts[3],
        "device": device, "status": status, "reason": reason,
        "provenance": {
            "source_sha256": null, "plan": parts[3], "seed": 1, "fill": "normal(0,1)",
            "command": format!("accelbench run {} --device {device}", parts[0]),
        },
    })
}

/// Energy of 2 MFLOP, which is what each row computes, in pJ/FLOP and with a combined uncertainty.
pub(crate) fn energy(pj_per_flop: f64, combined: f64, scope: &str) -> Value {
    let joules = pj_per_flop * 1e-12 * 2e6;
    json!({
        "status": "measured", "reason": null,
        "meter": {
            "id": "meter 0", "source": "a formula", "kind": "counter", "scope": scope, "tick_s": 0.1,
            "read_cost_s": 0.001, "accuracy": 0.03, "accuracy_source": "its formula",
        },
        "figures": {
            "joules_per_run": joules, "dynamic_joules_per_run": null, "pj_per_flop": pj_per_flop,
            "flop_per_s_per_w": 2e6 / joules, "mean_power_w": 100.0, "seconds_per_run": joules / 100.0,
            "energy_delay_js": joules * joules / 100.0, "repeatability": combined, "absolute": 0.0,
            "combined": combined, "windows": [{ "seconds": joules * 10.0, "runs": 1000.0, "joules": joules * 1000.0,
            "counter_to_integral": null }], "cold_idle_w": null, "warm_idle_w": null, "mean_clock_mhz": null,
            "temperature_c": null, "power_limit_w": 250.0,
        },
    })
}

/// A device.
pub(crate) fn device(id: &str, name: &str) -> Value {
    json!({
        "id": id, "backend": id.split(':').next(), "name": name, "vendor": "Maker", "kind": "gpu", "driver": "driver 1.0",
        "physical_id": {}, "caps": { "libraries": { "gemm": ["lib"] }, "clock_mhz": 1500, "memory_bytes": 1024 },
    })
}

/// A file of these lines.
pub(crate) fn file<'a>(lines: impl IntoIterator<Item = &'a Value>) -> String {
    lines.into_iter().fold(String::new(), |text, line| text + &line.to_string() + "\n")
}

impl Fixture {
    /// A run of devices without rows.
    pub(crate) fn new(run_id: &str, devices: &[Value]) -> Self {
        let header = json!({
            "type": "run", "schema": "accelbench.run/1", "run_id": run_id, "started": "2026-01-01T00:00:00Z",
            "argv": ["accelbench", "all"], "suite": { "version": "0.1.0", "git_commit": null, "git_dirty": null },
            "plan": {
                "profile": "quick", "cache": "warm", "seed": 1, "timeout_s": 60.0, "budget_s": null,
                "case_limit_s": null, "plan": null, "cases": [],
            },
            "host": {
                "hostname": run_id, "os": "Linux", "kernel": "6.1", "arch": "x86_64", "cpu": "CPU", "cores": 2,
                "threads": 2, "memory_bytes": 1024,
            },
            "environment": {}, "backends": [], "devices": devices,
        });
        Self { header, lines: Vec::new() }
    }

    /// The same with a line more.
    pub(crate) fn with(mut self, line: Value) -> Self {
        self.lines.push(line);
        self
    }

    /// The file's text.
    pub(crate) fn text(&self) -> String {
        let end = json!({ "type": "end", "status": "complete", "counts": {}, "wall_s": 1.0 });
        file([&self.header].into_iter().chain(&self.lines).chain([&end]))
    }

    /// The file's content.
    pub(crate) fn read(&self) -> RunFile {
        RunFile::parse(Path::new("run.jsonl"), self.text().as_bytes()).unwrap()
    }
}

/// A report of runs.
pub(crate) fn report(runs: &[Fixture], anonymous: bool) -> Report {
    let mut builder = Builder::new(None);
    for (index, run) in runs.iter().enumerate() {
        builder.add(&format!("run-{index}.jsonl"), Some("00"), &run.read());
    }
    builder.finish(anonymous)
}

/// A run with a line of every sort, for what must hold of any file.
pub(crate) fn of_every_sort() -> Fixture {
    let verify = json!({ "method": "elementwise", "checked": 1, "max_error": 0.0, "bound": 1.0 });
    let point = |set: u64, rate: f64| json!({ "kernel": "triad", "dtype": "f64", "working_set_bytes": set, "bytes_per_s": rate, "plan": "stream-4", "verify": verify });
    let ceilings = json!({
        "type": "ceilings", "device": "opencl:0", "probed": "2026-01-01T00:00:00Z", "profile": "quick",
        "peaks": [{ "dtype": "f32", "unit": "vector", "flop_per_s": 1e12, "plan": "fma", "verify": verify }],
        "memory": [point(1 << 27, 1e11)], "sweep": [point(1 << 14, 4e11), point(1 << 20, 2e11)],
        "transfers": [{ "direction": "to_device", "memory": "pinned", "bytes": 1024, "bytes_per_s": 1e10, "clock": "host-wall" }],
        "latency": { "smallest_upload_ns": 1e4, "smallest_download_ns": null, "launch_round_trip_ns": 2e4, "sustained_launches_per_s": 1e5 },
        "theoretical": [{ "quantity": "compute", "dtype": "f32", "unit": "vector", "value": 2e12, "clock_mhz": 1500.0, "clock_source": "measured", "source": "a document" }],
        "missing": [{ "what": "peak vector f16", "reason": "the device does not compute in f16" }],
    });
    let mut library = row("gemm/f16/64x64x64/lib@opencl:0", "device-event", [9.0, 10.0, 12.0]);
    library["phase"] = "ladder".into();
    library["energy"] = energy(100.0, 0.1, "board");
    let mut kernel = row("gemm/f16/64x64x64/tiled@opencl:0", "device-event", [18.0, 20.0, 27.0]);
    kernel["energy"] = json!({ "status": "unavailable", "reason": "no meter", "tried": ["one", "another"] });
    let mut estimated = row("gemm/f16/64x64x64/tiled@cuda:0", "device-event", [5.0, 6.0, 7.0]);
    estimated["energy"] = json!({
        "status": "estimated_ceiling", "reason": "rated power", "estimate": { "rated_power_w": 300.0, "joules_per_run": 1e-3 },
    });
    Fixture::new("run-1", &[device("opencl:0", "Device One"), device("cuda:0", "Device Two")])
        .with(ceilings)
        .with(library)
        .with(kernel)
        .with(estimated)
        .with(row("gemm/f16/128x128x128/tiled@opencl:0", "device-event", [9.0, 10.0, 12.0]))
        .with(row("gemm/f32/64x64x64/tiled@opencl:0", "host-wall", [9.0, 10.0, 12.0]))
        .with(missing("gemm/f16/128x128x128/tiled@cuda:0", "failed", "out of memory"))
        .with(missing("gemm/f64/64x64x64/none@cuda:0", "unsupported", "no f64"))
        .with(missing("attention/f16/1x8x8-64x64x64/tiled@cuda:0", "skipped", "no time was left"))
}
