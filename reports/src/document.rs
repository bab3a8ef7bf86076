//! Reading documents that are one JSON object with a `schema` of its own: a gate's, and that of ratios.

use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Why a file can't be read as such a document. Every message names the file and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The system can't read it.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// It is something else, or damaged.
    #[error("{}: not a document of `{command}`: {why}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What writes such documents.
        command: String,
        /// What it lacks.
        why: String,
    },
    /// A later version of the program wrote it.
    #[error("{}: written as `{found}`, and this program reads `{schema}`: use a newer accelbench", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: String,
        /// The schema that is read.
        schema: &'static str,
    },
}

/// Reads a document whose `schema` is this one, such as `accelbench.gate/1`.
///
/// # Errors
/// [`DocumentError`], with the file's name and the cause.
pub(crate) fn read<T: DeserializeOwned>(path: &Path, schema: &'static str) -> Result<T, DocumentError> {
    let bytes = std::fs::read(path).map_err(|source| DocumentError::Io { path: path.to_owned(), source })?;
    parse(path, &bytes, schema)
}

/// Reads a document's bytes; `path` is only for messages.
///
/// # Errors
/// As [`read`].
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8], schema: &'static str) -> Result<T, DocumentError> {
    let (name, version) = schema.rsplit_once('/').unwrap_or((schema, ""));
    let foreign = |why: String| DocumentError::Foreign { path: path.to_owned(), command: name.replace('.', " "), why };
    let value: Value = serde_json::from_slice(bytes).map_err(|error| foreign(error.to_string()))?;
    let found = value.get("schema").and_then(Value::as_str).unwrap_or_default();
    let number = |version: &str| version.parse::<u32>().ok();
    match found.rsplit_once('/').filter(|(found, _)| *found == name).and_then(|(_, version)| number(version)) {
        None => Err(foreign(format!("it has no `schema` of `{schema}`"))),
        known if known == number(version) => serde_json::from_value(value).map_err(|error| foreign(error.to_string())),
        Some(_) => Err(DocumentError::Newer { path: path.to_owned(), found: found.to_owned(), schema }),
    }
}
