//! Files that are there whole, or not at all.

use super::exit::UserError;
use super::term;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The name that stands for standard output.
const STDOUT: &str = "-";

/// Whether a path stands for standard output.
pub(super) fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == STDOUT
}

/// Refuses a file that can't be written, before minutes are spent on what is to stand in it.
pub(super) fn check(path: &Path) -> Result<(), UserError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if is_stdout(path) || folder.is_dir() && !path.is_dir() {
        return Ok(());
    }
    Err(UserError(format!("{}: name a file in a folder that exists", path.display())))
}

/// A name in the working folder with the date and the time, of no file that is there.
pub(super) fn dated(stem: &str, extension: &str) -> PathBuf {
    let base = format!("{stem}-{}", jiff::Zoned::now().strftime("%Y%m%d-%H%M%S"));
    let first = PathBuf::from(format!("{base}.{extension}"));
    // Two commands may start within a second.
    let next = (2..1000).map(|n| PathBuf::from(format!("{base}-{n}.{extension}")));
    std::iter::once(first.clone()).chain(next).find(|path| !path.exists()).unwrap_or(first)
}

/// Writes a file under another name first, so that nobody finds half of one, nor loses the one that was there.
pub(super) fn whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), UserError> {
    if is_stdout(path) {
        let mut text = Vec::new();
        write(&mut text).map_err(UserError::new)?;
        return term::print(&String::from_utf8_lossy(&text));
    }
    let cannot = |error: io::Error| UserError(format!("{}: {error}; name a file that can be written", path.display()));
    let metadata = std::fs::metadata(path);
    if metadata.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
        return Err(UserError(format!("{} is a folder; name a file in it", path.display())));
    }
    // A device or a pipe can only be written as it is.
    if metadata.is_ok_and(|metadata| !metadata.is_file()) {
        let mut file = BufWriter::new(File::options().write(true).open(path).map_err(cannot)?);
        return write(&mut file).and_then(|()| file.flush()).map_err(cannot);
    }
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = File::create(&part).and_then(|file| {
        let mut file = BufWriter::new(file);
        write(&mut file)?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_data()?;
        std::fs::rename(&part, path)
    });
    written.map_err(|error| {
        // Best effort: what is told is the error that came first.
        let _ = std::fs::remove_file(&part);
        cannot(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_can_t_be_written_whole_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.md");
        whole(&path, |out| out.write_all(b"old")).unwrap();
        let failed = whole(&path, |out| {
            out.write_all(b"half of the new")?;
            Err(io::Error::other("no room"))
        });
        assert!(failed.unwrap_err().0.contains("no room"));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        whole(&path, |out| out.write_all(b"new")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
