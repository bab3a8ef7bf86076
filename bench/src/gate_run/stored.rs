//! A gate against stored figures: advisory, since a machine is not the same from one day to the next.
//!
//! Nothing pairs the two sides, so nothing cancels what drifted in between. What can be done is done: only equal
//! environments are compared, effects are held against tolerances that are wider than a paired gate's, and the interval
//! is that of both sides' medians at once.

use super::block::{self, Planned, Runner};
use super::document::{self, Document};
use super::process::Stop;
use super::reading::Basis;
use super::suite::{difference, different_limits, entry, is_gated, set_missing};
use super::{Event, Phase, Request, build, config, words};
use crate::App;
use crate::stats;
use accelbench_reports::gate::{
    Arm, Build, Cause, Doubt, Estimate, GateCase, GateFile, Metric, Mode, Severity, Stage, Verdict,
};
use accelbench_reports::{EnergyStatus, ResultRow, RunFile, RunHeader, Status};
use std::collections::BTreeMap;
use std::path::Path;

/// The error of each end of an interval: those of two medians, 95% each.
const LEVEL: f64 = 0.05;

/// Compares a build, or another result file, with a result file.
///
/// # Errors
/// As of [`paired`](super::paired), and a file that is no sound result file.
pub fn stored(
    app: App,
    request: &Request,
    stopped: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(Event),
) -> Result<GateFile, Stop> {
    let folder = document::Folder::new(request.keep.as_deref())?;
    let before = read(Path::new(&request.base))?;
    let base = build::executable(&request.base, Path::new(&request.base))?;
    let path = Path::new(&request.candidate);
    // A result file begins as no executable does.
    let is_run = std::fs::File::open(path).is_ok_and(|mut file| {
        use std::io::Read;
        let mut first = [0];
        file.read_exact(&mut first).is_ok() && first == *b"{"
    });
    let candidate = if is_run {
        build::executable(&request.candidate, path)?
    } else {
        let cache = crate::ceilings::cache_folder().map(|folder| folder.join("builds"));
        let mut note = |note| tell(Event::Note(note));
        build::resolve(&request.candidate, cache.as_deref(), folder.path(), &mut note, stopped)?
    };
    let mut document = Document::new(request, Mode::Stored, [base, candidate.clone()]);
    document.started(Arm::Base, &before.header);
    document.file.notes.push("advisory: stored figures can't tell a slower kernel from a slower day".to_owned());
    let ended = if is_run {
        read(path).and_then(|after| {
            let sides = Sides { request, before: &before, header: &after.header, blocks: &[after.results.as_slice()] };
            document.started(Arm::Candidate, &after.header);
            sides.compare(app, &mut document)
        })
    } else {
        measured(app, request, &candidate, &before, folder.path(), &mut document, stopped, tell)
    };
    Ok(document.finish(ended))
}

fn read(path: &Path) -> Result<RunFile, Stop> {
    RunFile::read(path).map_err(|error| Stop::Harness(error.to_string()))
}

/// Runs as many blocks of the candidate as a screen has pairs.
#[allow(clippy::too_many_arguments)] // Each is another thing, and used once.
fn measured(
    app: App,
    request: &Request,
    build: &Build,
    before: &RunFile,
    folder: &Path,
    document: &mut Document<'_>,
    stopped: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(Event),
) -> Result<(), Stop> {
    let file = block::file(folder, "plan", Arm::Candidate);
    let selection = request.selection.arguments(request.profile);
    let header = match block::plan(Arm::Candidate, build, &selection, &file, stopped)? {
        Planned::Header(header) => *header,
        Planned::Refused(reason) => return Err(Stop::Harness(reason)),
    };
    document.started(Arm::Candidate, &header);
    let runner = Runner::new(Arm::Candidate, build, header.clone(), request.timeout);
    let known = |case: &&str| {
        is_gated(request, case, [&before.header, &header])
            && before.results.iter().any(|row| row.case == **case && row.status == Status::Ok)
    };
    let cases: Vec<&str> = header.plan.cases.iter().map(String::as_str).filter(known).collect();
    tell(Event::Cases(cases.len()));
    let rounds = request.options.screen_pairs;
    let metered = request.metrics.contains(&Metric::Energy);
    let mut blocks = Vec::new();
    for round in 1..=rounds {
        if cases.is_empty() {
            break;
        }
        let phase = Phase::Stage(Stage::Screen);
        tell(Event::Block { phase, round, rounds, arm: Arm::Candidate, cases: cases.len() });
        let file = block::file(folder, &format!("{}-{round:02}", phase.name()), Arm::Candidate);
        let energy = if metered { "quick" } else { "off" };
        let block = runner.run(&cases, energy, &file, stopped, |_| tell(Event::Row))?;
        if let Some(how) = block.broken {
            return Err(Stop::Harness(format!("a block of the candidate failed: {how}")));
        }
        let wrong = block.rows.iter().any(|row| row.status.is_fault());
        blocks.push(block.rows);
        // No further figure mends it.
        if wrong {
            break;
        }
    }
    let blocks: Vec<&[ResultRow]> = blocks.iter().map(Vec::as_slice).collect();
    Sides { request, before, header: &header, blocks: &blocks }.compare(app, document)
}

