//! The history: result files kept for good, and how their values change over time.
//!
//! A history is a folder. `runs/` holds copies of result files, each named by the SHA-256 of its content and never
//! changed: they are the truth. `index.sqlite` is read off them and can be made again at any time; a file that it does
//! not know, as after a crash, is read the next time that the history is opened. `lock` is held by everyone who has the
//! index open, and by nobody else while it is replaced.

mod analysis;
mod bisect;
pub mod change;
pub mod drift;
mod error;
mod files;
mod index;
mod ingest;
#[cfg(test)]
mod noise;
mod place;
mod runs;
mod spark;
mod trend;

pub use accelbench_reports::trends::Metric;
pub use analysis::{Analysis, Change, Drift, LEVEL, NOTICED, Point, RunRef, SMALLEST_DRIFT};
pub use bisect::BisectHint;
pub use error::Error;
pub use index::{Indexed, VERSION};
pub use place::{FOLDER_VARIABLE, folder};
pub use runs::{RunDevice, RunEntry, RunFilter};
pub use trend::{Follows, Selection, SeriesDevice, Trend, WINDOW};

use files::Files;
use index::Index;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// An open history.
pub struct History {
    index: Index,
    files: Files,
    problems: Vec<String>,
    /// Held as long as the index is open.
    _lock: File,
}

/// What became of a file that was to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// The name that it has here: SHA-256 of its content.
    pub sha256: String,
    /// The run's own name.
    pub run_id: String,
    /// Its results.
    pub results: usize,
    /// Whether there was no such file here.
    pub new: bool,
    /// What became of it in the index.
    pub indexed: Indexed,
}

/// What an index was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Files that were read.
    pub files: usize,
    /// Results in the index.
    pub results: u64,
    /// Files that could not be read, each with its reason.
    pub problems: Vec<String>,
}

impl History {
    /// Opens the history in a folder, and reads those of its files that the index does not know yet. For locks it waits
    /// so long.
    ///
    /// # Errors
    /// [`Error::Missing`] where there is none; [`Error`].
    pub fn open(folder: &Path, wait: Duration) -> Result<Self, Error> {
        let files = Files::new(folder);
        if !files.exist() {
            return Err(Error::Missing(folder.to_owned()));
        }
        let deadline = Instant::now() + wait;
        let held = loop {
            let held = lock(folder, false, wait, deadline)?;
            if Index::path(folder).exists() {
                break held;
            }
            drop(held);
            let _alone = lock(folder, true, wait, deadline)?;
            // Another program may have been faster.
            if !Index::path(folder).exists() {
                build(folder, wait, &files)?;
            }
        };
        let mut history = Self { index: Index::open(folder, wait)?, files, problems: Vec::new(), _lock: held };
        history.problems = reconcile(&mut history.index, &history.files)?;
        Ok(history)
    }

    /// Opens the history in a folder, which is made where there is none.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open_or_create(folder: &Path, wait: Duration) -> Result<Self, Error> {
        Files::new(folder).create()?;
        Self::open(folder, wait)
    }

    /// Makes the index again from the files.
    ///
    /// # Errors
    /// [`Error`]; the old index is then as it was.
    pub fn rebuild(folder: &Path, wait: Duration) -> Result<Rebuilt, Error> {
        let files = Files::new(folder);
        if !files.exist() {
            return Err(Error::Missing(folder.to_owned()));
        }
        let _alone = lock(folder, true, wait, Instant::now() + wait)?;
        build(folder, wait, &files)
    }

    /// Keeps a result file. One that is kept already changes nothing.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Unsound`] for what is no sound result file, which is not kept; [`Error`].
    pub fn add(&mut self, path: &Path) -> Result<Added, Error> {
        let (sha256, file, new) = self.files.keep(path)?;
        let indexed = self.index.insert(&sha256, &file)?;
        Ok(Added { sha256, run_id: file.header.run_id, results: file.results.len(), new, indexed })
    }

    /// The kept files that can't be read, each with its reason.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

/// Takes the lock of a history, alone or with others who do the same.
fn lock(folder: &Path, alone: bool, wait: Duration, deadline: Instant) -> Result<File, Error> {
    let path: PathBuf = folder.join("lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(Error::io(&path))?;
    loop {
        match if alone { file.try_lock() } else { file.try_lock_shared() } {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => return Err(Error::Io { path, source }),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                return Err(Error::Locked { path, seconds: wait.as_secs_f64() });
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Makes the index from all files. Nobody else may be there.
fn build(folder: &Path, wait: Duration, files: &Files) -> Result<Rebuilt, Error> {
    files.remove_unfinished()?;
    Index::replace(folder, wait, |index| {
        let problems = reconcile(index, files)?;
        let counts = index.run(|connection| {
            connection.query_row("SELECT (SELECT COUNT(*) FROM runs), (SELECT COUNT(*) FROM results)", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
        })?;
        Ok(Rebuilt { files: counts.0, results: counts.1, problems })
    })
}

/// Reads the files that the index does not know, and forgets those that are gone. Gives the files that can't be read.
fn reconcile(index: &mut Index, files: &Files) -> Result<Vec<String>, Error> {
    // In this order: a file is always there before the index knows it.
    let known = index.names()?;
    let there = files.names()?;
    let lacks = |names: &[String], name: &String| names.binary_search(name).is_err();
    let mut changed = false;
    for gone in known.iter().filter(|name| lacks(&there, name)) {
        index.forget(gone)?;
        changed = true;
    }
    let known = if changed { index.names()? } else { known };
    let mut problems = Vec::new();
    for new in there.iter().filter(|name| lacks(&known, name)) {
        match files.read(new) {
            Ok(file) => {
                index.insert(new, &file)?;
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    Ok(problems)
}
