//! How values change over time: a series for each case, device and environment.

use super::analysis::{Analysis, Point, RunRef};
use super::{Error, History, Metric};
use accelbench_reports::Status;
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// So many of the last results of a series are looked at.
pub const WINDOW: usize = 200;

/// Which series are of interest.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Part of a case's name, or all of it with `*` and `?`; behind an `@` a device.
    pub case: Option<String>,
    /// The id of a device in its last run, its backend, or a part of its name.
    pub device: Option<String>,
}

/// A device, as series name it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeriesDevice {
    /// Its id in the last run that had it.
    pub id: String,
    /// The backend that reaches it.
    pub backend: String,
    /// Its name, as the driver states it.
    pub name: String,
    /// Which chip and which machine.
    pub identity: Value,
}

/// A series, and what was found in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trend {
    /// `op/dtype/shape/variant`.
    pub case: String,
    /// The device.
    pub device: SeriesDevice,
    /// Its driver: another one starts another series.
    pub driver: String,
    /// What the caches held.
    pub cache: String,
    /// How the inputs are made.
    pub fill: String,
    /// What is followed.
    pub metric: Metric,
    /// Its unit.
    pub unit: &'static str,
    /// What was found.
    #[serde(flatten)]
    pub found: Analysis,
    /// The series that this one goes on from, with another driver.
    pub follows: Option<Follows>,
    /// The last results, in time order, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<Point>,
    #[serde(skip)]
    series: i64,
}

/// What a change of the driver did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Follows {
    /// The driver before.
    pub driver: String,
    /// When it was last run with.
    pub until: String,
    /// The median of this series divided by that one's last level.
    pub ratio: f64,
}

/// A series as the index has it.
struct Stored {
    id: i64,
    case: String,
    device: i64,
    driver: String,
    cache: String,
    fill: String,
    revision: i64,
    /// What was found in it when it was as it is now.
    found: Option<Vec<Analysis>>,
}

impl Trend {
    /// `op/dtype/shape/variant@device`.
    pub fn name(&self) -> String {
        format!("{}@{}", self.case, self.device.id)
    }
}

impl Selection {
    /// The pattern of the case's name, as SQLite's GLOB takes it, and the device's name behind an `@`.
    fn parts(&self) -> (Option<String>, Vec<&str>) {
        let (case, behind) = match self.case.as_deref().map(|text| text.rsplit_once('@').ok_or(text)) {
            None => (None, None),
            Some(Ok((case, device))) => (Some(case), Some(device)),
            Some(Err(case)) => (Some(case), None),
        };
        let glob = case.filter(|case| !case.is_empty()).map(|case| {
            // A bracket is a character like any other here.
            let literal = case.replace('[', "[[]");
            if case.contains(['*', '?']) { literal } else { format!("*{literal}*") }
        });
        (glob, behind.into_iter().chain(self.device.as_deref()).collect())
    }
}

impl SeriesDevice {
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.id == name || self.backend == name || self.name.to_lowercase().contains(&name.to_lowercase())
    }
}

impl History {
    /// The series of a selection, the ones that changed most first, without their points.
    ///
    /// # Errors
    /// [`Error`], and [`Error::Unknown`] where no series fits.
    pub fn trends(&mut self, selection: &Selection, metric: Metric) -> Result<Vec<Trend>, Error> {
        let (glob, names) = selection.parts();
        let devices = self.index.run(devices)?;
        let mut stored = self.index.run(|connection| stored(connection, metric, glob.as_deref()))?;
        stored.retain(|series| {
            devices.get(&series.device).is_some_and(|device| names.iter().all(|name| device.is_called(name)))
        });
        if stored.is_empty() {
            return Err(Error::Unknown(unknown(selection)));
        }
        self.complete(&mut stored, metric)?;
        let mut trends = Vec::new();
        for series in stored {
            let Some(device) = devices.get(&series.device) else { continue };
            trends.extend(series.found.into_iter().flatten().map(|found| Trend {
                case: series.case.clone(),
                device: device.clone(),
                driver: series.driver.clone(),
                cache: series.cache.clone(),
                fill: series.fill.clone(),
                metric,
                unit: metric.unit(&series.case),
                found,
                follows: None,
                points: Vec::new(),
                series: series.id,
            }));
        }
        follow(&mut trends);
        // Weights are never negative, so that their bits are in their order.
        trends.sort_by_cached_key(|trend| {
            (Reverse(trend.found.weight().to_bits()), trend.name(), trend.found.first_started.clone())
        });
        Ok(trends)
    }

    /// Adds to a series its last results.
    ///
    /// # Errors
    /// [`Error`].
    pub fn add_points(&self, trend: &mut Trend) -> Result<(), Error> {
        let all = self.index.run(|connection| points(connection, trend.series, trend.metric))?;
        trend.points = of_clock(all, trend.found.clock.as_deref());
        Ok(())
    }

