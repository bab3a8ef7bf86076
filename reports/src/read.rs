//! Reading a result file, whole or cut off.

use crate::{Ceilings, End, Line, ResultRow, RunHeader, SCHEMA};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A result file's content.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFile {
    /// The first line.
    pub header: RunHeader,
    /// The devices' ceilings, in the file's order; none in files of programs that probed none.
    pub ceilings: Vec<Ceilings>,
    /// The results, in the file's order.
    pub results: Vec<ResultRow>,
    /// The last line, where the run came to its end.
    pub end: Option<End>,
    /// Bytes of the header and the whole lines of ceilings and results: where a resumed run goes on.
    pub resume_at: u64,
    /// The last line was cut off, as by a crash, and is left out here.
    pub torn: bool,
}

/// Why a file can't be read as results. Every message names the file and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system can't read it.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("{}: not an accelbench result file: {why}", path.display())]
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
    /// A line in the middle makes no sense.
    #[error("{}: damaged in line {line}: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
}

impl RunFile {
    /// A run that has only begun.
    pub fn new(header: RunHeader) -> Self {
        Self { header, ceilings: Vec::new(), results: Vec::new(), end: None, resume_at: 0, torn: false }
    }

    /// The file's text again, without a line that was cut off.
    pub(crate) fn lines(&self) -> Vec<u8> {
        let line = |line: Line| serde_json::to_string(&line).unwrap_or_default() + "\n";
        let mut text = line(Line::Run(Box::new(self.header.clone())));
        for ceilings in &self.ceilings {
            text += &line(Line::Ceilings(Box::new(ceilings.clone())));
        }
        for row in &self.results {
            text += &line(Line::Result(Box::new(row.clone())));
        }
        if let Some(end) = &self.end {
            text += &line(Line::End(end.clone()));
        }
        text.into_bytes()
    }

    /// Reads a file. A last line that was cut off is passed over and noted; any other damage is an error.
    ///
    /// # Errors
    /// [`ReadError`], with the file's name and the cause.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let bytes = std::fs::read(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
        Self::parse(path, &bytes)
    }

    /// Reads a file's bytes; `path` is only for messages.
    ///
    /// # Errors
    /// As [`RunFile::read`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, ReadError> {
        let foreign = |why: &str| ReadError::Foreign { path: path.to_owned(), why: why.to_owned() };
        let mut lines = bytes.split_inclusive(|&byte| byte == b'\n');
        let first = lines.next().ok_or_else(|| foreign("it is empty"))?;
        let header = header(path, first)?;
        let mut file = Self { resume_at: first.len() as u64, ..Self::new(header) };
        let mut lines = lines.enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let damaged = |why: String| ReadError::Damaged { path: path.to_owned(), line: index + 2, why };
            let last = lines.peek().is_none();
            if file.end.is_some() {
                return Err(damaged("it comes after the `end` line".to_owned()));
            }
            match parse_line(line) {
                Ok(_) if !line.ends_with(b"\n") => file.torn = true,
                Ok(Line::Ceilings(ceilings)) => {
                    file.ceilings.push(*ceilings);
                    file.resume_at += line.len() as u64;
                }
                Ok(Line::Result(row)) => {
                    file.results.push(*row);
                    file.resume_at += line.len() as u64;
                }
                Ok(Line::End(end)) => file.end = Some(end),
                Ok(Line::Run(_)) => return Err(damaged("a second header".to_owned())),
                Err(_) if last && !line.ends_with(b"\n") => file.torn = true,
                Err(error) => return Err(damaged(error.to_string())),
            }
        }
        Ok(file)
    }
}

/// Nearly all lines are results. A line of any type is held as a whole before its fields are read; a result whose type
/// stands first, as it is written, need not be.
fn parse_line(line: &[u8]) -> serde_json::Result<Line> {
    if line.starts_with(br#"{"type":"result","#) {
        return serde_json::from_slice(line).map(Line::Result);
    }
    serde_json::from_slice(line)
}

/// Looks at the loose JSON first, so that a newer file is called newer and not damaged.
fn header(path: &Path, line: &[u8]) -> Result<RunHeader, ReadError> {
    let foreign = |why: String| ReadError::Foreign { path: path.to_owned(), why };
    let value: Value =
        serde_json::from_slice(line).map_err(|_| foreign("its first line is no JSON object".to_owned()))?;
    let schema = value.get("schema").and_then(Value::as_str).unwrap_or_default();
    let version = schema.strip_prefix("accelbench.run/").and_then(|version| version.parse::<u32>().ok());
    match version {
        None => return Err(foreign(format!("its first line has no `schema` of `{SCHEMA}`"))),
        Some(1) => {}
        Some(_) => return Err(ReadError::Newer { path: path.to_owned(), found: schema.to_owned() }),
    }
    match serde_json::from_value(value) {
        Ok(Line::Run(header)) if line.ends_with(b"\n") => Ok(*header),
        Ok(Line::Run(_)) => {
            Err(ReadError::Damaged { path: path.to_owned(), line: 1, why: "the header was cut off".to_owned() })
        }
        Ok(_) => Err(foreign("its first line is no `run` header".to_owned())),
        Err(error) => Err(ReadError::Damaged { path: path.to_owned(), line: 1, why: error.to_string() }),
    }
}
