//! Every text that a report shows, in each of its languages.
//!
//! A language is one constant of [`Texts`]: a text that is not translated does not compile. What files hold (names,
//! reasons, command lines) and units are shown as they are.

mod en;
mod zh;

use crate::report::{ClockKind, Finding, KnownBy, Ratio, Report, Standing, Verdict, What};
use crate::{CacheMode, Direction, EnergyStatus, HostMemory, Status, Unit, units};

/// A language of reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// Its texts.
    pub const fn texts(self) -> &'static Texts {
        match self {
            Self::En => &en::TEXTS,
            Self::Zh => &zh::TEXTS,
        }
    }
}

/// The texts of a language.
pub struct Texts {
    /// The language's tag, as HTML writes it.
    pub tag: &'static str,
    /// What stands where nothing is known.
    pub none: &'static str,
    /// Titles of sections.
    pub titles: Titles,
    /// Heads of columns.
    pub columns: Columns,
    /// Names of what files name by a fixed word.
    pub names: Names,
    /// Whole sentences.
    pub sentences: Sentences,
    /// How the comparison is made: a paragraph each.
    pub method: &'static [&'static str],
    /// What the comparison can't say: a paragraph each.
    pub limits: &'static [&'static str],
}

/// Titles of sections.
pub struct Titles {
    /// Of a report without a title of its own.
    pub report: &'static str,
    /// Who is fastest.
    pub standings: &'static str,
    /// The devices.
    pub devices: &'static str,
    /// The runs.
    pub runs: &'static str,
    /// Cases side by side.
    pub cases: &'static str,
    /// Rooflines.
    pub rooflines: &'static str,
    /// Shares of ceilings.
    pub shares: &'static str,
    /// Energy.
    pub energy: &'static str,
    /// Kernels against libraries.
    pub libraries: &'static str,
    /// Rates over size.
    pub scaling: &'static str,
    /// Memory and caches.
    pub memory: &'static str,
    /// Transfers and latencies.
    pub transfers: &'static str,
    /// One chip through several APIs.
    pub chips: &'static str,
    /// What is supported.
    pub support: &'static str,
    /// Differences between the runs.
    pub environment: &'static str,
    /// Files that were passed over.
    pub rejected: &'static str,
    /// What is wrong with files that were taken.
    pub problems: &'static str,
    /// The method.
    pub method: &'static str,
    /// Its limits.
    pub limits: &'static str,
}

/// Heads of columns.
pub struct Columns {
    /// A place in a ranking.
    pub place: &'static str,
    /// A device.
    pub device: &'static str,
    /// An API.
    pub api: &'static str,
    /// A driver.
    pub driver: &'static str,
    /// A physical chip.
    pub chip: &'static str,
    /// A kind of device.
    pub kind: &'static str,
    /// A run.
    pub run: &'static str,
    /// A file.
    pub file: &'static str,
    /// When a run started.
    pub started: &'static str,
    /// A host.
    pub host: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// A command line.
    pub command: &'static str,
    /// An operation.
    pub op: &'static str,
    /// Numeric types.
    pub dtype: &'static str,
    /// A shape.
    pub shape: &'static str,
    /// Where a shape comes from.
    pub origin: &'static str,
    /// A kernel family or library.
    pub variant: &'static str,
    /// A plan.
    pub plan: &'static str,
    /// A kernel of this program.
    pub kernel: &'static str,
    /// A library.
    pub library: &'static str,
    /// A status.
    pub status: &'static str,
    /// A reason.
    pub reason: &'static str,
    /// A rate.
    pub rate: &'static str,
    /// A median time.
    pub median: &'static str,
    /// A 95% interval.
    pub interval: &'static str,
    /// Samples.
    pub samples: &'static str,
    /// How an output was checked.
    pub verified: &'static str,
    /// A clock.
    pub clock: &'static str,
    /// A cache mode.
    pub cache: &'static str,
    /// The best rate.
    pub best: &'static str,
    /// The speed of the first as a multiple of this one's.
    pub behind_first: &'static str,
    /// A ratio.
    pub ratio: &'static str,
    /// A number of cases.
    pub cases: &'static str,
    /// A share of the ceiling.
    pub share: &'static str,
    /// The least.
    pub low: &'static str,
    /// The greatest.
    pub high: &'static str,
    /// A peak.
    pub peak: &'static str,
    /// A bandwidth.
    pub bandwidth: &'static str,
    /// A working set.
    pub working_set: &'static str,
    /// A direction.
    pub direction: &'static str,
    /// A host memory.
    pub memory: &'static str,
    /// A size.
    pub size: &'static str,
    /// An intensity.
    pub intensity: &'static str,
    /// Energy per work.
    pub energy: &'static str,
    /// Rate per power.
    pub efficiency: &'static str,
    /// Power.
    pub power: &'static str,
    /// What a meter's figure includes.
    pub scope: &'static str,
    /// A fact.
    pub fact: &'static str,
    /// A value.
    pub value: &'static str,
}