    /// Analyses every series that changed since it was last analysed.
    ///
    /// # Errors
    /// [`Error`].
    pub fn analyse(&mut self) -> Result<(), Error> {
        let mut stored = self.index.run(|connection| stored(connection, Metric::Time, None))?;
        self.complete(&mut stored, Metric::Time)
    }

    /// Analyses those that are not yet, and keeps what was found, unless another program is writing: then it is found
    /// again the next time.
    fn complete(&mut self, stored: &mut [Stored], metric: Metric) -> Result<(), Error> {
        let mut new = Vec::new();
        for series in stored.iter_mut().filter(|series| series.found.is_none()) {
            let found = analyses(&self.index.run(|connection| points(connection, series.id, metric))?);
            new.push((series.id, series.revision, serde_json::to_string(&found).unwrap_or_default()));
            series.found = Some(found);
        }
        if new.is_empty() {
            return Ok(());
        }
        self.index.wait_for_others(false)?;
        let kept = self.index.change(|connection| {
            let mut keep = connection.prepare_cached(
                "INSERT OR REPLACE INTO analyses (series, metric, revision, found) VALUES (?1, ?2, ?3, ?4)",
            )?;
            new.iter().try_for_each(|(series, revision, found)| {
                keep.execute(params![series, metric.name(), revision, found]).map(|_| ())
            })
        });
        self.index.wait_for_others(true)?;
        match kept {
            Err(error @ Error::Damaged { .. }) => Err(error),
            _ => Ok(()),
        }
    }
}

fn unknown(selection: &Selection) -> String {
    let case = selection.case.as_deref().map_or("no case".to_owned(), |case| format!("no case `{case}`"));
    let device = selection.device.as_deref().map_or(String::new(), |device| format!(" on a device `{device}`"));
    format!("{case}{device} in this history; `accelbench history trend` names those that are there")
}

/// The devices by their keys, each with the name that the last run gave it.
pub(super) fn devices(connection: &Connection) -> rusqlite::Result<BTreeMap<i64, SeriesDevice>> {
    let mut query = connection.prepare_cached(
        // SQLite takes the label from the row that has the largest time.
        "SELECT d.id, d.backend, d.name, d.identity, r.label, MAX(runs.started_ns)
         FROM devices d JOIN run_devices r ON r.device = d.id JOIN runs ON runs.id = r.run
         GROUP BY d.id",
    )?;
    let device = |row: &Row<'_>| {
        let identity: String = row.get(3)?;
        let identity = serde_json::from_str(&identity).unwrap_or_default();
        Ok((row.get(0)?, SeriesDevice { id: row.get(4)?, backend: row.get(1)?, name: row.get(2)?, identity }))
    };
    query.query_map([], device)?.collect()
}

/// Of a metric, and of cases that fit a pattern.
const STORED: &str = "
    SELECT s.id, c.name, s.device, s.driver, s.cache, s.fill, s.revision, a.found
    FROM cases c JOIN series s ON s.case_id = c.id
    LEFT JOIN analyses a ON a.series = s.id AND a.metric = ?1 AND a.revision = s.revision
    WHERE ?2 IS NULL OR c.name GLOB ?2";

fn stored(connection: &Connection, metric: Metric, glob: Option<&str>) -> rusqlite::Result<Vec<Stored>> {
    let mut query = connection.prepare_cached(STORED)?;
    let series = |row: &Row<'_>| {
        let found: Option<String> = row.get(7)?;
        Ok(Stored {
            id: row.get(0)?,
            case: row.get(1)?,
            device: row.get(2)?,
            driver: row.get(3)?,
            cache: row.get(4)?,
            fill: row.get(5)?,
            revision: row.get(6)?,
            found: found.and_then(|found| serde_json::from_str(&found).ok()),
        })
    };
    query.query_map(params![metric.name(), glob], series)?.collect()
}

/// The last results of a series, the last one first.
fn last_results(metric: Metric) -> String {
    format!(
        "SELECT x.clock, x.status, x.{}, x.ci_low_ns, x.ci_high_ns, r.sha256, r.run_id, r.started, r.git_commit,
           r.git_dirty
         FROM results x JOIN runs r ON r.id = x.run
         WHERE x.series = ?1 AND x.status NOT IN ('skipped', 'unsupported')
         ORDER BY x.started_ns DESC, x.run DESC LIMIT ?2",
        metric.field()
    )
}

