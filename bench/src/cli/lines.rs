//! Files of JSON lines that grow while a command runs: on disk line by line, and taken up again by `--resume`.

use super::exit::UserError;
use super::term;
use accelbench_reports::RunWriter;
use serde::Serialize;
use std::io;
use std::path::Path;

/// Begins a file, which is never written over.
pub(super) fn create(path: &Path) -> Result<RunWriter, UserError> {
    RunWriter::create(path).map_err(|error| cannot_write(path, &error))
}

/// Puts a line on disk, and then, if asked for, on standard output.
pub(super) fn keep(writer: &mut RunWriter, line: &impl Serialize, json: bool) -> Result<(), UserError> {
    writer.line(line).map_err(|error| {
        if writer.is_empty() {
            return cannot_write(writer.path(), &error);
        }
        UserError(format!(
            "{}: {error}; what was written is whole, and `--resume` goes on once there is room",
            writer.path().display()
        ))
    })?;
    if json {
        let text = serde_json::to_string(line).map_err(UserError::new)?;
        term::print(&format!("{text}\n"))?;
    }
    Ok(())
}

fn cannot_write(path: &Path, error: &io::Error) -> UserError {
    UserError(match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{} is already there; name another file with -o, or go on with it by --resume", path.display())
        }
        _ => format!("{}: {error}; name a file that can be written with -o", path.display()),
    })
}
