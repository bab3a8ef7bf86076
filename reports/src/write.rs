//! Writing a result file, one whole line at a time.

use crate::{ReadError, RunFile};
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Appends lines to a result file. Each is on disk when its call returns.
#[derive(Debug)]
pub struct RunWriter {
    file: File,
    path: PathBuf,
    /// Where the next line starts: a line that could not be written whole is taken back.
    whole: u64,
}

impl RunWriter {
    /// Starts a file.
    ///
    /// # Errors
    /// The system's, and `AlreadyExists` for a file that is there: results are never written over.
    pub fn create(path: &Path) -> io::Result<Self> {
        let special = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        let mut options = OpenOptions::new();
        options.write(true);
        // A device or pipe can only be opened as it is.
        if !special {
            options.create_new(true);
        }
        Ok(Self { file: options.open(path)?, path: path.to_owned(), whole: 0 })
    }

    /// Takes up a file: what follows its last whole result is cut off.
    ///
    /// # Errors
    /// [`ReadError`], with the file's name and the cause.
    pub fn resume(path: &Path, run: &RunFile) -> Result<Self, ReadError> {
        Self::resume_at(path, run.resume_at).map_err(|source| ReadError::Io { path: path.to_owned(), source })
    }

    /// Takes up a file of lines: what follows its first `whole` bytes is cut off.
    ///
    /// # Errors
    /// The system's.
    pub fn resume_at(path: &Path, whole: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file, path: path.to_owned(), whole })
    }

    /// The file's name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether no line is written yet.
    pub fn is_empty(&self) -> bool {
        self.whole == 0
    }

    /// Writes one line and has the system put it on disk.
    ///
    /// # Errors
    /// The system's, such as a full disk. The file then still ends with a whole line; without one, it is taken away.
    pub fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let written = self.file.write_all(&text).and_then(|()| match self.file.sync_data() {
            // Pipes and devices have no disk behind them.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            other => other,
        });
        if let Err(error) = written {
            // Best effort: where even this fails, readers know a line that was cut off.
            let _ = self.file.set_len(self.whole).and_then(|()| self.file.seek(SeekFrom::End(0)));
            if self.is_empty() && self.file.metadata().is_ok_and(|metadata| metadata.is_file()) {
                let _ = std::fs::remove_file(&self.path);
            }
            return Err(error);
        }
        self.whole += text.len() as u64;
        Ok(())
    }
}