/// Names of what files name by a fixed word.
pub struct Names {
    /// Operations, by their names in files.
    pub ops: &'static [(&'static str, &'static str)],
    /// What became of a case.
    pub status: fn(Status) -> &'static str,
    /// What became of an energy measurement.
    pub energy_status: fn(EnergyStatus) -> &'static str,
    /// Kinds of clock, as in `timed by …`.
    pub clock: fn(ClockKind) -> &'static str,
    /// Cache modes.
    pub cache: fn(CacheMode) -> &'static str,
    /// Arithmetic units.
    pub unit: fn(Unit) -> &'static str,
    /// Directions of transfers.
    pub direction: fn(Direction) -> &'static str,
    /// Host memories.
    pub host_memory: fn(HostMemory) -> &'static str,
    /// Kinds of devices.
    pub kinds: &'static [(&'static str, &'static str)],
    /// What a ratio says.
    pub verdict: fn(Verdict) -> &'static str,
    /// Facts about runs.
    pub what: fn(What) -> &'static str,
    /// How a chip is known.
    pub known_by: fn(KnownBy) -> &'static str,
    /// A case that a subject did not run.
    pub not_run: &'static str,
    /// The smallest upload.
    pub smallest_upload: &'static str,
    /// The smallest download.
    pub smallest_download: &'static str,
    /// A launch, there and back.
    pub launch: &'static str,
    /// Launches a second.
    pub launches: &'static str,
    /// A theoretical figure.
    pub theoretical: &'static str,
    /// A measured figure.
    pub measured: &'static str,
}

/// Whole sentences.
pub struct Sentences {
    /// Only one measured it: operation and types, device, cases.
    pub alone: fn(&str, &str, usize) -> String,
    /// The first is faster: operation and types, first, second, how many times, cases.
    pub faster: fn(&str, &str, &str, &str, usize) -> String,
    /// The first needs less energy: the same.
    pub thriftier: fn(&str, &str, &str, &str, usize) -> String,
    /// No difference was seen: the same.
    pub even: fn(&str, &str, &str, &str, usize) -> String,
    /// Nothing in common: operation and types, first, second.
    pub apart: fn(&str, &str, &str) -> String,
    /// What a standing is over: fill, cache mode, clock.
    pub conditions: fn(&str, &str, &str) -> String,
    /// What an energy standing is over: fill, cache mode, scope of the meters.
    pub energy_conditions: fn(&str, &str, &str) -> String,
    /// Standings by different clocks are apart.
    pub clocks_apart: &'static str,
    /// No two subjects have a measured case in common.
    pub nothing_common: &'static str,
    /// Nothing was measured at all.
    pub nothing_measured: &'static str,
    /// No energy was measured.
    pub no_energy: &'static str,
    /// The runs do not differ in what they tell of themselves.
    pub no_differences: &'static str,
    /// What the report is made from: runs, devices, rows with figures, rows.
    pub made_from: fn(usize, usize, usize, usize) -> String,
    /// Lines that were left out.
    pub left_out: fn(usize) -> String,
    /// The text was cut at a size in bytes.
    pub cut: fn(usize) -> String,
    /// Names were left out.
    pub anonymous: &'static str,
    /// Something of a run: what, the run's label.
    pub of_run: fn(&str, &str) -> String,
    /// What ratios mean.
    pub ratios: &'static str,
}

impl Texts {
    /// An operation's name.
    pub fn op<'a>(&self, op: &'a str) -> &'a str {
        named(self.names.ops, op)
    }

    /// A kind of device.
    pub fn kind<'a>(&self, kind: &'a str) -> &'a str {
        named(self.names.kinds, kind)
    }

    /// A standing's head in words: who is ahead, of whom, by how much, over how many cases; none of nothing.
    pub fn finding(&self, report: &Report, standing: &Standing) -> Option<String> {
        let of = format!("{} {}", standing.dtype, self.op(&standing.op));
        let sentences = &self.sentences;
        let label = |subject| report.label(subject);
        Some(match standing.finding()? {
            Finding::Alone { first, cases } => (sentences.alone)(&of, label(first), cases),
            Finding::Ahead { first, second, by } => {
                let sentence = if standing.scope.is_some() { sentences.thriftier } else { sentences.faster };
                sentence(&of, label(first), label(second), &self.ratio(by.ratio), by.cases)
            }
            Finding::Even { first, second, by } => {
                (sentences.even)(&of, label(first), label(second), &self.ratio(by.ratio), by.cases)
            }
            Finding::Apart { first, second } => (sentences.apart)(&of, label(first), label(second)),
        })
    }

    /// What a standing is over.
    pub fn conditions(&self, standing: &Standing) -> String {
        let cache = (self.names.cache)(standing.cache);
        match (standing.clock, &standing.scope) {
            (Some(clock), _) => (self.sentences.conditions)(&standing.fill, cache, (self.names.clock)(clock)),
            (None, scope) => {
                (self.sentences.energy_conditions)(&standing.fill, cache, scope.as_deref().unwrap_or(self.none))
            }
        }
    }

    /// A ratio with its interval: `1.80× (1.70–1.90)`.
    pub fn ratio(&self, ratio: Ratio) -> String {
        let end = |value| units::ratio(value).trim_end_matches('×').to_owned();
        format!("{} ({}–{})", units::ratio(ratio.value), end(ratio.low), end(ratio.high))
    }
}

fn named<'a>(names: &'static [(&'static str, &'static str)], name: &'a str) -> &'a str {
    names.iter().find(|(known, _)| *known == name).map_or(name, |(_, word)| word)
}
