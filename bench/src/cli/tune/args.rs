//! The flags of `accelbench tune`.

use crate::cli::args::seconds;
use accelbench_kernels::Precision;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

pub(in crate::cli) const EXIT_CODES: &str = "\
Exit codes:
  0    all went well (where nothing is faster than what is used, or time ran out, that is no
       fault)
  2    a mistake in the command, an output that can't be written, or a log that can't be read
  6    the plan that is used is wrong, fails, crashes or hangs; or a plan that was tried is wrong
  130  stopped by Ctrl-C; what won so far is kept, and `--resume LOG` goes on

Of each bucket of shapes (sides rounded up to powers of two) one case is tuned, for about 10 seconds or more, and what \
wins there holds for all of them. A plan wins only if, in several fresh processes in turns with the one that is used, it is \
proven to be more than 2% faster. Winners are kept in ACCELBENCH_CACHE_DIR or the user's cache folder, by device, driver and \
API version; `all` and `run` use them from then on, and rows say so. A kernel whose source changes is tuned anew. Nothing \
but this command tunes.";

#[derive(Debug, Args)]
pub(in crate::cli) struct TuneArgs {
    /// Shapes of your own, such as gemm:m=4096,n=4096,k=4096,trans=nt; by default those of the profile
    #[arg(value_name = "SHAPE", conflicts_with = "resume")]
    pub(super) own_shapes: Vec<String>,
    /// Time for all of it, such as 90s, 10m or 1h
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = budget)]
    pub(super) budget: Duration,
    /// Only this kernel
    #[arg(short, long, value_name = "NAME", value_delimiter = ',', conflicts_with = "resume")]
    pub(super) kernel: Vec<String>,
    /// Only this type: f64, f32, tf32, bf16, f16 (sums in f32), f16-acc16 (sums in f16), f8e4m3 or i8
    #[arg(short = 't', long, value_name = "TYPE", value_delimiter = ',', conflicts_with = "resume")]
    pub(super) dtype: Vec<Precision>,
    /// Only this shape of the profile, as ids write it: 1024x1024x1024, 1x4096x4096-nt
    #[arg(short, long, value_name = "SHAPE", value_delimiter = ',', conflicts_with = "resume")]
    pub(super) shape: Vec<String>,
    /// Only plans of this kernel family, beside the one that is used
    #[arg(short, long, value_name = "NAME", value_delimiter = ',', conflicts_with = "resume")]
    pub(super) variant: Vec<String>,
    /// Only this device (opencl:1), or all of a backend (opencl)
    #[arg(short, long, value_name = "DEVICE", value_delimiter = ',', conflicts_with = "resume")]
    pub(super) device: Vec<String>,
    /// Fewer shapes
    #[arg(long, conflicts_with_all = ["full", "resume"])]
    pub(super) quick: bool,
    /// All shapes
    #[arg(long, conflicts_with = "resume")]
    pub(super) full: bool,
    /// Write the log here, a line a trial; by default a dated file in the working folder
    #[arg(short, long, value_name = "FILE", conflicts_with = "resume")]
    pub(super) output: Option<PathBuf>,
    /// Go on with a tuning that was stopped or ran out of time, by its log
    #[arg(long, value_name = "LOG")]
    pub(super) resume: Option<PathBuf>,
    /// Seed of the random inputs
    #[arg(long, default_value_t = 1, conflicts_with = "resume")]
    pub(super) seed: u64,
    /// Seconds that one plan may take before its worker is ended
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(super) timeout: f64,
    /// Tune nothing, and write what won on these devices into this folder, a table for each family: `kernels/tuned` of
    /// this program's sources has those that are built in
    #[arg(long, value_name = "DIR", conflicts_with_all = [
        "own_shapes", "budget", "kernel", "dtype", "shape", "variant", "quick", "full", "output", "resume", "seed", "timeout", "json",
    ])]
    pub(super) export: Option<PathBuf>,
    /// Print the log's lines instead of a table
    #[arg(long)]
    pub(super) json: bool,
}

fn budget(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let split = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (number, unit) = split.unwrap_or((text, 1.0));
    match number.parse::<f64>() {
        Ok(value) if value > 0.0 && value * unit <= 1e7 => Ok(Duration::from_secs_f64(value * unit)),
        _ => Err("write a time above 0, such as 90s, 10m or 1h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets() {
        for (text, seconds) in [("90s", 90.0), ("10m", 600.0), ("1.5h", 5400.0), ("30", 30.0), ("500ms", 0.5)] {
            assert_eq!(budget(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for wrong in ["", "m", "-1s", "0", "nan", "inf", "10d", "1e9h"] {
            assert!(budget(wrong).is_err(), "{wrong}");
        }
    }
}
