//! Results for continuous integration: files in its formats, and what GitHub shows beside a run.

use super::args::CiOutputs;
use super::exit::UserError;
use super::{output, term};
use accelbench_reports::ci::{Suite, annotations, bencher, benchmark_json, junit, openmetrics};
use accelbench_reports::gate::GateFile;
use accelbench_reports::{DocumentError, RunFile, markdown};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// `accelbench ci`: formats of a file that was kept.
pub(super) fn ci(file: &Path, outputs: &CiOutputs) -> Result<ExitCode, UserError> {
    if outputs.is_empty() {
        return Err(UserError::new(
            "nothing is asked for: name an output, such as `--junit FILE`; `--help` has them all",
        ));
    }
    write(&read(file)?, outputs)?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses files that can't be written, before minutes are spent on what is to stand in them.
pub(super) fn check(outputs: &CiOutputs) -> Result<(), UserError> {
    outputs.files().into_iter().flatten().try_for_each(output::check)
}

/// Writes what is asked for.
pub(super) fn write(suite: &Suite, outputs: &CiOutputs) -> Result<(), UserError> {
    let renderers: [fn(&Suite) -> String; 5] =
        [junit::render, bencher::render, benchmark_json::render, openmetrics::render, summary_of];
    for (path, render) in outputs.files().into_iter().zip(renderers) {
        if let Some(path) = path {
            std::fs::write(path, render(suite)).map_err(|error| at(path, &error))?;
        }
    }
    if outputs.github { github(suite) } else { Ok(()) }
}

/// A gate's document, or else a run's file.
fn read(file: &Path) -> Result<Suite, UserError> {
    match GateFile::read(file) {
        Ok(gate) => Ok(Suite::from(&gate)),
        Err(DocumentError::Foreign { why, .. }) => match RunFile::read(file) {
            Ok(run) => Ok(Suite::from(&run)),
            Err(error) => Err(UserError(format!("{error}; nor a document of `accelbench gate`: {why}"))),
        },
        Err(error) => Err(UserError::new(error)),
    }
}

/// What GitHub Actions shows; elsewhere nothing, so that the same command can be tried anywhere.
fn github(suite: &Suite) -> Result<(), UserError> {
    if std::env::var_os("GITHUB_ACTIONS").is_none_or(|value| value != "true") {
        term::note("--github: not within GitHub Actions (GITHUB_ACTIONS is not `true`), so nothing is annotated");
        return Ok(());
    }
    term::print(&annotations::render(suite))?;
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) {
        let path = Path::new(&path);
        let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(|error| at(path, &error))?;
        file.write_all(summary_of(suite).as_bytes()).map_err(|error| at(path, &error))?;
    }
    Ok(())
}

fn summary_of(suite: &Suite) -> String {
    markdown::gate::render(suite, markdown::LIMIT)
}

fn at(path: &Path, error: &std::io::Error) -> UserError {
    UserError(format!("{}: {error}", path.display()))
}
