//! What differs between the runs, and so might be why their figures do.

use super::Report;
use crate::inert::Text;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A fact about runs, with its values.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Fact {
    /// What it is.
    pub what: What,
    /// Of which device (its name and API), or which environment variable; none where it is the whole run's.
    pub of: Option<Text>,
    /// Whether runs differ in it.
    pub differs: bool,
    /// The values, each once, and the runs that have it.
    pub values: Vec<FactValue>,
}

/// A value of a fact.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FactValue {
    /// The value; none where runs don't tell.
    pub value: Option<Text>,
    /// Indices of [`Report::runs`].
    pub runs: Vec<usize>,
}

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A device's driver and its version.
    Driver,
    /// A device's clock in MHz as its driver states it.
    Clock,
    /// A device's clock in MHz as it was measured beside the ceilings.
    MeasuredClock,
    /// How a device's clock is governed.
    ClockPolicy,
    /// A device's power limit in watts.
    PowerLimit,
    /// The program's version.
    SuiteVersion,
    /// The commit that the program was built from.
    GitCommit,
    /// Whether its sources differed from that commit.
    GitDirty,
    /// The run's profile.
    Profile,
    /// What caches held.
    Cache,
    /// Of the inputs.
    Seed,
    /// Whether and how energy was measured.
    Energy,
    /// The host's name.
    Hostname,
    /// Its operating system.
    Os,
    /// Its kernel.
    Kernel,
    /// Its processor.
    Cpu,
    /// Its logical processors.
    Threads,
    /// Its memory in bytes.
    Memory,
    /// An environment variable.
    Variable,
}

/// The runs that have each value.
type Values = BTreeMap<Option<Text>, Vec<usize>>;
type Facts = BTreeMap<(What, Option<Text>), Values>;

/// All facts, the devices' first.
pub(super) fn of(report: &Report) -> Vec<Fact> {
    let mut facts = Facts::new();
    for (index, run) in report.runs.iter().enumerate() {
        let mut note = |what, value: Option<Text>| {
            facts.entry((what, None)).or_default().entry(value).or_default().push(index);
        };
        let number = |value: u64| Some(Text::from(value.to_string()));
        note(What::SuiteVersion, Some(run.suite_version.clone()));
        note(What::GitCommit, run.git_commit.clone());
        note(What::GitDirty, run.git_dirty.map(|dirty| if dirty { "yes" } else { "no" }.into()));
        note(What::Profile, Some(run.profile.clone()));
        note(What::Cache, Some(run.cache.name().into()));
        note(What::Seed, number(run.seed));
        note(What::Energy, run.energy.clone());
        note(What::Hostname, run.host.hostname.clone());
        note(What::Os, run.host.os.clone());
        note(What::Kernel, run.host.kernel.clone());
        note(What::Cpu, Some(run.host.cpu.clone()));
        note(What::Threads, number(run.host.threads as u64));
        note(What::Memory, number(run.host.memory_bytes));
    }
    variables(report, &mut facts);
    devices(report, &mut facts);
    let fact = |((what, of), values): ((What, Option<Text>), Values)| {
        let mut values: Vec<_> = values.into_iter().map(|(value, runs)| FactValue { value, runs }).collect();
        values.sort_by_key(|value| value.runs.first().copied());
        Fact { what, of, differs: differs(what, &values), values }
    };
    facts.into_iter().map(fact).collect()
}

/// Clocks that vary by no more than this are the same: they are seen through the times of a probe.
const SAME_CLOCK: f64 = 1.02;

fn differs(what: What, values: &[FactValue]) -> bool {
    let clocks = values.iter().map(|value| value.value.as_deref().and_then(|clock| clock.parse::<f64>().ok()));
    match clocks.collect::<Option<Vec<f64>>>() {
        Some(clocks) if what == What::MeasuredClock => {
            let least = clocks.iter().copied().fold(f64::INFINITY, f64::min);
            clocks.iter().any(|clock| clock / least > SAME_CLOCK)
        }
        _ => values.len() > 1,
    }
}

/// A variable that some run has is a fact of all runs: the others don't have it.
fn variables(report: &Report, facts: &mut Facts) {
    let mut set: BTreeMap<&Text, BTreeMap<usize, &Text>> = BTreeMap::new();
    for (index, run) in report.runs.iter().enumerate() {
        for (name, value) in &run.environment {
            set.entry(name).or_default().insert(index, value);
        }
    }
    for (name, by_run) in set {
        let values = facts.entry((What::Variable, Some(name.clone()))).or_default();
        for run in 0..report.runs.len() {
            values.entry(by_run.get(&run).map(|&value| value.clone())).or_default().push(run);
        }
    }
}

/// Devices of one name and API are the same sort of thing, and should have the same surroundings.
fn devices(report: &Report, facts: &mut Facts) {
    let mut limits: BTreeMap<usize, f64> = BTreeMap::new();
    for row in &report.rows {
        let figures = row.energy.as_ref().and_then(|energy| energy.figures.as_ref());
        if let Some(limit) = figures.and_then(|figures| figures.power_limit_w) {
            limits.entry(row.subject).or_insert(limit);
        }
    }
    for (index, subject) in report.subjects.iter().enumerate() {
        let of = Some(Text::from(format!("{} ({})", subject.name, subject.api)));
        let mut note = |what, value: Option<Text>| {
            let runs = facts.entry((what, of.clone())).or_default().entry(value).or_default();
            if runs.last() != Some(&subject.run) {
                runs.push(subject.run);
            }
        };
        let rounded = |value: f64| Text::from(format!("{value:.0}"));
        let measured = subject.ceilings.as_ref().and_then(|ceilings| {
            ceilings.theoretical.iter().find(|figure| figure.clock_source == "measured").map(|figure| figure.clock_mhz)
        });
        note(What::Driver, Some(subject.driver.clone()));
        note(What::Clock, subject.clock_mhz.map(rounded));
        note(What::MeasuredClock, measured.map(rounded));
        note(What::ClockPolicy, subject.clock_policy.clone());
        note(What::PowerLimit, subject.power_limit_w.or_else(|| limits.get(&index).copied()).map(rounded));
    }
}
