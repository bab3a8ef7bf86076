//! `accelbench history`: what is kept stays, the index is only an index, and changes are found.

mod broken;
mod kept;
mod made;
mod trends;
mod writers;

use accelbench_tests::program::{Program, Ran};
use made::Run;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::path::PathBuf;

/// The program with a history of its own.
struct Kept(Program);

impl Kept {
    fn new() -> Self {
        let program = Program::new(env!("CARGO_BIN_EXE_accelbench-builtin"));
        let folder = program.at("history");
        Self(program.with("ACCELBENCH_HISTORY", &folder))
    }

    fn index(&self) -> PathBuf {
        self.0.path("history/index.sqlite")
    }

    fn write(&self, name: &str, run: &Run) -> String {
        std::fs::write(self.0.path(name), run.text()).unwrap();
        name.to_owned()
    }

    /// Runs a command that must go well.
    fn run(&self, arguments: &[&str]) -> Ran {
        let ran = self.0.run(&[&["history"], arguments].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{arguments:?}: {ran:?}");
        ran
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[arguments, &["--json"]].concat()).stdout).unwrap()
    }

    fn add(&self, runs: impl IntoIterator<Item = Run>) {
        let files: Vec<String> = runs
            .into_iter()
            .enumerate()
            .map(|(at, run)| self.write(&format!("{at}-{}.jsonl", run.nth), &run))
            .collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        self.run(&[&["add"], &files[..]].concat());
    }

    /// All that the index says, without its own keys, which depend on the order of writers.
    fn dump(&self) -> Vec<Vec<Sql>> {
        let connection = Connection::open_with_flags(self.index(), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        let mut rows = Vec::new();
        for query in [
            "SELECT sha256, run_id, current, ended, started, started_ns, version, git_commit, git_dirty, profile,
               hostname, results, ok, faults FROM runs ORDER BY sha256",
            "SELECT r.sha256, x.label, d.backend, d.name, d.identity
             FROM run_devices x JOIN runs r ON r.id = x.run JOIN devices d ON d.id = x.device
             ORDER BY r.sha256, x.label",
            "SELECT c.name, d.name, d.identity, s.driver, s.cache, s.fill, r.sha256, x.started_ns, x.status, x.clock,
               x.median_ns, x.ci_low_ns, x.ci_high_ns, x.flop_per_s, x.pj_per_flop, x.fraction
             FROM results x JOIN runs r ON r.id = x.run JOIN series s ON s.id = x.series
               JOIN cases c ON c.id = s.case_id JOIN devices d ON d.id = s.device
             ORDER BY c.name, d.name, d.identity, s.driver, s.cache, s.fill, r.sha256",
            "SELECT c.name, s.driver, s.cache, s.fill, a.metric, a.found, a.revision = s.revision
             FROM analyses a JOIN series s ON s.id = a.series JOIN cases c ON c.id = s.case_id
             ORDER BY c.name, s.driver, s.cache, s.fill, a.metric",
        ] {
            let mut query = connection.prepare(query).unwrap();
            let columns = query.column_count();
            let mut found = query.query([]).unwrap();
            while let Some(row) = found.next().unwrap() {
                rows.push((0..columns).map(|column| row.get(column).unwrap()).collect());
            }
        }
        rows
    }

    /// The number of results in the index.
    fn results(&self) -> usize {
        let connection = Connection::open_with_flags(self.index(), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        connection.query_row("SELECT COUNT(*) FROM results", [], |row| row.get::<_, i64>(0)).unwrap() as usize
    }

    /// The kept files.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path("history/runs")).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A time about a level, with half a percent of noise that is the same everywhere.
fn about(level: f64, nth: usize) -> f64 {
    // The finaliser of SplitMix64.
    let mut bits = (nth as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    let uniform = ((bits ^ bits >> 31) >> 11) as f64 / (1u64 << 53) as f64;
    level * (0.995 + 0.01 * uniform)
}
