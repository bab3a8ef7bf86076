//! Runs with made-up figures that keep every promise of a result file.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A device.
pub(crate) fn device(id: &str, name: &str, driver: &str) -> Value {
    json!({
        "id": id, "backend": id.split(':').next(), "name": name, "vendor": "Maker", "kind": "gpu", "driver": driver,
        "physical_id": {}, "caps": { "libraries": { "gemm": ["lib"] }, "memory_bytes": 1u64 << 35 },
    })
}

/// Writes a run of these devices and rows as `NAME.jsonl`.
pub(crate) fn write(folder: &Path, name: &str, started: &str, devices: &[Value], rows: &[Value]) -> PathBuf {
    let cases: Vec<&Value> = rows.iter().filter_map(|row| row.get("case")).collect();
    let header = json!({
        "type": "run", "schema": "accelbench.run/1", "run_id": name, "started": started, "argv": ["accelbench", "all"],
        "suite": { "version": "0.1.0", "git_commit": null, "git_dirty": null },
        "plan": {
            "profile": "standard", "cache": "warm", "seed": 1, "timeout_s": 60.0, "budget_s": null, "case_limit_s": null,
            "plan": null, "cases": cases,
        },
        "host": {
            "hostname": format!("host of {name}"), "os": "Linux", "kernel": "6.1", "arch": "x86_64", "cpu": "CPU",
            "cores": 8, "threads": 16, "memory_bytes": 1u64 << 36,
        },
        "environment": {}, "backends": [], "devices": devices,
    });
    let end = json!({ "type": "end", "status": "complete", "counts": { "ok": cases.len() }, "wall_s": 60.0 });
    let lines: Vec<String> = [&header].into_iter().chain(rows).chain([&end]).map(Value::to_string).collect();
    let path = folder.join(format!("{name}.jsonl"));
    std::fs::write(&path, lines.join("\n") + "\n").expect("a file that can be written");
    path
}

/// A measured row at `speed` TFLOP/s.
pub(crate) fn row(case: &str, flop: f64, speed: f64) -> Value {
    let (parts, device) = case.rsplit_once('@').expect("a case's name");
    let parts: Vec<&str> = parts.split('/').collect();
    let mut samples: Vec<f64> =
        (0..31).map(|sample| flop / speed / 1e3 * (1.0 + f64::from(sample * 11 % 31) / 1e3)).collect();
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
