//! Reading a gate's document.

use super::{GateFile, SCHEMA};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Why a file can't be read as a gate's document. Every message names the file and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum GateReadError {
    /// The system can't read it.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// It is something else, or damaged.
    #[error("{}: not a document of `accelbench gate`: {why}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        why: String,
    },
    /// A later version of the program wrote it.
    #[error("{}: written as `{found}`, and this program reads `{SCHEMA}`: use a newer accelbench", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: String,
    },
}

impl GateFile {
    /// Reads a document.
    ///
    /// # Errors
    /// [`GateReadError`], with the file's name and the cause.
    pub fn read(path: &Path) -> Result<Self, GateReadError> {
        let bytes = std::fs::read(path).map_err(|source| GateReadError::Io { path: path.to_owned(), source })?;
        Self::parse(path, &bytes)
    }

    /// Reads a document's bytes; `path` is only for messages.
    ///
    /// # Errors
    /// As [`GateFile::read`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, GateReadError> {
        let foreign = |why: String| GateReadError::Foreign { path: path.to_owned(), why };
        let value: Value = serde_json::from_slice(bytes).map_err(|error| foreign(error.to_string()))?;
        let schema = value.get("schema").and_then(Value::as_str).unwrap_or_default();
        match schema.strip_prefix("accelbench.gate/").and_then(|version| version.parse::<u32>().ok()) {
            None => Err(foreign(format!("it has no `schema` of `{SCHEMA}`"))),
            Some(1) => serde_json::from_value(value).map_err(|error| foreign(error.to_string())),
            Some(_) => Err(GateReadError::Newer { path: path.to_owned(), found: schema.to_owned() }),
        }
    }
}
