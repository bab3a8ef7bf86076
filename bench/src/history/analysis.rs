//! What a series says: its level, its change points, its drift.

use super::change::{ChangePoint, change_points};
use super::drift::slope;
use super::spark::sparkline;
use crate::stats::median;
use accelbench_reports::Status;
use serde::{Deserialize, Serialize};

/// The level of significance of a change point and of a drift.
pub const LEVEL: f64 = 0.01;
/// The relative change from run to run that a gate notices: what comes in smaller steps is drift.
pub const NOTICED: f64 = 0.02;
/// The smallest relative change in all that is called a drift.
pub const SMALLEST_DRIFT: f64 = 0.01;

/// A run, as a point of a series names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRef {
    /// The name of its file: SHA-256 of the content.
    pub sha256: String,
    /// Its own name.
    pub run_id: String,
    /// When it started: RFC 3339, UTC.
    pub started: String,
    /// The commit of the program, where it knew one.
    pub commit: Option<String>,
    /// Whether the program's sources differed from it.
    pub dirty: Option<bool>,
}

/// A result in a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The run that it comes from.
    #[serde(flatten)]
    pub run: RunRef,
    /// Whether the commit is another than the point's before it.
    pub new_commit: bool,
    /// What became of the case: a fault is a gap in the series.
    pub status: Status,
    /// The metric's value; none for a fault.
    pub value: Option<f64>,
    /// The 95% interval of a time.
    pub interval: Option<[f64; 2]>,
}

/// What was found in a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// The clock of all its times.
    pub clock: Option<String>,
    /// Its values.
    pub measured: usize,
    /// Its gaps: failed, wrong, crashed, timed out.
    pub faults: usize,
    /// When its first value's run started.
    pub first_started: String,
    /// When its last value's run started.
    pub last_started: String,
    /// The median of all values.
    pub median: f64,
    /// The last value.
    pub last: f64,
    /// The median of the values since the last change point.
    pub level: f64,
    /// The last values as one line of text.
    pub spark: String,
    /// Its change points, in time order.
    pub changes: Vec<Change>,
    /// A drift since the last sudden change.
    pub drift: Option<Drift>,
}

/// A change point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The last run before it.
    pub before: RunRef,
    /// The first run after it.
    pub after: RunRef,
    /// The median of the values between the change point before it and it.
    pub level_before: f64,
    /// The median of the values between it and the next.
    pub level_after: f64,
    /// The second level divided by the first.
    pub ratio: f64,
    /// The p-value.
    pub p: f64,
    /// Whether it is part of a slow change: a straight line through both sides describes them better.
    pub gradual: bool,
}

/// A slow change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The run that it starts at.
    pub since: RunRef,
    /// Values from there to the last.
    pub runs: usize,
    /// The change over all of them: the end of the line divided by its start.
    pub ratio: f64,
    /// The change from one run to the next.
    pub ratio_per_run: f64,
    /// The p-value.
    pub p: f64,
}

impl Analysis {
    /// Analyses the points of one clock, in time order; none where nothing was measured.
    pub fn of(points: &[&Point], clock: Option<String>) -> Option<Self> {
        let measured: Vec<(&RunRef, f64)> =
            points.iter().filter_map(|point| Some((&point.run, point.value?))).collect();
        let (first, last) = (measured.first()?, measured.last()?);
        let values: Vec<f64> = measured.iter().map(|(_, value)| *value).collect();
        // Of ratios, as all that is said of changes here.
        let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        let found = change_points(&logs, LEVEL);
        let bounds: Vec<usize> =
            [0].into_iter().chain(found.iter().map(|change| change.index)).chain([values.len()]).collect();
        let level = |from: usize, to: usize| median(&values[from..to]).unwrap_or_default();
        let changes: Vec<Change> = found
            .iter()
            .zip(sudden(&logs, &found))
            .zip(bounds.windows(3))
            .map(|((change, sudden), around)| {
                let (level_before, level_after) = (level(around[0], around[1]), level(around[1], around[2]));
                Change {
                    before: measured[change.index - 1].0.clone(),
                    after: measured[change.index].0.clone(),
                    level_before,
                    level_after,
                    ratio: level_after / level_before,
                    p: change.p,
                    gradual: !sudden,
                }
            })
            .collect();
        let last_sudden = found.iter().zip(&changes).rfind(|(_, change)| !change.gradual);
        let since = last_sudden.map_or(0, |(change, _)| change.index);
        Some(Self {
            clock,
            measured: values.len(),
            faults: points.len() - values.len(),
            first_started: first.0.started.clone(),
            last_started: last.0.started.clone(),
            median: level(0, values.len()),
            last: last.1,
            level: level(bounds[bounds.len() - 2], values.len()),
            spark: sparkline(points.iter().map(|point| point.value)),
            drift: drift_of(&logs[since..], measured[since].0),
            changes,
        })
    }

