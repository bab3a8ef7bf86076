//! From a result file to the index's rows.

use super::index::Indexed;
use accelbench_kernels::fill;
use accelbench_reports::{CacheMode, DeviceRow, ResultRow, RunFile, Status};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Puts a file's rows there. Of several files of one run, as of one that was stopped and resumed, the fullest counts,
/// whichever came first.
pub(super) fn insert(connection: &Connection, sha256: &str, file: &RunFile) -> rusqlite::Result<Indexed> {
    let header = &file.header;
    let known = connection.prepare_cached("SELECT 1 FROM runs WHERE sha256 = ?1")?.exists([sha256])?;
    if known {
        return Ok(Indexed::Known);
    }
    let rival: Option<(i64, String, u64, bool)> = connection
        .prepare_cached("SELECT id, sha256, results, ended FROM runs WHERE run_id = ?1 AND current")?
        .query_row([&header.run_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let mine = (file.results.len() as u64, file.end.is_some(), sha256);
    let indexed = match &rival {
        None => Indexed::New,
        Some((_, theirs, results, ended)) if (*results, *ended, theirs.as_str()) > mine => {
            Indexed::Behind(theirs.clone())
        }
        Some((_, theirs, ..)) => Indexed::Instead(theirs.clone()),
    };
    if let (Some((id, ..)), Indexed::Instead(_)) = (&rival, &indexed) {
        remove_results(connection, *id)?;
        connection.prepare_cached("UPDATE runs SET current = 0 WHERE id = ?1")?.execute([id])?;
    }
    let current = !matches!(indexed, Indexed::Behind(_));
    let run = insert_run(connection, sha256, file, current)?;
    if current {
        insert_results(connection, run, file)?;
    }
    Ok(indexed)
}

/// Removes a run's rows, under all names of files that it has.
pub(super) fn forget(connection: &Connection, sha256: &str) -> rusqlite::Result<()> {
    let mut of_run =
        connection.prepare_cached("SELECT id FROM runs WHERE run_id = (SELECT run_id FROM runs WHERE sha256 = ?1)")?;
    let ids: Vec<i64> = of_run.query_map([sha256], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for id in ids {
        remove_results(connection, id)?;
        connection.prepare_cached("DELETE FROM runs WHERE id = ?1")?.execute([id])?;
    }
    Ok(())
}

fn remove_results(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE series SET revision = revision + 1 WHERE id IN (SELECT series FROM results WHERE run = ?1)",
        )?
        .execute([run])?;
    connection.prepare_cached("DELETE FROM results WHERE run = ?1")?.execute([run])?;
    connection.prepare_cached("DELETE FROM run_devices WHERE run = ?1")?.execute([run])?;
    Ok(())
}

fn insert_run(connection: &Connection, sha256: &str, file: &RunFile, current: bool) -> rusqlite::Result<i64> {
    let header = &file.header;
    let ok = file.results.iter().filter(|row| row.status == Status::Ok).count();
    let faults = file.results.iter().filter(|row| row.status.is_fault()).count();
    connection
        .prepare_cached(
            "INSERT INTO runs (sha256, run_id, current, ended, started, started_ns, version, git_commit, git_dirty,
               profile, hostname, results, ok, faults)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            sha256,
            header.run_id,
            current,
            file.end.is_some(),
            header.started,
            nanoseconds(&header.started),
            header.suite.version,
            header.suite.git_commit,
            header.suite.git_dirty,
            header.plan.profile,
            header.host.hostname,
            file.results.len(),
            ok,
            faults,
        ])?;
    Ok(connection.last_insert_rowid())
}

/// Nanoseconds since 1970. Files whose start is no time are not kept.
fn nanoseconds(started: &str) -> i64 {
    let time = started.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_nanosecond);
    i64::try_from(time.unwrap_or_default()).unwrap_or_default()
}