/// A stored run, and one or more blocks to hold against it.
struct Sides<'a> {
    request: &'a Request,
    before: &'a RunFile,
    header: &'a RunHeader,
    blocks: &'a [&'a [ResultRow]],
}

impl Sides<'_> {
    fn compare(&self, app: App, document: &mut Document<'_>) -> Result<(), Stop> {
        let catalogue = (app.catalogue)();
        let request = self.request;
        let before: BTreeMap<&str, &ResultRow> =
            self.before.results.iter().map(|row| (row.case.as_str(), row)).collect();
        let added = self.header.plan.cases.iter().filter(|case| !self.before.header.plan.cases.contains(case));
        for case in self.before.header.plan.cases.iter().chain(added) {
            if !request.selection.chooses(case, &catalogue).map_err(Stop::Harness)?
                || !is_gated(request, case, [&self.before.header, self.header])
            {
                continue;
            }
            let device_id = block::device_of(case).unwrap_or_default();
            let headers = [&self.before.header, self.header];
            let device = headers.iter().find_map(|header| header.devices.iter().find(|row| row.id == device_id));
            if let Some(row) = device.filter(|row| document.file.devices.iter().all(|known| known.id != row.id)) {
                document.file.devices.push(row.clone());
            }
            let old = before.get(case.as_str()).copied();
            let new: Vec<&ResultRow> =
                self.blocks.iter().filter_map(|rows| rows.iter().find(|row| row.case == *case)).collect();
            for &metric in &request.metrics {
                let (mut entry, threshold) = entry(request, case, metric, &self.before.header.host, device);
                let threshold = threshold.unwrap_or(request.options.detectable);
                self.judge(&mut entry, device_id, old, &new, threshold);
                let tolerated = entry.verdict == Verdict::Missing
                    && request.allow_missing.iter().any(|pattern| config::matches(pattern, case));
                // What neither side could do, or was asked to time, has nothing to say.
                if entry.verdict != Verdict::Unsettled && !tolerated && entry.severity != Severity::Ignore {
                    document.file.cases.push(entry);
                }
            }
        }
        Ok(())
    }

    fn judge(&self, entry: &mut GateCase, device: &str, old: Option<&ResultRow>, new: &[&ResultRow], threshold: f64) {
        let is_idle = |row: &ResultRow| matches!(row.status, Status::Unsupported | Status::Skipped);
        let worst = new.iter().find(|row| row.status != Status::Ok);
        let mut say = |verdict, arm: Arm, reason: &str| {
            (entry.verdict, entry.arm) = (verdict, Some(arm));
            entry.reason = Some(format!("the {}: {reason}", arm.name()));
        };
        if let Some(row) = worst.filter(|row| row.status.is_fault()) {
            let verdict = if row.status == Status::Wrong { Verdict::Wrong } else { Verdict::Failed };
            return say(verdict, Arm::Candidate, row.reason.as_deref().unwrap_or_default());
        }
        let old_is_idle = old.is_some_and(is_idle);
        let Some(old) = old.filter(|row| row.status == Status::Ok) else {
            if !(old_is_idle && (new.is_empty() || worst.is_some())) {
                set_missing(entry, Arm::Base);
            }
            return;
        };
        if let Some(row) = worst {
            return say(Verdict::Missing, Arm::Candidate, row.reason.as_deref().unwrap_or_default());
        }
        let Some(first) = new.first() else { return set_missing(entry, Arm::Candidate) };
        if let Some(reason) = difference(device, &self.before.header, self.header)
            .or_else(|| self.different_machine())
            .or_else(|| Basis::of(old).zip(Basis::of(first)).and_then(|(old, new)| old.difference(&new)))
            .or_else(|| different_power(old, first))
        {
            return say(Verdict::Incomparable, Arm::Candidate, &reason);
        }
        let sides = figure(entry.metric, &[old]).zip(figure(entry.metric, new));
        let Some((before, after)) = sides else {
            return say(Verdict::Missing, Arm::Base, "one side has no figure of this metric");
        };
        held_against(entry, before, after, threshold, new.len());
    }

    fn different_machine(&self) -> Option<String> {
        let [old, new] = [&self.before.header.host, &self.header.host];
        (old.cpu != new.cpu || old.threads != new.threads)
            .then(|| format!("the machine had {} × `{}` and has {} × `{}`", old.threads, old.cpu, new.threads, new.cpu))
    }
}

