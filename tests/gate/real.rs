//! Real times of a real kernel, on the CPU: what is twice as slow never passes, however busy the machine is.

use super::{Program, gate_of, only, script};
use accelbench_reports::gate::Verdict;
use accelbench_tests::slowed;

#[test]
fn a_kernel_that_is_slowed_inside_its_loop_does_not_pass() {
    let slowed_program = env!("CARGO_BIN_EXE_accelbench-slowed");
    let program = Program::new(slowed_program);
    let text = format!("{}=100 exec '{slowed_program}' \"$@\"\n", slowed::SLOW);
    let slow = script(&program.path("slow"), &text);
    let selection = ["-d", "host", "-t", "f32", "-k", "gemm", "gemm:m=192,n=192,k=192"];
    let (ran, file) = gate_of(&program, slowed_program, &slow, &selection, &[]);
    let case = only(&file);
    assert!(matches!(case.verdict, Verdict::Regressed | Verdict::Inconclusive), "{ran:#?}");
    assert!(matches!(file.exit_code, 1 | 3) && !case.pairs.is_empty());
}
