//! Reading a document of ratios.

use super::{RatiosFile, SCHEMA};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Why a file can't be read as a document of ratios. Every message names the file and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum RatiosReadError {
    /// The system can't read it.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// It is something else, or damaged.
    #[error("{}: not a document of `accelbench ratios`: {why}", path.display())]
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

impl RatiosFile {
    /// Reads a document.
    ///
    /// # Errors
    /// [`RatiosReadError`], with the file's name and the cause.
    pub fn read(path: &Path) -> Result<Self, RatiosReadError> {
        let bytes = std::fs::read(path).map_err(|source| RatiosReadError::Io { path: path.to_owned(), source })?;
        Self::parse(path, &bytes)
    }

    /// Reads a document's bytes; `path` is only for messages.
    ///
    /// # Errors
    /// As [`RatiosFile::read`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, RatiosReadError> {
        let foreign = |why: String| RatiosReadError::Foreign { path: path.to_owned(), why };
        let value: Value = serde_json::from_slice(bytes).map_err(|error| foreign(error.to_string()))?;
        let schema = value.get("schema").and_then(Value::as_str).unwrap_or_default();
        match schema.strip_prefix("accelbench.ratios/").and_then(|version| version.parse::<u32>().ok()) {
            None => Err(foreign(format!("it has no `schema` of `{SCHEMA}`"))),
            Some(1) => serde_json::from_value(value).map_err(|error| foreign(error.to_string())),
            Some(_) => Err(RatiosReadError::Newer { path: path.to_owned(), found: schema.to_owned() }),
        }
    }
}
