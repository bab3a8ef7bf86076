//! A gate of two builds that run here and now, in pairs of blocks.

use super::block::{self, Planned, Runner, device_of};
use super::document::{self, Document};
use super::process::Stop;
use super::reading::{Basis, Taken, Told, told};
use super::suite::{Suite, set_missing};
use super::watch::Watch;
use super::{Event, Noise, Phase, Request, build, noise};
use crate::App;
use crate::gate::{self, Direction, Finding, Gate, Reading, Step, Task};
use accelbench_reports::gate::{Arm, Build, Doubt, GateFile, Metric, Mode, Pair, Severity, Verdict};
use accelbench_reports::{EnergyStatus, RunHeader, Status};
use std::collections::BTreeMap;
use std::path::Path;

const ARMS: [Arm; 2] = [Arm::Base, Arm::Candidate];

/// Compares two builds.
///
/// # Errors
/// Why there is nothing to compare: a file or revision that does not exist, a build that fails, the user's wish to stop
/// before there were any cases. What goes wrong later is in the document.
pub fn paired(
    app: App,
    request: &Request,
    stopped: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(Event),
) -> Result<GateFile, Stop> {
    let folder = document::Folder::new(request.keep.as_deref())?;
    let cache = crate::ceilings::cache_folder().map(|folder| folder.join("builds"));
    let mut resolve = |given: &str| {
        build::resolve(given, cache.as_deref(), folder.path(), &mut |note| tell(Event::Note(note)), stopped)
    };
    let builds = [resolve(&request.base)?, resolve(&request.candidate)?];
    let document = Document::new(request, Mode::Paired, builds);
    let mut run = Run { app, request, stopped, tell, folder: folder.path(), document, slack: Vec::new(), watch: None };
    let ended = run.go();
    Ok(run.document.finish(ended))
}

/// What was found of a case's rows when outputs were verified.
type Bases = BTreeMap<String, Basis>;

/// The rows of a block by case, and how its process ended before the last one.
type Rows = (BTreeMap<String, Taken>, Option<String>);

struct Run<'a> {
    app: App,
    request: &'a Request,
    stopped: &'a dyn Fn() -> bool,
    tell: &'a mut dyn FnMut(Event),
    folder: &'a Path,
    document: Document<'a>,
    /// By case: how much its margin differs from the options'.
    slack: Vec<f64>,
    watch: Option<Watch>,
}

