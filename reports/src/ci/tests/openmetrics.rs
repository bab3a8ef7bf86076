//! By the rules of the specification, of which a line is checked after the other.

use super::suites;
use crate::ci::openmetrics::render;
use std::collections::{BTreeMap, BTreeSet};

/// A sample: its name, its labels and its figure.
fn sample(line: &str) -> (String, Vec<(String, String)>, f64) {
    let end = line.find(['{', ' ']).unwrap();
    let name = line[..end].to_owned();
    let Some(mut rest) = line[end..].strip_prefix('{') else {
        return (name, Vec::new(), line[end + 1..].parse().unwrap());
    };
    let mut labels = Vec::new();
    loop {
        let (label, value) = rest.split_once("=\"").unwrap();
        let mut text = String::new();
        let mut letters = value.char_indices();
        let close = loop {
            match letters.next().unwrap() {
                (at, '"') => break at,
                (_, '\\') => text.push(match letters.next().unwrap().1 {
                    'n' => '\n',
                    letter @ ('"' | '\\') => letter,
                    other => panic!("no escape: {other}"),
                }),
                (_, letter) => text.push(letter),
            }
        };
        labels.push((label.to_owned(), text));
        rest = &value[close + 1..];
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return (name, labels, rest.strip_prefix("} ").unwrap().parse().unwrap()),
        }
    }
}

#[test]
fn it_keeps_the_specification() {
    for (name, suite) in suites() {
        let text = render(&suite);
        let body = text.strip_suffix("# EOF\n").unwrap();
        let mut types: BTreeMap<String, String> = BTreeMap::new();
        let mut family = String::new();
        let mut seen = BTreeSet::new();
        for line in body.lines() {
            if let Some(meta) = line.strip_prefix("# ") {
                let [kind, of, value] = meta.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
                match kind {
                    "TYPE" => {
                        assert_eq!(types.insert(of.to_owned(), value.to_owned()), None, "{name}: {line}");
                        of.clone_into(&mut family);
                    }
                    "UNIT" => assert!(of == family && of.ends_with(&format!("_{value}")), "{name}: {line}"),
                    "HELP" => assert_eq!(of, family, "{name}: {line}"),
                    _ => panic!("{name}: {line}"),
                }
                continue;
            }
            let (metric, labels, figure) = sample(line);
            let suffix = if types[&family] == "info" { "_info" } else { "" };
            assert_eq!(metric, format!("{family}{suffix}"), "{name}: {line}");
            assert!(figure.is_finite());
            let legal = |label: &str| label.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            assert!(labels.iter().all(|(label, _)| legal(label)), "{name}: {line}");
            assert!(seen.insert((metric, labels)), "{name}: twice {line}");
        }
        let cases = seen.iter().filter(|(metric, _)| metric == "accelbench_case_info");
        let ids: BTreeSet<&str> = cases.map(|(_, labels)| labels[0].1.as_str()).collect();
        assert_eq!(ids, suite.entries.iter().map(|entry| entry.id.as_str()).collect(), "{name}");
        let times = seen.iter().filter(|(metric, _)| metric == "accelbench_case_time_seconds").count();
        let timed = |entry: &&crate::ci::Entry| entry.value.is_some() && entry.metric == crate::gate::Metric::Time;
        assert_eq!(times, suite.entries.iter().filter(timed).count(), "{name}");
    }
}
