//! `accelbench ratios`: how near kernels come to peaks and libraries, and a page that says so.

pub(in crate::cli) mod args;
mod progress;

use super::exit::{self, UserError};
use super::progress::to_stderr;
use super::{output, term};
use crate::gate_run::Stop;
use crate::plan;
use crate::probe::Machine;
use crate::ratios::{self, BLOCKS, Choice, Event, REST_S, STEADY, Settings, TRIES, TURN_S, figures};
use crate::tune::Known;
use crate::{App, host};
use accelbench_backends::DeviceInfo;
use accelbench_reports::markdown;
use accelbench_reports::ratios::{RatioOptions, RatiosFile, SCHEMA};
use args::RatiosArgs;
use progress::Progress;
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
    if args.output.as_deref().is_some_and(output::is_stdout) {
        return Err(UserError::new("the document is written as it grows: name a file, and print it with --json"));
    }
    let catalogue = (app.catalogue)();
    let own_shapes = plan::own_shapes(&catalogue, &args.own_shapes).map_err(UserError)?;
    let choice = Choice {
        own_shapes,
        kernels: args.kernel.clone(),
        precisions: args.dtype.clone(),
        devices: args.device.clone(),
    };
    let machine = Machine::probe(app);
    let known = Known::of(&machine, (app.catalogue)());
    let devices: Vec<DeviceInfo> = machine.devices().cloned().collect();
    let tasks = ratios::tasks(&catalogue, &devices, &choice).map_err(UserError)?;
    let stopped = term::on_interrupt();
    let timeout = Duration::from_secs_f64(args.timeout);
    let offers = match ratios::ask_peers(&args.peer, timeout, &stopped) {
        Ok(offers) => offers,
        Err(Stop::Interrupted) => return Ok(ExitCode::from(exit::INTERRUPTED)),
        Err(Stop::Harness(why)) => return Err(UserError(why)),
    };
    let settings =
        Settings { rounds: args.rounds as usize, timeout, seed: args.seed, peers: args.peer.clone(), offers };
    let path = args.output.clone().unwrap_or_else(|| output::dated("accelbench-ratios", "json"));
    let start = Instant::now();
    let mut file = empty(&machine, args);
    // Before anything is measured: a place that can't be written to.
    write(&path, &file)?;
    let print: fn(&str) -> Result<(), UserError> = if args.json { to_stderr } else { term::print };
    print(&format!("{} cases, {} rounds at least, into {}\n", tasks.len(), args.rounds, path.display()))?;
    let mut progress = Progress::new(tasks.len());
    let ran = ratios::run(app, &machine, &tasks, &settings, &known, &stopped, |event| match event {
        Event::Begun(task) => {
            progress.begun(&task.id);
            Ok(())
        }
        Event::Note(note) => {
            progress.note(&note);
            file.notes.push(note);
            Ok::<(), UserError>(())
        }
        Event::Case(case) => {
            progress.case(&case, print)?;
            file.cases.push(*case);
            file.means = figures::means(&file.cases);
            file.wall_s = start.elapsed().as_secs_f64();
            // A run that is killed leaves what was measured.
            write(&path, &file)
        }
    });
    progress.finish();
    ran?;
    known.notes().into_iter().for_each(|note| file.notes.push(note));
    file.complete = file.cases.len() == tasks.len();
    file.wall_s = start.elapsed().as_secs_f64();
    write(&path, &file)?;
    show(&file, args)?;
    Ok(if !file.complete {
        ExitCode::from(exit::INTERRUPTED)
    } else if file.has_faults() {
        ExitCode::from(exit::FAULT)
    } else {
        ExitCode::SUCCESS
    })
}

/// A document before anything is measured.
fn empty(machine: &Machine, args: &RatiosArgs) -> RatiosFile {
    RatiosFile {
        schema: SCHEMA.to_owned(),
        started: jiff::Timestamp::now().to_string(),
        wall_s: 0.0,
        complete: false,
        argv: argv(),
        suite: host::suite(),
        host: host::host(),
        devices: machine.device_rows(),
        options: RatioOptions {
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
            peers: args.peer.iter().map(|peer| peer.command.clone()).collect(),
        },
        cases: Vec::new(),
        means: Vec::new(),
        notes: Vec::new(),
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
