//! `accelbench.toml`: what a project promises of its cases, checked in beside its sources. It declares and computes
//! nothing.

use accelbench_reports::gate::{Metric, Severity};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The file that is looked for from the working folder upwards.
pub const FILE_NAME: &str = "accelbench.toml";

/// A configuration. Shares: 0.05 is 5%.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What the gate promises.
    pub gate: GateConfig,
}

/// What the gate promises. What is left out has the program's own value.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateConfig {
    /// A slowdown up to this is no regression.
    pub margin: Option<f64>,
    /// A case passes only if its slowdown is proven to be smaller than this.
    pub allowed: Option<f64>,
    /// A case passes only if a slowdown of this size would have been found.
    pub detectable: Option<f64>,
    /// The probability that anything is called regressed in a suite where nothing is.
    pub alpha: Option<f64>,
    /// Pairs in the screen, and pairs of each flagged case afterwards.
    pub pairs: Option<[usize; 2]>,
    /// What is gated.
    pub metrics: Option<Vec<Metric>>,
    /// Cases that one side may lack.
    pub allow_missing: Vec<String>,
    /// Tolerances of single cases. Of those that match, the last one counts.
    pub rules: Vec<Rule>,
}

/// The tolerance of the cases that match. In patterns `*` stands for any text.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Of cases' ids, `op/dtype/shape/variant@device`.
    pub pattern: String,
    /// Of the machine's name or the device's; none means every system.
    pub system: Option<String>,
    /// Only of this metric; none means each.
    pub metric: Option<Metric>,
    /// Which way the metric is better. Times and joules have no choice, so this is only held against what they are.
    #[serde(default)]
    pub direction: Better,
    /// A change for the worse up to this is no regression.
    pub threshold: Option<f64>,
    /// What a verdict about speed does to the program's end.
    #[serde(default)]
    pub severity: Severity,
}

/// Which figures are better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Times, joules.
    #[default]
    LowerIsBetter,
    /// Rates.
    HigherIsBetter,
}

/// What holds for a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tolerance {
    /// None: that of all cases.
    pub(super) threshold: Option<f64>,
    pub(super) severity: Severity,
}

impl Config {
    /// Reads a configuration: the one that is named, or else the nearest one from the working folder upwards.
    ///
    /// # Errors
    /// One line with the file's name and what is wrong in it.
    pub fn load(named: Option<&Path>) -> Result<Option<(PathBuf, Self)>, String> {
        let found = match named {
            Some(path) => Some(path.to_owned()),
            None => std::env::current_dir()
                .ok()
                .and_then(|folder| folder.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())),
        };
        let Some(path) = found else { return Ok(None) };
        let wrong = |why: String| format!("{}: {why}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let config = Self::parse(&text).map_err(wrong)?;
        Ok(Some((path, config)))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            format!("line {line}: {}", error.message().lines().collect::<Vec<_>>().join(" "))
        })?;
        for rule in &config.gate.rules {
            let wrong = |why: &str| Err(format!("the rule of `{}`: {why}", rule.pattern));
            if rule.threshold.is_some_and(|threshold| !(threshold > 0.0 && threshold < 1.0)) {
                return wrong("`threshold` is a share between 0 and 1, such as 0.05 for 5%");
            }
            if rule.direction == Better::HigherIsBetter {
                return wrong("lower is better of `time` and `energy`");
            }
        }
        Ok(config)
    }
}

impl GateConfig {
    /// What holds for a case on a system that has these names.
    pub(super) fn tolerance(&self, case: &str, metric: Metric, systems: &[&str]) -> Tolerance {
        let holds = |rule: &&Rule| {
            matches(&rule.pattern, case)
                && rule.metric.is_none_or(|of| of == metric)
                && rule.system.as_ref().is_none_or(|pattern| systems.iter().any(|name| matches(pattern, name)))
        };
        let rule = self.rules.iter().rfind(holds);
        Tolerance {
            threshold: rule.and_then(|rule| rule.threshold),
            severity: rule.map(|rule| rule.severity).unwrap_or_default(),
        }
    }
}

/// Whether a text matches a pattern in which `*` stands for any text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let case = "gemm/f32/8x8x8/tiled@opencl:1";
        for yes in ["*", "gemm/*", "*@opencl:1", "gemm/*/tiled@*", "*8x*x8*", case, "gemm*opencl:1*"] {
            assert!(matches(yes, case), "{yes}");
        }
        for no in ["", "gemm", "conv*", "*@opencl:0", "gemm/*/tiled", "*8x8*8x8*", "*:1*:1"] {
            assert!(!matches(no, case), "{no}");
        }
    }

    #[test]
    fn the_last_rule_that_matches_counts() {
        let config = Config::parse(
            r#"
            [gate]
            margin = 0.03
            [[gate.rules]]
            pattern = "gemm/*"
            threshold = 0.04
            [[gate.rules]]
            pattern = "gemm/f64/*"
            system = "laptop*"
            metric = "time"
            direction = "lower_is_better"
            threshold = 0.08
            severity = "warn"
            "#,
        )
        .unwrap();
        assert_eq!(config.gate.margin, Some(0.03));
        let of = |case, metric, systems: &[&str]| {
            let tolerance = config.gate.tolerance(case, metric, systems);
            (tolerance.threshold, tolerance.severity)
        };
        let laptop = ["laptop-7", "a CPU"];
        assert_eq!(of("gemm/f64/1x1x1/a@host:0", Metric::Time, &laptop), (Some(0.08), Severity::Warn));
        assert_eq!(of("gemm/f64/1x1x1/a@host:0", Metric::Energy, &laptop), (Some(0.04), Severity::Fail));
        assert_eq!(of("gemm/f64/1x1x1/a@host:0", Metric::Time, &["server"]), (Some(0.04), Severity::Fail));
        assert_eq!(of("conv2d/f64/1/a@host:0", Metric::Time, &laptop), (None, Severity::Fail));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let wrong = |text: &str| Config::parse(text).unwrap_err();
        assert!(wrong("[gate]\nmargni = 1").starts_with("line 2: ") && wrong("[gate]\nmargni = 1").contains("margni"));
        assert!(wrong("[gate]\nmargin = \"2%\"").starts_with("line 2: "));
        assert!(wrong("[[gate.rules]]\npattern = \"*\"\nseverity = \"panic\"").contains("panic"));
        assert!(wrong("[[gate.rules]]\npattern = \"a\"\nthreshold = 5").contains("the rule of `a`"));
        let turned = "[[gate.rules]]\npattern = \"a\"\nmetric = \"time\"\ndirection = \"higher_is_better\"";
        assert!(wrong(turned).contains("lower is better"));
        assert!(wrong("[gate").starts_with("line 1: "));
    }
}
