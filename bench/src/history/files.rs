//! The kept result files: the truth of a history. Each is named by its content and never changed.

use super::Error;
use accelbench_reports::{RunFile, check, sha256_hex};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const ENDING: &str = ".jsonl";
const UNFINISHED: &str = ".part";

/// The folder of kept files.
#[derive(Clone, Debug)]
pub(super) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(super) fn new(history: &Path) -> Self {
        Self { folder: history.join("runs") }
    }

    pub(super) fn exist(&self) -> bool {
        self.folder.is_dir()
    }

    pub(super) fn create(&self) -> Result<(), Error> {
        fs::create_dir_all(&self.folder).map_err(Error::io(&self.folder))
    }

    /// The path of a kept file.
    pub(super) fn path(&self, sha256: &str) -> PathBuf {
        self.folder.join(format!("{sha256}{ENDING}"))
    }

    /// The names of all kept files, sorted.
    pub(super) fn names(&self) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(Error::io(&self.folder))? {
            let name = entry.map_err(Error::io(&self.folder))?.file_name();
            names.extend(name.to_str().and_then(|name| name.strip_suffix(ENDING)).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// Keeps a sound result file: whole or not at all, and on disk when the call returns.
    ///
    /// Gives its name, its content, and whether it is new.
    pub(super) fn keep(&self, path: &Path) -> Result<(String, RunFile, bool), Error> {
        let bytes = fs::read(path).map_err(Error::io(path))?;
        let file = sound(path, &bytes)?;
        let sha256 = sha256_hex(&bytes);
        let place = self.path(&sha256);
        if fs::read(&place).is_ok_and(|kept| kept == bytes) {
            return Ok((sha256, file, false));
        }
        let unfinished = self.folder.join(format!("{sha256}.{}{UNFINISHED}", std::process::id()));
        let write = || -> io::Result<()> {
            let mut copy = File::create(&unfinished)?;
            copy.write_all(&bytes)?;
            copy.sync_all()?;
            fs::rename(&unfinished, &place)?;
            sync_folder(&self.folder)
        };
        write().map_err(|source| {
            let _ = fs::remove_file(&unfinished);
            Error::Io { path: place.clone(), source }
        })?;
        Ok((sha256, file, true))
    }

    /// Reads a kept file, and makes sure that it is what was kept.
    pub(super) fn read(&self, sha256: &str) -> Result<RunFile, Error> {
        let path = self.path(sha256);
        let bytes = fs::read(&path).map_err(Error::io(&path))?;
        if sha256_hex(&bytes) != sha256 {
            return Err(Error::Changed(path));
        }
        sound(&path, &bytes)
    }

    /// Removes what writers that were killed left behind. No writer may be at work.
    pub(super) fn remove_unfinished(&self) -> Result<(), Error> {
        for entry in fs::read_dir(&self.folder).map_err(Error::io(&self.folder))? {
            let path = entry.map_err(Error::io(&self.folder))?.path();
            if path.to_str().is_some_and(|path| path.ends_with(UNFINISHED)) {
                fs::remove_file(&path).map_err(Error::io(&path))?;
            }
        }
        Ok(())
    }
}

/// Makes renamings within a folder last through a loss of power.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder can't be opened as a file, and the file system does it by itself.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn sound(path: &Path, bytes: &[u8]) -> Result<RunFile, Error> {
    let file = RunFile::parse(path, bytes)?;
    let mut problems = check::check(&file);
    if file.header.started.parse::<jiff::Timestamp>().is_err() {
        problems.push(format!("`started` of `{}` is no time", file.header.started));
    }
    match &problems[..] {
        [] => Ok(file),
        [problem] => Err(Error::Unsound { path: path.to_owned(), problem: problem.clone() }),
        [first, more @ ..] => {
            Err(Error::Unsound { path: path.to_owned(), problem: format!("{first} (and {} more)", more.len()) })
        }
    }
}
