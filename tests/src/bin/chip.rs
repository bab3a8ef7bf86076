//! The program with a device whose address meters know, and without probes of ceilings, which energy does not hang on.

use accelbench::App;
use accelbench_kernels::Catalogue;
use accelbench_tests::chip;
use std::process::ExitCode;

fn main() -> ExitCode {
    accelbench::main_with(App { registry: chip::registry, probes: Catalogue::default, ..App::builtin() })
}
