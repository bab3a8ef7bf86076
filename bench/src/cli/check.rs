//! `accelbench check`: whether result files are sound.

use super::exit::{self, UserError};
use super::term;
use accelbench_reports::{RunFile, check};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

pub(super) fn check(files: &[PathBuf], json: bool) -> Result<ExitCode, UserError> {
    let mut sound = true;
    let mut reports = Vec::new();
    for path in files {
        let (rows, problems) = match RunFile::read(path) {
            Ok(file) => (file.results.len(), check::check(&file)),
            Err(error) => (0, vec![error.to_string()]),
        };
        sound &= problems.is_empty();
        if json {
            reports.push(json!({ "file": path, "rows": rows, "problems": problems }));
        } else if problems.is_empty() {
            let good = term::styled(term::GOOD, "sound");
            term::print(&format!("{}: {good}, {rows} results\n", path.display()))?;
        } else {
            for problem in problems {
                let name = path.display().to_string();
                let named = if problem.starts_with(&name) { problem } else { format!("{name}: {problem}") };
                term::error(&named);
            }
        }
    }
    if json {
        term::print(&format!("{:#}\n", serde_json::Value::from(reports)))?;
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(exit::USAGE) })
}
