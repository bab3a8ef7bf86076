//! Bencher Metric Format and github-action-benchmark's, by types that take what those programs take and nothing else.

use super::suites;
use crate::ci::{bencher, benchmark_json};
use crate::gate::Metric;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    value: f64,
    lower_value: Option<f64>,
    upper_value: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Benchmark {
    name: String,
    unit: String,
    value: f64,
    range: Option<String>,
    extra: Option<String>,
}

#[test]
fn bencher_has_every_figure_once() {
    for (name, suite) in suites() {
        let text = bencher::render(&suite);
        let benchmarks: BTreeMap<String, BTreeMap<String, Measured>> = serde_json::from_str(&text).unwrap();
        let mut measures = 0;
        for entry in &suite.entries {
            let get = |measure: &str| benchmarks.get(&entry.id).and_then(|measures| measures.get(measure));
            let (value, change) = match entry.metric {
                Metric::Time => (get("latency"), get("latency-change")),
                Metric::Energy => (get("energy"), get("energy-change")),
            };
            assert_eq!(value.map(|measured| measured.value), entry.value, "{name}");
            let bounds = value.and_then(|measured| Some([measured.lower_value?, measured.upper_value?]));
            assert_eq!(bounds, entry.interval, "{name}");
            let estimate = entry.change.as_ref().and_then(|change| change.estimate);
            assert_eq!(change.map(|measured| measured.value), estimate.map(|estimate| estimate.effect), "{name}");
            let bounds = change.and_then(|measured| Some([measured.lower_value?, measured.upper_value?]));
            assert_eq!(bounds, estimate.map(|estimate| estimate.interval), "{name}");
            measures += usize::from(value.is_some()) + usize::from(change.is_some());
        }
        assert_eq!(benchmarks.values().map(BTreeMap::len).sum::<usize>(), measures, "{name}");
        // The name's limit in the program that reads it.
        assert!(benchmarks.keys().all(|name| (1..=1024).contains(&name.len())), "{name}");
    }
}

#[test]
fn benchmarks_have_every_median_once() {
    for (name, suite) in suites() {
        let benchmarks: Vec<Benchmark> = serde_json::from_str(&benchmark_json::render(&suite)).unwrap();
        let names: BTreeSet<&str> = benchmarks.iter().map(|benchmark| benchmark.name.as_str()).collect();
        assert_eq!(names.len(), benchmarks.len(), "{name}");
        let measured: Vec<_> = suite.entries.iter().filter(|entry| entry.value.is_some()).collect();
        assert_eq!(measured.len(), benchmarks.len(), "{name}");
        for (entry, benchmark) in measured.into_iter().zip(&benchmarks) {
            assert_eq!((&benchmark.name, Some(benchmark.value)), (&entry.name(), entry.value), "{name}");
            assert_eq!(benchmark.unit, if entry.metric == Metric::Time { "ns" } else { "J" });
            assert!(benchmark.extra.as_ref().unwrap().starts_with(entry.verdict), "{name}");
            // One number after the sign is what the program reads.
            let range = benchmark.range.as_ref().map(|range| range.strip_prefix("± ").unwrap().parse::<f64>().unwrap());
            assert_eq!(range.is_some_and(|range| range >= 0.0), entry.interval.is_some(), "{name}");
        }
    }
}

#[test]
fn what_is_no_number_is_left_out() {
    let (_, mut suite) = suites().into_iter().find(|(name, _)| *name == "every").unwrap();
    for entry in &mut suite.entries {
        entry.value = Some(f64::INFINITY);
        if let Some(estimate) = entry.change.as_mut().and_then(|change| change.estimate.as_mut()) {
            estimate.interval[1] = f64::INFINITY;
        }
    }
    assert_eq!(benchmark_json::render(&suite), "[]\n");
    let benchmarks: BTreeMap<String, BTreeMap<String, Measured>> =
        serde_json::from_str(&bencher::render(&suite)).unwrap();
    let measures: Vec<_> = benchmarks.values().flatten().collect();
    assert!(!measures.is_empty());
    assert!(measures.iter().all(|(name, figure)| *name == "latency-change" && figure.upper_value.is_none()));
}
