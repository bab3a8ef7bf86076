//! A site's files: each is there whole, written only where it changed, and taken away only where it is still the site's.

use super::{Published, SiteError, manifest};
use crate::sha256_hex;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Mutex;

/// The files of a site that is being made.
pub(super) struct Files<'a> {
    folder: &'a Path,
    /// Those that were there before, with their hashes.
    before: &'a BTreeMap<String, String>,
    done: Mutex<Done>,
}

#[derive(Default)]
struct Done {
    files: BTreeMap<String, String>,
    counts: Published,
}

impl<'a> Files<'a> {
    pub(super) fn new(folder: &'a Path, before: &'a BTreeMap<String, String>) -> Self {
        Self { folder, before, done: Mutex::default() }
    }

    /// Marks the folder as a site's, so that one that was cut off can be taken up again.
    pub(super) fn claim(&self) -> Result<(), SiteError> {
        if self.folder.join(manifest::FILE).exists() {
            return Ok(());
        }
        self.put(manifest::FILE, manifest::Manifest::default().text().as_bytes()).map(drop)
    }

    /// Writes a file where it is not there as it is to be.
    pub(super) fn write(&self, path: &str, bytes: &[u8]) -> Result<(), SiteError> {
        let changed = self.put(path, bytes)?;
        self.note(path, sha256_hex(bytes), changed);
        Ok(())
    }

    /// Keeps files as they are; false, and nothing is kept, where one is gone or was changed.
    pub(super) fn keep(&self, paths: &[&str]) -> bool {
        let hash = |path: &&str| {
            let hash = self.before.get(*path)?;
            let bytes = fs::read(self.folder.join(path)).ok()?;
            (sha256_hex(&bytes) == *hash).then(|| ((*path).to_owned(), hash.clone()))
        };
        let Some(kept) = paths.iter().map(hash).collect::<Option<Vec<_>>>() else { return false };
        for (path, hash) in kept {
            self.note(&path, hash, false);
        }
        true
    }

    /// Writes the manifest of all files, and takes away those of before that fell away and that nobody changed.
    pub(super) fn finish(
        self,
        manifest: impl FnOnce(BTreeMap<String, String>) -> String,
    ) -> Result<Published, SiteError> {
        let Done { files, mut counts } = std::mem::take(&mut *lock(&self.done));
        let stale: Vec<(&String, &String)> =
            self.before.iter().filter(|(path, _)| !files.contains_key(*path)).collect();
        let changed = self.put(manifest::FILE, manifest(files).as_bytes())?;
        *if changed { &mut counts.written } else { &mut counts.unchanged } += 1;
        for (path, hash) in stale {
            let path = self.folder.join(path);
            if fs::read(&path).is_ok_and(|bytes| sha256_hex(&bytes) == *hash) {
                fs::remove_file(&path).map_err(|source| SiteError::Io { path, source })?;
                counts.removed += 1;
            }
        }
        Ok(counts)
    }

    fn note(&self, path: &str, hash: String, changed: bool) {
        let mut done = lock(&self.done);
        done.files.insert(path.to_owned(), hash);
        *if changed { &mut done.counts.written } else { &mut done.counts.unchanged } += 1;
    }

    /// Whether the file had to be written. It is first written under another name, so that nobody finds half of one.
    fn put(&self, path: &str, bytes: &[u8]) -> Result<bool, SiteError> {
        let path = self.folder.join(path);
        let same_size = fs::metadata(&path).is_ok_and(|found| found.len() == bytes.len() as u64);
        if same_size && fs::read(&path).is_ok_and(|found| found == bytes) {
            return Ok(false);
        }
        let written = || {
            let folder = path.parent().unwrap_or(self.folder);
            fs::create_dir_all(folder)?;
            let mut name = std::ffi::OsString::from(".");
            name.push(path.file_name().unwrap_or_default());
            name.push(format!(".{}.part", std::process::id()));
            let part = folder.join(name);
            let moved = fs::File::create(&part)
                .and_then(|mut file| file.write_all(bytes))
                .and_then(|()| fs::rename(&part, &path));
            if moved.is_err() {
                // Best effort: what is told is the error that came first.
                let _ = fs::remove_file(&part);
            }
            moved
        };
        written().map(|()| true).map_err(|source| SiteError::Io { path: path.clone(), source })
    }
}

fn lock(done: &Mutex<Done>) -> std::sync::MutexGuard<'_, Done> {
    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A file's first line.
pub(super) fn first_line(path: &Path) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(fs::File::open(path)?).read_until(b'\n', &mut line)?;
    Ok(line)
}
