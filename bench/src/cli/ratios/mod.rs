//! `accelbench ratios`: how near kernels come to peaks and libraries, and a page that says so.

pub(in crate::cli) mod args;
mod progress;

use super::exit::{self, UserError};
use super::progress::to_stderr;
use super::{output, term};
use crate::gate_run::Stop;
use crate::plan;
use crate::probe::Machine;
use crate::ratios::{self, BLOCKS, Choice, Event, Peer, REST_S, STEADY, Settings, TRIES, TURN_S, Task, figures};
use crate::tune::Known;
use crate::{App, host};
use accelbench_backends::DeviceInfo;
use accelbench_kernels::Catalogue;
use accelbench_reports::ratios::{RatioOptions, RatiosFile, SCHEMA};
use accelbench_reports::{DeviceRow, Suite, markdown};
use args::RatiosArgs;
use progress::Progress;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

pub(super) fn ratios(app: App, args: &RatiosArgs) -> Result<ExitCode, UserError> {
    if let Some(path) = &args.from {
        let file = RatiosFile::read(path).map_err(UserError::new)?;
        show(&file, args)?;
        return Ok(ExitCode::SUCCESS);
    }
    [&args.output, &args.markdown].into_iter().flatten().try_for_each(|path| output::check(path))?;
    if let Some(path) = args.output.as_deref().filter(|path| path.exists()) {
        return Err(UserError(format!(
            "{} is already there; name another file with -o, or go on with it by --resume",
            path.display()
        )));
    }
    if args.output.as_deref().is_some_and(output::is_stdout) {
        return Err(UserError::new("the document is written as it grows: name a file, and print it with --json"));
    }
    let begun = args.resume.as_deref().map(RatiosFile::read).transpose().map_err(UserError::new)?;
    let options = begun.as_ref().map_or_else(|| chosen(args), |file| file.options.clone());
    let catalogue = (app.catalogue)();
    let choice = choice(&catalogue, &options)?;
    let peers =
        options.peers.iter().map(|peer| Peer::new(peer)).collect::<Result<Vec<Peer>, _>>().map_err(UserError)?;
    let machine = Machine::probe(app);
    let known = Known::of(&machine, (app.catalogue)());
    let devices: Vec<DeviceInfo> = machine.devices().cloned().collect();
    let tasks = ratios::tasks(&catalogue, &devices, &choice).map_err(UserError)?;
    let path = args.resume.clone().or_else(|| args.output.clone());
    let path = path.unwrap_or_else(|| output::dated("accelbench-ratios", "json"));
    let mut file = match begun {
        Some(file) => resumed(file, &machine).map_err(|why| UserError(format!("{}: {why}", path.display())))?,
        None => empty(&machine, options),
    };
    let stopped = term::on_interrupt();
    let timeout = Duration::from_secs_f64(args.timeout);
    let offers = match ratios::ask_peers(&peers, timeout, &stopped) {
        Ok(offers) => offers,
        Err(Stop::Interrupted) => return Ok(ExitCode::from(exit::INTERRUPTED)),
        Err(Stop::Harness(why)) => return Err(UserError(why)),
    };
    let settings = Settings { rounds: file.options.rounds as usize, timeout, seed: file.options.seed, peers, offers };
    for note in ratios::useless(&catalogue, &devices, &tasks, &settings) {
        term::note(&note);
        keep(&mut file.notes, note);
    }
    let start = Instant::now();
    let before_s = file.wall_s;
    // Before anything is measured: a place that can't be written to.
    write(&path, &file)?;
    let print: fn(&str) -> Result<(), UserError> = if args.json { to_stderr } else { term::print };
    let steady = file.cases.iter().filter(|case| case.unsteady.is_none());
    let done: BTreeSet<String> = steady.map(|case| case.case.clone()).collect();
    let left: Vec<Task> = tasks.iter().filter(|task| !done.contains(&task.id.to_string())).cloned().collect();
    let places: BTreeMap<String, usize> = tasks.iter().map(|task| task.id.to_string()).zip(0..).collect();
    print(&format!(
        "{} cases, {} of them done, {} rounds at least, into {}\n",
        tasks.len(),
        done.len(),
        settings.rounds,
        path.display()
    ))?;
    let mut progress = Progress::new(tasks.len(), done.len());
    let ran = ratios::run(app, &machine, &left, &settings, &known, &stopped, |event| match event {
        Event::Begun(task) => {
            progress.begun(&task.id);
            Ok::<(), UserError>(())
        }
        Event::Case(case) => {
            progress.case(&case, print)?;
            // One that was unsteady stays until it is measured anew.
            file.cases.retain(|old| old.case != case.case);
            file.cases.push(*case);
            file.cases.sort_by_key(|case| places.get(&case.case).copied());
            file.means = figures::means(&file.cases);
            file.wall_s = before_s + start.elapsed().as_secs_f64();
            // A run that is killed leaves what was measured.
            write(&path, &file)
        }
    });
    progress.finish();
    ran?;
    known.notes().into_iter().for_each(|note| keep(&mut file.notes, note));
    file.complete = file.cases.len() == tasks.len();
    file.wall_s = before_s + start.elapsed().as_secs_f64();
    write(&path, &file)?;
    show(&file, args)?;
    Ok(if !file.complete || stopped() {
        ExitCode::from(exit::INTERRUPTED)
    } else if file.has_faults() {
        ExitCode::from(exit::FAULT)
    } else {
        ExitCode::SUCCESS
    })
}

