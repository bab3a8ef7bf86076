//! A gate's findings on a terminal: a row a case, the reasons, one sentence, and what to do next.

use crate::cli::term::{BAD, FAINT, GOOD, STRONG, styled};
use crate::cli::units;
use crate::gate_run::{percent, share};
use accelbench_reports::gate::{Build, GateCase, GateFile, Metric, Mode, Outcome, Severity, Verdict};
use anstyle::Style;
use comfy_table::{CellAlignment, Table, presets};
use std::fmt::Write;
use std::path::Path;

pub(super) fn text(file: &GateFile, kept: Option<&Path>) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "base       {}", build(&file.base));
    let _ = writeln!(text, "candidate  {}", build(&file.candidate));
    if file.mode == Mode::Stored {
        let _ = writeln!(text, "{}", styled(STRONG, "ADVISORY: the base's figures are stored ones"));
    }
    if !file.cases.is_empty() {
        let _ = writeln!(text, "{}", table(file));
    }
    for case in file.cases.iter().filter(|case| case.verdict != Verdict::Unsettled) {
        if let Some(reason) = &case.reason {
            let warns = if case.severity == Severity::Warn { " (only warns)" } else { "" };
            let word = styled(style(case.verdict), case.verdict.name());
            let _ = writeln!(text, "{word}{warns} {}: {reason}", name(file, case));
        }
    }
    for note in &file.notes {
        let _ = writeln!(text, "note: {note}");
    }
    if file.outcome != Outcome::Harness {
        let word = styled(if file.exit_code == 0 { GOOD } else { BAD }, &file.outcome.name().to_uppercase());
        let _ = writeln!(text, "{word}: {} ({:.0} s)", file.summary, file.wall_s);
    }
    if let Some(next) = next(file) {
        let _ = writeln!(text, "{next}");
    }
    if let Some(path) = kept {
        let _ = writeln!(text, "Document: {}", path.display());
    }
    text
}

fn build(build: &Build) -> String {
    let revision = build.revision.as_deref().map_or(String::new(), |revision| {
        let dirty = if build.dirty == Some(true) { ", changed since" } else { "" };
        format!(" at {revision:.12}{dirty}")
    });
    format!("{}{revision}, SHA-256 {:.12}", build.given, build.sha256)
}

/// A case's name, with its metric where there are several.
fn name(file: &GateFile, case: &GateCase) -> String {
    if file.options.metrics == [Metric::Time] {
        case.case.clone()
    } else {
        format!("{} {}", case.case, case.metric.name())
    }
}

fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Pass | Verdict::Improved => GOOD,
        Verdict::Inconclusive => STRONG,
        Verdict::Unsettled => FAINT,
        _ => BAD,
    }
}

fn table(file: &GateFile) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["case", "verdict", "base", "candidate", "effect", "interval", "margin", "detectable", "pairs"]);
    for case in &file.cases {
        let figure = |figure: Option<f64>| {
            figure.map_or("-".to_owned(), |figure| match case.metric {
                Metric::Time => units::time(figure),
                Metric::Energy => format!("{figure:.4} J"),
            })
        };
        let estimate = |show: &dyn Fn(&accelbench_reports::gate::Estimate) -> String| {
            case.estimate.as_ref().map_or("-".to_owned(), show)
        };
        let thrown_out = if case.thrown_out > 0 { format!(" (-{})", case.thrown_out) } else { String::new() };
        table.add_row([
            name(file, case),
            case.verdict.name().to_owned(),
            figure(case.base),
            figure(case.candidate),
            estimate(&|estimate| share(estimate.effect)),
            estimate(&|estimate| format!("{} to {}", share(estimate.interval[0]), share(estimate.interval[1]))),
            estimate(&|estimate| percent(estimate.margin)),
            estimate(&|estimate| estimate.detectable.map_or("-".to_owned(), percent)),
            estimate(&|estimate| estimate.pairs.to_string()) + &thrown_out,
        ]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What a user can do about an outcome.
fn next(file: &GateFile) -> Option<String> {
    let arguments = || -> String {
        let flag = if file.mode == Mode::Stored { "--against" } else { "--base" };
        format!("{flag} {} --cand {}", file.base.given, file.candidate.given)
    };
    Some(match file.outcome {
        Outcome::Pass | Outcome::Harness => return None,
        Outcome::Regression if file.mode == Mode::Stored => {
            "Next: compare the two builds side by side, which tells a slower kernel from a slower day: \
             accelbench gate --base REVISION --cand REVISION"
                .to_owned()
        }
        Outcome::Regression => {
            let case = file.cases.iter().find(|case| case.verdict == Verdict::Regressed)?;
            let parts: Vec<&str> = case.case.split(['/', '@']).collect();
            let [op, dtype, shape, variant, device] = parts[..] else { return None };
            format!("Next: look at one of them alone, such as {shape} by -k {op} -t {dtype} -v {variant} -d {device}")
        }
        Outcome::Inconclusive => {
            let pairs = (file.options.screen_pairs * 2, file.options.confirm_pairs * 2);
            format!(
                "Next: end what else runs on this machine, or measure more: accelbench gate {} --pairs {},{}",
                arguments(),
                pairs.0,
                pairs.1
            )
        }
        Outcome::Incomparable => "Next: run both sides with the same devices, drivers and settings".to_owned(),
        Outcome::Missing => {
            "Next: where the case was meant to come or go, say so with --allow-missing PATTERN or in accelbench.toml"
                .to_owned()
        }
        Outcome::Failed => {
            "Next: run the case by itself with `accelbench run`; a case that gives no right answer has no speed"
                .to_owned()
        }
        Outcome::Interrupted => "Stopped before all was known: cases without a verdict are UNSETTLED".to_owned(),
    })
}
