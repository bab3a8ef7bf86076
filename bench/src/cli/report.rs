//! `accelbench report`: devices and runs compared, in every format.

use super::args::ReportArgs;
use super::exit::UserError;
use super::{output, term};
use accelbench_reports::{Format, LoadError, LoadOptions, Report, load};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) fn report(options: &ReportArgs) -> Result<ExitCode, UserError> {
    // Before minutes are spent on reading.
    let formats: Vec<(&Path, Format)> = options
        .output
        .iter()
        .map(|path| Ok((path.as_path(), format(path, options)?)))
        .collect::<Result<_, UserError>>()?;
    let load = LoadOptions { title: options.title.clone(), anonymous: options.anonymous, strict: options.strict };
    let report = read(&options.runs, &load)?;
    for (path, format) in formats {
        output::whole(path, |out| format.write(&report, options.lang, out))?;
        if !output::is_stdout(path) {
            term::note(&format!("{} written", path.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads runs; those that can't be taken are named on standard error.
pub(super) fn read(runs: &[PathBuf], options: &LoadOptions) -> Result<Report, UserError> {
    let report = load(runs, options).map_err(nothing)?;
    for rejected in &report.rejected {
        passed_over(&rejected.file, &rejected.reason);
    }
    Ok(report)
}

/// Why there is nothing to show, with each file's reason on standard error.
pub(super) fn nothing(error: LoadError) -> UserError {
    match error {
        LoadError::Nothing(reasons) => {
            for reason in &reasons {
                term::error(reason);
            }
            UserError("none of these files can be taken; `accelbench run -o FILE` makes one".to_owned())
        }
        LoadError::Rejected(reason) => UserError(reason),
    }
}

/// Names a file that is passed over.
pub(super) fn passed_over(file: &str, reason: &str) {
    term::error(&format!("{file}: {reason}; it is passed over"));
}

fn format(path: &Path, options: &ReportArgs) -> Result<Format, UserError> {
    let by_default = output::is_stdout(path).then_some(Format::Markdown);
    Format::of(path).or(options.format).or(by_default).ok_or_else(|| {
        let endings = Format::ALL.map(|format| format!(".{}", format.extension())).join(", ");
        UserError(format!(
            "{}: no format has this ending; use one of {endings}, or name one with --format",
            path.display()
        ))
    })
}
