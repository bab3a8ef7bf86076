//! What readers see of a history.

use crate::cli::term::{BAD, FAINT, GOOD, STRONG, styled};
use crate::cli::units;
use crate::history::{Added, BisectHint, Change, Drift, Follows, Indexed, Metric, Point, RunEntry, Trend};
use accelbench_reports::{ResultRow, RunFile};
use std::fmt::Write;
use std::path::Path;

/// What became of a file.
pub(super) fn added(path: &Path, added: &Added) -> String {
    let what = if added.new { styled(GOOD, "added") } else { "there already".to_owned() };
    let more = match &added.indexed {
        Indexed::Instead(other) => format!(", in place of {}, which holds less of the same run", short(other)),
        Indexed::Behind(other) => format!(", behind {}, which holds as much or more of the same run", short(other)),
        Indexed::Known | Indexed::New => String::new(),
    };
    format!("{}: {what} as {}, {} results{more}\n", path.display(), short(&added.sha256), added.results)
}

/// A line a run.
pub(super) fn runs(runs: &[RunEntry]) -> String {
    let mut text = String::new();
    for run in runs {
        let ids: Vec<&str> = run.devices.iter().map(|device| device.id.as_str()).collect();
        let faults =
            if run.faults > 0 { format!(", {}", styled(BAD, &count(run.faults, "fault"))) } else { String::new() };
        let behind = if run.current { "" } else { "  (a fuller file of this run is kept)" };
        let _ = writeln!(
            text,
            "{}  {}  {:13} {:8} {}  {} results, {} ok{faults}{}",
            styled(STRONG, short(&run.sha256)),
            time(&run.started),
            commit(run.commit.as_deref(), run.dirty),
            run.profile,
            ids.join(" "),
            run.results,
            run.ok,
            styled(FAINT, behind),
        );
    }
    let _ = writeln!(text, "{}", count(runs.len(), "run"));
    text
}

/// A run with all of its results.
pub(super) fn run(run: &RunEntry, file: &RunFile) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}  {}  {}", styled(STRONG, &run.sha256), run.run_id, run.started);
    let host = run.hostname.as_deref().unwrap_or("a host without a name");
    let built = commit(run.commit.as_deref(), run.dirty);
    let _ = writeln!(text, "accelbench {} of {built}, {} profile, on {host}", run.version, run.profile);
    for device in &file.header.devices {
        let _ = writeln!(text, "{}  {} ({})", device.id, device.name, device.driver);
    }
    text.push('\n');
    for row in &file.results {
        let _ = writeln!(text, "{}", result(row));
    }
    text
}

fn result(row: &ResultRow) -> String {
    if let (Some(timing), Some(rate)) = (&row.timing, &row.rate) {
        let share = row.ceiling.as_ref().map_or(String::new(), |ceiling| units::percent(ceiling.fraction));
        let (time, rate) = (units::time(timing.median_ns), units::rate(rate.flop_per_s, &row.dtype));
        return format!("{:60} {time:>10} {rate:>16} {share:>5}", row.case);
    }
    let reason = row.reason.as_deref().and_then(|reason| reason.lines().next()).unwrap_or_default();
    let style = if row.status.is_fault() { BAD } else { FAINT };
    format!("{:60} {} {}", row.case, styled(style, row.status.name()), styled(FAINT, reason))
}

/// Every point of each series.
pub(super) fn cases(trends: &[Trend]) -> String {
    let mut text = String::new();
    for trend in trends {
        let _ = writeln!(text, "{}", heading(trend));
        for point in &trend.points {
            let _ = writeln!(text, "  {}", line(trend, point));
        }
        text.push_str(&news(trend));
    }
    text
}

fn line(trend: &Trend, point: &Point) -> String {
    let new = if point.new_commit { styled(STRONG, "*") } else { " ".to_owned() };
    let run = format!(
        "{}  {}  {new} {:13}",
        time(&point.run.started),
        short(&point.run.sha256),
        commit(point.run.commit.as_deref(), point.run.dirty)
    );
    let after = trend.found.changes.iter().find(|change| change.after.sha256 == point.run.sha256);
    let mark = after.map_or(String::new(), |change| format!("  {}", effect(trend.metric, change.ratio)));
    match point.value {
        Some(measured) => {
            let interval = point.interval.map_or(String::new(), |[low, high]| {
                format!("{} … {}", trend.metric.text(low, &trend.case), trend.metric.text(high, &trend.case))
            });
            format!("{run} {:>16}  {}{mark}", trend.metric.text(measured, &trend.case), styled(FAINT, &interval))
        }
        None => format!("{run} {}", styled(BAD, point.status.name())),
    }
}