    /// The largest change or drift that is still of interest: the last change point's, and the drift's, as a logarithm
    /// without its sign; 0 where there is none.
    pub fn weight(&self) -> f64 {
        let change = self.changes.last().map_or(0.0, |change| change.ratio.ln().abs());
        change.max(self.drift.as_ref().map_or(0.0, |drift| drift.ratio.ln().abs()))
    }
}

fn drift_of(logs: &[f64], since: &RunRef) -> Option<Drift> {
    let slope = slope(logs)?;
    let total = slope.per_step * (logs.len() - 1) as f64;
    let drifts = slope.p <= LEVEL && total.abs() >= SMALLEST_DRIFT.ln_1p() && slope.per_step.abs() < NOTICED.ln_1p();
    drifts.then(|| Drift {
        since: since.clone(),
        runs: logs.len(),
        ratio: total.exp(),
        ratio_per_run: slope.per_step.exp(),
        p: slope.p,
    })
}

/// Which change points are sudden: those without which straight lines between them describe the values less well, by
/// the Bayesian information criterion (G. Schwarz, "Estimating the Dimension of a Model", Annals of Statistics 6, 1978).
/// A slow drift has change points, too, and one line describes it.
fn sudden(logs: &[f64], changes: &[ChangePoint]) -> Vec<bool> {
    let n = logs.len() as f64;
    let mut bounds: Vec<usize> =
        [0].into_iter().chain(changes.iter().map(|change| change.index)).chain([logs.len()]).collect();
    loop {
        let rests: Vec<f64> = bounds.windows(2).map(|ends| beside_line(&logs[ends[0]..ends[1]])).collect();
        let rest: f64 = rests.iter().sum();
        // Exactly equal values would have no logarithm.
        let criterion = |rest: f64, lines: usize| n * (rest / n).max(1e-18).ln() + 3.0 * lines as f64 * n.ln();
        let without = (1..bounds.len() - 1).map(|at| {
            let joined = beside_line(&logs[bounds[at - 1]..bounds[at + 1]]);
            (at, criterion(rest - rests[at - 1] - rests[at] + joined, rests.len() - 1))
        });
        match without.min_by(|(_, one), (_, other)| one.total_cmp(other)) {
            Some((at, better)) if better < criterion(rest, rests.len()) => drop(bounds.remove(at)),
            _ => return changes.iter().map(|change| bounds.contains(&change.index)).collect(),
        }
    }
}