fn insert_results(connection: &Connection, run: i64, file: &RunFile) -> rusqlite::Result<()> {
    let devices = insert_devices(connection, run, file)?;
    let started = nanoseconds(&file.header.started);
    let mut insert = connection.prepare_cached(
        "INSERT INTO results (series, started_ns, run, status, clock, median_ns, ci_low_ns, ci_high_ns, flop_per_s,
           pj_per_flop, fraction)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for row in &file.results {
        // A sound file's rows are of devices in its header.
        let Some((device, driver)) = devices.get(row.device.as_str()) else { continue };
        let series = series(connection, row, *device, driver, file.header.plan.cache)?;
        let timing = row.timing.as_ref();
        let energy = row.energy.as_ref().and_then(|energy| energy.figures.as_ref());
        insert.execute(params![
            series,
            started,
            run,
            row.status.name(),
            timing.map(|timing| &timing.clock),
            timing.map(|timing| timing.median_ns),
            timing.map(|timing| timing.ci95_ns[0]),
            timing.map(|timing| timing.ci95_ns[1]),
            row.rate.map(|rate| rate.flop_per_s),
            energy.map(|figures| figures.pj_per_flop),
            row.ceiling.as_ref().map(|ceiling| ceiling.fraction),
        ])?;
    }
    Ok(())
}

/// The ids and drivers of a run's devices, by the names that the run gave them.
fn insert_devices<'a>(
    connection: &Connection,
    run: i64,
    file: &'a RunFile,
) -> rusqlite::Result<BTreeMap<&'a str, (i64, &'a str)>> {
    let mut ids = BTreeMap::new();
    for (at, device) in file.header.devices.iter().enumerate() {
        let identity = identity(file, at, device);
        connection
            .prepare_cached("INSERT OR IGNORE INTO devices (backend, name, identity) VALUES (?1, ?2, ?3)")?
            .execute(params![device.backend, device.name, identity])?;
        let id: i64 = connection
            .prepare_cached("SELECT id FROM devices WHERE backend = ?1 AND name = ?2 AND identity = ?3")?
            .query_row(params![device.backend, device.name, identity], |row| row.get(0))?;
        connection
            .prepare_cached("INSERT OR IGNORE INTO run_devices (run, label, device) VALUES (?1, ?2, ?3)")?
            .execute(params![run, device.id, id])?;
        ids.insert(device.id.as_str(), (id, device.driver.as_str()));
    }
    Ok(ids)
}

/// What makes a device this one: the chip, as far as the API tells it, and the machine around it. Equal devices of one
/// machine that tell nothing are told apart by their order.
fn identity(file: &RunFile, at: usize, device: &DeviceRow) -> String {
    let alike = |other: &&DeviceRow| {
        (&other.backend, &other.name, &other.driver, &other.physical_id)
            == (&device.backend, &device.name, &device.driver, &device.physical_id)
    };
    let nth = file.header.devices[..at].iter().filter(alike).count();
    let told = device.physical_id.iter().filter(|(_, value)| !value.is_null());
    let physical: Map<String, Value> = told.map(|(name, value)| (name.clone(), value.clone())).collect();
    let host = &file.header.host;
    json!({ "physical": physical, "nth": nth, "cpu": host.cpu, "threads": host.threads }).to_string()
}

/// The series that a row belongs to, with its change noted.
fn series(
    connection: &Connection,
    row: &ResultRow,
    device: i64,
    driver: &str,
    cache: CacheMode,
) -> rusqlite::Result<i64> {
    let case = row.case.rsplit_once('@').map_or(row.case.as_str(), |(case, _)| case);
    let fill = row.provenance.as_ref().map_or(fill::Fill::Normal.name(), |provenance| provenance.fill.as_str());
    let cache = match cache {
        CacheMode::Warm => "warm",
        CacheMode::Cold => "cold",
    };
    connection.prepare_cached("INSERT OR IGNORE INTO cases (name) VALUES (?1)")?.execute([case])?;
    connection
        .prepare_cached(
            "INSERT INTO series (case_id, device, driver, cache, fill)
             VALUES ((SELECT id FROM cases WHERE name = ?1), ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET revision = revision + 1
             RETURNING id",
        )?
        .query_row(params![case, device, driver, cache, fill], |row| row.get(0))
}
