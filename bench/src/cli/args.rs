//! The flags, defined once: help, man page and completions come from here.

use super::gate::args::{EXIT_CODES as GATE_EXIT_CODES, GateArgs};
use super::ratios::args::{EXIT_CODES as RATIOS_EXIT_CODES, RatiosArgs};
use super::tune::args::{EXIT_CODES as TUNE_EXIT_CODES, TuneArgs};
use crate::energy::Mode;
use accelbench_backends::DeviceId;
use accelbench_kernels::{Precision, fill};
use accelbench_reports::text::Lang;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};

/// What `accelbench` alone prints.
pub(super) const FIRST_STEPS: &str = "\
accelbench says what any accelerator really delivers.

  accelbench all --quick     measure every device, in about a minute
  accelbench all             the same with the shapes that reports are made from
  accelbench devices         what is there to be measured
  accelbench doctor          what is not there, why, and what would help
  accelbench run gemm:m=4096,n=4096,k=4096 --dtype f16 --device cuda:0
                             measure one case
  accelbench tune            look for faster plans, for ten minutes, and keep them
  accelbench ratios          how near kernels come to peaks and libraries, measured in turns
  accelbench gate --base main
                             whether this build is slower or wrong, by its exit code
  accelbench roofline FILE   how near to its device's ceilings each result is
  accelbench report FILE -o page.html
                             a page that compares the devices of one or more runs
  accelbench publish FILE --to DIR
                             a site of the devices and runs, for any static host
  accelbench compare A B     how much faster B is than A
  accelbench list            kernels, types and shapes
  accelbench help            all commands
";

