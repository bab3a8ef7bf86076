//! The flags of `accelbench ratios`.

use crate::cli::args::seconds;
use crate::ratios::Peer;
use accelbench_kernels::Precision;
use clap::Args;
use std::path::PathBuf;

pub(in crate::cli) const EXIT_CODES: &str = "\
Exit codes:
  0    all went well (what a device can't do, or never stayed steady, is no fault)
  2    a mistake in the command, a peer that fails, an output that can't be written, or a file that
       can't be read
  6    something was wrong, failed, crashed or timed out, or a peer said what can't be
  130  stopped by Ctrl-C; the document has the cases that were done, and --resume goes on

The best known plan, its computing launch alone, the default plan, every library of the device, and beside an API that \
reaches the processor also the processor's own kernel and libraries take turns. The device's peak is probed before and \
after each case; one whose peak moved by more than 5% is measured again, three times at most, and else marked. Measure on \
an idle machine.

A peer is a command that prints JSON objects, one a line:
  {\"peer\": \"NAME\", \"op\": \"gemm\", \"dtype\": \"f32\", \"shape\": {\"m\": 8, \"n\": 8, \"k\": 8}, \"device\": \"cpu\", \"gflops\": 1.5}
It is run once for all that it has, and then in turn with the blocks of each case that it has, with the case in the \
variable ACCELBENCH_PEER_CASE (`op`, `dtype` and `shape`), so that it need measure no other. Its words are split at blanks; \
no shell looks at them.";

#[derive(Debug, Args)]
pub(in crate::cli) struct RatiosArgs {
    /// Shapes of your own, such as gemm:m=4096,n=4096,k=4096; by default those that tell most on such a device
    #[arg(value_name = "SHAPE")]
    pub(super) own_shapes: Vec<String>,
    /// Only this kernel
    #[arg(short, long, value_name = "NAME", value_delimiter = ',')]
    pub(super) kernel: Vec<String>,
    /// Only this type: f64, f32, tf32, bf16, f16 (sums in f32), f16-acc16 (sums in f16), f8e4m3 or i8
    #[arg(short = 't', long, value_name = "TYPE", value_delimiter = ',')]
    pub(super) dtype: Vec<Precision>,
    /// Only this device (opencl:1), or all of a backend (opencl)
    #[arg(short, long, value_name = "DEVICE", value_delimiter = ',')]
    pub(super) device: Vec<String>,
    /// Turns of each lane, at least; one that is far behind has fewer
    #[arg(long, value_name = "NUMBER", default_value = "20", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) rounds: u32,
    /// A command that measures a library which this program can't load; several are well
    #[arg(long, value_name = "COMMAND", value_parser = Peer::new)]
    pub(super) peer: Vec<Peer>,
    /// Write the document here; by default a dated file in the working folder
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Write a page of Markdown; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(super) markdown: Option<PathBuf>,
    /// Go on with this document, by its own options: measure the cases that are missing or did not stay steady
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "own_shapes", "kernel", "dtype", "device", "rounds", "peer", "output", "seed",
    ])]
    pub(super) resume: Option<PathBuf>,
    /// Measure nothing, and show this document again
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "own_shapes", "kernel", "dtype", "device", "rounds", "peer", "output", "seed", "timeout", "resume",
    ])]
    pub(super) from: Option<PathBuf>,
    /// Seed of the random inputs
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Seconds that a block of turns may take before its worker is ended, and that a peer may be silent
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds)]
    pub(super) timeout: f64,
    /// Print the document instead of a table
    #[arg(long)]
    pub(super) json: bool,
}
