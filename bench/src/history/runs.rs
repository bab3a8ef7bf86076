//! The runs of a history.

use super::trend::{SeriesDevice, devices};
use super::{Error, History};
use accelbench_reports::{ResultRow, RunFile};
use rusqlite::{Connection, Row};
use serde::Serialize;
use std::collections::BTreeMap;

/// A kept run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunEntry {
    /// The name of its file: SHA-256 of the content.
    pub sha256: String,
    /// The run's own name.
    pub run_id: String,
    /// When it started: RFC 3339, UTC.
    pub started: String,
    /// The commit of the program, where it knew one.
    pub commit: Option<String>,
    /// Whether the program's sources differed from it.
    pub dirty: Option<bool>,
    /// The program's version.
    pub version: String,
    /// `quick`, `standard` or `full`.
    pub profile: String,
    /// The machine's name on the network.
    pub hostname: Option<String>,
    /// Whether its results are in series; not so where a fuller file of the same run is kept.
    pub current: bool,
    /// Its results.
    pub results: usize,
    /// Those that are ok.
    pub ok: usize,
    /// Those that are wrong, failed, crashed or timed out.
    pub faults: usize,
    /// The devices that it found.
    pub devices: Vec<RunDevice>,
    #[serde(skip)]
    key: i64,
}

/// A device of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunDevice {
    /// Its id in that run.
    pub id: String,
    /// Its name, as the driver states it.
    pub name: String,
    #[serde(skip)]
    key: i64,
}

/// Which runs are of interest.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// The id of a device, its backend, or a part of its name.
    pub device: Option<String>,
    /// The beginning of a commit.
    pub commit: Option<String>,
}

impl History {
    /// The runs that pass a filter, in time order.
    ///
    /// # Errors
    /// [`Error`].
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<RunEntry>, Error> {
        let names = self.index.run(devices)?;
        let mut of_runs = self.index.run(|connection| run_devices(connection, &names))?;
        let mut runs = self.index.run(entries)?;
        for run in &mut runs {
            run.devices = of_runs.remove(&run.key).unwrap_or_default();
        }
        runs.retain(|run| {
            let commit = filter
                .commit
                .as_deref()
                .is_none_or(|start| run.commit.as_deref().is_some_and(|commit| commit.starts_with(start)));
            let device = filter.device.as_deref().is_none_or(|name| {
                run.devices.iter().any(|device| {
                    let known = names.get(&device.key).cloned();
                    known.is_some_and(|known| SeriesDevice { id: device.id.clone(), ..known }.is_called(name))
                })
            });
            commit && device
        });
        Ok(runs)
    }

    /// The run whose file's or own name starts so; none where there is no such run.
    ///
    /// # Errors
    /// [`Error::Unknown`] where it is more than one; [`Error`].
    pub fn find_run(&self, name: &str) -> Result<Option<RunEntry>, Error> {
        let mut runs = self.runs(&RunFilter::default())?;
        runs.retain(|run| run.sha256.starts_with(name) || run.run_id.starts_with(name));
        // Of the files of one run the fullest is meant.
        if runs.iter().any(|run| run.current) && runs.iter().all(|run| run.run_id == runs[0].run_id) {
            runs.retain(|run| run.current || run.sha256 == name);
            runs.truncate(1);
        }
        match runs.len() {
            0 => Ok(None),
            1 => Ok(runs.pop()),
            count => Err(Error::Unknown(format!("{count} runs are called `{name}…`: write more of the name"))),
        }
    }

    /// A kept file.
    ///
    /// # Errors
    /// [`Error::Changed`] where it is no longer what was kept; [`Error`].
    pub fn file(&self, sha256: &str) -> Result<RunFile, Error> {
        self.files.read(sha256)
    }

    /// The result of a case on a device in a kept file.
    pub(super) fn result(&self, sha256: &str, case: &str, device: &SeriesDevice) -> Result<Option<ResultRow>, Error> {
        let id = self.index.run(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT x.label FROM run_devices x JOIN runs r ON r.id = x.run JOIN devices d ON d.id = x.device
                 WHERE r.sha256 = ?1 AND d.backend = ?2 AND d.name = ?3 AND d.identity = ?4",
            )?;
            let identity = device.identity.to_string();
            let mut ids =
                query.query_map([sha256, &device.backend, &device.name, &identity], |row| row.get::<_, String>(0))?;
            ids.next().transpose()
        })?;
        let Some(id) = id else { return Ok(None) };
        let name = format!("{case}@{id}");
        Ok(self.file(sha256)?.results.into_iter().find(|row| row.case == name))
    }
}

fn run_devices(
    connection: &Connection,
    names: &BTreeMap<i64, SeriesDevice>,
) -> rusqlite::Result<BTreeMap<i64, Vec<RunDevice>>> {
    let mut of_runs: BTreeMap<i64, Vec<RunDevice>> = BTreeMap::new();
    let mut query = connection.prepare_cached("SELECT run, label, device FROM run_devices ORDER BY run, label")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let key = row.get(2)?;
        let name = names.get(&key).map(|device| device.name.clone()).unwrap_or_default();
        of_runs.entry(row.get(0)?).or_default().push(RunDevice { id: row.get(1)?, name, key });
    }
    Ok(of_runs)
}

fn entries(connection: &Connection) -> rusqlite::Result<Vec<RunEntry>> {
    let mut query = connection.prepare_cached(
        "SELECT id, sha256, run_id, started, git_commit, git_dirty, version, profile, hostname, current, results, ok,
           faults
         FROM runs ORDER BY started_ns, sha256",
    )?;
    let entry = |row: &Row<'_>| {
        Ok(RunEntry {
            key: row.get(0)?,
            sha256: row.get(1)?,
            run_id: row.get(2)?,
            started: row.get(3)?,
            commit: row.get(4)?,
            dirty: row.get(5)?,
            version: row.get(6)?,
            profile: row.get(7)?,
            hostname: row.get(8)?,
            current: row.get(9)?,
            results: row.get(10)?,
            ok: row.get(11)?,
            faults: row.get(12)?,
            devices: Vec::new(),
        })
    };
    query.query_map([], entry)?.collect()
}