const EXIT_CODES: &str = "\
Exit codes:
  0    all went well (cases that a device can't do, or that were left out, are no fault)
  2    a mistake in the command, an output that can't be written, or a file that can't be read
  6    a case was wrong, failed, crashed or timed out
  130  stopped by Ctrl-C; `--resume FILE` goes on

Environment:
  ACCELBENCH_DISABLE=opencl,mkl    treat these backends and libraries as absent
  ACCELBENCH_CACHE_DIR=FOLDER      keep the devices' ceilings and tuned plans here, and not in the
                                   user's cache folder
  ACCELBENCH_METERS=FILE           use the meters that this file declares, too
  ACCELBENCH_WEBGPU_GL=1           let WebGPU use OpenGL, too
  NO_COLOR=1                       no colours";

const CHECK_EXIT_CODES: &str = "\
Exit codes:
  0    every file is sound
  2    a file is not, or can't be read; a line for each problem says why";

const REPORT_EXIT_CODES: &str = "\
Exit codes:
  0    all went well (files that can't be taken are named, and passed over)
  2    a mistake in the command, an output that can't be written, no file that can be taken; with
       --strict, already one that can't";

const CI_EXIT_CODES: &str = "\
Exit codes:
  0    everything was written, whatever it says
  2    a mistake in the command, a file that can't be read, or an output that can't be written";

const PROBE_EXIT_CODES: &str = "\
Exit codes:
  0    all went well (what a device lacks is no fault)
  2    a mistake in the command
  6    a probe crashed, hung, or could not open its device
  130  stopped by Ctrl-C";

/// Says what any accelerator really delivers: verified FLOP/s through CUDA, OpenCL, WebGPU and the CPU.
#[derive(Debug, Parser)]
#[command(name = "accelbench", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Measure every kernel in every type on every device
    #[command(after_help = EXIT_CODES)]
    All(RunOptions),
    /// Measure chosen kernels, types, shapes, variants or devices
    #[command(after_help = EXIT_CODES)]
    Run(RunArgs),
    /// Show the devices that were found
    Devices(Format),
    /// Show which backends are absent, why, and what would help
    Doctor(Format),
    /// Show the energy meters that were found, which were not, why, and which devices each serves
    Meters(Format),
    /// Show kernels, types and shapes
    List(ListArgs),
    /// Measure what each device reaches at best, and keep it for the runs to come
    #[command(after_help = PROBE_EXIT_CODES)]
    Probe(ProbeArgs),
    /// Show the ceilings in a result file, and how near to them the results are
    Roofline {
        /// A result file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        format: Format,
    },
    /// Look for faster plans on these devices, and keep them for the runs to come
    #[command(after_help = TUNE_EXIT_CODES)]
    Tune(Box<TuneArgs>),
    /// Measure how near kernels come to the devices' peaks and to the libraries beside them, all in turns
    #[command(after_help = RATIOS_EXIT_CODES)]
    Ratios(Box<RatiosArgs>),
    /// Compare two builds, and say by the exit code whether the second one is slower or wrong
    #[command(after_help = GATE_EXIT_CODES)]
    Gate(Box<GateArgs>),
    /// Check result files
    #[command(after_help = CHECK_EXIT_CODES)]
    Check {
        /// Result files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        format: Format,
    },
    /// Compare runs and devices in a page, a text, a table or JSON
    #[command(after_help = REPORT_EXIT_CODES)]
    Report(ReportArgs),
    /// Make a static site of runs: an index, a page for each device and run, and the data to download
    #[command(after_help = REPORT_EXIT_CODES)]
    Publish(PublishArgs),
    /// Compare two runs or devices, case by case
    #[command(after_help = REPORT_EXIT_CODES)]
    Compare(CompareArgs),
    /// Show what a result file holds
    Show {
        /// A result file
        #[arg(value_name = "RUN")]
        run: PathBuf,
        #[command(flatten)]
        format: Format,
    },
    /// Keep result files, and show how results change over time
    #[command(after_help = super::history::EXIT_CODES)]
    History(super::history::HistoryArgs),

    /// Write a gate's document or a run's file in the formats of continuous integration
    #[command(after_help = CI_EXIT_CODES)]
    Ci {
        /// What `accelbench gate --output` or a run left
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        outputs: CiOutputs,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, in roff
    Man,
    /// The program's own processes
    #[command(hide = true, subcommand)]
    Internal(Internal),
}

/// Processes that the program starts of itself.
#[derive(Debug, Subcommand)]
pub(super) enum Internal {
    Probe { backend: String },
    Worker { device: DeviceId },
}

#[derive(Debug, Args)]
pub(super) struct Format {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// What is written for continuous integration.
#[derive(Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "For continuous integration")]
pub(super) struct CiOutputs {
    /// Write JUnit XML
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Write Markdown of at most 65,536 bytes, for a comment or a step's summary
    #[arg(long, value_name = "FILE")]
    pub(super) markdown: Option<PathBuf>,
    /// Write Bencher Metric Format
    #[arg(long, value_name = "FILE")]
    pub(super) bencher: Option<PathBuf>,
    /// Write what github-action-benchmark reads as customSmallerIsBetter
    #[arg(long, value_name = "FILE")]
    pub(super) benchmark_json: Option<PathBuf>,
    /// Write OpenMetrics text
    #[arg(long, value_name = "FILE")]
    pub(super) openmetrics: Option<PathBuf>,
    /// Within GitHub Actions, print annotations and append the Markdown to the step's summary
    #[arg(long)]
    pub(super) github: bool,
}

impl CiOutputs {
    /// Whether nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The files that are asked for: JUnit, Bencher, github-action-benchmark, OpenMetrics, Markdown.
    pub(super) fn files(&self) -> [Option<&Path>; 5] {
        [&self.junit, &self.bencher, &self.benchmark_json, &self.openmetrics, &self.markdown].map(Option::as_deref)
    }
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Show also the plans that each device has for each kernel and type
    #[arg(long)]
    pub(super) plans: bool,
    #[command(flatten)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct ProbeArgs {
    /// Only this device (opencl:1), or all of a backend (opencl)
    #[arg(short, long, value_name = "DEVICE", value_delimiter = ',')]
    pub(super) device: Vec<String>,
    /// About 4 seconds a device instead of 10
    #[arg(long, conflicts_with = "full")]
    pub(super) quick: bool,
    /// About a minute a device
    #[arg(long)]
    pub(super) full: bool,
    /// Measure what a byte and a FLOP take where a meter serves the device, in time of its own: about seven seconds
    /// for each of seven probes, or a minute or more with full; quick begins none after 24 s with --quick, 60 s, or
    /// 360 s with --full
    #[arg(long, value_enum, default_value_t = Energy::Quick, value_name = "HOW")]
    pub(super) energy: Energy,
    /// Seconds that one probe may take before its worker is ended
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(super) timeout: f64,
    #[command(flatten)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Result files, of any age and machine
    #[arg(required = true, value_name = "RUN")]
    pub(super) runs: Vec<PathBuf>,
    /// Write the report here, in the format that the name ends in; several at once are well; `-` is standard output
    #[arg(short, long, required = true, value_name = "FILE")]
    pub(super) output: Vec<PathBuf>,
    /// The format of outputs whose name doesn't tell
    #[arg(short, long, value_name = "FORMAT", value_parser = report_format)]
    pub(super) format: Option<accelbench_reports::Format>,
    /// The language: en or zh
    #[arg(long, default_value = "en", value_parser = lang)]
    pub(super) lang: Lang,
    /// A title
    #[arg(long)]
    pub(super) title: Option<String>,
    /// Leave out the names of devices, hosts and users
    #[arg(long)]
    pub(super) anonymous: bool,
    /// Fail where a file can't be taken, instead of passing over it
    #[arg(long)]
    pub(super) strict: bool,
}

#[derive(Debug, Args)]
pub(super) struct PublishArgs {
    /// Result files, of any age and machine: all that the site is to have. What is in it unchanged is not made again
    #[arg(required = true, value_name = "RUN")]
    pub(super) runs: Vec<PathBuf>,
    /// The site's folder; pages of runs that are not named any more are taken away, and no other file is touched
    #[arg(long, value_name = "DIR")]
    pub(super) to: PathBuf,
    /// The language: en or zh
    #[arg(long, default_value = "en", value_parser = lang)]
    pub(super) lang: Lang,
    /// A title
    #[arg(long)]
    pub(super) title: Option<String>,
    /// Leave out the names of devices, hosts and users, also of the files to download
    #[arg(long)]
    pub(super) anonymous: bool,
    /// Fail where a file can't be taken, instead of passing over it
    #[arg(long)]
    pub(super) strict: bool,
}

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Result files; the first is what the others are held against
    #[arg(required = true, value_name = "RUN")]
    pub(super) runs: Vec<PathBuf>,
    /// This device (opencl:1) of every run; or one for each run, in their order; or several of a single run
    #[arg(short, long, value_name = "DEVICE", value_delimiter = ',')]
    pub(super) device: Vec<String>,
    /// Show each case, and not only the means
    #[arg(long)]
    pub(super) cases: bool,
    #[command(flatten)]
    pub(super) format: Format,
}

/// Whether caches are warm or cold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Cache {
    /// Runs follow each other at once
    Warm,
    /// A buffer of twice the last-level cache is written before each run
    Cold,
}

/// What the inputs hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Fill {
    /// Seeded standard normal numbers
    Random,
    /// Zeros, which are held against no ceiling
    Zeros,
}

