use super::{hostile, suites};
use crate::ci::Suite;
use crate::markdown::LIMIT;
use crate::markdown::gate::render;

/// Cells of a table's line: bars that no backslash makes text.
fn cells(line: &str) -> usize {
    let mut bars = 0;
    let mut escaped = false;
    for letter in line.chars() {
        bars += usize::from(letter == '|' && !escaped);
        escaped = letter == '\\' && !escaped;
    }
    bars - 1
}

#[test]
fn it_is_bounded_and_says_what_it_leaves_out() {
    for (name, suite) in suites() {
        let text = render(&suite, LIMIT);
        assert!(text.len() <= LIMIT, "{name}: {}", text.len());
        assert_eq!(text.contains("… and 200 more"), name.starts_with("many") || name == "harness", "{name}");
        let short = render(&suite, 1500);
        assert!(short.len() <= 1500 && (short == text || short.contains("Cut here")), "{name}: {short}");
    }
}

#[test]
fn tables_keep_their_form_and_markup_is_text() {
    for (name, suite) in suites() {
        let text = render(&suite, LIMIT);
        let mut width = None;
        for line in text.lines() {
            if line.starts_with('|') {
                assert_eq!(*width.get_or_insert(cells(line)), cells(line), "{name}: {line}");
            } else {
                width = None;
            }
        }
    }
    let text = render(&Suite::from(&hostile()), LIMIT);
    let harmless = text.replace("<!-- -->", "");
    assert!(!harmless.contains('<') && harmless.contains("&lt;script&gt;"), "{harmless}");
    assert!(!text.contains("@team") && !text.contains("http://") && text.contains("\\](http"), "{text}");
}

#[test]
fn what_asks_for_action_comes_first() {
    let (_, suite) = suites().into_iter().find(|(name, _)| *name == "every").unwrap();
    let text = render(&suite, LIMIT);
    let at = |word: &str| text.find(&format!("| {word} |")).unwrap_or_else(|| panic!("{word}: {text}"));
    assert!(at("WRONG") < at("REGRESSED") && at("REGRESSED") < at("INCONCLUSIVE") && at("UNSETTLED") < at("PASS"));
    let heading = format!("## accelbench gate: {}\n", suite.outcome.to_uppercase());
    assert!(text.starts_with(&heading), "{text}");
    assert!(text.contains("what there is to say") && text.contains("| base | aaaa |"), "{text}");
}
