//! The index: an SQLite database that is read off the kept files.

use super::files::sync_folder;
use super::{Error, ingest};
use accelbench_reports::RunFile;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The version of the index: of its tables, and of what its analyses say.
pub const VERSION: i64 = 1;

const NAME: &str = "index.sqlite";

/// What became of a kept file in the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Indexed {
    /// It was there.
    Known,
    /// Its results are there now.
    New,
    /// Its results stand in the place of those of this file, which holds less of the same run.
    Instead(String),
    /// It has none of its own there: this file holds the same run, and at least as much of it.
    Behind(String),
}

/// An open index.
pub(super) struct Index {
    pub(super) connection: Connection,
    path: PathBuf,
    wait: Duration,
}

impl Index {
    /// The path of a history's index.
    pub(super) fn path(history: &Path) -> PathBuf {
        history.join(NAME)
    }

    /// Opens an index that is there.
    pub(super) fn open(history: &Path, wait: Duration) -> Result<Self, Error> {
        let path = Self::path(history);
        let opened = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE);
        let connection = opened.map_err(Error::sqlite(&path, wait.as_secs_f64()))?;
        let index = Self { connection, path, wait };
        index.wait_for_others(true)?;
        let found = index.run(|connection| {
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.pragma_query_value(None, "user_version", |row| row.get(0))
        })?;
        match found {
            VERSION => Ok(index),
            found if found > VERSION => Err(Error::Newer { path: index.path, found, known: VERSION }),
            found => Err(Error::Damaged { path: index.path, why: format!("its version is {found}") }),
        }
    }

    /// Makes the index anew with what `fill` puts there, and puts it in the old one's place only when it is whole. No
    /// other program may have the old one open.
    pub(super) fn replace<T>(
        history: &Path,
        wait: Duration,
        fill: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let path = Self::path(history);
        let beside = |ending: &str| history.join(format!("{NAME}{ending}"));
        let new = beside(".new");
        for left in [new.clone(), beside(".new-journal"), beside(".new-wal"), beside(".new-shm")] {
            remove(&left)?;
        }
        let connection = Connection::open(&new).map_err(Error::sqlite(&new, wait.as_secs_f64()))?;
        let mut index = Self { connection, path: new.clone(), wait };
        index.run(|connection| {
            // Until it is renamed, this file may be lost at any time.
            connection.pragma_update(None, "journal_mode", "MEMORY")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.execute_batch(include_str!("schema.sql"))?;
            connection.pragma_update(None, "user_version", VERSION)
        })?;
        let filled = fill(&mut index)?;
        index.run(|connection| {
            connection.execute_batch("ANALYZE")?;
            connection.pragma_update(None, "journal_mode", "WAL")
        })?;
        index.connection.close().map_err(|(_, error)| Error::sqlite(&new, wait.as_secs_f64())(error))?;
        File::open(&new).and_then(|file| file.sync_all()).map_err(Error::io(&new))?;
        // What the old log holds would be taken for the new index's.
        remove(&beside("-wal"))?;
        remove(&beside("-shm"))?;
        fs::rename(&new, &path).and_then(|()| sync_folder(history)).map_err(Error::io(&path))?;
        Ok(filled)
    }

    /// Does something with the database, and says what its errors mean.
    pub(super) fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        work(&self.connection).map_err(Error::sqlite(&self.path, self.wait.as_secs_f64()))
    }

    /// Does something to the database, wholly or not at all.
    pub(super) fn change<T>(&mut self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let change = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        change().map_err(Error::sqlite(&self.path, self.wait.as_secs_f64()))
    }

    /// Whether changes wait for other writers, or fail at once.
    pub(super) fn wait_for_others(&self, wait: bool) -> Result<(), Error> {
        let time = if wait { self.wait } else { Duration::ZERO };
        self.run(|connection| connection.busy_timeout(time))
    }

    /// The names of the kept files that it knows, sorted.
    pub(super) fn names(&self) -> Result<Vec<String>, Error> {
        self.run(|connection| {
            let mut query = connection.prepare_cached("SELECT sha256 FROM runs ORDER BY sha256")?;
            query.query_map([], |row| row.get(0))?.collect()
        })
    }

    /// Reads a kept file into the index.
    pub(super) fn insert(&mut self, sha256: &str, file: &RunFile) -> Result<Indexed, Error> {
        self.change(|connection| ingest::insert(connection, sha256, file))
    }

    /// Forgets a file that is gone, and all others of its run: they are read anew.
    pub(super) fn forget(&mut self, sha256: &str) -> Result<(), Error> {
        self.change(|connection| ingest::forget(connection, sha256))
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path)(error)),
        _ => Ok(()),
    }
}
