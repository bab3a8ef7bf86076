//! Bencher Metric Format: a JSON object of benchmarks, of measures, of figures.
//!
//! A case has its `latency` in nanoseconds (Bencher's own measure) and its `energy` in joules, as far as they were
//! measured; in a gate also `latency-change` and `energy-change`, the share of the base's figure by which the candidate is
//! worse, with its interval. Cases without a figure are left out: there is no number for them.

use super::Suite;
use crate::gate::Metric;
use serde_json::{Map, Value, json};

/// A suite in Bencher Metric Format.
pub fn render(suite: &Suite) -> String {
    let mut benchmarks = Map::new();
    for entry in &suite.entries {
        let [value_name, change_name] = match entry.metric {
            Metric::Time => ["latency", "latency-change"],
            Metric::Energy => ["energy", "energy-change"],
        };
        let estimate = entry.change.as_ref().and_then(|change| change.estimate);
        let measures = [
            (value_name, entry.value, entry.interval),
            (change_name, estimate.map(|estimate| estimate.effect), estimate.map(|estimate| estimate.interval)),
        ];
        for (name, value, interval) in measures {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                let benchmark = benchmarks.entry(entry.id.as_str()).or_insert_with(|| Value::Object(Map::new()));
                benchmark[name] = figure(value, interval);
            }
        }
    }
    format!("{:#}\n", Value::Object(benchmarks))
}

fn figure(value: f64, interval: Option<[f64; 2]>) -> Value {
    match interval {
        Some([low, high]) if low.is_finite() && high.is_finite() => {
            json!({ "value": value, "lower_value": low, "upper_value": high })
        }
        _ => json!({ "value": value }),
    }
}