/// The sum of the squared distances from the line of least squares.
fn beside_line(logs: &[f64]) -> f64 {
    let n = logs.len() as f64;
    let (middle, level) = ((n - 1.0) / 2.0, logs.iter().sum::<f64>() / n);
    let (mut spread, mut along, mut around) = (0.0, 0.0, 0.0);
    for (i, value) in logs.iter().enumerate() {
        let (x, y) = (i as f64 - middle, value - level);
        spread += x * x;
        along += x * y;
        around += y * y;
    }
    if spread > 0.0 { (around - along * along / spread).max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::noise::Noise;

    fn points(values: impl IntoIterator<Item = Option<f64>>) -> Vec<Point> {
        let point = |(at, value): (usize, Option<f64>)| Point {
            run: RunRef {
                sha256: format!("{at:064x}"),
                run_id: format!("run {at}"),
                started: format!("2026-01-01T00:{:02}:{:02}Z", at / 60, at % 60),
                commit: None,
                dirty: None,
            },
            new_commit: false,
            status: if value.is_some() { Status::Ok } else { Status::Crashed },
            value,
            interval: None,
        };
        values.into_iter().enumerate().map(point).collect()
    }

    fn analysis(values: impl IntoIterator<Item = f64>) -> Analysis {
        let points = points(values.into_iter().map(Some));
        Analysis::of(&points.iter().collect::<Vec<_>>(), None).unwrap()
    }

    /// Times about 1 ms with a standard deviation of 0.5%.
    fn times(seed: u64, count: usize, factor: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut noise = Noise::new(seed);
        (0..count).map(|at| 1e6 * factor(at) * (0.005 * noise.normal()).exp()).collect()
    }

    #[test]
    fn a_step_is_a_sudden_change_between_two_runs() {
        let found = analysis(times(1, 60, |at| if at < 40 { 1.0 } else { 1.05 }));
        assert_eq!(found.changes.len(), 1, "{found:?}");
        let change = &found.changes[0];
        assert_eq!((change.before.run_id.as_str(), change.after.run_id.as_str()), ("run 39", "run 40"));
        assert!(!change.gradual && (change.ratio - 1.05).abs() < 0.005, "{change:?}");
        assert_eq!(found.drift, None);
        assert!((found.level / 1.05e6 - 1.0).abs() < 0.005 && found.median < 1.03e6, "{found:?}");
    }

    #[test]
    fn small_steps_are_a_drift_also_where_change_points_are_found() {
        for (total, count) in [(0.03, 60), (0.3, 150)] {
            let found = analysis(times(2, count, |at| (total * at as f64 / count as f64).exp()));
            let drift = found.drift.as_ref().unwrap();
            assert!((drift.ratio.ln() / total - 1.0).abs() < 0.2, "{drift:?}");
            assert_eq!(drift.runs, count, "{drift:?}");
            assert!(drift.ratio_per_run.ln() < NOTICED && found.changes.iter().all(|change| change.gradual));
        }
    }

    #[test]
    fn a_drift_is_told_from_the_step_before_it() {
        let found =
            analysis(times(3, 120, |at| if at < 60 { 1.0 } else { 1.2 * (0.05 * (at - 60) as f64 / 60.0).exp() }));
        let drift = found.drift.as_ref().unwrap();
        assert!(drift.runs.abs_diff(60) <= 1 && (drift.ratio - 1.05).abs() < 0.015, "{drift:?}");
        let sudden: Vec<&Change> = found.changes.iter().filter(|change| !change.gradual).collect();
        assert_eq!(sudden.len(), 1, "{:?}", found.changes);
        assert_eq!(sudden[0].after.run_id, "run 60");
    }

    #[test]
    fn a_quiet_series_has_neither() {
        let loud = (0..100).filter(|&seed| analysis(times(100 + seed, 80, |_| 1.0)).weight() > 0.0).count();
        assert!(loud <= 5, "{loud} of 100");
    }

    #[test]
    fn faults_are_gaps() {
        let points = points([Some(1.0), None, Some(3.0), Some(2.0)]);
        let found = Analysis::of(&points.iter().collect::<Vec<_>>(), Some("host-wall".to_owned())).unwrap();
        assert_eq!((found.measured, found.faults, found.median, found.last), (3, 1, 2.0, 2.0));
        assert_eq!(found.spark.chars().nth(1), Some('×'));
        let only_gaps = self::points([None, None]);
        assert_eq!(Analysis::of(&only_gaps.iter().collect::<Vec<_>>(), None), None);
    }
}
