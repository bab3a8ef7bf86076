//! Where to look for a change: the commits on both sides of a series' last change point, and how git finds the one
//! between them.

use super::analysis::Change;
use super::{Error, History, Metric, Selection};
use accelbench_reports::ResultRow;
use serde::Serialize;

/// Where a series last changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BisectHint {
    /// `op/dtype/shape/variant@device`.
    pub case: String,
    /// The device's name.
    pub device: String,
    /// What changed.
    pub metric: Metric,
    /// The change.
    pub change: Change,
    /// The command that measures the case again, as the first run after the change tells it.
    pub command: Option<String>,
    /// What to type, in a clone of the program's sources.
    pub steps: Vec<String>,
    /// Why git can't find it, or what speaks against what it will find.
    pub caution: Option<String>,
}

impl History {
    /// The last change of each series of a selection; none for a series that did not change.
    ///
    /// # Errors
    /// As [`History::trends`].
    pub fn bisect_hints(&mut self, selection: &Selection, metric: Metric) -> Result<Vec<BisectHint>, Error> {
        let trends = self.trends(selection, metric)?;
        let mut hints = Vec::new();
        for trend in trends {
            let Some(change) = trend.found.changes.last() else { continue };
            let row = self.result(&change.after.sha256, &trend.case, &trend.device)?;
            let command = row.as_ref().and_then(|row| Some(row.provenance.as_ref()?.command.clone()));
            let (steps, caution) = steps(change, metric, row.as_ref());
            hints.push(BisectHint {
                case: trend.name(),
                device: trend.device.name.clone(),
                metric,
                change: change.clone(),
                command,
                steps,
                caution,
            });
        }
        Ok(hints)
    }
}

fn steps(change: &Change, metric: Metric, row: Option<&ResultRow>) -> (Vec<String>, Option<String>) {
    let (Some(good), Some(bad)) = (&change.before.commit, &change.after.commit) else {
        return (Vec::new(), Some("a program on one side did not know its commit".to_owned()));
    };
    if good == bad {
        let caution = "both sides are of one commit: look at the machine, or at changes that were not committed";
        return (Vec::new(), Some(caution.to_owned()));
    }
    let dirty = [&change.before, &change.after].into_iter().any(|run| run.dirty == Some(true));
    let caution = dirty.then(|| "sources differed from the commit on one side".to_owned());
    let command = row.and_then(|row| Some(row.provenance.as_ref()?.command.as_str()));
    let judge = command.map(|command| format!("git bisect run sh -c '{}'", judge(command, change, metric)));
    let start = format!("git bisect start {bad} {good}");
    ([start].into_iter().chain(judge).collect(), caution)
}

/// A script that builds a commit and measures the case: 0 on the side of the level before, 1 on that of the level
/// after, 125 where it could not be measured.
fn judge(command: &str, change: &Change, metric: Metric) -> String {
    let field = metric.field();
    let limit = (change.level_before * change.level_after).sqrt();
    let beyond = if change.ratio > 1.0 { ">" } else { "<" };
    let arguments = command.strip_prefix("accelbench ").unwrap_or(command);
    format!(
        "cargo build --release || exit 125; target/release/accelbench {arguments} --json -o \"$(mktemp -u)\" | \
         awk -F \"\\\"{field}\\\":\" \"BEGIN {{ code = 125 }} /\\\"type\\\":\\\"result\\\"/ && NF > 1 {{ code = (\\$2 + 0 {beyond} {limit}) }} END {{ exit code }}\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::RunRef;

    fn run(commit: Option<&str>, dirty: bool) -> RunRef {
        RunRef {
            sha256: "0".repeat(64),
            run_id: "run".to_owned(),
            started: "2026-01-01T00:00:00Z".to_owned(),
            commit: commit.map(str::to_owned),
            dirty: Some(dirty),
        }
    }

    fn change(before: RunRef, after: RunRef) -> Change {
        Change { before, after, level_before: 100.0, level_after: 121.0, ratio: 1.21, p: 0.001, gradual: false }
    }

    #[test]
    fn commits_that_git_can_t_look_between_are_no_steps() {
        let (steps, caution) = super::steps(&change(run(Some("a"), false), run(Some("a"), true)), Metric::Time, None);
        assert!(steps.is_empty() && caution.unwrap().contains("one commit"));
        let (steps, caution) = super::steps(&change(run(None, false), run(Some("b"), false)), Metric::Time, None);
        assert!(steps.is_empty() && caution.unwrap().contains("did not know"));
        let (steps, caution) = super::steps(&change(run(Some("a"), false), run(Some("b"), true)), Metric::Time, None);
        assert_eq!(steps, ["git bisect start b a"]);
        assert!(caution.unwrap().contains("differed"));
    }

    #[test]
    fn the_judge_s_limit_lies_between_the_levels() {
        let change = change(run(Some("a"), false), run(Some("b"), false));
        let script = judge("accelbench run gemm:m=1", &change, Metric::Time);
        assert!(script.contains("target/release/accelbench run gemm:m=1 --json"), "{script}");
        assert!(script.contains("> 110"), "{script}");
    }
}
