//! The program, with products that `ACCELBENCH_TEST_SLOW` slows inside their loops by so many percent.

use accelbench::App;
use accelbench_tests::slowed;
use std::process::ExitCode;

fn main() -> ExitCode {
    accelbench::main_with(App { registry: slowed::registry, ..App::builtin() })
}
