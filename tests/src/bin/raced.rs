//! The program with an operation whose plans are known to be slow, fast, wrong, or the end of their process.

use accelbench::App;
use accelbench_tests::raced;
use std::process::ExitCode;

fn main() -> ExitCode {
    accelbench::main_with(App { catalogue: raced::catalogue, ..App::builtin() })
}
