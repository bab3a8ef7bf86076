//! The document of a gate, from its first line to its last.

use super::process::Stop;
use super::suite::Suite;
use super::{Noise, Request, words};
use crate::gate::{self, Finding};
use crate::{host, stats};
use accelbench_reports::RunHeader;
use accelbench_reports::gate::{
    Arm, Build, Cause, Doubt, Estimate, GateFile, GateOptions, Mode, Outcome, SCHEMA, Stage, Verdict,
};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Where blocks' files are while a gate runs.
pub(super) enum Folder {
    /// They are thrown away.
    Thrown(tempfile::TempDir),
    /// They stay.
    Kept(PathBuf),
}

impl Folder {
    /// A new folder, or the one that is named.
    ///
    /// # Errors
    /// One sentence with the folder's name.
    pub(super) fn new(keep: Option<&Path>) -> Result<Self, Stop> {
        let Some(path) = keep else {
            let folder = tempfile::Builder::new().prefix("accelbench-gate-").tempdir();
            return folder.map(Self::Thrown).map_err(|error| Stop::Harness(format!("a temporary folder: {error}")));
        };
        let made = std::fs::create_dir_all(path).and_then(|()| std::fs::canonicalize(path));
        made.map(Self::Kept).map_err(|error| Stop::Harness(format!("{}: {error}", path.display())))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Thrown(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

/// A document that is being written.
pub(super) struct Document<'a> {
    pub(super) file: GateFile,
    request: &'a Request,
    start: Instant,
    rounds: u64,
}

impl<'a> Document<'a> {
    /// A document without cases.
    pub(super) fn new(request: &'a Request, mode: Mode, [base, candidate]: [Build; 2]) -> Self {
        let started = jiff::Timestamp::now();
        let options = &request.options;
        let mut notes = Vec::new();
        if mode == Mode::Paired && base.sha256 == candidate.sha256 {
            notes.push("both builds are the same file, so that what differs is noise".to_owned());
        }
        let file = GateFile {
            schema: SCHEMA.to_owned(),
            gate_id: format!(
                "{}-{:x}-{:x}",
                started.strftime("%Y%m%dT%H%M%SZ"),
                started.subsec_nanosecond(),
                std::process::id()
            ),
            started: started.to_string(),
            wall_s: 0.0,
            argv: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
            suite: host::suite(),
            mode,
            options: GateOptions {
                margin: options.margin,
                allowed: options.allowed,
                detectable: options.detectable,
                alpha: options.alpha,
                pass_level: options.pass_level,
                power: options.power,
                screen_pairs: options.screen_pairs as u64,
                confirm_pairs: options.confirm_pairs as u64,
                seed: options.seed,
                metrics: request.metrics.clone(),
                config: request.config.as_ref().map(|(path, _)| path.display().to_string()),
                noise: match &request.noise {
                    Noise::Unknown => None,
                    Noise::Measured => Some("measured".to_owned()),
                    Noise::File(path) => Some(path.display().to_string()),
                },
            },
            base,
            candidate,
            host: host::host(),
            devices: Vec::new(),
            cases: Vec::new(),
            outcome: Outcome::Interrupted,
            exit_code: Outcome::Interrupted.exit_code(),
            summary: String::new(),
            notes,
        };
        Self { file, request, start: Instant::now(), rounds: 0 }
    }

    /// What a build told of itself when it started.
    pub(super) fn started(&mut self, arm: Arm, header: &RunHeader) {
        let build = match arm {
            Arm::Base => &mut self.file.base,
            Arm::Candidate => &mut self.file.candidate,
        };
        build.version = Some(header.suite.version.clone());
        if build.revision.is_none() {
            (build.revision, build.dirty) = (header.suite.git_commit.clone(), header.suite.git_dirty);
        }
    }

    /// Takes the cases; gives back the margins that the configuration gives them.
    pub(super) fn take(&mut self, suite: Suite) -> Vec<Option<f64>> {
        self.file.cases = suite.cases;
        self.file.devices = suite.devices;
        self.file.notes.extend(suite.notes);
        suite.thresholds
    }

    /// The number of the next pair of blocks.
    pub(super) fn next_round(&mut self) -> u64 {
        self.rounds += 1;
        self.rounds
    }

    /// Says of a case what the gate found.
    pub(super) fn settle(&mut self, index: usize, finding: &Finding, slack: f64) {
        let options = gate::Options {
            margin: self.request.options.margin + slack,
            allowed: self.request.options.allowed + slack,
            detectable: self.request.options.detectable + slack,
            ..self.request.options
        };
        let case = &mut self.file.cases[index];
        let last = case.pairs.iter().rev().find_map(|pair| pair.thrown_out.as_deref());
        let thrown_out = (finding.thrown_out, last);
        case.reason = words::reason(&finding.verdict, finding.estimate.as_ref(), case.metric, &options, thrown_out);
        (case.verdict, case.arm) = verdict(&finding.verdict);
        case.cause = match finding.verdict {
            gate::Verdict::Regressed(cause) => Some(match cause {
                gate::Cause::Cycles => Cause::Cycles,
                gate::Cause::Clock => Cause::Clock,
                gate::Cause::Unknown => Cause::Unknown,
            }),
            _ => None,
        };
        case.doubt = match finding.verdict {
            gate::Verdict::Inconclusive(doubt) => Some(match doubt {
                gate::Doubt::Allowed => Doubt::Allowed,
                gate::Doubt::Detectable => Doubt::Detectable,
                gate::Doubt::ThrownOut => Doubt::ThrownOut,
            }),
            _ => None,
        };
        let settled = stage(finding.stage);
        case.stage = Some(settled);
        case.estimate = finding.estimate.as_ref().map(estimate);
        case.thrown_out = finding.thrown_out as u64;
        let sound = || case.pairs.iter().filter(|pair| pair.stage == settled && pair.thrown_out.is_none());
        let figures =
            [sound().filter_map(|pair| pair.base).collect(), sound().filter_map(|pair| pair.candidate).collect()];
        [case.base, case.candidate] = figures.map(|figures: Vec<f64>| stats::median(&figures));
    }

    /// The whole document, once the gate has ended in whatever way.
    pub(super) fn finish(mut self, ended: Result<(), Stop>) -> GateFile {
        self.file.wall_s = self.start.elapsed().as_secs_f64();
        self.file.outcome = match &ended {
            Ok(()) => self.file.outcome_of_cases(),
            Err(Stop::Interrupted) => Outcome::Interrupted,
            Err(Stop::Harness(_)) => Outcome::Harness,
        };
        self.file.exit_code = self.file.outcome.exit_code();
        self.file.summary = match ended {
            Err(Stop::Harness(reason)) => reason,
            _ => words::summary(&self.file),
        };
        self.file
    }
}

fn verdict(verdict: &gate::Verdict) -> (Verdict, Option<Arm>) {
    let side = |arm: gate::Arm| Some(if arm == gate::Arm::Base { Arm::Base } else { Arm::Candidate });
    match verdict {
        gate::Verdict::Pass => (Verdict::Pass, None),
        gate::Verdict::Improved => (Verdict::Improved, None),
        gate::Verdict::Regressed(_) => (Verdict::Regressed, None),
        gate::Verdict::Inconclusive(_) => (Verdict::Inconclusive, None),
        gate::Verdict::Incomparable { arm, .. } => (Verdict::Incomparable, side(*arm)),
        gate::Verdict::Missing { arm } => (Verdict::Missing, side(*arm)),
        gate::Verdict::Failed { arm, .. } => (Verdict::Failed, side(*arm)),
        gate::Verdict::Wrong { arm, .. } => (Verdict::Wrong, side(*arm)),
    }
}

fn estimate(estimate: &gate::Estimate) -> Estimate {
    Estimate {
        pairs: estimate.pairs as u64,
        effect: estimate.effect,
        interval: [estimate.low, estimate.high],
        level: estimate.level,
        ceiling: estimate.ceiling,
        margin: estimate.margin,
        p: Some(estimate.p),
        detectable: Some(estimate.detectable),
    }
}

/// A stage as documents name it.
pub(super) const fn stage(stage: gate::Stage) -> Stage {
    match stage {
        gate::Stage::Screen => Stage::Screen,
        gate::Stage::Confirm => Stage::Confirm,
    }
}
