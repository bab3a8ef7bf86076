//! The flags of `history`.

use crate::cli::args::{Format, lang};
use crate::history::Metric;
use accelbench_reports::text::Lang;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

pub(in crate::cli) const EXIT_CODES: &str = "\
Exit codes:
  0    all went well, whatever the history says
  2    a mistake in the command; a file that is no sound result file or can't be read; an index that
       is locked, damaged or of a newer program: a line for each says why, and what to do

Environment:
  ACCELBENCH_HISTORY=FOLDER   the history, and not the one in the user's data folder";

#[derive(Debug, Args)]
pub(in crate::cli) struct HistoryArgs {
    /// The history's folder; by default `ACCELBENCH_HISTORY`'s, or one in the user's data folder
    #[arg(long = "history", value_name = "FOLDER", global = true)]
    pub(super) folder: Option<PathBuf>,
    /// Seconds to wait for other programs that write to the history
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = duration, global = true)]
    pub(super) wait: Duration,
    #[command(subcommand)]
    pub(super) command: HistoryCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum HistoryCommand {
    /// Keep result files
    Add {
        /// Result files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        format: Format,
    },
    /// Show the kept runs
    List {
        /// Only runs with this device (opencl:1), this backend (opencl), or a device whose name holds this
        #[arg(short, long, value_name = "DEVICE")]
        device: Option<String>,
        /// Only runs of the commit that starts so
        #[arg(long, value_name = "COMMIT")]
        commit: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Show one run's results, or all results of a case
    Show {
        /// The beginning of a run's name, or a case as `trend` takes it
        #[arg(value_name = "RUN|CASE")]
        what: String,
        #[command(flatten)]
        series: Series,
        #[command(flatten)]
        format: Format,
    },
    /// Show how results change over time, the ones that changed most first
    Trend {
        /// Part of a case's name, or all of it with `*` and `?`; by default all cases
        #[arg(value_name = "CASE")]
        case: Option<String>,
        #[command(flatten)]
        series: Series,
        /// Show at most so many series; 0 means all
        #[arg(short, long, value_name = "COUNT", default_value_t = 50)]
        limit: usize,
        /// Write a page with a chart of each series here, instead of a table to the terminal
        #[arg(long, value_name = "FILE", conflicts_with = "json")]
        html: Option<PathBuf>,
        /// The language of the page: en or zh
        #[arg(long, default_value = "en", value_parser = lang)]
        lang: Lang,
        #[command(flatten)]
        format: Format,
    },
    /// Say between which commits a case last changed, and how git finds the one that did it
    BisectHint {
        /// A case, as `trend` takes it
        #[arg(value_name = "CASE")]
        case: String,
        #[command(flatten)]
        series: Series,
        #[command(flatten)]
        format: Format,
    },
    /// Make the index again from the kept files
    Rebuild {
        #[command(flatten)]
        format: Format,
    },
}

/// Which values of which devices.
#[derive(Debug, Args)]
pub(super) struct Series {
    /// Only this device (opencl:1), this backend (opencl), or devices whose name holds this
    #[arg(short, long, value_name = "DEVICE")]
    pub(super) device: Option<String>,
    /// What to follow
    #[arg(short, long, value_enum, default_value_t = Followed::Time)]
    pub(super) metric: Followed,
}

/// What can be followed over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Followed {
    /// The median time of one run
    Time,
    /// FLOP/s
    Rate,
    /// Energy per FLOP, where it was measured
    Energy,
    /// The share of what the device can attain
    Fraction,
}

impl From<Followed> for Metric {
    fn from(followed: Followed) -> Self {
        match followed {
            Followed::Time => Self::Time,
            Followed::Rate => Self::Rate,
            Followed::Energy => Self::Energy,
            Followed::Fraction => Self::Fraction,
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=1e6).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("write a number of seconds, 0 or more".to_owned()),
    }
}
