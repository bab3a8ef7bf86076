//! What can stop a command on the history. Each message is one line that names the cause and the way out.

use accelbench_reports::ReadError;
use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// Why the history can't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no history in a folder.
    #[error("{}: no history there; `accelbench history add FILE` starts one", .0.display())]
    Missing(PathBuf),
    /// The system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Another program holds the index, or makes it again.
    #[error("{}: locked by another program for {seconds:.0} s; nothing is lost: try again, or wait longer with --wait", path.display())]
    Locked {
        /// The index.
        path: PathBuf,
        /// How long this one waited.
        seconds: f64,
    },
    /// A later version of the program made the index.
    #[error("{}: an index of version {found}, and this program knows {known}: use a newer accelbench, or let `accelbench history rebuild` make this one's index from the files", path.display())]
    Newer {
        /// The index.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// This program's.
        known: i64,
    },
    /// The index is not what a program of this kind wrote.
    #[error("{}: damaged ({why}); the files are whole: `accelbench history rebuild` makes it again", path.display())]
    Damaged {
        /// The index.
        path: PathBuf,
        /// What SQLite or the reader found.
        why: String,
    },
    /// SQLite can't use the index, and not because of what is in it.
    #[error("{}: {why}", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// SQLite's words.
        why: String,
    },
    /// A file is no result file.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A result file does not keep its promises.
    #[error("{}: not added, since {problem}", path.display())]
    Unsound {
        /// The file.
        path: PathBuf,
        /// Its first problem, and how many more there are.
        problem: String,
    },
    /// A kept file is no longer what it was.
    #[error("{}: damaged: its content is not what its name says; add the run's own file again", .0.display())]
    Changed(PathBuf),
    /// No run or case has the name.
    #[error("{0}")]
    Unknown(String),
}

impl Error {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// What an SQLite error means for the index at a path.
    pub(super) fn sqlite(path: &Path, seconds: f64) -> impl Fn(rusqlite::Error) -> Self {
        move |error| {
            let path = path.to_owned();
            let why = error.to_string().replace('\n', " ");
            match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path, seconds },
                Some(
                    ErrorCode::CannotOpen
                    | ErrorCode::DiskFull
                    | ErrorCode::OutOfMemory
                    | ErrorCode::PermissionDenied
                    | ErrorCode::ReadOnly
                    | ErrorCode::SystemIoFailure,
                ) => Self::Index { path, why },
                // Also a table or a column that is not there, or of another type.
                _ => Self::Damaged { path, why },
            }
        }
    }
}