/// Of what both runs know of the power that their device may draw.
fn different_power(old: &ResultRow, new: &ResultRow) -> Option<String> {
    let limit = |row: &ResultRow| row.energy.as_ref()?.figures.as_ref()?.power_limit_w;
    let (old, new) = different_limits(limit(old), limit(new))?;
    Some(format!("the power limit was {old} W and is {new} W"))
}

/// A figure with its interval.
type Figure = (f64, [f64; 2]);

/// Of one row, or of the medians of several blocks.
fn figure(metric: Metric, rows: &[&ResultRow]) -> Option<Figure> {
    let of = |row: &ResultRow| match metric {
        Metric::Time => row.timing.as_ref().map(|timing| (timing.median_ns, timing.ci95_ns)),
        Metric::Energy => {
            let energy = row.energy.as_ref().filter(|energy| energy.status == EnergyStatus::Measured)?;
            let figures = energy.figures.as_ref()?;
            let (joules, share) = (figures.joules_per_run, figures.repeatability);
            Some((joules, [joules * (1.0 - share), joules * (1.0 + share)]))
        }
    };
    let figures: Vec<Figure> = rows.iter().map(|row| of(row)).collect::<Option<_>>()?;
    if let [one] = figures[..] {
        return Some(one);
    }
    let medians: Vec<f64> = figures.iter().map(|(median, _)| *median).collect();
    Some((stats::median(&medians)?, stats::median_interval(&medians)?))
}

/// What two figures say of a case.
fn held_against(
    entry: &mut GateCase,
    (before, [before_low, before_high]): Figure,
    (after, [after_low, after_high]): Figure,
    threshold: f64,
    blocks: usize,
) {
    let interval = [after_low / before_high - 1.0, after_high / before_low - 1.0];
    let effect = after / before - 1.0;
    (entry.base, entry.candidate) = (Some(before), Some(after));
    entry.estimate = Some(Estimate {
        pairs: blocks as u64,
        effect,
        interval,
        level: LEVEL,
        ceiling: interval[1],
        margin: threshold,
        p: None,
        detectable: None,
    });
    let [low, high] = interval;
    let range = format!("{} ({} to {})", words::share(effect), words::share(low), words::share(high));
    let limit = words::percent(threshold);
    entry.reason = None;
    if low > threshold {
        (entry.verdict, entry.cause) = (Verdict::Regressed, Some(Cause::Unknown));
        entry.reason = Some(format!("{range} against the stored figure, and up to {limit} is tolerated"));
    } else if high < 1.0 / (1.0 + threshold) - 1.0 {
        entry.verdict = Verdict::Improved;
        entry.reason = Some(format!("{range} against the stored figure"));
    } else if high <= threshold {
        entry.verdict = Verdict::Pass;
    } else {
        (entry.verdict, entry.doubt) = (Verdict::Inconclusive, Some(Doubt::Allowed));
        entry.reason = Some(format!("{range} against the stored figure lies on both sides of the tolerated {limit}"));
    }
}
