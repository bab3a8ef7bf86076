//! A gate's verdicts as Markdown, for step summaries and comments: what asks for action first.

use super::page::Page;
use crate::ci::{Entry, State, Suite, signed_percent};
use crate::text::Lang;

/// Lines of a table.
const LINES: usize = 100;

/// Renders a suite in at most `limit` bytes; what is left out is told.
pub fn render(suite: &Suite, limit: usize) -> String {
    let mut page = Page::new(Lang::En.texts(), limit);
    page.heading(2, &format!("{}: {}", suite.name, suite.outcome.to_uppercase()));
    page.strong(&suite.summary);
    let facts: Vec<Vec<String>> =
        suite.facts.iter().map(|(name, value)| vec![(*name).to_owned(), value.clone()]).collect();
    page.table("", &["", ""], &facts, LINES);
    let of = |wanted: &[State]| suite.entries.iter().filter(|entry| wanted.contains(&entry.state)).map(line).collect();
    let heads = ["verdict", "case", "change", "interval", "base", "now", "detectable", "pairs", "why"];
    let asking: Vec<Vec<String>> = of(&[State::Errored, State::Failed, State::Skipped]);
    page.table("Did not pass", &heads, &asking, LINES);
    let passed: Vec<Vec<String>> = of(&[State::Passed]);
    page.table("Passed", &heads[..8], &passed.iter().map(|line| line[..8].to_vec()).collect::<Vec<_>>(), LINES);
    page.list("Notes", &suite.notes, LINES);
    page.finish()
}

fn line(entry: &Entry) -> Vec<String> {
    let change = entry.change.as_ref();
    let estimate = change.and_then(|change| change.estimate);
    let shown = |value: Option<f64>| value.map(|value| entry.shown(value)).unwrap_or_default();
    let thrown_out = change.map_or(0, |change| change.thrown_out);
    let pairs = match (estimate.map(|estimate| estimate.pairs), thrown_out) {
        (None, 0) => String::new(),
        (pairs, 0) => pairs.unwrap_or(0).to_string(),
        (pairs, thrown_out) => format!("{} ({thrown_out} thrown out)", pairs.unwrap_or(0)),
    };
    vec![
        entry.verdict.to_owned(),
        entry.name(),
        estimate.map(|estimate| signed_percent(estimate.effect)).unwrap_or_default(),
        estimate.map(|estimate| estimate.interval.map(signed_percent).join(" … ")).unwrap_or_default(),
        shown(change.and_then(|change| change.base)),
        shown(entry.value),
        estimate.and_then(|estimate| estimate.detectable).map(signed_percent).unwrap_or_default(),
        pairs,
        entry.reason.clone().unwrap_or_default(),
    ]
}
