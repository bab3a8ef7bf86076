//! `accelbench publish`: a static site of devices and runs.

use super::args::PublishArgs;
use super::exit::UserError;
use super::report::{nothing, passed_over};
use super::term;
use accelbench_reports::LoadOptions;
use accelbench_reports::site::{self, SiteError};
use std::process::ExitCode;

pub(super) fn publish(options: &PublishArgs) -> Result<ExitCode, UserError> {
    let load = LoadOptions { title: options.title.clone(), anonymous: options.anonymous, strict: options.strict };
    let done = site::publish(&options.runs, &options.to, options.lang, &load).map_err(|error| match error {
        SiteError::Load(error) => nothing(error),
        error => UserError::new(error),
    })?;
    for (file, reason) in &done.rejected {
        passed_over(file, reason);
    }
    term::note(&format!(
        "{}: {} devices, {} runs; files: {} written, {} as they were, {} taken away",
        options.to.join("index.html").display(),
        done.devices,
        done.runs,
        done.written,
        done.unchanged,
        done.removed
    ));
    Ok(ExitCode::SUCCESS)
}
