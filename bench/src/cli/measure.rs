//! `all` and `run`: measure, write the result file, show what matters.

use super::args::{Cache, RunArgs, RunOptions};
use super::exit::{self, UserError};
use super::progress::{self, Progress};
use super::{lines, output, term, units};
use crate::energy::Mode;
use crate::plan::{self, Planned, Selection};
use crate::probe::Machine;
use crate::run::{self, Before, Event, RunSettings};
use crate::tune::Known;
use crate::{App, CaseId, host};
use accelbench_kernels::Profile;
use accelbench_kernels::fill::Fill;
use accelbench_reports::{
    BackendStatus, CacheMode, End, EndStatus, Line, Plan, ResultRow, RunFile, RunHeader, RunWriter, SCHEMA, Status,
    check, summary,
};
use comfy_table::{CellAlignment, Table, presets};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

pub(super) fn all(app: App, options: RunOptions) -> Result<ExitCode, UserError> {
    let energy = Mode::from(options.energy);
    start(app, &Selection::default(), energy, options)
}

pub(super) fn run(app: App, args: RunArgs) -> Result<ExitCode, UserError> {
    let catalogue = (app.catalogue)();
    let own_shapes = plan::own_shapes(&catalogue, &args.own_shapes).map_err(UserError)?;
    let selection = Selection {
        kernels: args.kernel,
        precisions: args.dtype,
        shapes: args.shape,
        variants: args.variant,
        devices: args.device,
        plan: args.plan,
        own_shapes,
    };
    // Who measures some cases takes what is known of the device, and is not kept waiting for more.
    start(app, &selection, Mode::Off, args.options)
}

fn start(app: App, selection: &Selection, ceilings_energy: Mode, options: RunOptions) -> Result<ExitCode, UserError> {
    if let Some(path) = &options.resume {
        return resume(app, path, options.json);
    }
    let profile = match (options.quick, options.full) {
        (true, _) => Profile::Quick,
        (_, true) => Profile::Full,
        _ => Profile::Standard,
    };
    let (budget, case_limit) = RunSettings::limits(profile);
    let settings = RunSettings {
        profile,
        cache: match options.cache {
            Cache::Warm => CacheMode::Warm,
            Cache::Cold => CacheMode::Cold,
        },
        seed: options.seed,
        fill: options.fill.into(),
        plan: selection.plan.clone(),
        timeout: Duration::from_secs_f64(options.timeout),
        budget: options.budget.map(Duration::from_secs_f64).or(budget),
        energy: options.energy.into(),
        ceilings_energy,
        rated_power_w: options.allow_estimate.iter().map(|(device, watts)| (device.to_string(), *watts)).collect(),
        // Who names a shape wants it measured, however long it takes.
        case_limit: if selection.own_shapes.is_empty() { case_limit } else { None },
    };
    // Before minutes are spent: a mistake in the selection, or a place that can't be written to.
    let machine = Machine::probe(app);
    let devices: Vec<_> = machine.devices().cloned().collect();
    let known = Known::of(&machine, (app.catalogue)());
    let cases = plan::expand(&(app.catalogue)(), &devices, selection, profile, &known).map_err(UserError)?;
    known.notes().iter().for_each(|note| term::note(note));
    let path = options.output.unwrap_or_else(|| output::dated("accelbench", "jsonl"));
    let writer = lines::create(&path)?;
    let header = header(app, &machine, &cases, &settings);
    Run { app, machine, cases, settings, writer, file: RunFile::new(header), json: options.json, fresh: true }.go()
}

