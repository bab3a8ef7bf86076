//! The command line: what users type, and what they read.

mod args;
mod ceilings;
mod check;
mod ci;
mod compare;
mod exit;
mod gate;
mod history;
mod inventory;
mod lines;
mod measure;
mod meters;
mod output;
mod progress;
mod publish;
mod ratios;
mod report;
mod show;
mod term;
mod tune;

use crate::{App, worker};
use accelbench_reports::units;
use args::{Cli, Command, Internal};
use clap::{CommandFactory, Parser};
use std::process::ExitCode;

/// Runs the command that the process was started with.
pub fn main(app: App) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // clap prints help on standard output and errors, with their own exit code of 2, on standard error.
        Err(error) => error.exit(),
    };
    let done = match cli.command {
        None => term::print(args::FIRST_STEPS).map(|()| ExitCode::SUCCESS),
        Some(Command::All(options)) => measure::all(app, options),
        Some(Command::Run(options)) => measure::run(app, options),
        Some(Command::Devices(format)) => inventory::devices(app, format.json),
        Some(Command::Doctor(format)) => inventory::doctor(app, format.json),
        Some(Command::Meters(format)) => meters::meters(app, format.json),
        Some(Command::List(options)) => inventory::list(app, &options),
        Some(Command::Tune(options)) => tune::tune(app, &options),
        Some(Command::Ratios(options)) => ratios::ratios(app, &options),
        Some(Command::Gate(options)) => gate::gate(app, &options),
        Some(Command::Check { files, format }) => check::check(&files, format.json),
        Some(Command::Probe(options)) => ceilings::probe(app, &options),
        Some(Command::Roofline { file, format }) => ceilings::roofline(&file, format.json),
        Some(Command::Report(options)) => report::report(&options),
        Some(Command::Publish(options)) => publish::publish(&options),
        Some(Command::Compare(options)) => compare::compare(&options),
        Some(Command::Show { run, format }) => show::show(&run, format.json),
        Some(Command::History(arguments)) => history::history(arguments),
        Some(Command::Ci { file, outputs }) => ci::ci(&file, &outputs),
        Some(Command::Completions { shell }) => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "accelbench", &mut text);
            term::print(&String::from_utf8_lossy(&text)).map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Man) => man(),
        Some(Command::Internal(Internal::Probe { backend })) => return worker::probe_main(app, &backend),
        Some(Command::Internal(Internal::Worker { device })) => return worker::worker_main(app, &device),
    };
    done.unwrap_or_else(|error| {
        term::error(&error.0);
        ExitCode::from(exit::USAGE)
    })
}

fn man() -> Result<ExitCode, exit::UserError> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text).map_err(exit::UserError::new)?;
    term::print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::SUCCESS)
}