impl From<Fill> for fill::Fill {
    fn from(fill: Fill) -> Self {
        match fill {
            Fill::Random => Self::Normal,
            Fill::Zeros => Self::Zeros,
        }
    }
}

/// Whether energy is measured, and how well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Energy {
    /// Not at all
    Off,
    /// 3 windows of a second or more
    Quick,
    /// 5 windows of 10 seconds or more
    Full,
}

impl From<Energy> for Mode {
    fn from(energy: Energy) -> Self {
        match energy {
            Energy::Off => Self::Off,
            Energy::Quick => Self::Quick,
            Energy::Full => Self::Full,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct RunOptions {
    /// Fewer shapes and samples: a first look in about a minute
    #[arg(long, conflicts_with = "full")]
    pub(super) quick: bool,
    /// All shapes, kernel families and sizes; hours on a slow device
    #[arg(long)]
    pub(super) full: bool,
    /// Write results here; by default a dated file in the working folder
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Go on with a run that was stopped, with its own settings, in its own file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "full", "output", "cache", "seed", "fill", "timeout", "budget", "energy"])]
    pub(super) resume: Option<PathBuf>,
    /// What caches hold when a kernel starts
    #[arg(long, value_enum, default_value_t = Cache::Warm)]
    pub(super) cache: Cache,
    /// Seed of the random inputs
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// What the inputs hold. Zeros draw less power and run faster: results of the two are never compared
    #[arg(long, value_enum, default_value_t = Fill::Random)]
    pub(super) fill: Fill,
    /// Seconds that one case may take before its worker is ended
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(super) timeout: f64,
    /// Seconds that each device may take in all; by default 11 with --quick, 55, and 1800 with --full;
    /// probing its ceilings comes on top
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) budget: Option<f64>,
    /// Measure the energy of each case where a meter serves its device, in time of its own: quick takes about
    /// ten seconds a case, full a minute or more. `all` also measures what a byte and a FLOP take where the kept
    /// ceilings lack that; quick begins no part of it after 24 s with --quick, 60 s, or 360 s with --full
    #[arg(long, value_enum, default_value_t = Energy::Quick, value_name = "HOW")]
    pub(super) energy: Energy,
    /// Where no meter is, give rated power × time as an upper bound; it is called estimated and ranked nowhere
    #[arg(long, value_name = "DEVICE=WATTS", value_delimiter = ',', value_parser = rated_power, conflicts_with = "resume")]
    pub(super) allow_estimate: Vec<(DeviceId, f64)>,
    /// Print the result file's lines instead of a table
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Shapes of your own, such as gemm:m=4096,n=4096,k=4096,trans=nt; by default those of the profile
    #[arg(value_name = "SHAPE", conflicts_with = "resume")]
    pub(super) own_shapes: Vec<String>,
    /// Only this kernel
    #[arg(short, long, value_name = "NAME", value_delimiter = ',', conflicts_with = "resume")]
    pub(super) kernel: Vec<String>,
    /// Only this type: f64, f32, tf32, bf16, f16 (sums in f32), f16-acc16 (sums in f16), f8e4m3 or i8
    #[arg(short = 't', long, value_name = "TYPE", value_delimiter = ',', conflicts_with = "resume")]
    pub(super) dtype: Vec<Precision>,
    /// Only this shape of the profile, as ids write it: 1024x1024x1024, 1x4096x4096-nt
    #[arg(short, long, value_name = "SHAPE", value_delimiter = ',', conflicts_with = "resume")]
    pub(super) shape: Vec<String>,
    /// Only this kernel family or library
    #[arg(short, long, value_name = "NAME", value_delimiter = ',', conflicts_with = "resume")]
    pub(super) variant: Vec<String>,
    /// Only this plan, as `list --plans` or a tuning's log names it; without it, the best one that is known
    #[arg(short, long, value_name = "NAME", conflicts_with = "resume")]
    pub(super) plan: Option<String>,
    /// Only this device (opencl:1), or all of a backend (opencl)
    #[arg(short, long, value_name = "DEVICE", value_delimiter = ',', conflicts_with = "resume")]
    pub(super) device: Vec<String>,
    #[command(flatten)]
    pub(super) options: RunOptions,
}

pub(super) fn lang(text: &str) -> Result<Lang, String> {
    Lang::ALL.into_iter().find(|lang| lang.name() == text).ok_or_else(|| "write en or zh".to_owned())
}

fn report_format(text: &str) -> Result<accelbench_reports::Format, String> {
    let formats = accelbench_reports::Format::ALL;
    let known = formats.into_iter().find(|format| format.extension() == text);
    known.ok_or_else(|| format!("write one of {}", formats.map(accelbench_reports::Format::extension).join(", ")))
}

pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= 1e7 => Ok(value),
        _ => Err("write a number of seconds above 0".to_owned()),
    }
}

fn rated_power(text: &str) -> Result<(DeviceId, f64), String> {
    let wrong = || "write DEVICE=WATTS, such as opencl:0=350".to_owned();
    let (device, watts) = text.split_once('=').ok_or_else(wrong)?;
    let watts = watts.parse().ok().filter(|watts: &f64| *watts > 0.0 && *watts <= 1e6).ok_or_else(wrong)?;
    Ok((device.parse().map_err(|_| wrong())?, watts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_sound() {
        Cli::command().debug_assert();
    }
}