/// The last results of a series with their clocks, in time order. What was left out, and what the device can't do, is
/// nothing that happened.
fn points(connection: &Connection, series: i64, metric: Metric) -> rusqlite::Result<Vec<(Option<String>, Point)>> {
    let mut query = connection.prepare_cached(&last_results(metric))?;
    let point = |row: &Row<'_>| {
        let status: String = row.get(1)?;
        let interval = match (row.get(3)?, row.get(4)?) {
            (Some(low), Some(high)) if metric == Metric::Time => Some([low, high]),
            _ => None,
        };
        let run = RunRef {
            sha256: row.get(5)?,
            run_id: row.get(6)?,
            started: row.get(7)?,
            commit: row.get(8)?,
            dirty: row.get(9)?,
        };
        let status = Status::ALL.into_iter().find(|known| known.name() == status).unwrap_or(Status::Failed);
        Ok((row.get(0)?, Point { run, new_commit: false, status, value: row.get(2)?, interval }))
    };
    let mut points: Vec<(Option<String>, Point)> =
        query.query_map(params![series, WINDOW], point)?.collect::<Result<_, _>>()?;
    points.reverse();
    // What was measured without this value, as most is without energy, is no gap.
    points.retain(|(_, point)| point.status.is_fault() || point.value.is_some_and(|value| value > 0.0));
    Ok(points)
}

/// The points of a clock, with the faults, which have none.
fn of_clock(points: Vec<(Option<String>, Point)>, clock: Option<&str>) -> Vec<Point> {
    let of_clock = points.into_iter().filter(|(of, _)| of.is_none() || of.as_deref() == clock);
    let mut commit = None;
    of_clock
        .map(|(_, mut point)| {
            point.new_commit = commit.as_ref().is_some_and(|before| *before != point.run.commit);
            commit = Some(point.run.commit.clone());
            point
        })
        .collect()
}

/// An analysis for each clock.
fn analyses(points: &[(Option<String>, Point)]) -> Vec<Analysis> {
    let clocks: BTreeSet<String> = points.iter().filter_map(|(clock, _)| clock.clone()).collect();
    let of = |clock: String| {
        let points: Vec<&Point> = points
            .iter()
            .filter(|(of, _)| of.is_none() || of.as_ref() == Some(&clock))
            .map(|(_, point)| point)
            .collect();
        Analysis::of(&points, Some(clock))
    };
    clocks.into_iter().filter_map(of).collect()
}

/// Notes which series go on from which others: equal but for the driver, and later.
fn follow(trends: &mut [Trend]) {
    let mut alike: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, trend) in trends.iter().enumerate() {
        let identity = trend.device.identity.to_string();
        let key = (&trend.case, &trend.device.backend, &trend.device.name, identity, &trend.cache, &trend.fill);
        alike.entry((key, &trend.found.clock)).or_default().push(at);
    }
    let mut found = Vec::new();
    for group in alike.into_values().filter(|group| group.len() > 1) {
        for &at in &group {
            let first = &trends[at].found.first_started;
            let before = group.iter().map(|&at| &trends[at]).filter(|other| other.found.last_started < *first);
            if let Some(before) = before.max_by(|one, other| one.found.last_started.cmp(&other.found.last_started)) {
                let ratio = trends[at].found.median / before.found.level;
                let until = before.found.last_started.clone();
                found.push((at, Follows { driver: before.driver.clone(), until, ratio }));
            }
        }
    }
    for (at, follows) in found {
        trends[at].follows = Some(follows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(query: &str) -> Vec<String> {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("schema.sql")).unwrap();
        let mut query = connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
        query.query_map(params!["1", 2], |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// No question reads all results, or sorts any.
    #[test]
    fn questions_are_answered_from_indexes() {
        let results = plan(&last_results(Metric::Energy));
        assert!(results[0].starts_with("SEARCH x USING PRIMARY KEY (series=?"), "{results:?}");
        assert!(results[1].starts_with("SEARCH r USING INTEGER PRIMARY KEY"), "{results:?}");
        assert_eq!(results.len(), 2, "{results:?}");
        let stored = plan(STORED);
        assert_eq!(stored.iter().filter(|step| step.starts_with("SCAN")).count(), 1, "{stored:?}");
        assert!(stored.iter().any(|step| step.starts_with("SEARCH a USING PRIMARY KEY")), "{stored:?}");
    }

    #[test]
    fn patterns() {
        let parts = |case: &str| {
            let selection = Selection { case: Some(case.to_owned()), device: None };
            let (glob, names) = selection.parts();
            (glob, names.into_iter().map(str::to_owned).collect::<Vec<_>>())
        };
        assert_eq!(parts("gemm/f32"), (Some("*gemm/f32*".to_owned()), vec![]));
        assert_eq!(parts("gemm/*/tiled"), (Some("gemm/*/tiled".to_owned()), vec![]));
        assert_eq!(parts("[g]emm"), (Some("*[[]g]emm*".to_owned()), vec![]));
        assert_eq!(parts("gemm@opencl:0"), (Some("*gemm*".to_owned()), vec!["opencl:0".to_owned()]));
        assert_eq!(parts("@opencl:0"), (None, vec!["opencl:0".to_owned()]));
    }
}
