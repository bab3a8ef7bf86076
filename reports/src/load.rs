//! Reading many files of any age and machine into one report.

use crate::report::Builder;
use crate::{Report, RunFile, sha256_hex};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::thread;

/// How files are taken.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// A title for the report.
    pub title: Option<String>,
    /// Leave out the names of devices, hosts and users.
    pub anonymous: bool,
    /// Fail where a file can't be taken, instead of passing over it.
    pub strict: bool,
}

/// Why no report can be made.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file can't be taken, and that was not to be passed over.
    #[error("{0}")]
    Rejected(String),
    /// None of the files could be taken: the reasons, a line each.
    #[error("none of the files can be reported on")]
    Nothing(Vec<String>),
}

/// Reads files and makes a report of them. What can't be read is named in it with its reason.
///
/// # Errors
/// Where nothing is left to report on; where `strict`, already for the first file that can't be taken.
pub fn load(paths: &[PathBuf], options: &LoadOptions) -> Result<Report, LoadError> {
    let mut builder = Builder::new(options.title.as_deref());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        // Files are read by as many threads as there are processors, and taken in the order in which they were named.
        let mut reading = VecDeque::new();
        let mut waiting = paths.iter();
        loop {
            while reading.len() < workers
                && let Some(path) = waiting.next()
            {
                reading.push_back((path, scope.spawn(move || read(path))));
            }
            let Some((path, thread)) = reading.pop_front() else { break };
            let name = path.display().to_string();
            match thread.join() {
                Ok(Ok((run, sha256))) => builder.add(&file_name(path), Some(&sha256), &run),
                Ok(Err(reason)) => builder.reject(&name, &reason),
                Err(_) => builder.reject(&name, "reading it failed within the program"),
            }
        }
    });
    let report = builder.finish(options.anonymous);
    let line = |rejected: &crate::report::Rejected| format!("{}: {}", rejected.file, rejected.reason);
    match report.rejected.first() {
        Some(rejected) if options.strict => Err(LoadError::Rejected(line(rejected))),
        _ if report.runs.is_empty() => Err(LoadError::Nothing(report.rejected.iter().map(line).collect())),
        _ => Ok(report),
    }
}

/// A file and the SHA-256 of its bytes; or why it can't be taken.
fn read(path: &Path) -> Result<(RunFile, String), String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    Ok((parse(path, &bytes)?, sha256_hex(&bytes)))
}

/// A file's content; or why it can't be taken, without its name.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<RunFile, String> {
    RunFile::parse(path, bytes).map_err(|error| {
        let text = error.to_string();
        text.strip_prefix(&format!("{}: ", path.display())).map_or(text.clone(), str::to_owned)
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
