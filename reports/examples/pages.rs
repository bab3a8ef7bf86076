//! Writes the pages that the browser tests open: of the published runs in both languages, of runs that try to run
//! scripts, of runs with energy, of 20 devices, of trends, and a site's.
//!
//! `cargo run -p accelbench-reports --example pages -- FOLDER`

mod made_up;

use accelbench_reports::text::Lang;
use accelbench_reports::trends::{self, Series, Trends};
use accelbench_reports::{EnergyPoint, Format, LoadOptions, energy_roofline, load, site};
use made_up::{device, row};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const DAY: &str = "2026-01-01T00:00:00Z";

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("name a folder"));
    let runs = folder.join("runs");
    fs::create_dir_all(&runs).expect("a folder that can be written");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("published/data");
    let mut real: Vec<PathBuf> =
        fs::read_dir(data).expect("the published runs").filter_map(|entry| Some(entry.ok()?.path())).collect();
    real.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    real.sort();
    page(&folder, "real", &real, Lang::En);
    page(&folder, "real-zh", &real, Lang::Zh);
    page(&folder, "hostile", &[hostile(&runs)], Lang::En);
    page(&folder, "energy", &[energy(&runs)], Lang::En);
    page(&folder, "many", &many(&runs), Lang::En);
    fs::write(folder.join("trends.html"), trends().html(Lang::En)).expect("room on the disk");
    let all: Vec<PathBuf> = real.into_iter().chain(many(&runs)).collect();
    site::publish(&all, &folder.join("site"), Lang::En, &LoadOptions::default()).expect("a site");
}

fn page(folder: &Path, name: &str, runs: &[PathBuf], lang: Lang) {
    let report = load(runs, &LoadOptions { strict: true, ..LoadOptions::default() }).expect("sound runs");
    let mut page = Vec::new();
    Format::Html.write(&report, lang, &mut page).expect("a page");
    fs::write(folder.join(format!("{name}.html")), page).expect("room on the disk");
}

/// Series with a step, a failure and a drift, and one whose texts would act.
fn trends() -> Trends {
    let series = |name: &str, values: Vec<Option<f64>>, level: f64, changes: Vec<trends::Change>, drift| Series {
        name: name.to_owned(),
        device: "A device with a name of usual length".to_owned(),
        driver: "1.2.3".to_owned(),
        level,
        points: values
            .into_iter()
            .enumerate()
            .map(|(at, value)| trends::Point {
                started: format!("2026-02-{:02}T10:00:00Z", at + 1),
                commit: Some(format!("{at:040x}")),
                value,
                interval: value.map(|value| [0.995 * value, 1.004 * value]),
            })
            .collect(),
        changes,
        drift,
        follows: None,
    };
    let step = trends::Change { at: Some(12), level_before: 1e6, level_after: 1.06e6, p: 0.0005, gradual: false };
    let stepped = (0..25).map(|at| (at != 9).then_some(if at < 12 { 1e6 } else { 1.06e6 } + 1e3 * f64::from(at % 3)));
    let drifting = (0..25).map(|at| Some(2e6 * (1.0 + 0.001 * f64::from(at))));
    let drift = trends::Drift { runs: 25, ratio: 1.025, p: 0.001 };
    Trends {
        metric: trends::Metric::Time,
        series: vec![
            series("gemm/f32/1024x1024x1024/tiled@opencl:0", stepped.collect(), 1.06e6, vec![step], None),
            series(
                "attention/f16/1x8x8-2048x2048x128/packed@opencl:0",
                drifting.collect(),
                2.02e6,
                vec![],
                Some(drift),
            ),
            series("<script>globalThis.pwned = true</script>", vec![Some(1e6)], 1e6, vec![], None),
        ],
        left_out: 2,
    }
}

/// GEMM of some sizes at about `speed` TFLOP/s.
fn gemm(id: &str, dtype: &str, speed: f64) -> Vec<Value> {
    let of = |size: usize| {
        row(
            &format!("gemm/{dtype}/{size}x{size}x{size}/tiled@{id}"),
            2.0 * (size as f64).powi(3),
            speed * (1.0 + 1e-4 * size as f64),
        )
    };
    [256, 512, 1024, 2048].map(of).into()
}

/// Names and reasons that would act if they were taken for mark-up, and letters that change what stands around them.
fn hostile(folder: &Path) -> PathBuf {
    let texts = [
        "<script>globalThis.pwned = true</script>",
        "\"><img src=x onerror=\"globalThis.pwned = true\">",
        "'--></style></title><svg onload=globalThis.pwned=1>\u{202e}\u{0}\u{200b}",
        "javascript:globalThis.pwned=1",
    ];
    let long = "x".repeat(1 << 20);
    let mut rows: Vec<Value> = Vec::new();
    let mut devices = Vec::new();
    for (at, text) in texts.into_iter().chain([long.as_str()]).enumerate() {
        let id = format!("opencl:{at}");
        let mut made = device(&id, text, text);
        made["vendor"] = text.into();
        devices.push(made);
        rows.extend(gemm(&id, "f32", 1.0 + at as f64));
        let mut failed = row(&format!("gemm/f16/64x64x64/tiled@{id}"), 1e6, 1.0);
        for field in ["timing", "work", "rate", "verify"] {
            failed[field] = Value::Null;
        }
        failed["status"] = "failed".into();
        failed["reason"] = text.into();
        failed["provenance"]["command"] = text.into();
        rows.push(failed);
    }
    made_up::write(folder, "hostile", DAY, &devices, &rows)
}

