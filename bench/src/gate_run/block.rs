//! Blocks: fresh processes of a build, by nothing but the command line and the files that every revision understands.
//!
//! What a build would run is the first line that it prints of a run. A block is a run that is taken up again, from a file
//! that holds such a header with the block's own cases and no time limits. The file also names each device's ceilings,
//! all of them unknown: no block probes a device, and none holds a rate against a probing that noise spoilt.

use super::process::{Process, Stop};
use crate::ceilings::FOLDER_VARIABLE;
use accelbench_reports::gate::{Arm, Build};
use accelbench_reports::{BackendStatus, Ceilings, Line, ResultRow, RunFile, RunHeader, RunWriter};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long a build may take until it says what it would run.
const PLAN_DEADLINE: Duration = Duration::from_mins(3);
/// The variable by which backends are left alone.
const DISABLE: &str = "ACCELBENCH_DISABLE";

/// What a build would run.
pub(super) enum Planned {
    /// The header of such a run.
    Header(Box<RunHeader>),
    /// It refuses the selection; in its own words.
    Refused(String),
}

/// How a block went.
pub(super) struct Block {
    /// Its rows, in order.
    pub(super) rows: Vec<ResultRow>,
    /// How its process ended before its last case; none where it came to it.
    pub(super) broken: Option<String>,
}

/// Asks a build what it would run of a selection.
///
/// # Errors
/// The user's wish to stop, or how the build does not start.
pub(super) fn plan(
    arm: Arm,
    build: &Build,
    selection: &[String],
    file: &Path,
    stopped: &dyn Fn() -> bool,
) -> Result<Planned, Stop> {
    let mut command = Command::new(&build.path);
    own_cache(&mut command, file);
    command.arg("run").args(selection).args(["--json", "--energy", "off", "-o"]).arg(file);
    let harness = |how: &str| Stop::Harness(format!("the {} `{}` does not start: {how}", arm.name(), build.given));
    let mut process = Process::start(&mut command).map_err(|error| harness(&error.to_string()))?;
    let line = process.line(PLAN_DEADLINE, stopped).map_err(|stop| match stop {
        Stop::Interrupted => stop,
        Stop::Harness(how) => harness(&how),
    })?;
    let Some(line) = line else {
        let ended = process.finish();
        return match ended.refusal {
            Some(reason) if ended.code == Some(2) => Ok(Planned::Refused(reason)),
            _ => Err(harness(&ended.how)),
        };
    };
    let run = RunFile::parse(file, format!("{line}\n").as_bytes()).map_err(|error| harness(&error.to_string()))?;
    process.end();
    Ok(Planned::Header(Box::new(run.header)))
}

/// A build with what it said that it would run.
pub(super) struct Runner<'a> {
    arm: Arm,
    build: &'a Build,
    header: RunHeader,
    disabled: String,
    timeout: Duration,
}

impl<'a> Runner<'a> {
    /// Of the backends, those without a device among the cases are left alone: each costs a process at every start.
    pub(super) fn new(arm: Arm, build: &'a Build, header: RunHeader, timeout: Duration) -> Self {
        let used: BTreeSet<&str> = header.plan.cases.iter().filter_map(|case| backend_of(case)).collect();
        let present = header.backends.iter().filter(|backend| backend.status == BackendStatus::Present);
        let idle = present.map(|backend| backend.id.clone()).filter(|id| !used.contains(id.as_str()));
        let disabled = std::env::var(DISABLE).into_iter().filter(|list| !list.is_empty()).chain(idle);
        let disabled = disabled.collect::<Vec<_>>().join(",");
        Self { arm, build, header, disabled, timeout }
    }

    /// Runs these cases in a fresh process and hands over each row as it comes.
    ///
    /// # Errors
    /// The user's wish to stop, or why the process did not come to its first case.
    pub(super) fn run(
        &self,
        cases: &[&str],
        energy: &str,
        file: &Path,
        stopped: &dyn Fn() -> bool,
        mut on_row: impl FnMut(&ResultRow),
    ) -> Result<Block, Stop> {
        let harness = |how: String| Stop::Harness(format!("a block of the {} failed: {how}", self.arm.name()));
        self.prepare(cases, energy, file).map_err(|error| harness(format!("{}: {error}", file.display())))?;
        let mut command = Command::new(&self.build.path);
        command.args(["run", "--json", "--resume"]).arg(file);
        own_cache(&mut command, file);
        if !self.disabled.is_empty() {
            command.env(DISABLE, &self.disabled);
        }
        let mut process = Process::start(&mut command).map_err(|error| harness(error.to_string()))?;
        // Workers have their own deadlines for each case. This one is for a process that hangs itself.
        let deadline = self.timeout * 3 + PLAN_DEADLINE;
        while let Some(line) = process.line(deadline, stopped).map_err(|stop| match stop {
            Stop::Interrupted => stop,
            Stop::Harness(how) => harness(how),
        })? {
            if let Ok(Line::Result(row)) = serde_json::from_str(&line) {
                on_row(&row);
            }
        }
        let ended = process.finish();
        let run = RunFile::read(file).map_err(|error| harness(error.to_string()))?;
        let broken = match (&run.end, ended.refusal) {
            (Some(_), _) => None,
            (None, Some(reason)) if ended.code == Some(2) => return Err(harness(reason)),
            (None, _) => Some(format!("the process ended: {}", ended.how)),
        };
        Ok(Block { rows: run.results, broken })
    }

    /// Writes a run that has only begun.
    fn prepare(&self, cases: &[&str], energy: &str, file: &Path) -> std::io::Result<()> {
        let mut header = self.header.clone();
        header.plan.cases = cases.iter().map(|case| (*case).to_owned()).collect();
        header.plan.timeout_s = self.timeout.as_secs_f64();
        header.plan.budget_s = None;
        header.plan.case_limit_s = None;
        header.plan.energy = Some(energy.to_owned());
        let profile = header.plan.profile.clone();
        let devices: BTreeSet<&str> = cases.iter().filter_map(|case| device_of(case)).collect();
        let mut writer = RunWriter::create(file)?;
        let probed = header.started.clone();
        writer.line(&Line::Run(Box::new(header)))?;
        for device in devices {
            let unknown = Ceilings {
                device: device.to_owned(),
                probed: probed.clone(),
                profile: profile.clone(),
                ..Ceilings::default()
            };
            writer.line(&Line::Ceilings(Box::new(unknown)))?;
        }
        Ok(())
    }
}

/// Keeps what was tuned on this machine from a build: it belongs to kernels of one build, and would flatter that one. What
/// was tuned and built in is the build's own.
fn own_cache(command: &mut Command, file: &Path) {
    command.env(FOLDER_VARIABLE, file.with_file_name("cache"));
}

/// The device in a case's id.
pub(super) fn device_of(case: &str) -> Option<&str> {
    case.rsplit_once('@').map(|(_, device)| device)
}

fn backend_of(case: &str) -> Option<&str> {
    device_of(case)?.split_once(':').map(|(backend, _)| backend)
}

/// The file of a block in the work folder.
pub(super) fn file(folder: &Path, name: &str, arm: Arm) -> PathBuf {
    folder.join(format!("{name}-{}.jsonl", arm.name()))
}
