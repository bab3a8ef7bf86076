//! The command line, as users and scripts see it.

mod ceilings;
mod ci;
mod energy;
mod errors;
mod files;
mod output;
mod reports;
mod results;

use accelbench_tests::program::Program;
use std::sync::OnceLock;

fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_accelbench-builtin"))
}

/// Two small cases on the CPU.
const TWO_CASES: [&str; 7] =
    ["run", "gemm:m=32,n=32,k=32", "gemm:m=33,n=33,k=33", "--device=host", "--dtype=f32", "--quick", "--budget=100"];

/// The text of a sound result file as older programs wrote it, without ceilings: a header, two results, an end.
fn sound_file() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let program = program();
        let ran = program.run(&[&TWO_CASES[..], &["-o", "run.jsonl"]].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let text = std::fs::read_to_string(program.path("run.jsonl")).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with(r#"{"type":"ceilings""#));
        let older = lines.map(|line| {
            let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
            value.as_object_mut().unwrap().remove("ceiling");
            format!("{value}\n")
        });
        older.collect()
    })
}
