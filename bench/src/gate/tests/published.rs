//! The page that publishes the figures.

use std::fs;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/gate.md");
const MARKS: [&str; 2] = ["<!-- figures -->\n", "<!-- end of figures -->"];
/// Logarithms differ in their last digit from one mathematical library to another, and few of the counts with them: by so
/// many percentage points at most.
const SLACK: f64 = 0.5;

/// Compares the page's table with this one, or puts this one there where `UPDATE_FIGURES` is set.
pub(super) fn hold(table: &str) {
    let page = fs::read_to_string(PAGE).unwrap();
    let (head, rest) = page.split_once(MARKS[0]).unwrap();
    let (published, tail) = rest.split_once(MARKS[1]).unwrap();
    if std::env::var_os("UPDATE_FIGURES").is_some() {
        fs::write(PAGE, [head, MARKS[0], table.trim_end(), "\n", MARKS[1], tail].concat()).unwrap();
        return;
    }
    let [here, there] = [published, table].map(|text| text.split_whitespace().collect::<Vec<_>>());
    assert_eq!(here.len(), there.len(), "{PAGE} has another table; UPDATE_FIGURES=1 writes it");
    for (here, there) in here.into_iter().zip(there) {
        let number = |word: &str| word.trim_end_matches(')').parse::<f64>();
        let same = match (number(here), number(there)) {
            (Ok(here), Ok(there)) => (here - there).abs() <= SLACK,
            _ => here == there,
        };
        assert!(same, "{PAGE} says {here} and not {there}; UPDATE_FIGURES=1 writes it");
    }
}
