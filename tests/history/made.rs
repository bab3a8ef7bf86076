//! Result files as a run would have made them, with times that a test chooses.

use accelbench_reports::{
    CacheMode, DeviceRow, End, EndStatus, Host, Line, Plan, Provenance, Rate, ResultRow, RunHeader, SCHEMA, Status,
    Suite, Timing, Verify, Work, check,
};
use std::collections::BTreeMap;

/// A run: its place in time, and what it says of each of its cases.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) nth: usize,
    pub(super) commit: String,
    pub(super) driver: String,
    /// Nanoseconds by case; none for a case that crashed.
    pub(super) times: Vec<Option<f64>>,
    /// Cases that there are rows of: fewer where the run was stopped.
    pub(super) measured: usize,
}

impl Run {
    pub(super) fn new(nth: usize, times: &[Option<f64>]) -> Self {
        Self {
            nth,
            commit: Self::commit(nth),
            driver: "driver 1".to_owned(),
            times: times.to_vec(),
            measured: times.len(),
        }
    }

    /// The commit of a run.
    pub(super) fn commit(nth: usize) -> String {
        format!("{nth:08x}{:032x}", 0)
    }

    /// The case's name without its device.
    pub(super) fn case(index: usize) -> String {
        format!("gemm/f32/{0}x{0}x{0}/tiled", 8 + index)
    }

    /// The file's text.
    pub(super) fn text(&self) -> String {
        let results: Vec<ResultRow> = (0..self.measured).map(|index| self.row(index)).collect();
        let complete = self.measured == self.times.len();
        let end = End {
            status: if complete { EndStatus::Complete } else { EndStatus::Interrupted },
            counts: check::counts(&results),
            wall_s: 1.0,
        };
        let lines = [Line::Run(Box::new(self.header()))]
            .into_iter()
            .chain(results.into_iter().map(|row| Line::Result(Box::new(row))))
            .chain([Line::End(end)]);
        lines.map(|line| serde_json::to_string(&line).unwrap() + "\n").collect()
    }

    fn header(&self) -> RunHeader {
        let (hours, minutes) = (self.nth / 60, self.nth % 60);
        RunHeader {
            schema: SCHEMA.to_owned(),
            run_id: format!("run-{}-{}", self.nth, self.driver),
            started: format!("2026-01-{:02}T{:02}:{minutes:02}:00Z", 1 + hours / 24, hours % 24),
            argv: vec!["accelbench".to_owned(), "all".to_owned()],
            suite: Suite { version: "0.1.0".to_owned(), git_commit: Some(self.commit.clone()), git_dirty: Some(false) },
            plan: Plan {
                profile: "quick".to_owned(),
                cache: CacheMode::Warm,
                seed: 1,
                fill: None,
                timeout_s: 60.0,
                budget_s: None,
                case_limit_s: None,
                plan: None,
                energy: None,
                rated_power_w: BTreeMap::new(),
                cases: (0..self.times.len()).map(|index| Self::case(index) + "@host:0").collect(),
            },
            host: Host {
                hostname: Some("made".to_owned()),
                os: None,
                kernel: None,
                arch: "x".to_owned(),
                cpu: "a processor".to_owned(),
                cores: Some(2),
                threads: 2,
                memory_bytes: 1 << 30,
            },
            environment: BTreeMap::new(),
            backends: Vec::new(),
            devices: vec![DeviceRow {
                id: "host:0".to_owned(),
                backend: "host".to_owned(),
                name: "a processor".to_owned(),
                vendor: "a maker".to_owned(),
                kind: "cpu".to_owned(),
                driver: self.driver.clone(),
                physical_id: serde_json::Map::new(),
                caps: serde_json::Map::new(),
                power_limit_w: None,
                clock_policy: None,
            }],
        }
    }

    fn row(&self, index: usize) -> ResultRow {
        let time = self.times[index];
        let work = Work { flop: 1e6, bytes: 1e3 };
        let case = Self::case(index);
        ResultRow {
            op: "gemm".to_owned(),
            dtype: "f32".to_owned(),
            shape: serde_json::Map::new(),
            origin: None,
            phase: None,
            variant: "tiled".to_owned(),
            device: "host:0".to_owned(),
            status: if time.is_some() { Status::Ok } else { Status::Crashed },
            reason: time.is_none().then(|| "the worker died".to_owned()),
            verify: time.map(|_| Verify {
                method: "elementwise".to_owned(),
                checked: 64,
                max_error: Some(0.0),
                bound: 1e-6,
            }),
            timing: time.map(|ns| Timing {
                clock: "host-wall".to_owned(),
                cache: CacheMode::Warm,
                samples_ns: vec![ns],
                batch: 1,
                warmup_runs: 1,
                steady: true,
                median_ns: ns,
                ci95_ns: [ns, ns],
            }),
            work: Some(work),
            rate: time.map(|ns| Rate { flop_per_s: work.flop / ns * 1e9, bytes_per_s: work.bytes / ns * 1e9 }),
            ceiling: None,
            energy: None,
            provenance: Some(Provenance {
                source_sha256: None,
                plan: None,
                plan_source: None,
                algorithm: None,
                seed: 1,
                fill: "normal(0,1)".to_owned(),
                command: format!("accelbench run gemm:m={0},n={0},k={0} --device host:0", 8 + index),
            }),
            case: case + "@host:0",
        }
    }
}
