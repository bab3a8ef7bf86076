use super::{State, suites};
use crate::ci::junit::render;
use junit_parser::TestStatus;
use quick_xml::events::Event;
use std::collections::BTreeMap;

#[test]
fn a_parser_reads_what_was_meant() {
    for (name, suite) in suites() {
        let text = render(&suite);
        let report = junit_parser::from_reader(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let [found] = report.suites.as_slice() else { panic!("{name}: one suite") };
        let extra = usize::from(suite.beyond_entries);
        assert_eq!(found.cases.len(), suite.entries.len() + extra, "{name}");
        let counted =
            |test: fn(&TestStatus) -> bool| found.cases.iter().filter(|case| test(&case.status)).count() as u64;
        assert_eq!(found.tests, found.cases.len() as u64, "{name}");
        assert_eq!(found.failures, counted(TestStatus::is_failure), "{name}");
        assert_eq!(found.errors, counted(TestStatus::is_error), "{name}");
        assert_eq!(found.skipped, counted(TestStatus::is_skipped), "{name}");
        for (entry, case) in suite.entries.iter().zip(&found.cases[extra..]) {
            // Two letters have no place in XML.
            let legal = |text: &str| text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
            assert_eq!(case.original_name, legal(&entry.name()), "{name}");
            let message = legal(&format!("{}: {}", entry.verdict, entry.message()));
            match (entry.state, &case.status) {
                (State::Passed, TestStatus::Success) => {}
                (State::Failed, TestStatus::Failure(failure)) => assert_eq!(failure.message, message, "{name}"),
                (State::Errored, TestStatus::Error(error)) => assert_eq!(error.message, message, "{name}"),
                (State::Skipped, TestStatus::Skipped(skipped)) => assert_eq!(skipped.message, message, "{name}"),
                (state, status) => panic!("{name}: {state:?} became {status:?}"),
            }
            let median_s = entry.value.filter(|_| entry.name() == entry.id).map_or(0.0, |ns| ns * 1e-9);
            assert!((case.time - median_s).abs() < 1e-9, "{name}: {} for {median_s}", case.time);
        }
        // Nothing but what is inconclusive may be greener than the exit code.
        let red = found.failures + found.errors > 0;
        assert_eq!(red, !matches!(suite.exit_code, 0 | 3) || suite.beyond_entries, "{name}");
    }
}

/// The schema of Ant's reports, as far as it concerns us: an element's required attributes, and its children in order.
fn rules() -> BTreeMap<&'static str, (Vec<&'static str>, Vec<&'static str>)> {
    let message = || (vec!["message", "type"], vec![]);
    BTreeMap::from([
        ("testsuites", (vec![], vec!["testsuite"])),
        (
            "testsuite",
            (
                vec![
                    "errors",
                    "failures",
                    "hostname",
                    "id",
                    "name",
                    "package",
                    "skipped",
                    "tests",
                    "time",
                    "timestamp",
                ],
                vec!["properties", "testcase", "system-out", "system-err"],
            ),
        ),
        ("properties", (vec![], vec!["property"])),
        ("property", (vec!["name", "value"], vec![])),
        ("testcase", (vec!["classname", "name", "time"], vec!["error", "failure", "skipped"])),
        ("error", message()),
        ("failure", message()),
        ("skipped", (vec!["message"], vec![])),
        ("system-out", (vec![], vec![])),
        ("system-err", (vec![], vec![])),
    ])
}

#[test]
fn elements_stand_where_the_schema_has_them() {
    let rules = rules();
    for (name, suite) in suites() {
        let text = render(&suite);
        let legal = |c: char| matches!(c, '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(text.chars().all(legal), "{name}");
        let mut reader = quick_xml::Reader::from_str(&text);
        // Open elements, and how far each is through its children.
        let mut open: Vec<(String, usize)> = Vec::new();
        loop {
            let event = reader.read_event().unwrap();
            match &event {
                Event::Start(start) | Event::Empty(start) => {
                    let element = start.name().as_ref().to_owned();
                    let mut attributes: Vec<String> =
                        start.attributes().map(|attribute| attribute.unwrap().key.as_ref().to_owned()).collect();
                    attributes.sort();
                    assert_eq!(attributes, rules[element.as_str()].0, "{name}: {element}");
                    if let Some((parent, at)) = open.last_mut() {
                        let children = &rules[parent.as_str()].1;
                        let place = children.iter().position(|child| *child == element);
                        let place = place.unwrap_or_else(|| panic!("{name}: {element} in {parent}"));
                        assert!(place >= *at, "{name}: {element} comes late in {parent}");
                        *at = place;
                    }
                    if matches!(event, Event::Start(_)) {
                        open.push((element, 0));
                    }
                }
                Event::End(_) => {
                    open.pop();
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert!(open.is_empty());
        let timestamp = text.split_once("timestamp=\"").unwrap().1.split_once('"').unwrap().0;
        assert!(timestamp.len() == 19 && timestamp.as_bytes()[10] == b'T', "{name}: {timestamp}");
    }
}
