//! Series as the reports' page of trends takes them.

use crate::history::{Metric, Trend};
use accelbench_reports::trends::{Change, Drift, Point, Series, Trends};

pub(super) fn of(metric: Metric, trends: &[Trend], left_out: usize) -> Trends {
    Trends { metric, series: trends.iter().map(series).collect(), left_out }
}

fn series(trend: &Trend) -> Series {
    let at = |sha256: &str| trend.points.iter().position(|point| point.run.sha256 == sha256);
    let change = |change: &crate::history::Change| Change {
        at: at(&change.after.sha256),
        level_before: change.level_before,
        level_after: change.level_after,
        p: change.p,
        gradual: change.gradual,
    };
    let point = |point: &crate::history::Point| Point {
        started: point.run.started.clone(),
        commit: point.run.commit.clone(),
        value: point.value,
        interval: point.interval,
    };
    let found = &trend.found;
    Series {
        name: trend.name(),
        device: trend.device.name.clone(),
        driver: trend.driver.clone(),
        level: found.level,
        points: trend.points.iter().map(point).collect(),
        changes: found.changes.iter().map(change).collect(),
        drift: found.drift.as_ref().map(|drift| Drift { runs: drift.runs, ratio: drift.ratio, p: drift.p }),
        follows: trend.follows.as_ref().map(|follows| (follows.driver.clone(), follows.ratio)),
    }
}
