//! The CUDA backend from end to end without a GPU: a stand-in for the driver that is this CPU, and a stand-in for NVRTC
//! that compiles CUDA C++ for it. So are stand-ins for cuBLASLt and cuDNN. See `../fake`.
//!
//! Libraries are found by the loader when a process starts, so every trial is a process of its own, this program again
//! with the stand-ins on its library path. It also keeps a fault of a kernel to its trial.

mod device;
mod fakes;
mod inline_ptx;
mod libraries;
#[path = "../opencl.rs"]
mod opencl;
mod operations;
mod probe;
mod rounding;
mod tiles;
mod wgmma;

use fakes::Fakes;
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    if let Ok(task) = std::env::var(fakes::TASK_VARIABLE) {
        return child(&task);
    }
    let arguments = Arguments::from_args();
    let fakes = if arguments.list { None } else { Some(Fakes::build()) };
    let fakes = Arc::new(fakes);
    let trials = probe::trials()
        .into_iter()
        .chain(device::trials())
        .chain(libraries::trials())
        .chain(tiles::trials())
        .chain(rounding::trials())
        .chain(wgmma::trials())
        .chain(inline_ptx::trials())
        .chain(operations::trials());
    let trials = trials
        .map(|(name, check)| {
            let fakes = Arc::clone(&fakes);
            Trial::test(name, move || match fakes.as_ref() {
                Some(Ok(fakes)) => check(fakes).map_err(Into::into),
                Some(Err(error)) => Err(error.into()),
                None => Ok(()),
            })
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A trial's name and its check.
type Check = (String, Box<dyn Fn(&Fakes) -> Result<(), String> + Send>);

/// What a process with the stand-ins on its path was started for; a panic is its failure.
fn child(task: &str) -> ExitCode {
    let (kind, argument) = task.split_once(' ').unwrap_or((task, ""));
    match kind {
        "probe" => probe::child(),
        "device" => device::child(argument),
        "tiles" => tiles::child(argument),
        "rounding" => rounding::child(),
        "wgmma" => wgmma::child(argument),
        "inline-ptx" => inline_ptx::child(argument),
        "library" => libraries::child(argument),
        "operation" => operations::child(argument),
        _ => panic!("no task `{task}`"),
    }
    ExitCode::SUCCESS
}
