//! JUnit XML, in the form that both the schema of Ant's and that of Jenkins' reports accept.
//!
//! A case is a test case. One that is worse or wrong is a failure; one that failed, is missing or can't be compared is an
//! error; one of which nothing is proven, or of which nothing is asked, is skipped and says so. A test case's time is the
//! kernel's median, so that trends of test times are trends of kernels. An outcome that no case shows (the gate itself
//! failed, or there was nothing to compare) is a test case of its own, in error: no report is greener than the exit code
//! but by what is inconclusive.

use super::{Entry, State, Suite};
use crate::gate::Metric;
use std::fmt::Write;

/// A suite as a JUnit file.
pub fn render(suite: &Suite) -> String {
    let beyond = suite.beyond_entries.then(|| of_the_whole(suite));
    let entries: Vec<&Entry> = beyond.iter().chain(&suite.entries).collect();
    let count = |state| entries.iter().filter(|entry| entry.state == state).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let _ = writeln!(
        out,
        "<testsuite name=\"{name}\" package=\"accelbench\" id=\"0\" timestamp=\"{}\" hostname=\"{}\" tests=\"{}\" \
         failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3}\">",
        timestamp(&suite.started),
        escape(suite.host.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or("localhost")),
        entries.len(),
        count(State::Failed),
        count(State::Errored),
        count(State::Skipped),
        suite.wall_s.filter(|seconds| seconds.is_finite()).unwrap_or(0.0).max(0.0),
        name = suite.name,
    );
    out.push_str("<properties>\n");
    let exit_code = suite.exit_code.to_string();
    let facts = suite.facts.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in facts.chain([("outcome", suite.outcome), ("exit code", &exit_code)]) {
        let _ = writeln!(out, "<property name=\"{name}\" value=\"{}\"/>", escape(value));
    }
    out.push_str("</properties>\n");
    for entry in &entries {
        test_case(&mut out, suite, entry);
    }
    let _ = writeln!(out, "<system-out>{}", escape(&suite.summary));
    for note in &suite.notes {
        let _ = writeln!(out, "{}", escape(note));
    }
    for entry in &suite.entries {
        let figures = if entry.value.is_some() { entry.figures() } else { entry.message() };
        let _ = writeln!(out, "{} {}: {}", entry.verdict, escape(&entry.name()), escape(&figures));
    }
    out.push_str("</system-out>\n<system-err></system-err>\n</testsuite>\n</testsuites>\n");
    out
}

/// The suite's own outcome as a test case.
fn of_the_whole(suite: &Suite) -> Entry {
    Entry {
        id: suite.name.to_owned(),
        metric: Metric::Time,
        verdict: suite.outcome,
        state: State::Errored,
        reason: Some(suite.summary.clone()),
        value: None,
        interval: None,
        change: None,
    }
}

fn test_case(out: &mut String, suite: &Suite, entry: &Entry) {
    let seconds = match entry.metric {
        Metric::Time => entry.value.filter(|ns| ns.is_finite() && *ns > 0.0).map_or(0.0, |ns| ns * 1e-9),
        Metric::Energy => 0.0,
    };
    let class = suite.name.replace(' ', ".");
    let _ = write!(out, "<testcase name=\"{}\" classname=\"{class}\" time=\"{seconds:.9}\"", escape(&entry.name()));
    // The schema gives a type to failures and errors only.
    let kind = format!(" type=\"{}\"", entry.verdict);
    let (element, kind) = match entry.state {
        State::Passed => {
            out.push_str("/>\n");
            return;
        }
        State::Skipped => ("skipped", ""),
        State::Failed => ("failure", kind.as_str()),
        State::Errored => ("error", kind.as_str()),
    };
    let message = escape(&format!("{}: {}", entry.verdict, entry.message()));
    let figures = escape(&entry.figures());
    let _ = writeln!(out, "><{element}{kind} message=\"{message}\">{figures}</{element}></testcase>");
}

/// The schema's time of day knows no fractions and no zone; the epoch where there is no such time.
fn timestamp(started: &str) -> &str {
    let form = b"0000-00-00T00:00:00";
    let fits = |(at, expected): (usize, &u8)| match (started.as_bytes().get(at), expected) {
        (Some(found), b'0') => found.is_ascii_digit(),
        (found, expected) => found == Some(expected),
    };
    if form.iter().enumerate().all(fits) { &started[..form.len()] } else { "1970-01-01T00:00:00" }
}

/// Text for XML, in elements and in attributes. Inert text has no control characters; two letters that act on nothing
/// may still not stand in XML.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
    out
}
