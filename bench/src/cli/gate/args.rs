//! The flags of `accelbench gate`.

use crate::cli::args::{Cache, CiOutputs, seconds};
use accelbench_kernels::Precision;
use accelbench_reports::gate::Metric;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

pub(in crate::cli) const EXIT_CODES: &str = "\
Exit codes:
  0    nothing is worse
  1    a regression: something is proven to be slower than the margin
  2    a mistake in the command, or the gate could not go on: a build that does not start, a revision
       that does not build, a baseline that is missing or damaged
  3    inconclusive: something is not known well enough, and the table says what
  4    base and candidate can't be compared: another device, driver, clock or fill
  5    a case exists on one side only
  6    a case failed or its output is wrong; nothing was timed after that
  130  stopped by Ctrl-C

Of several, the one that matters most: 6, 5, 4, 1, 3, 0. A code never counts.

A build is the path of an executable, a git revision, which is built once and kept in the cache folder, or `.` for the \
working tree as it is. Tolerances of single cases stand in `accelbench.toml`, looked for from the working folder upwards:

  [gate]
  margin = 0.02
  allow_missing = [\"conv2d/*\"]
  [[gate.rules]]
  pattern = \"gemm/f16/*@opencl:*\"    # of the case's name
  system = \"ci-runner-*\"             # of the machine's or the device's name
  threshold = 0.05                   # instead of the margin
  severity = \"warn\"                  # or fail, or ignore";

#[derive(Debug, Args)]
pub(in crate::cli) struct GateArgs {
    /// Shapes of your own, such as gemm:m=512,n=512,k=512; by default those of the quick profile
    #[arg(value_name = "SHAPE")]
    pub(super) own_shapes: Vec<String>,
    /// What is there: an executable, a git revision, or `.`
    #[arg(long, value_name = "BIN_OR_REV", required_unless_present = "against")]
    pub(super) base: Option<String>,
    /// What is to replace it; by default this program. With --against also a result file
    #[arg(long, visible_alias = "candidate", value_name = "BIN_OR_REV")]
    pub(super) cand: Option<String>,
    /// Hold the candidate against a stored result file instead. Advisory: it can't tell a slower kernel from a slower day
    #[arg(long, value_name = "FILE", conflicts_with_all = ["base", "aa", "noise"])]
    pub(super) against: Option<PathBuf>,
    /// Only this kernel
    #[arg(short, long, value_name = "NAME", value_delimiter = ',')]
    pub(super) kernel: Vec<String>,
    /// Only this type
    #[arg(short = 't', long, value_name = "TYPE", value_delimiter = ',')]
    pub(super) dtype: Vec<Precision>,
    /// Only this shape of the profile
    #[arg(short, long, value_name = "SHAPE", value_delimiter = ',')]
    pub(super) shape: Vec<String>,
    /// Only this kernel family or library
    #[arg(short, long, value_name = "NAME", value_delimiter = ',')]
    pub(super) variant: Vec<String>,
    /// Only this plan, as `list --plans` names it
    #[arg(short, long, value_name = "NAME")]
    pub(super) plan: Option<String>,
    /// Only this device (opencl:1), or all of a backend (opencl)
    #[arg(short, long, value_name = "DEVICE", value_delimiter = ',')]
    pub(super) device: Vec<String>,
    /// What caches hold when a kernel starts
    #[arg(long, value_enum, default_value_t = Cache::Warm)]
    pub(super) cache: Cache,
    /// What is gated [default: time]
    #[arg(long, value_enum, value_name = "METRIC", value_delimiter = ',')]
    pub(super) metric: Vec<GatedMetric>,
    /// A slowdown up to this is no regression [default: 2%]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(super) margin: Option<f64>,
    /// A case passes only if its slowdown is proven to be smaller than this [default: 5%]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(super) allowed: Option<f64>,
    /// A case passes only if a slowdown of this size would have been found; against stored figures, the tolerance
    /// [default: 10%]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(super) detectable: Option<f64>,
    /// The probability that anything is called regressed where nothing is [default: 5%]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(super) alpha: Option<f64>,
    /// Pairs of blocks of every case, and of each that they don't let pass [default: 8,16]
    #[arg(long, value_name = "SCREEN,CONFIRM", value_parser = pairs)]
    pub(super) pairs: Option<[usize; 2]>,
    /// Seed of the blocks' order
    #[arg(long, default_value_t = 0)]
    pub(super) order_seed: u64,
    /// Seed of the random inputs
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Measure the base against itself first: what it differs by from itself is no regression
    #[arg(long, conflicts_with = "noise")]
    pub(super) aa: bool,
    /// Take that noise from the document of an earlier gate whose builds were the same file
    #[arg(long, value_name = "FILE")]
    pub(super) noise: Option<PathBuf>,
    /// One side may lack the cases that match, `*` standing for any text
    #[arg(long, value_name = "PATTERN")]
    pub(super) allow_missing: Vec<String>,
    /// Tolerances, instead of the nearest accelbench.toml
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Seconds that one case may take in a block
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(super) timeout: f64,
    /// Keep the result files of all blocks in this folder
    #[arg(long, value_name = "FOLDER")]
    pub(super) keep: Option<PathBuf>,
    #[command(flatten)]
    pub(super) output: Destinations,
}

/// Where the findings go besides the terminal.
#[derive(Debug, Args)]
pub(super) struct Destinations {
    /// Write the gate's document here
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Print the document instead of a table
    #[arg(long, conflicts_with = "github")]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) ci: CiOutputs,
}

/// What is gated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum GatedMetric {
    /// Time of a run
    Time,
    /// Energy of a run, where a meter serves the device
    Energy,
}

impl From<GatedMetric> for Metric {
    fn from(metric: GatedMetric) -> Self {
        match metric {
            GatedMetric::Time => Self::Time,
            GatedMetric::Energy => Self::Energy,
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 0.01));
    match number.parse::<f64>() {
        Ok(value) if value > 0.0 && value * scale < 1.0 => Ok(value * scale),
        _ => Err("write a share between 0 and 1, such as 2% or 0.02".to_owned()),
    }
}

fn pairs(text: &str) -> Result<[usize; 2], String> {
    let numbers = text.split_once(',').map(|(screen, confirm)| [screen, confirm].map(|number| number.parse().ok()));
    match numbers {
        Some([Some(screen), Some(confirm)]) if (1..=10_000).contains(&screen) && (1..=10_000).contains(&confirm) => {
            Ok([screen, confirm])
        }
        _ => Err("write two numbers, such as 8,16".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_pairs() {
        assert_eq!((share("2%"), share("0.02"), share("12.5%")), (Ok(0.02), Ok(0.02), Ok(0.125)));
        for wrong in ["", "2", "-1%", "0", "100%", "nan", "2%%"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
        assert_eq!(pairs("8,16"), Ok([8, 16]));
        for wrong in ["", "8", "0,1", "8,", "a,b", "8,16,2", "8,1000000"] {
            assert!(pairs(wrong).is_err(), "{wrong}");
        }
    }
}
