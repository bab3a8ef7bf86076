//! The formats that a report is shown in.

use crate::text::Lang;
use crate::{Report, csv, html, json, markdown};
use std::io::{self, Write};
use std::path::Path;

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A page in one file.
    Html,
    /// Text for pull requests and READMEs, bounded in size.
    Markdown,
    /// One line a result.
    Csv,
    /// The whole model.
    Json,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Html, Self::Markdown, Self::Csv, Self::Json];

    /// The ending of its files, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Markdown => "md",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// The format that a file's name asks for.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|format| format.extension() == extension)
    }

    /// Writes a report.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(self, report: &Report, lang: Lang, mut out: impl Write) -> io::Result<()> {
        match self {
            Self::Html => out.write_all(html::render(report, lang).as_bytes()),
            Self::Markdown => out.write_all(markdown::render(report, lang, markdown::LIMIT).as_bytes()),
            Self::Csv => csv::write(report, out),
            Self::Json => json::write(report, out),
        }
    }
}