/// Two devices behind meters.
fn energy(folder: &Path) -> PathBuf {
    let devices = [device("cuda:0", "Model One", "driver 1"), device("cuda:1", "Model Two", "driver 1")];
    let mut rows = vec![ceilings("cuda:0")];
    for (id, speed, watts) in [("cuda:0", 10.0, 300.0), ("cuda:1", 14.0, 500.0)] {
        for dtype in ["f32", "f16"] {
            for mut row in gemm(id, dtype, speed) {
                row["energy"] = measured(&row, watts);
                rows.push(row);
            }
        }
    }
    made_up::write(folder, "energy", DAY, &devices, &rows)
}

/// Probes of energy that lie on a roofline of 20 pJ/FLOP, 200 pJ/byte and 60 W, and the fit of them.
fn ceilings(device: &str) -> Value {
    let point = |kernel: &str, flop_per_byte: f64| {
        let bytes = 1e9;
        let flop = bytes * flop_per_byte;
        let seconds = (flop / 10e12_f64).max(bytes / 1e12);
        let joules = flop * 20e-12 + bytes * 200e-12 + 60.0 * seconds;
        let mut row = row(&format!("gemm/f32/1x1x1/tiled@{device}"), flop, flop / seconds / 1e12);
        row["timing"]["median_ns"] = (seconds * 1e9).into();
        row["work"]["bytes"] = bytes.into();
        json!({
            "kernel": kernel, "dtype": "f32", "plan": "made-up", "mode": "quick", "work": row["work"],
            "pj_per_byte": (flop_per_byte < 1.0).then_some(joules / bytes * 1e12), "energy": measured(&row, joules / seconds),
        })
    };
    let points: Vec<Value> = [("mul", 0.125), ("triad", 0.25), ("fma-32", 8.0), ("fma-128", 32.0), ("fma-256", 64.0)]
        .map(|(kernel, intensity)| point(kernel, intensity))
        .into();
    let read: Vec<EnergyPoint> = serde_json::from_value(points.clone().into()).expect("points");
    let roofline = energy_roofline::of(&read).expect("points on both sides of the ridge");
    json!({
        "type": "ceilings", "device": device, "probed": DAY, "profile": "quick", "peaks": [], "memory": [], "sweep": [],
        "transfers": [], "theoretical": [], "missing": [],
        "latency": { "smallest_upload_ns": null, "smallest_download_ns": null, "launch_round_trip_ns": null, "sustained_launches_per_s": null },
        "energy": { "status": "measured", "reason": null, "points": points, "roofline": roofline },
    })
}

/// The energy of a row at a steady power.
fn measured(row: &Value, watts: f64) -> Value {
    let figure = |of: &str, name: &str| row[of][name].as_f64().expect("a measured row");
    let (flop, seconds) = (figure("work", "flop"), figure("timing", "median_ns") * 1e-9);
    let joules = watts * seconds;
    let window = json!({ "seconds": 2.0, "runs": 2.0 / seconds, "joules": 2.0 * watts, "counter_to_integral": null });
    json!({
        "status": "measured", "reason": null,
        "meter": {
            "id": "meter 0", "source": "made up", "kind": "counter", "scope": "board", "tick_s": 0.1, "read_cost_s": 0.001,
            "accuracy": 0.03, "accuracy_source": "made up",
        },
        "figures": {
            "joules_per_run": joules, "dynamic_joules_per_run": null, "pj_per_flop": joules / flop * 1e12,
            "flop_per_s_per_w": flop / joules, "mean_power_w": watts, "seconds_per_run": seconds,
            "energy_delay_js": joules * seconds, "repeatability": 0.01, "absolute": 0.03, "combined": 0.01_f64.hypot(0.03),
            "windows": [window, window, window], "cold_idle_w": null, "warm_idle_w": null, "mean_clock_mhz": null,
            "temperature_c": null, "power_limit_w": null,
        },
    })
}

/// 20 devices with 300 rows each.
fn many(folder: &Path) -> Vec<PathBuf> {
    let run = |at: usize| {
        let id = "cuda:0";
        let rows: Vec<Value> = (0..300)
            .map(|row| {
                let (op, dtype) =
                    (["gemm", "conv2d", "attention"][row % 3], ["f64", "f32", "f16", "f16-acc16"][row / 3 % 4]);
                let size = 64 * (row / 12 + 1);
                let case = format!("{op}/{dtype}/{size}x{size}x{size}/tiled@{id}");
                made_up::row(&case, 2.0 * (size as f64).powi(3), 1.0 + (at * 7 + row * 13) as f64 % 31.0 / 10.0)
            })
            .collect();
        made_up::write(folder, &format!("many-{at:02}"), DAY, &[device(id, &format!("Model {at}"), "driver 1")], &rows)
    };
    (0..20).map(run).collect()
}
