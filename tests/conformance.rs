//! The conformance suite over the program's own backends, operations and ceiling probes.

use accelbench::App;
use accelbench_kernels::probe;
use accelbench_tests::conformance::{main_of, trials};
use std::process::ExitCode;

fn main() -> ExitCode {
    let probes = App { catalogue: probe::catalogue, ..App::builtin() };
    main_of(App::builtin(), trials(probes))
}