/// How the command line wants it measured.
fn chosen(args: &RatiosArgs) -> RatioOptions {
    RatioOptions {
        rounds: args.rounds.into(),
        blocks: BLOCKS as u64,
        steady: STEADY,
        tries: TRIES,
        seed: args.seed,
        turn_s: TURN_S,
        rest_s: REST_S,
        shapes: args.own_shapes.clone(),
        kernels: args.kernel.clone(),
        dtypes: args.dtype.iter().map(|precision| precision.name().to_owned()).collect(),
        devices: args.device.clone(),
        peers: args.peer.iter().map(|peer| peer.command.clone()).collect(),
    }
}

/// The cases that such options choose.
fn choice(catalogue: &Catalogue, options: &RatioOptions) -> Result<Choice, UserError> {
    Ok(Choice {
        own_shapes: plan::own_shapes(catalogue, &options.shapes).map_err(UserError)?,
        kernels: options.kernels.clone(),
        precisions: options.dtypes.iter().map(|name| name.parse()).collect::<Result<_, _>>().map_err(UserError::new)?,
        devices: options.devices.clone(),
    })
}

/// A document before anything is measured.
fn empty(machine: &Machine, options: RatioOptions) -> RatiosFile {
    RatiosFile {
        schema: SCHEMA.to_owned(),
        started: jiff::Timestamp::now().to_string(),
        wall_s: 0.0,
        resumed: Vec::new(),
        complete: false,
        argv: argv(),
        suite: host::suite(),
        host: host::host(),
        devices: machine.device_rows(),
        options,
        cases: Vec::new(),
        means: Vec::new(),
        notes: Vec::new(),
    }
}

/// Takes a document up again.
///
/// # Errors
/// In what the program, the processor, a device or its libraries are no longer what the document says: figures of two
/// machines don't belong into one mean.
fn resumed(mut file: RatiosFile, machine: &Machine) -> Result<RatiosFile, String> {
    let changed = |what: &str, was: &str, is: &str| Err(format!("{what} was {was}, and is {is}; measure it anew"));
    let (suite, host, rows) = (host::suite(), host::host(), machine.device_rows());
    if file.suite != suite {
        return changed("the program", &build(&file.suite), &build(&suite));
    }
    if file.host.cpu != host.cpu {
        return changed("the processor", &file.host.cpu, &host.cpu);
    }
    for was in &file.devices {
        let is = rows.iter().find(|row| row.id == was.id).map_or("not there".to_owned(), identity);
        if is != identity(was) {
            return changed(&was.id, &identity(was), &is);
        }
    }
    file.resumed.push(jiff::Timestamp::now().to_string());
    Ok(file)
}

fn build(suite: &Suite) -> String {
    let commit = suite.git_commit.as_deref().unwrap_or("of a commit that is not known");
    let dirty = if suite.git_dirty == Some(true) { ", changed" } else { "" };
    format!("accelbench {} {commit}{dirty}", suite.version)
}

/// A device by name, driver and libraries.
fn identity(row: &DeviceRow) -> String {
    let libraries = row.caps.get("external").map(ToString::to_string).unwrap_or_default();
    format!("`{}` with {} {libraries}", row.name, row.driver)
}

fn keep(notes: &mut Vec<String>, note: String) {
    if !notes.contains(&note) {
        notes.push(note);
    }
}

/// The command line, with the program by its name alone: where it lies is no part of the command.
fn argv() -> Vec<String> {
    let mut words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(program) = words.first_mut() {
        let name = Path::new(program.as_str()).file_name().map(|name| name.to_string_lossy().into_owned());
        *program = name.unwrap_or_default();
    }
    words
}

fn text(file: &RatiosFile) -> Result<String, UserError> {
    let mut text = serde_json::to_string_pretty(file).map_err(UserError::new)?;
    text.push('\n');
    Ok(text)
}

fn write(path: &Path, file: &RatiosFile) -> Result<(), UserError> {
    let text = text(file)?;
    output::whole(path, |out| out.write_all(text.as_bytes()))
}

/// The page where one is asked for, and the means, or the document.
fn show(file: &RatiosFile, args: &RatiosArgs) -> Result<(), UserError> {
    if let Some(path) = &args.markdown {
        let page = markdown::ratios::render(file);
        output::whole(path, |out| out.write_all(page.as_bytes()))?;
        if output::is_stdout(path) {
            return Ok(());
        }
    }
    term::print(&if args.json { text(file)? } else { progress::means(file) })
}
