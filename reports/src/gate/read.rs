//! Reading a gate's document.

use super::{GateFile, SCHEMA};
use crate::document::{self, DocumentError};
use std::path::Path;

impl GateFile {
    /// Reads a document.
    ///
    /// # Errors
    /// [`DocumentError`], with the file's name and the cause.
    pub fn read(path: &Path) -> Result<Self, DocumentError> {
        document::read(path, SCHEMA)
    }

    /// Reads a document's bytes; `path` is only for messages.
    ///
    /// # Errors
    /// As [`GateFile::read`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, DocumentError> {
        document::parse(path, bytes, SCHEMA)
    }
}
