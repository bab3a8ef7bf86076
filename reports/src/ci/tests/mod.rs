//! Every format over every kind of suite, read by parsers that are not ours or that know the format's rules only.

mod annotations;
mod json;
mod junit;
mod markdown;
mod openmetrics;

use super::{State, Suite};
use crate::RunFile;
use crate::gate::tests::{case, file};
use crate::gate::{GateCase, GateFile, Metric, Outcome, Severity, Verdict};
use std::path::Path;

/// Text that means something to one of the formats, or to a terminal.
const HOSTILE: [&str; 10] = [
    "]]><script>alert('1')</script>&amp;",
    "a\nb\r\n::error::injected",
    "100% %0A::set-output name=x::y,z",
    "|x| `y` *z* _u_ [l](http://e.example) ![i](x) @team #1 ~~s~~ <b>",
    "\u{1b}[31m\u{0}\u{7}\u{202e}\u{200b}\u{fffe}\u{ffff}",
    "\"quoted\" 'and' \\back\\",
    "# EOF",
    "\n# TYPE injected gauge\ninjected 1\n",
    "   ",
    "",
];

fn hostile() -> GateFile {
    let mut cases: Vec<GateCase> = HOSTILE
        .iter()
        .zip(Verdict::ALL.iter().cycle())
        .map(|(text, verdict)| GateCase {
            case: (*text).to_owned(),
            reason: Some((*text).to_owned()),
            ..case("8x8x8", *verdict)
        })
        .collect();
    cases.push(GateCase { case: "é\u{e000}".repeat(100_000), ..case("8x8x8", Verdict::Wrong) });
    let all = HOSTILE.concat();
    let mut file = file(cases);
    file.started.clone_from(&all);
    file.summary.clone_from(&all);
    file.base.given.clone_from(&all);
    file.candidate.revision = Some(all.clone());
    file.host.hostname = Some(all.clone());
    file.host.cpu.clone_from(&all);
    file.notes = vec![all];
    file
}

/// Gates' documents by name, with what each is for.
fn files() -> Vec<(&'static str, GateFile)> {
    let every = |change: fn(GateCase) -> GateCase| Verdict::ALL.map(|verdict| change(case("8x8x8", verdict))).to_vec();
    let many = |verdict| (0..300).map(|index| case(&format!("{index}x8x8"), verdict)).collect();
    let without_figures = |case| GateCase { estimate: None, base: None, candidate: None, ..case };
    let two_metrics = |case: GateCase| [case.clone(), GateCase { metric: Metric::Energy, ..case }];
    let harness = GateFile { outcome: Outcome::Harness, exit_code: 2, ..file(many(Verdict::Pass)) };
    vec![
        ("empty", file(Vec::new())),
        ("every", file(every(|case| case))),
        ("equal-names", file(vec![case("8x8x8", Verdict::Pass); 3])),
        ("without-figures", file(every(without_figures))),
        ("two-metrics", file(every(|case| case).into_iter().flat_map(two_metrics).collect())),
        ("warnings", file(every(|case| GateCase { severity: Severity::Warn, ..case }))),
        ("many-passed", file(many(Verdict::Pass))),
        ("many-regressed", file(many(Verdict::Regressed))),
        ("harness", harness),
        ("hostile", hostile()),
    ]
}

/// Suites by name: those of gates, and that of a run.
fn suites() -> Vec<(&'static str, Suite)> {
    let run = RunFile::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz/run.jsonl"))).unwrap();
    let gates = files().iter().map(|(name, file)| (*name, Suite::from(file))).collect::<Vec<_>>();
    gates.into_iter().chain([("run", Suite::from(&run))]).collect()
}

#[test]
fn states_follow_the_verdicts() {
    let suite = Suite::from(&file(Verdict::ALL.map(|verdict| case("8x8x8", verdict)).to_vec()));
    let states: Vec<_> = suite.entries.iter().map(|entry| (entry.verdict, entry.state)).collect();
    let expected = [
        ("WRONG", State::Failed),
        ("FAILED", State::Errored),
        ("MISSING", State::Errored),
        ("INCOMPARABLE", State::Errored),
        ("REGRESSED", State::Failed),
        ("INCONCLUSIVE", State::Skipped),
        ("UNSETTLED", State::Skipped),
        ("IMPROVED", State::Passed),
        ("PASS", State::Passed),
    ];
    assert_eq!(states, expected);
    let warned = Suite::from(&file(vec![GateCase { severity: Severity::Warn, ..case("8x8x8", Verdict::Regressed) }]));
    assert_eq!((warned.exit_code, warned.entries[0].state), (0, State::Skipped));
}

#[test]
fn what_is_wrong_has_no_figures() {
    for (name, suite) in suites() {
        for entry in suite.entries.iter().filter(|entry| entry.state == State::Errored || entry.verdict == "WRONG") {
            assert_eq!((entry.value, entry.figures().as_str()), (None, ""), "{name}: {}", entry.name());
        }
    }
}

#[test]
fn only_what_cases_do_not_show_stands_beside_them() {
    for (name, suite) in suites() {
        assert_eq!(suite.beyond_entries, ["empty", "harness"].contains(&name), "{name}");
    }
}

#[test]
fn names_are_unique_bounded_and_inert() {
    for (name, suite) in suites() {
        let mut names: Vec<String> = suite.entries.iter().map(super::Entry::name).collect();
        assert!(names.iter().all(|id| !id.trim().is_empty() && id.len() <= 1024), "{name}");
        assert!(names.iter().all(|id| !id.contains(char::is_control)), "{name}");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), suite.entries.len(), "{name}");
    }
}

#[test]
fn a_case_in_words() {
    let suite = Suite::from(&file(vec![GateCase { thrown_out: 3, ..case("8x8x8", Verdict::Regressed) }]));
    let expected = "+8.1% [+5.2%, +11.3%], 1.000 µs → 1.081 µs, 2 pairs, detectable from +4.9%, 3 pairs thrown out";
    assert_eq!(suite.entries[0].figures(), expected);
}

/// `CI_SAMPLES=FOLDER cargo test -p accelbench-reports` leaves every format of every suite, and the
/// documents that they were made from, for other parsers.
#[test]
fn samples_for_other_parsers() {
    let Some(folder) = std::env::var_os("CI_SAMPLES") else { return };
    for (name, file) in files() {
        let document = serde_json::to_string_pretty(&file).unwrap() + "\n";
        std::fs::write(Path::new(&folder).join(format!("{name}.gate.json")), document).unwrap();
    }
    for (name, suite) in suites() {
        let write = |ending: &str, text: String| {
            std::fs::write(Path::new(&folder).join(format!("{name}.{ending}")), text).unwrap();
        };
        write("junit.xml", super::junit::render(&suite));
        write("bencher.json", super::bencher::render(&suite));
        write("benchmark.json", super::benchmark_json::render(&suite));
        write("openmetrics.txt", super::openmetrics::render(&suite));
        write("annotations.txt", super::annotations::render(&suite));
        write("md", crate::markdown::gate::render(&suite, crate::markdown::LIMIT));
    }
}
