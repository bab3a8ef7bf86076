//! `history`: result files that are kept, and how results change over time.

mod args;
mod page;
mod text;

pub(super) use args::{EXIT_CODES, HistoryArgs};

use super::exit::{self, UserError};
use super::{output, term};
use crate::history::{self, Added, Error, History, Indexed, RunFilter, Selection};
use accelbench_reports::text::Lang;
use args::{HistoryCommand, Series};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

pub(super) fn history(arguments: HistoryArgs) -> Result<ExitCode, UserError> {
    let place = Place {
        folder: arguments.folder.or_else(history::folder).ok_or_else(|| {
            UserError(format!(
                "no folder is known for the history: name one with --history or {}",
                history::FOLDER_VARIABLE
            ))
        })?,
        wait: arguments.wait,
    };
    match arguments.command {
        HistoryCommand::Add { files, format } => place.add(&files, format.json),
        HistoryCommand::List { device, commit, format } => place.list(&RunFilter { device, commit }, format.json),
        HistoryCommand::Show { what, series, format } => place.show(&what, &series, format.json),
        HistoryCommand::Trend { case, series, limit, html: Some(path), lang, format: _ } => {
            place.page(case, &series, limit, &path, lang)
        }
        HistoryCommand::Trend { case, series, limit, format, .. } => place.trend(case, &series, limit, format.json),
        HistoryCommand::BisectHint { case, series, format } => place.bisect_hint(case, &series, format.json),
        HistoryCommand::Rebuild { format } => place.rebuild(format.json),
    }
}

impl From<Error> for UserError {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

/// Where the history is, and how long to wait for others there.
struct Place {
    folder: PathBuf,
    wait: Duration,
}

impl Place {
    fn open(&self) -> Result<History, UserError> {
        let history = History::open(&self.folder, self.wait)?;
        note_problems(history.problems());
        Ok(history)
    }

    fn add(&self, files: &[PathBuf], json: bool) -> Result<ExitCode, UserError> {
        let mut history = History::open_or_create(&self.folder, self.wait)?;
        note_problems(history.problems());
        let mut reports = Vec::new();
        let mut refused = false;
        for path in files {
            match history.add(path) {
                Ok(added) if json => reports.push(added_json(path, &added)),
                Ok(added) => term::print(&text::added(path, &added))?,
                // Of a file, and not of the history: the others can be kept.
                Err(error @ (Error::Read(_) | Error::Unsound { .. } | Error::Io { .. })) => {
                    refused = true;
                    if json {
                        reports.push(json!({ "file": path, "status": "refused", "reason": error.to_string() }));
                    } else {
                        term::error(&error.to_string());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        if json {
            print_json(&Value::from(reports))?;
        }
        history.analyse()?;
        Ok(if refused { ExitCode::from(exit::USAGE) } else { ExitCode::SUCCESS })
    }

    fn list(&self, filter: &RunFilter, json: bool) -> Result<ExitCode, UserError> {
        let runs = self.open()?.runs(filter)?;
        if json {
            print_json(&json!(runs))?;
        } else {
            term::print(&text::runs(&runs))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn show(&self, what: &str, series: &Series, json: bool) -> Result<ExitCode, UserError> {
        let mut history = self.open()?;
        if let Some(run) = history.find_run(what)? {
            let file = history.file(&run.sha256)?;
            if json {
                print_json(&json!({ "run": run, "results": file.results }))?;
            } else {
                term::print(&text::run(&run, &file))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let unknown = |error| match error {
            Error::Unknown(_) => UserError(format!(
                "no run and no case `{what}` in this history; `accelbench history list` and `trend` name those that are there"
            )),
            other => other.into(),
        };
        let selection = selection(Some(what.to_owned()), series);
        let mut trends = history.trends(&selection, series.metric.into()).map_err(unknown)?;
        for trend in &mut trends {
            history.add_points(trend)?;
        }
        if json {
            print_json(&json!(trends))?;
        } else {
            term::print(&text::cases(&trends))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn trend(&self, case: Option<String>, series: &Series, limit: usize, json: bool) -> Result<ExitCode, UserError> {
        let mut history = self.open()?;
        let mut trends = history.trends(&selection(case, series), series.metric.into())?;
        let left_out = trends.split_off(if limit == 0 { trends.len() } else { limit.min(trends.len()) });
        if json {
            for trend in &mut trends {
                history.add_points(trend)?;
            }
            print_json(&json!({ "series": trends, "left_out": left_out.len() }))?;
        } else {
            term::print(&text::trends(&trends, &left_out))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn page(
        &self,
        case: Option<String>,
        series: &Series,
        limit: usize,
        path: &Path,
        lang: Lang,
    ) -> Result<ExitCode, UserError> {
        let mut history = self.open()?;
        let metric = series.metric.into();
        let mut trends = history.trends(&selection(case, series), metric)?;
        let left_out = trends.split_off(if limit == 0 { trends.len() } else { limit.min(trends.len()) }).len();
        for trend in &mut trends {
            history.add_points(trend)?;
        }
        let page = page::of(metric, &trends, left_out).html(lang);
        output::whole(path, |out| out.write_all(page.as_bytes()))?;
        if !output::is_stdout(path) {
            term::note(&format!("{} written", path.display()));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn bisect_hint(&self, case: String, series: &Series, json: bool) -> Result<ExitCode, UserError> {
        let hints = self.open()?.bisect_hints(&selection(Some(case), series), series.metric.into())?;
        if json {
            print_json(&json!(hints))?;
        } else {
            term::print(&text::hints(&hints))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn rebuild(&self, json: bool) -> Result<ExitCode, UserError> {
        let rebuilt = History::rebuild(&self.folder, self.wait)?;
        History::open(&self.folder, self.wait)?.analyse()?;
        if json {
            let (files, results) = (rebuilt.files, rebuilt.results);
            print_json(&json!({ "files": files, "results": results, "problems": rebuilt.problems }))?;
        } else {
            term::print(&format!(
                "{}: {} results of {} runs\n",
                self.folder.display(),
                rebuilt.results,
                rebuilt.files
            ))?;
        }
        for problem in &rebuilt.problems {
            term::error(problem);
        }
        Ok(if rebuilt.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(exit::USAGE) })
    }
}

fn selection(case: Option<String>, series: &Series) -> Selection {
    Selection { case, device: series.device.clone() }
}

/// Kept files that can't be read: the rest of the history is of use without them.
fn note_problems(problems: &[String]) {
    for problem in problems {
        term::note(&format!("left out: {problem}"));
    }
}

fn added_json(path: &Path, added: &Added) -> Value {
    let status = if added.new { "added" } else { "known" };
    let (instead_of, behind) = match &added.indexed {
        Indexed::Instead(other) => (Some(other), None),
        Indexed::Behind(other) => (None, Some(other)),
        Indexed::Known | Indexed::New => (None, None),
    };
    json!({
        "file": path, "status": status, "sha256": added.sha256, "run_id": added.run_id, "results": added.results,
        "instead_of": instead_of, "behind": behind,
    })
}

fn print_json(value: &Value) -> Result<(), UserError> {
    term::print(&format!("{value:#}\n"))
}
