use super::{State, Suite, file, suites};
use crate::ci::annotations::render;
use crate::gate::Verdict;
use crate::gate::tests::case;

/// Reads a line as GitHub's runner does: level, title, message.
fn read(line: &str) -> (String, String, String) {
    let (command, data) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (level, properties) = command.split_once(' ').unwrap();
    let data = data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
    let mut titles = properties.split(',').map(|property| property.split_once('=').unwrap());
    let (name, title) = titles.next().unwrap();
    assert_eq!((name, titles.next()), ("title", None), "{line}");
    let title = title.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",");
    (level.to_owned(), title.replace("%25", "%"), data)
}

#[test]
fn every_line_is_a_command_that_says_what_was_meant() {
    for (name, suite) in suites() {
        let text = render(&suite);
        let mut lines = text.lines().map(read).collect::<Vec<_>>().into_iter();
        if suite.beyond_entries {
            assert_eq!(lines.next().unwrap().2, suite.summary);
        }
        let asking: Vec<_> = suite.entries.iter().filter(|entry| entry.state != State::Passed).collect();
        let room = if suite.beyond_entries { 8 } else { 9 };
        for entry in asking.iter().take(room) {
            let (level, title, message) = lines.next().unwrap();
            assert_eq!(level == "warning", entry.state == State::Skipped, "{name}");
            assert_eq!(title, format!("{} {}", entry.verdict, entry.name()), "{name}");
            assert_eq!(message, entry.message(), "{name}");
        }
        if asking.len() > room {
            assert!(lines.next().unwrap().2.starts_with(&format!("{} more", asking.len() - room)), "{name}");
        }
        assert_eq!(lines.next(), None, "{name}");
    }
}

#[test]
fn at_most_nine_and_a_count() {
    let lines = |count| {
        let suite = Suite::from(&file(vec![case("8x8x8", Verdict::Regressed); count]));
        render(&suite).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(9).len(), 9);
    assert_eq!(lines(10).len(), 10);
    assert_eq!(lines(300).len(), 10);
    assert!(lines(300)[9].contains("291 more"), "{:?}", lines(300)[9]);
}
