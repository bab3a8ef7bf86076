//! GitHub's workflow commands, which become annotations of a run.

use super::{Entry, State, Suite};
use std::fmt::Write;

/// Annotations of single cases. GitHub shows ten of a kind in a step, and passes over the rest without a word; the tenth
/// is the count of those that are left out.
const MOST: usize = 9;

/// A suite's annotations: a line for each case that did not pass, and one that counts the rest. Nothing for a suite that
/// passed.
pub fn render(suite: &Suite) -> String {
    let mut out = String::new();
    if suite.beyond_entries {
        command(&mut out, State::Errored, &format!("{}: {}", suite.name, suite.outcome), &suite.summary);
    }
    let shown: Vec<&Entry> = suite.entries.iter().filter(|entry| entry.state != State::Passed).collect();
    let room = MOST - usize::from(suite.beyond_entries);
    for entry in shown.iter().take(room) {
        command(&mut out, entry.state, &format!("{} {}", entry.verdict, entry.name()), &entry.message());
    }
    // Cases come in the order of their urgency, so the first of the rest says how urgent they are.
    if let Some(first) = shown.get(room) {
        let rest = format!("{} more did not pass: see the summary", shown.len() - room);
        command(&mut out, first.state, suite.name, &rest);
    }
    out
}

fn command(out: &mut String, state: State, title: &str, message: &str) {
    let level = match state {
        State::Errored | State::Failed => "error",
        State::Skipped => "warning",
        State::Passed => "notice",
    };
    let _ = writeln!(out, "::{level} title={}::{}", property(title), data(message));
}

/// The text of a command: what would end it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a command's property: also what would end that.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
