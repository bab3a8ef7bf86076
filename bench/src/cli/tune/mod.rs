//! `accelbench tune`: find faster plans, and keep them.

pub(in crate::cli) mod args;
mod progress;

use super::exit::{self, UserError};
use super::progress::to_stderr;
use super::{lines, output, term};
use crate::plan::{self, Selection};
use crate::probe::Machine;
use crate::tune::log::{self, Line, Log, Settled, Verdict};
use crate::tune::{self, DeviceKey, Event, Known, Problem, Settings, Table, table};
use crate::{App, CaseId, host};
use accelbench_backends::DeviceInfo;
use accelbench_kernels::Profile;
use accelbench_reports::{RunWriter, Status};
use args::TuneArgs;
use progress::Progress;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

pub(super) fn tune(app: App, args: &TuneArgs) -> Result<ExitCode, UserError> {
    let machine = Machine::probe(app);
    if let Some(folder) = &args.export {
        return export(app, &machine, &args.device, folder);
    }
    let known = Known::of(&machine, (app.catalogue)());
    let session = match &args.resume {
        Some(path) => Session::resumed(app, &machine, &known, path)?,
        None => Session::new(app, &machine, &known, args)?,
    };
    session.go(app, &machine, &known, args)
}

/// Writes what won on devices as tables of their families.
fn export(app: App, machine: &Machine, wanted: &[String], folder: &Path) -> Result<ExitCode, UserError> {
    let catalogue = (app.catalogue)();
    let devices: Vec<DeviceInfo> = machine.devices().cloned().collect();
    let mut text = String::new();
    for device in plan::chosen_devices(&devices, wanted).map_err(UserError)? {
        let Some(mut table) = Table::load(&DeviceKey::of(machine, device)) else { continue };
        let all = table.entries.len();
        table.entries.retain(|entry| entry.standing(&catalogue, &device.caps) == table::Standing::Sound);
        if all > table.entries.len() {
            term::note(&format!("{}: {} stale plans are left out", device.id, all - table.entries.len()));
        }
        let path = table.export(folder).map_err(UserError)?;
        let _ = writeln!(text, "{}: {} plans in {}", device.id, table.entries.len(), path.display());
    }
    if text.is_empty() {
        return Err(UserError(
            "nothing was won on these devices yet; `accelbench tune` looks for faster plans".to_owned(),
        ));
    }
    term::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// A tuning that can begin.
struct Session {
    problems: Vec<Problem>,
    /// The cases that are settled.
    settled: Vec<Settled>,
    seed: u64,
    variants: Vec<String>,
    writer: RunWriter,
}

impl Session {
    fn new(app: App, machine: &Machine, known: &Known, args: &TuneArgs) -> Result<Self, UserError> {
        let catalogue = (app.catalogue)();
        let own_shapes = plan::own_shapes(&catalogue, &args.own_shapes).map_err(UserError)?;
        let selection = Selection {
            kernels: args.kernel.clone(),
            precisions: args.dtype.clone(),
            shapes: args.shape.clone(),
            variants: args.variant.clone(),
            devices: args.device.clone(),
            plan: None,
            own_shapes,
        };
        let profile = match (args.quick, args.full) {
            (true, _) => Profile::Quick,
            (_, true) => Profile::Full,
            _ => Profile::Standard,
        };
        let devices: Vec<DeviceInfo> = machine.devices().cloned().collect();
        let planned = plan::expand(&catalogue, &devices, &selection, profile, known).map_err(UserError)?;
        let problems = tune::problems(&catalogue, &planned);
        let path = args.output.clone().unwrap_or_else(|| output::dated("accelbench-tune", "jsonl"));
        let mut writer = lines::create(&path)?;
        let tuned: BTreeSet<String> = problems.iter().map(|problem| problem.id.device.to_string()).collect();
        let header = log::Header {
            schema: log::SCHEMA.to_owned(),
            started: jiff::Timestamp::now().to_string(),
            argv: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
            suite: host::suite(),
            seed: args.seed,
            variants: args.variant.clone(),
            cases: problems.iter().map(|problem| problem.id.to_string()).collect(),
            devices: identities(&devices).into_iter().filter(|(id, _)| tuned.contains(id)).collect(),
        };
        lines::keep(&mut writer, &Line::Tune(header), args.json)?;
        Ok(Self { problems, settled: Vec::new(), seed: args.seed, variants: args.variant.clone(), writer })
    }

    /// Takes up a log: its own cases, on the same devices.
    fn resumed(app: App, machine: &Machine, known: &Known, path: &Path) -> Result<Self, UserError> {
        let catalogue = (app.catalogue)();
        let Log { header, mut trials, settled, whole } = Log::read(path).map_err(UserError)?;
        let devices: Vec<DeviceInfo> = machine.devices().cloned().collect();
        let now = identities(&devices);
        for (id, [name, driver]) in &header.devices {
            if now.get(id).is_none_or(|identity| identity != &[name.clone(), driver.clone()]) {
                return Err(UserError(format!(
                    "{}: {id} was `{name}` with {driver}, and is not now; start a new tuning",
                    path.display()
                )));
            }
        }
        let done: BTreeSet<&str> = settled.iter().map(|settled| settled.case.as_str()).collect();
        let mut problems = Vec::new();
        for case in header.cases.iter().filter(|case| !done.contains(case.as_str())) {
            let wrong = |reason: String| UserError(format!("{}: {reason}", path.display()));
            let id: CaseId = case.parse().map_err(wrong)?;
            let device = devices.iter().find(|device| device.id == id.device);
            let device = device.ok_or_else(|| wrong(format!("{} is not there", id.device)))?;
            let planned = plan::from_id(&catalogue, &id, device, known).map_err(wrong)?;
            problems.push(Problem::new(id, &planned, trials.remove(case).unwrap_or_default()));
        }
        let writer =
            RunWriter::resume_at(path, whole).map_err(|error| UserError(format!("{}: {error}", path.display())))?;
        Ok(Self { problems, settled, seed: header.seed, variants: header.variants, writer })
    }

    fn go(self, app: App, machine: &Machine, known: &Known, args: &TuneArgs) -> Result<ExitCode, UserError> {
        let Self { problems, mut settled, seed, variants, mut writer } = self;
        let start = Instant::now();
        let stopped = term::on_interrupt();
        let show: fn(&str) -> Result<(), UserError> = if args.json { to_stderr } else { term::print };
        let settings = Settings { budget: args.budget, timeout: Duration::from_secs_f64(args.timeout), seed, variants };
        let total = problems.len() + settled.len();
        known.notes().iter().for_each(|note| term::note(note));
        show(&format!("{total} cases, {}, at most {} s\n", done(settled.len()), args.budget.as_secs()))?;
        let mut progress = Progress::new(total, settled.len());
        let path = writer.path().to_owned();
        let mut now = Vec::new();
        let ran = tune::run(app, machine, &problems, &settings, known, &stopped, |event| match event {
            Event::Begun { id, incumbent, source, candidates } => {
                progress.begun(id, incumbent, source, candidates);
                Ok(())
            }
            Event::Trial(trial) => {
                lines::keep(&mut writer, &Line::Trial((*trial).clone()), args.json)?;
                progress.trial(&trial);
                Ok::<(), UserError>(())
            }
            Event::Settled(case) => {
                lines::keep(&mut writer, &Line::Settled((*case).clone()), args.json)?;
                progress.settled(&case, show)?;
                now.push(*case);
                Ok(())
            }
            Event::Note(note) => {
                progress.note(&note);
                Ok(())
            }
        });
        progress.finish();
        ran?;
        settled.extend(now);
        let left = total - settled.iter().filter(|case| case.verdict != Verdict::Skipped).count();
        let end = log::End { complete: left == 0, wall_s: start.elapsed().as_secs_f64() };
        lines::keep(&mut writer, &Line::End(end), args.json)?;
        show(&progress::conclusion(&settled, left, end.wall_s, &path))?;
        let wrong = |case: &Settled| case.faults.values().any(|fault| fault.status == Status::Wrong);
        Ok(if stopped() {
            ExitCode::from(exit::INTERRUPTED)
        } else if settled.iter().any(|case| case.verdict == Verdict::Failed || wrong(case)) {
            ExitCode::from(exit::FAULT)
        } else {
            ExitCode::SUCCESS
        })
    }
}

fn done(count: usize) -> String {
    if count == 0 { "none done".to_owned() } else { format!("{count} done") }
}

/// Name and driver of each device.
fn identities(devices: &[DeviceInfo]) -> BTreeMap<String, [String; 2]> {
    devices.iter().map(|device| (device.id.to_string(), [device.name.clone(), device.driver.clone()])).collect()
}