/// Takes up a stopped run: its own settings, its own cases, on the same devices.
fn resume(app: App, path: &Path, json: bool) -> Result<ExitCode, UserError> {
    let file = RunFile::read(path).map_err(UserError::new)?;
    if let Some(problem) = check::rows(&file).first() {
        return Err(UserError(format!(
            "{}: {problem}; nothing is added to such a file, so start a new run",
            path.display()
        )));
    }
    let machine = Machine::probe(app);
    let plan = &file.header.plan;
    let profile = [Profile::Quick, Profile::Standard, Profile::Full].into_iter().find(|p| p.name() == plan.profile);
    let profile =
        profile.ok_or_else(|| UserError(format!("{}: unknown profile `{}`", path.display(), plan.profile)))?;
    let fill = plan.fill.as_deref().map_or(Some(Fill::default()), Fill::named);
    let fill = fill.ok_or_else(|| UserError(format!("{}: its inputs are of an unknown kind", path.display())))?;
    let seconds = |value: f64| Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX);
    let settings = RunSettings {
        profile,
        cache: plan.cache,
        seed: plan.seed,
        fill,
        plan: plan.plan.clone(),
        timeout: seconds(plan.timeout_s),
        budget: plan.budget_s.map(seconds),
        energy: plan.energy.as_deref().and_then(Mode::named).unwrap_or(Mode::Off),
        ceilings_energy: Mode::Off,
        rated_power_w: plan.rated_power_w.clone(),
        case_limit: plan.case_limit_s.map(seconds),
    };
    let cases = missing(app, &file, &machine).map_err(|reason| UserError(format!("{}: {reason}", path.display())))?;
    let writer = RunWriter::resume(path, &file).map_err(UserError::new)?;
    Run { app, machine, cases, settings, writer, file, json, fresh: false }.go()
}

/// The planned cases that have no row yet.
fn missing(app: App, file: &RunFile, machine: &Machine) -> Result<Vec<Planned>, String> {
    let catalogue = (app.catalogue)();
    let done: BTreeSet<&str> = file.results.iter().map(|row| row.case.as_str()).collect();
    let known = Known::of(machine, (app.catalogue)());
    let mut cases = Vec::new();
    for case in file.header.plan.cases.iter().filter(|case| !done.contains(case.as_str())) {
        let id: CaseId = case.parse()?;
        let name = id.device.to_string();
        let device = machine.devices().find(|device| device.id == id.device);
        let row = file.header.devices.iter().find(|row| row.id == name);
        let before = row.map(|row| (row.name.clone(), row.driver.clone()));
        let after = device.map(|device| (device.name.clone(), device.driver.clone()));
        let Some(device) = device.filter(|_| before == after) else {
            let named = |identity: Option<(String, String)>| {
                identity.map_or("absent".to_owned(), |(name, driver)| format!("`{name}` with {driver}"))
            };
            return Err(format!(
                "{name} was {} and is {}: results of different devices or drivers don't go into one file; start a new run",
                named(before),
                named(after)
            ));
        };
        cases.push(plan::from_id(&catalogue, &id, device, &known)?);
    }
    Ok(cases)
}

/// A run with all that it needs.
struct Run {
    app: App,
    machine: Machine,
    cases: Vec<Planned>,
    settings: RunSettings,
    writer: RunWriter,
    /// The result file's content so far.
    file: RunFile,
    json: bool,
    /// The header is not written yet.
    fresh: bool,
}