/// A series in a few lines each, and how many there are beyond.
pub(super) fn trends(trends: &[Trend], left_out: &[Trend]) -> String {
    let mut text = String::new();
    for trend in trends {
        let _ = writeln!(text, "{}", heading(trend));
        let found = &trend.found;
        let faults =
            if found.faults > 0 { format!(", {}", styled(BAD, &count(found.faults, "fault"))) } else { String::new() };
        let _ = writeln!(
            text,
            "  {}  last {}, median {} of {}{faults}",
            found.spark,
            trend.metric.text(found.last, &trend.case),
            trend.metric.text(found.median, &trend.case),
            count(found.measured, "run"),
        );
        text.push_str(&news(trend));
    }
    let quiet = left_out.iter().filter(|trend| trend.found.weight() == 0.0).count();
    if !left_out.is_empty() {
        let _ = writeln!(text, "{} more, {quiet} of them without a change: --limit 0 shows all", left_out.len());
    } else if trends.is_empty() {
        text.push_str("no measurement of this kind is kept\n");
    }
    text
}

fn heading(trend: &Trend) -> String {
    let cold = if trend.cache == "warm" { String::new() } else { format!(", {} caches", trend.cache) };
    let about = format!("{} ({}){cold}", trend.device.name, trend.driver);
    format!("{}  {}", styled(STRONG, &trend.name()), styled(FAINT, &about))
}

/// A line for each change of a series, and for its drift.
fn news(trend: &Trend) -> String {
    let mut text = String::new();
    if let Some(Follows { driver, until, ratio }) = &trend.follows {
        let _ =
            writeln!(text, "  {} since the driver was {driver}, until {}", effect(trend.metric, *ratio), time(until));
    }
    for change in &trend.found.changes {
        let gradual = if change.gradual { ", gradually" } else { "" };
        let _ = writeln!(
            text,
            "  {} {}{gradual} (p = {:.3})",
            effect(trend.metric, change.ratio),
            between(change),
            change.p
        );
    }
    if let Some(Drift { since, runs, ratio, ratio_per_run, p }) = &trend.found.drift {
        let _ = writeln!(
            text,
            "  {} adrift over {runs} runs since {}, {:+.2}% a run, too little for a gate (p = {p:.3})",
            effect(trend.metric, *ratio),
            time(&since.started),
            100.0 * (ratio_per_run - 1.0),
        );
    }
    text
}

fn between(change: &Change) -> String {
    let side = |run: &crate::history::RunRef| {
        format!("{} of {}", time(&run.started), commit(run.commit.as_deref(), run.dirty))
    };
    format!("between {} and {}", side(&change.before), side(&change.after))
}

/// Where each case last changed, and what to type.
pub(super) fn hints(hints: &[BisectHint]) -> String {
    let mut text = String::new();
    for hint in hints {
        let change = &hint.change;
        let _ = writeln!(text, "{}  {}", styled(STRONG, &hint.case), styled(FAINT, &hint.device));
        let _ = writeln!(text, "  {} between", effect(hint.metric, change.ratio));
        for (side, run, level) in
            [("before", &change.before, change.level_before), ("after", &change.after, change.level_after)]
        {
            let commit = run.commit.as_deref().unwrap_or("of an unknown commit");
            let dirty = if run.dirty == Some(true) { " with changes" } else { "" };
            let value = hint.metric.text(level, &hint.case);
            let (sha256, started) = (short(&run.sha256), time(&run.started));
            let _ = writeln!(text, "  {side:6} {commit}{dirty}  {value}  run {sha256} {started}");
        }
        if let Some(command) = &hint.command {
            let _ = writeln!(text, "  to measure it again: {command}");
        }
        if let Some(caution) = &hint.caution {
            let _ = writeln!(text, "  {} {caution}", styled(BAD, "but"));
        }
        for step in &hint.steps {
            let _ = writeln!(text, "    {step}");
        }
    }
    if hints.is_empty() {
        text.push_str("no change point\n");
    }
    text
}

/// A change in percent, red where it is for the worse.
fn effect(metric: Metric, ratio: f64) -> String {
    let style = if metric.is_worse(ratio) { BAD } else { GOOD };
    styled(style, &format!("{:+.1}%", 100.0 * (ratio - 1.0)))
}

fn commit(commit: Option<&str>, dirty: Option<bool>) -> String {
    let mark = if dirty == Some(true) { "+" } else { "" };
    commit.map_or("-".to_owned(), |commit| format!("{commit:.9}{mark}"))
}

/// A file's name, as long as one needs it.
fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

/// To the minute.
fn time(started: &str) -> String {
    started.get(..16).unwrap_or(started).replace('T', " ")
}

fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
