//! OpenMetrics text: what Prometheus and GitLab's metrics reports read.

use super::{Entry, State, Suite};
use crate::gate::Metric;
use std::fmt::Write;

/// The media type, for whoever serves the text.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A family of gauges over the cases: what it is called, its unit, what it says, and a case's figure.
struct Family {
    name: &'static str,
    unit: Option<&'static str>,
    help: &'static str,
    figure: fn(&Entry) -> Option<f64>,
}

const FAMILIES: [Family; 10] = [
    Family {
        name: "accelbench_case_time_seconds",
        unit: Some("seconds"),
        help: "The median time of one run; in a gate, the candidate's.",
        figure: |entry| (entry.metric == Metric::Time).then_some(entry.value? / 1e9),
    },
    Family {
        name: "accelbench_case_base_time_seconds",
        unit: Some("seconds"),
        help: "The base's median time of one run.",
        figure: |entry| (entry.metric == Metric::Time).then_some(entry.change.as_ref()?.base? / 1e9),
    },
    Family {
        name: "accelbench_case_energy_joules",
        unit: Some("joules"),
        help: "The energy of one run; in a gate, the candidate's.",
        figure: |entry| (entry.metric == Metric::Energy).then_some(entry.value?),
    },
    Family {
        name: "accelbench_case_base_energy_joules",
        unit: Some("joules"),
        help: "The base's energy of one run.",
        figure: |entry| (entry.metric == Metric::Energy).then_some(entry.change.as_ref()?.base?),
    },
    Family {
        name: "accelbench_case_change_ratio",
        unit: Some("ratio"),
        help: "The share of the base's figure by which the candidate is worse.",
        figure: |entry| Some(entry.change.as_ref()?.estimate?.effect),
    },
    Family {
        name: "accelbench_case_change_low_ratio",
        unit: Some("ratio"),
        help: "The lower end of the change's interval.",
        figure: |entry| Some(entry.change.as_ref()?.estimate?.interval[0]),
    },
    Family {
        name: "accelbench_case_change_high_ratio",
        unit: Some("ratio"),
        help: "The upper end of the change's interval.",
        figure: |entry| Some(entry.change.as_ref()?.estimate?.interval[1]),
    },
    Family {
        name: "accelbench_case_detectable_ratio",
        unit: Some("ratio"),
        help: "The smallest change for the worse that would have been found.",
        figure: |entry| entry.change.as_ref()?.estimate?.detectable,
    },
    Family {
        name: "accelbench_case_pairs",
        unit: None,
        help: "Pairs of blocks that the change rests on.",
        figure: |entry| Some(entry.change.as_ref()?.estimate?.pairs as f64),
    },
    Family {
        name: "accelbench_case_thrown_out_pairs",
        unit: None,
        help: "Pairs of blocks that were thrown out.",
        figure: |entry| Some(entry.change.as_ref()?.thrown_out as f64),
    },
];

/// A suite as OpenMetrics text.
pub fn render(suite: &Suite) -> String {
    let mut out = String::new();
    head(&mut out, "accelbench", "info", None, "What was measured, and how that ended.");
    let labels: Vec<String> = suite
        .facts
        .iter()
        .map(|(name, value)| (name.replace(' ', "_"), value.as_str()))
        .chain([("command".to_owned(), suite.name), ("outcome".to_owned(), suite.outcome)])
        .map(|(name, value)| format!("{name}=\"{}\"", escape(value)))
        .collect();
    let _ = writeln!(out, "accelbench_info{{{}}} 1", labels.join(","));
    head(&mut out, "accelbench_exit_code", "gauge", None, "The program's exit code.");
    let _ = writeln!(out, "accelbench_exit_code {}", suite.exit_code);
    if let Some(seconds) = suite.wall_s.filter(|seconds| seconds.is_finite()) {
        head(&mut out, "accelbench_wall_seconds", "gauge", Some("seconds"), "How long it took.");
        let _ = writeln!(out, "accelbench_wall_seconds {seconds}");
    }
    head(&mut out, "accelbench_cases", "gauge", None, "Cases by what was said of them.");
    for (name, state) in STATES {
        let _ = writeln!(out, "accelbench_cases{{state=\"{name}\"}} {}", suite.count(state));
    }
    head(&mut out, "accelbench_case", "info", None, "What was said of a case.");
    for entry in &suite.entries {
        let verdict = entry.verdict.to_lowercase();
        let _ = writeln!(out, "accelbench_case_info{{{},verdict=\"{verdict}\"}} 1", labels_of(entry));
    }
    for family in FAMILIES {
        let figures = suite.entries.iter().filter_map(|entry| Some((entry, (family.figure)(entry)?)));
        let mut figures = figures.filter(|(_, figure)| figure.is_finite()).peekable();
        if figures.peek().is_some() {
            head(&mut out, family.name, "gauge", family.unit, family.help);
        }
        for (entry, figure) in figures {
            let _ = writeln!(out, "{}{{{}}} {figure}", family.name, labels_of(entry));
        }
    }
    out.push_str("# EOF\n");
    out
}

const STATES: [(&str, State); 4] =
    [("passed", State::Passed), ("skipped", State::Skipped), ("failed", State::Failed), ("errored", State::Errored)];

fn head(out: &mut String, name: &str, kind: &str, unit: Option<&str>, help: &str) {
    let _ = writeln!(out, "# TYPE {name} {kind}");
    if let Some(unit) = unit {
        let _ = writeln!(out, "# UNIT {name} {unit}");
    }
    let _ = writeln!(out, "# HELP {name} {help}");
}

fn labels_of(entry: &Entry) -> String {
    format!("case=\"{}\",metric=\"{}\"", escape(&entry.id), entry.metric.name())
}

/// A label's value.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