impl Run {
    fn go(mut self) -> Result<ExitCode, UserError> {
        let start = Instant::now();
        let stopped = term::on_interrupt();
        let show: fn(&str) -> Result<(), UserError> = if self.json { progress::to_stderr } else { term::print };
        let path = self.writer.path().to_owned();
        if self.fresh {
            let header = Line::Run(Box::new(self.file.header.clone()));
            lines::keep(&mut self.writer, &header, self.json)?;
            show(&introduction(&self.machine, self.cases.len(), &self.settings))?;
        } else {
            show(&format!(
                "{}: {} of {} cases are done\n",
                path.display(),
                self.file.results.len(),
                self.file.header.plan.cases.len()
            ))?;
        }
        let mut progress = Progress::new(self.file.header.plan.cases.len(), self.file.results.len());
        let RunFile { ceilings, results: rows, .. } = &mut self.file;
        let (writer, json) = (&mut self.writer, self.json);
        let before = Before { ceilings: ceilings.clone(), rows: rows.clone() };
        let ran =
            run::run(self.app, &self.machine, &self.cases, &self.settings, &before, &stopped, |event| match event {
                Event::Probing(device) => progress.note(&format!("{device} probing ceilings\n"), show),
                Event::Metering(device) => {
                    progress.note(&format!("{device} measuring what a byte and a FLOP take\n"), show)
                }
                Event::Note(note) => progress.note(&format!("{note}\n"), progress::to_stderr),
                Event::Ceilings(found) => {
                    lines::keep(writer, &Line::Ceilings(found.clone()), json)?;
                    ceilings.push(*found);
                    Ok::<(), UserError>(())
                }
                Event::Row(row) => {
                    lines::keep(writer, &Line::Result(row.clone()), json)?;
                    progress.row(&row, show)?;
                    rows.push(*row);
                    Ok(())
                }
            });
        progress.finish();
        ran?;
        let complete = self.file.results.len() == self.file.header.plan.cases.len();
        let end = End {
            status: if complete { EndStatus::Complete } else { EndStatus::Interrupted },
            counts: check::counts(&self.file.results),
            wall_s: start.elapsed().as_secs_f64(),
        };
        lines::keep(&mut self.writer, &Line::End(end.clone()), self.json)?;
        show(&conclusion(&self.file, &end, &path))?;
        Ok(match end.status {
            EndStatus::Interrupted => ExitCode::from(exit::INTERRUPTED),
            EndStatus::Complete if self.file.results.iter().any(|row| row.status.is_fault()) => {
                ExitCode::from(exit::FAULT)
            }
            EndStatus::Complete => ExitCode::SUCCESS,
        })
    }
}

fn header(app: App, machine: &Machine, cases: &[Planned], settings: &RunSettings) -> RunHeader {
    let started = jiff::Timestamp::now();
    RunHeader {
        schema: SCHEMA.to_owned(),
        // Unique as far as one machine can make it, without telling more of the machine than the rest does.
        run_id: format!(
            "{}-{:x}-{:x}",
            started.strftime("%Y%m%dT%H%M%SZ"),
            started.subsec_nanosecond(),
            std::process::id()
        ),
        started: started.to_string(),
        argv: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        suite: host::suite(),
        plan: Plan {
            profile: settings.profile.name().to_owned(),
            cache: settings.cache,
            seed: settings.seed,
            fill: Some(settings.fill.name().to_owned()),
            timeout_s: settings.timeout.as_secs_f64(),
            budget_s: settings.budget.map(|budget| budget.as_secs_f64()),
            case_limit_s: settings.case_limit.map(|limit| limit.as_secs_f64()),
            plan: settings.plan.clone(),
            energy: Some(settings.energy.name().to_owned()),
            rated_power_w: settings.rated_power_w.clone(),
            cases: cases.iter().map(|case| case.id.to_string()).collect(),
        },
        host: host::host(),
        environment: host::environment(&(app.registry)()),
        backends: machine.backend_rows(),
        devices: machine.device_rows(),
    }
}

fn introduction(machine: &Machine, cases: usize, settings: &RunSettings) -> String {
    let mut text = String::new();
    for device in machine.devices() {
        let _ = writeln!(text, "{:10} {} ({})", device.id.to_string(), device.name, device.driver);
    }
    let limit = settings.budget.map_or(String::new(), |budget| format!(", at most {} s a device", budget.as_secs()));
    let fill = if settings.fill == Fill::Zeros { ", on inputs of zeros" } else { "" };
    let _ = writeln!(text, "{cases} cases, {} profile{limit}{fill}\n", settings.profile.name());
    text
}

