//! Run files of any content before all that reads and shows them: never a panic, never a letter that acts.
//!
//! `PROPTEST_CASES` sets how many are drawn.

use crate::fixture::{file, of_every_sort};
use crate::report::Builder;
use crate::text::Lang;
use crate::{Format, RunFile, markdown};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;
use std::path::Path;

/// A runner that draws the same on every machine and every day.
fn runner() -> TestRunner {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 200;
    }
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]))
}

/// Markup, scripts, formulas, terminals' and writing directions' controls.
const HOSTILE: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "| a | b |\n| --- | --- |",
    "[click](javascript:alert(1)) ![x](https://x.y/z.png)",
    "=HYPERLINK(\"http://x.y\")",
    "@SUM(A1:A9)",
    "\u{202e}txet desrever\u{202c}",
    "\u{1b}[31mred\u{1b}[0m\u{7}",
    "a\u{0}b\u{200b}c\u{feff}d\r\ne",
    "# heading\n- item\n```\ncode",
    "@everyone #1 www.x.y",
    "-1+1|cmd",
];

fn strange() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![Just(0.0), Just(-1.0), Just(1e308), Just(5e-324)].prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(&HOSTILE[..]).prop_map(Value::from),
        prop::sample::select(&HOSTILE[..]).prop_map(|text| text.repeat(3000).into()),
        Just(Value::from(Vec::<Value>::new())),
        Just(serde_json::json!({ "a": [1, "b"] })),
    ]
}

/// Every place in a value, by the steps that lead there.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found)),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| places(item, &format!("{at}/{n}"), found)),
        _ => {}
    }
}

/// All formats of what can be read; none where it can't.
fn shown(bytes: &[u8], anonymous: bool) -> Option<Vec<(&'static str, String)>> {
    let path = Path::new("run.jsonl");
    let mut builder = Builder::new(None);
    match RunFile::parse(path, bytes) {
        Ok(run) => builder.add("run.jsonl", None, &run),
        Err(error) => {
            builder.reject("run.jsonl", &error.to_string());
            builder.finish(anonymous);
            return None;
        }
    }
    let mut second = of_every_sort();
    second.header["run_id"] = "another".into();
    builder.add("another.jsonl", None, &second.read());
    let report = builder.finish(anonymous);
    let mut texts = Vec::new();
    for lang in Lang::ALL {
        for format in Format::ALL {
            let mut out = Vec::new();
            format.write(&report, lang, &mut out).unwrap();
            texts.push((format.extension(), String::from_utf8(out).unwrap()));
        }
    }
    Some(texts)
}

/// What holds of every text, whatever the file said.
fn inert(format: &str, text: &str) -> Result<(), TestCaseError> {
    let acts =
        |letter: char| letter != '\n' && letter.is_control() || "\u{202e}\u{202c}\u{200b}\u{feff}".contains(letter);
    prop_assert!(!text.chars().any(acts), "{format}: a letter acts: {text}");
    match format {
        "html" => {
            // The browser's check looks at more; these would be tags of a file's own.
            let tags = ["<script>alert", "<img", "href=\"javascript:"];
            prop_assert!(!tags.iter().any(|tag| text.contains(tag)), "html: markup in {text}");
        }
        "md" => {
            prop_assert!(text.len() <= markdown::LIMIT);
            prop_assert!(!text.contains("http://") && !text.contains("https://"), "md: a link in {text}");
            for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
                let sound = match &event {
                    Event::Start(tag) => matches!(
                        tag,
                        Tag::Heading { .. }
                            | Tag::Paragraph
                            | Tag::Strong
                            | Tag::Table(_)
                            | Tag::TableHead
                            | Tag::TableRow
                            | Tag::TableCell
                            | Tag::List(None)
                            | Tag::Item
                    ),
                    Event::Html(html) | Event::InlineHtml(html) => &**html == "<!-- -->",
                    Event::End(_) | Event::Text(_) | Event::SoftBreak => true,
                    _ => false,
                };
                prop_assert!(sound, "md: {event:?} in {text}");
            }
        }
        "csv" => {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            for record in reader.records() {
                let record = record.map_err(|error| TestCaseError::fail(error.to_string()))?;
                for cell in &record {
                    let number = cell.parse::<f64>().is_ok();
                    prop_assert!(number || !cell.starts_with(['=', '+', '-', '@']), "csv: a formula in {cell}");
                }
            }
        }
        _ => {
            let value: Value = serde_json::from_str(text).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert!(value.is_object());
        }
    }
    Ok(())
}

#[test]
fn lines_with_strange_values() {
    let fixture = of_every_sort();
    let lines: Vec<Value> = [fixture.header].into_iter().chain(fixture.lines).collect();
    let change = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop::option::weighted(0.9, strange()));
    let changes = prop::collection::vec(change, 1..4);
    let outcome = runner().run(&(changes, any::<bool>()), |(changes, anonymous)| {
        let mut lines = lines.clone();
        for (line, place, value) in changes {
            let count = lines.len();
            let line = &mut lines[line.index(count)];
            let mut found = Vec::new();
            places(line, "", &mut found);
            let path = place.get(&found);
            match value {
                Some(value) => {
                    if let Some(there) = line.pointer_mut(path) {
                        *there = value;
                    }
                }
                None => {
                    if let Some((parent, name)) = path.rsplit_once('/')
                        && let Some(Value::Object(fields)) = line.pointer_mut(parent)
                    {
                        fields.remove(name);
                    }
                }
            }
        }
        let text = file(&lines);
        if let Some(texts) = shown(text.as_bytes(), anonymous) {
            for (format, text) in texts {
                inert(format, &text)?;
            }
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn files_with_damaged_bytes() {
    let whole = of_every_sort().text().into_bytes();
    let spot = (any::<prop::sample::Index>(), 0..20_usize, prop::collection::vec(any::<u8>(), 0..6));
    let outcome = runner().run(&(prop::collection::vec(spot, 0..4), any::<prop::sample::Index>()), |(spots, end)| {
        let mut bytes = whole.clone();
        for (start, removed, put) in spots {
            let start = start.index(bytes.len());
            let stop = (start + removed).min(bytes.len());
            bytes.splice(start..stop, put);
        }
        bytes.truncate(end.index(bytes.len()) + 1);
        if let Some(texts) = shown(&bytes, false) {
            for (format, text) in texts {
                inert(format, &text)?;
            }
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn hostile_text_in_every_field() {
    let fixture = of_every_sort();
    let lines: Vec<Value> = [fixture.header].into_iter().chain(fixture.lines).collect();
    let million = "x\u{202e}<b>".repeat(200_000);
    for (at, hostile) in HOSTILE.iter().copied().chain([million.as_str()]).enumerate() {
        for (number, line) in lines.iter().enumerate() {
            let mut found = Vec::new();
            places(line, "", &mut found);
            for path in found {
                let mut lines = lines.clone();
                // The long one, which takes its time, only where names stand.
                let named = at < HOSTILE.len() || path.ends_with("name") || path.ends_with("reason");
                match lines[number].pointer_mut(&path) {
                    Some(there @ Value::String(_)) if named => *there = hostile.into(),
                    _ => continue,
                }
                let text = file(&lines);
                for (format, text) in shown(text.as_bytes(), false).unwrap_or_default() {
                    inert(format, &text).unwrap_or_else(|error| panic!("{path}: {error}"));
                    assert!(text.len() < 1_000_000, "{path}: {format} has {} bytes", text.len());
                }
            }
        }
    }
}
