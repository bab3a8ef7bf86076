//! A tree of small files that a kernel writes: sysfs.

use super::{MeterError, now};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Reads a file whole. Another one takes its place in tests, where a file may refuse what root may do.
pub(super) type ReadFile = fn(&Path) -> io::Result<String>;

/// Such a tree.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) root: PathBuf,
    /// What helps where a file may not be read.
    pub(super) hint: &'static str,
    pub(super) read: ReadFile,
}

impl Tree {
    pub(super) fn new(root: &Path, hint: &'static str) -> Self {
        Self { root: root.to_owned(), hint, read: |path| fs::read_to_string(path) }
    }

    /// The names in the root, in order, so that 10 comes after 9.
    pub(super) fn names(&self) -> Result<Vec<String>, MeterError> {
        let failed = |error: io::Error| self.failed(&self.root, &error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(failed)? {
            names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
        }
        names.sort_by_key(|name| (name.len(), name.clone()));
        Ok(names)
    }

    /// A file's text without the end of its line.
    pub(super) fn text(&self, path: &Path) -> Result<String, MeterError> {
        let text = (self.read)(path).map_err(|error| self.failed(path, &error))?;
        Ok(text.trim().to_owned())
    }

    /// The number in a file.
    pub(super) fn number(&self, path: &Path) -> Result<f64, MeterError> {
        let text = self.text(path)?;
        let garbage =
            || MeterError::Garbage { what: path.display().to_string(), problem: format!("`{text}` is no number") };
        text.parse::<u64>().map(|number| number as f64).map_err(|_| garbage())
    }

    /// A number with the moment at which it was read and how long that took.
    pub(super) fn timed(&self, path: &Path) -> Result<(f64, Timed), MeterError> {
        let start_s = now();
        let number = self.number(path)?;
        Ok((number, Timed::since(start_s)))
    }

    fn failed(&self, path: &Path, error: &io::Error) -> MeterError {
        let what = path.display().to_string();
        match error.kind() {
            ErrorKind::NotFound => MeterError::Absent { what },
            ErrorKind::PermissionDenied => MeterError::Permission { what, hint: self.hint.to_owned() },
            _ => MeterError::Refused { what, problem: error.to_string() },
        }
    }
}

/// When a value was taken, and how long that took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timed {
    pub(super) at_s: f64,
    pub(super) cost_s: f64,
}

impl Timed {
    /// What began at `start_s` and ends now.
    pub(super) fn since(start_s: f64) -> Self {
        let cost_s = now() - start_s;
        Self { at_s: start_s + 0.5 * cost_s, cost_s }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_happened() {
        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::new(folder.path(), "ask root");
        let path = folder.path().join("energy_uj");
        assert!(matches!(tree.number(&path), Err(MeterError::Absent { .. })));
        fs::write(&path, "12,5\n").unwrap();
        let Err(MeterError::Garbage { problem, .. }) = tree.number(&path) else { panic!("garbage") };
        assert_eq!(problem, "`12,5` is no number");
        fs::write(&path, "-1\n").unwrap();
        assert!(matches!(tree.number(&path), Err(MeterError::Garbage { .. })));
        fs::write(&path, "125\n").unwrap();
        assert_eq!(tree.number(&path), Ok(125.0));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(tree.number(&path), Err(MeterError::Refused { .. })));
        tree.read = |_| Err(ErrorKind::PermissionDenied.into());
        let Err(MeterError::Permission { hint, .. }) = tree.number(&path) else { panic!("permission") };
        assert_eq!(hint, "ask root");
    }

    #[test]
    fn names_are_in_the_order_of_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["hwmon10", "hwmon9", "hwmon1"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        assert_eq!(Tree::new(folder.path(), "").names().unwrap(), ["hwmon1", "hwmon9", "hwmon10"]);
    }
}