fn conclusion(file: &RunFile, end: &End, path: &Path) -> String {
    let mut text = String::new();
    let best = summary::best(file);
    if !best.is_empty() {
        let _ = writeln!(
            text,
            "\nBest verified rates{}, and their share of what the device can attain there\n{}",
            on(&file.header.plan),
            table(&best, |entry| {
                let share = entry.fraction.map_or(String::new(), |fraction| format!(" {}", units::percent(fraction)));
                units::rate(entry.flop_per_s, &entry.dtype) + &share
            })
        );
    }
    text += &energies(file);
    for backend in file.header.backends.iter().filter(|backend| backend.status == BackendStatus::Absent) {
        let _ = writeln!(
            text,
            "{} is absent: {}\n    to have it: {}",
            backend.id,
            backend.detail.as_deref().unwrap_or_default(),
            backend.hint.as_deref().unwrap_or_default()
        );
    }
    let counts: Vec<String> = Status::ALL
        .iter()
        .filter_map(|status| end.counts.get(status.name()).map(|count| format!("{count} {status}")))
        .collect();
    let _ = writeln!(text, "{} in {:.0} s. Results: {}", counts.join(", "), end.wall_s, path.display());
    if end.status == EndStatus::Interrupted {
        let left = file.header.plan.cases.len() - file.results.len();
        let _ = writeln!(text, "Stopped with {left} cases left: `accelbench run --resume {}` goes on", path.display());
    }
    text
}

/// What the inputs held, where that is not the usual.
fn on(plan: &Plan) -> &'static str {
    if plan.fill.as_deref() == Some(Fill::Zeros.name()) { " on inputs of zeros" } else { "" }
}

/// What energies were measured, or why none.
fn energies(file: &RunFile) -> String {
    let best = summary::best_energies(file);
    if !best.is_empty() {
        let cell = |entry: &summary::Best| {
            let picojoules = entry.pj_per_flop.unwrap_or_default();
            // A FLOP/s per watt is a FLOP per joule.
            format!("{} {}", units::pj(picojoules, "FLOP"), units::flop_per_s_per_w(1e12 / picojoules))
        };
        return format!(
            "\nLeast measured energy{}, and rate per watt\n{}\n",
            on(&file.header.plan),
            table(&best, cell)
        );
    }
    let reason = |row: &ResultRow| row.energy.as_ref()?.reason.clone();
    let Some(reason) = file.results.iter().find_map(reason) else { return String::new() };
    let estimated = file.results.iter().any(|row| row.energy.as_ref().is_some_and(|energy| energy.estimate.is_some()));
    let estimates = if estimated { ", and the file has estimates alone" } else { "" };
    let first = reason.lines().next().unwrap_or_default();
    let advice = if first.contains("accelbench meters") { "" } else { "; `accelbench meters` says what there is" };
    format!("No joules{estimates}: {first}{advice}\n")
}

/// Devices and operations down, types across.
fn table(best: &[summary::Best], cell: impl Fn(&summary::Best) -> String) -> Table {
    let mut columns: Vec<&str> = Vec::new();
    let mut rows: Vec<(&str, &str, &str)> = Vec::new();
    for entry in best {
        if !columns.contains(&entry.dtype.as_str()) {
            columns.push(&entry.dtype);
        }
        let row = (entry.device.as_str(), entry.name.as_str(), entry.op.as_str());
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows.sort_by_key(|(device, ..)| best.iter().position(|entry| entry.device == *device));
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["device", "name", "kernel"].iter().chain(&columns).collect::<Vec<_>>());
    for (i, &(device, name, op)) in rows.iter().enumerate() {
        let rates = columns.iter().map(|dtype| {
            let entry = best.iter().find(|entry| entry.device == device && entry.op == op && entry.dtype == *dtype);
            entry.map_or("-".to_owned(), &cell)
        });
        // A device is named once.
        let first = i == 0 || rows[i - 1].0 != device;
        let named = if first { [device, name] } else { ["", ""] };
        table.add_row(named.into_iter().chain([op]).map(str::to_owned).chain(rates).collect::<Vec<_>>());
    }
    for column in table.column_iter_mut().skip(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
