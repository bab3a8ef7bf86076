//! What github-action-benchmark reads as `customSmallerIsBetter`: a JSON array of named figures.
//!
//! Cases without a figure are left out. That action takes an array without any entry for a mistake.

use super::{Entry, Suite};
use serde::Serialize;

#[derive(Serialize)]
struct Figure<'a> {
    name: String,
    unit: &'static str,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: &'a str,
}

/// A suite's medians, of a gate the candidate's.
pub fn render(suite: &Suite) -> String {
    let extras: Vec<String> =
        suite.entries.iter().map(|entry| format!("{}: {}", entry.verdict, entry.figures())).collect();
    let figures: Vec<Figure<'_>> =
        suite.entries.iter().zip(&extras).filter_map(|(entry, extra)| figure(entry, extra)).collect();
    // Plain structures of finite numbers can always be written.
    serde_json::to_string_pretty(&figures).unwrap_or_default() + "\n"
}

fn figure<'a>(entry: &Entry, extra: &'a str) -> Option<Figure<'a>> {
    let value = entry.value.filter(|value| value.is_finite())?;
    // The action reads one number after the sign, so the wider side of the interval counts.
    let range = entry.interval.map(|[low, high]| format!("± {}", (value - low).max(high - value)));
    Some(Figure { name: entry.name(), unit: entry.metric.unit(), value, range, extra })
}