impl Run<'_> {
    fn go(&mut self) -> Result<(), Stop> {
        let Some(headers) = self.plan()? else { return Ok(()) };
        if self.ends_here() {
            return Ok(());
        }
        let count = self.document.file.cases.len();
        self.request.options.check(count).map_err(|invalid| Stop::Harness(invalid.to_string()))?;
        (self.tell)(Event::Cases(count));
        let devices: Vec<String> = self.document.file.devices.iter().map(|row| row.id.clone()).collect();
        self.watch = Some(Watch::start(self.app, &devices));
        let file = &self.document.file;
        let builds: [Build; 2] = [file.base.clone(), file.candidate.clone()];
        let [base, candidate] = headers;
        let base = Runner::new(Arm::Base, &builds[0], base, self.request.timeout);
        let candidate = Runner::new(Arm::Candidate, &builds[1], candidate, self.request.timeout);
        let bases = self.verify([&base, &candidate])?;
        if self.ends_here() {
            return Ok(());
        }
        let timed: Vec<usize> = self.document.timed();
        let noise = self.noise(&base, &timed, &bases)?;
        for (&index, noise) in timed.iter().zip(&noise) {
            self.document.file.cases[index].noise = *noise;
        }
        let findings = self.measure([&base, &candidate], &timed, &noise, &bases, true)?;
        for (&index, finding) in timed.iter().zip(&findings) {
            self.document.settle(index, finding, self.slack[index]);
        }
        Ok(())
    }

    /// Whether something is wrong, missing or incomparable: then nothing is timed.
    fn ends_here(&mut self) -> bool {
        let ends = self.document.file.cases.iter().any(|case| !case.verdict.is_of_speed());
        if ends {
            self.document.file.notes.push("nothing was timed: first the cases have to be there and right".to_owned());
        }
        ends || self.document.file.cases.is_empty()
    }

    /// Asks both builds what they would run. None where one of them refuses, so that all is missing there.
    fn plan(&mut self) -> Result<Option<[RunHeader; 2]>, Stop> {
        let mut planned = Vec::new();
        for arm in ARMS {
            let file = block::file(self.folder, "plan", arm);
            let build = if arm == Arm::Base { &self.document.file.base } else { &self.document.file.candidate };
            planned.push(block::plan(
                arm,
                build,
                &self.request.selection.arguments(self.request.profile),
                &file,
                self.stopped,
            )?);
        }
        for (arm, planned) in ARMS.into_iter().zip(&planned) {
            if let Planned::Header(header) = planned {
                self.document.started(arm, header);
            }
        }
        let suite = match (&planned[0], &planned[1]) {
            (Planned::Header(base), Planned::Header(candidate)) => Suite::of(self.request, base, candidate),
            (Planned::Header(base), Planned::Refused(why)) => Suite::refused(self.request, base, Arm::Candidate, why),
            (Planned::Refused(why), Planned::Header(candidate)) => {
                Suite::refused(self.request, candidate, Arm::Base, why)
            }
            (Planned::Refused(why), Planned::Refused(_)) => return Err(Stop::Harness(why.clone())),
        };
        let margin = self.request.options.margin;
        let thresholds = self.document.take(suite);
        self.slack =
            thresholds.into_iter().map(|threshold| threshold.map_or(0.0, |threshold| threshold - margin)).collect();
        let headers = planned.into_iter().filter_map(|planned| match planned {
            Planned::Header(header) => Some(*header),
            Planned::Refused(_) => None,
        });
        Ok(headers.collect::<Vec<_>>().try_into().ok())
    }

    /// Has both builds run every case once and holds the outputs against the truth.
    fn verify(&mut self, runners: [&Runner<'_>; 2]) -> Result<Bases, Stop> {
        let all: Vec<usize> = (0..self.document.file.cases.len()).collect();
        let mut rows = Vec::new();
        for (arm, runner) in ARMS.into_iter().zip(runners) {
            rows.push(self.block(runner, arm, &all, Phase::Verify, [1, 1], "verify")?);
        }
        let [base, candidate] = [&rows[0], &rows[1]];
        let mut bases = Bases::new();
        let mut unsupported = Vec::new();
        for index in all {
            let id = self.document.file.cases[index].case.clone();
            let case = &mut self.document.file.cases[index];
            let statuses = [base, candidate].map(|(rows, _)| rows.get(&id).map(|taken| taken.row.status));
            if statuses == [Some(Status::Unsupported); 2] {
                unsupported.push(index);
                continue;
            }
            for (arm, (rows, broken)) in ARMS.into_iter().zip([base, candidate]) {
                let mut say = |verdict, reason: String| {
                    // Of two verdicts the one that matters more stands.
                    if case.verdict == Verdict::Unsettled || verdict == Verdict::Wrong {
                        (case.verdict, case.arm) = (verdict, Some(arm));
                        case.reason = Some(format!("the {}: {reason}", arm.name()));
                    }
                };
                let Some(taken) = rows.get(&id) else {
                    match broken {
                        Some(how) => say(Verdict::Failed, how.clone()),
                        None => set_missing(case, arm),
                    }
                    continue;
                };
                let reason = taken.row.reason.clone().unwrap_or_default();
                match (taken.row.status, Basis::of(&taken.row)) {
                    (Status::Ok, Some(basis)) => {
                        let first = bases.entry(id.clone()).or_insert_with(|| basis.clone());
                        if let Some(difference) = first.difference(&basis) {
                            say(Verdict::Incomparable, difference);
                        }
                    }
                    (Status::Ok, None) => say(Verdict::Failed, "its row is ok and has no times".to_owned()),
                    (Status::Wrong, _) => say(Verdict::Wrong, reason),
                    (Status::Unsupported, _) => say(Verdict::Missing, format!("unsupported: {reason}")),
                    (Status::Skipped, _) => {
                        case.doubt = Some(Doubt::Skipped);
                        say(Verdict::Inconclusive, format!("left out: {reason}"));
                    }
                    (status, _) => say(Verdict::Failed, format!("{status}: {reason}")),
                }
            }
        }
        self.unmetered(base)?;
        self.without(&unsupported, "that no build supports here");
        Ok(bases)
    }

    /// Leaves out the energy of cases whose devices have no meter.
    fn unmetered(&mut self, (rows, _): &Rows) -> Result<(), Stop> {
        let unmetered = |case: &str| {
            let energy = rows.get(case)?.row.energy.as_ref()?;
            (energy.status == EnergyStatus::Unavailable).then(|| energy.reason.clone().unwrap_or_default())
        };
        let cases = self.document.file.cases.iter().enumerate();
        let found: Vec<(usize, String)> = cases
            .filter(|(_, case)| case.metric == Metric::Energy)
            .filter_map(|(index, case)| Some((index, unmetered(&case.case)?)))
            .collect();
        if let Some((_, reason)) = found.first() {
            if self.request.metrics == [Metric::Energy] {
                return Err(Stop::Harness(reason.clone()));
            }
            self.without(&found.iter().map(|(index, _)| *index).collect::<Vec<_>>(), "whose energy no meter tells");
        }
        Ok(())
    }

    fn without(&mut self, indices: &[usize], which: &str) {
        if indices.is_empty() {
            return;
        }
        self.document.file.notes.push(format!("{} cases {which} are left out", indices.len()));
        for index in indices.iter().rev() {
            self.document.file.cases.remove(*index);
            self.slack.remove(*index);
        }
    }

    /// What identical builds may seem to differ by, by case.
    fn noise(&mut self, base: &Runner<'_>, timed: &[usize], bases: &Bases) -> Result<Vec<Option<f64>>, Stop> {
        let unknown = vec![None; timed.len()];
        match &self.request.noise {
            Noise::Unknown => Ok(unknown),
            Noise::File(path) => {
                let cases: Vec<_> = timed.iter().map(|index| self.document.file.cases[*index].clone()).collect();
                noise::from_file(path, &cases, &self.document.file.devices)
            }
            Noise::Measured => {
                let findings = self.measure([base, base], timed, &unknown, bases, false)?;
                Ok(findings.iter().map(|finding| finding.estimate.map(|estimate| estimate.noise())).collect())
            }
        }
    }

    /// Runs pairs of blocks for as long as the gate asks for them. `recorded` puts them into the document.
    fn measure(
        &mut self,
        runners: [&Runner<'_>; 2],
        timed: &[usize],
        noise: &[Option<f64>],
        bases: &Bases,
        recorded: bool,
    ) -> Result<Vec<Finding>, Stop> {
        let case = |(index, noise): (&usize, &Option<f64>)| gate::Case {
            direction: Direction::LowerIsBetter,
            noise: noise.unwrap_or(0.0),
            slack: self.slack[*index],
        };
        let cases: Vec<gate::Case> = timed.iter().zip(noise).map(case).collect();
        let options = self.request.options;
        let mut gate = Gate::new(options, &cases).map_err(|invalid| Stop::Harness(invalid.to_string()))?;
        loop {
            let task = match gate.step() {
                Step::Done(findings) => return Ok(findings),
                Step::Measure(task) => task,
            };
            let indices: Vec<usize> = task.cases.iter().map(|case| timed[*case]).collect();
            let phase = if recorded { Phase::Stage(document::stage(task.stage)) } else { Phase::Noise };
            let rounds = [task.round + 1, options.pairs(task.stage).max(task.round + 1)];
            let stage = document::stage(task.stage);
            let name = match phase {
                Phase::Noise => format!("noise-{}-{:02}", Phase::Stage(stage).name(), task.round + 1),
                _ => format!("{}-{:02}", phase.name(), task.round + 1),
            };
            let mut rows = [None, None];
            let first = usize::from(task.first == gate::Arm::Candidate);
            for arm in [first, 1 - first] {
                rows[arm] = Some(self.block(runners[arm], ARMS[arm], &indices, phase, rounds, &name)?);
            }
            let [base, candidate] = rows.map(|rows| self.readings(&indices, rows.as_ref(), bases));
            if recorded {
                self.record(&task, &indices, &base, &candidate);
            }
            let readings = |told: Vec<Told>| told.into_iter().map(|told| told.reading).collect();
            gate.record(task, readings(base), readings(candidate));
        }
    }

    fn readings(&self, indices: &[usize], rows: Option<&Rows>, bases: &Bases) -> Vec<Told> {
        let Some((rows, broken)) = rows else { return Vec::new() };
        let told = |index: &usize| {
            let case = &self.document.file.cases[*index];
            let basis = bases.get(&case.case)?;
            Some(told(case.metric, rows.get(&case.case), basis, self.document.device(&case.case), broken.as_deref()))
        };
        // What was not verified is not timed, so each has its basis.
        indices.iter().filter_map(told).collect()
    }

    fn record(&mut self, task: &Task, indices: &[usize], base: &[Told], candidate: &[Told]) {
        let round = self.document.next_round();
        for ((index, base), candidate) in indices.iter().zip(base).zip(candidate) {
            let clock = |told: &Told| match &told.reading {
                Reading::Measured(measured) => measured.clock_mhz,
                _ => None,
            };
            self.document.file.cases[*index].pairs.push(Pair {
                stage: document::stage(task.stage),
                round,
                first: if task.first == gate::Arm::Base { Arm::Base } else { Arm::Candidate },
                base: base.figure,
                candidate: candidate.figure,
                base_clock_mhz: clock(base),
                candidate_clock_mhz: clock(candidate),
                thrown_out: base.thrown_out.clone().or_else(|| candidate.thrown_out.clone()),
            });
        }
    }

    /// Runs a block of these cases.
    fn block(
        &mut self,
        runner: &Runner<'_>,
        arm: Arm,
        indices: &[usize],
        phase: Phase,
        [round, rounds]: [usize; 2],
        name: &str,
    ) -> Result<Rows, Stop> {
        let file = &self.document.file;
        let mut ids: Vec<&str> = Vec::new();
        for case in indices.iter().map(|index| file.cases[*index].case.as_str()) {
            // A case by two metrics is one run.
            if !ids.contains(&case) {
                ids.push(case);
            }
        }
        let metered = indices.iter().any(|index| file.cases[*index].metric == Metric::Energy);
        (self.tell)(Event::Block { phase, round, rounds, arm, cases: ids.len() });
        let (watch, tell) = (&self.watch, &mut self.tell);
        let take = |device: &str| watch.as_ref().map(|watch| watch.take(device)).unwrap_or_default();
        for device in &file.devices {
            take(&device.id);
        }
        let hot = || watch.as_ref().and_then(Watch::processors_held_back);
        let hot_before = hot();
        let mut rows = BTreeMap::new();
        let energy = if metered { "quick" } else { "off" };
        let block = runner.run(&ids, energy, &block::file(self.folder, name, arm), self.stopped, |row| {
            let seen = take(&row.device);
            rows.insert(row.case.clone(), seen);
            tell(Event::Row);
        })?;
        let heated = hot_before.zip(hot()).is_some_and(|(before, after)| after > before);
        let taken = block.rows.into_iter().map(|row| {
            let mut seen = rows.remove(&row.case).unwrap_or_default();
            if heated && self.document.device(&row.case).is_some_and(|device| device.kind == "cpu") {
                seen.throttle.get_or_insert_with(|| "the processors were held back by heat".to_owned());
            }
            (row.case.clone(), Taken { row, seen })
        });
        Ok((taken.collect(), block.broken))
    }
}

impl Document<'_> {
    /// The cases that are timed.
    fn timed(&self) -> Vec<usize> {
        let cases = self.file.cases.iter().enumerate();
        cases
            .filter(|(_, case)| case.verdict == Verdict::Unsettled && case.severity != Severity::Ignore)
            .map(|(index, _)| index)
            .collect()
    }

    /// The device of a case.
    fn device(&self, case: &str) -> Option<&accelbench_reports::DeviceRow> {
        let id = device_of(case)?;
        self.file.devices.iter().find(|row| row.id == id)
    }
}
