//! Planted faults: each costs its own cases and no other, and each is told from all others by its rows.

mod ceilings;
mod disk;
mod drivers;
mod interruption;
mod numbers;
mod workers;

use accelbench_reports::{EndStatus, ResultRow, RunFile, Status, check};
use accelbench_tests::faulty::Fault;
use accelbench_tests::program::{Program, Ran};

fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_faulty"))
}

/// A square product.
fn square(side: u32) -> String {
    format!("gemm:m={side},n={side},k={side}")
}

/// The file is sound and complete, and each planned case has its one row, in order.
fn complete(file: &RunFile) {
    assert_eq!(check::check(file), Vec::<String>::new());
    assert_eq!(file.end.as_ref().map(|end| end.status), Some(EndStatus::Complete));
    let rows: Vec<&String> = file.results.iter().map(|row| &row.case).collect();
    assert_eq!(rows, file.header.plan.cases.iter().collect::<Vec<_>>());
}

/// Runs squares on the device with this fault and then on the sound one, whose rows must all be right. Gives the
/// first one's rows.
fn run(fault: Fault, dtype: &str, sides: &[u32], options: &[&str]) -> (Ran, Vec<ResultRow>) {
    let program = program();
    let devices = format!("{},{}", fault.device(), Fault::Sound.device());
    let shapes: Vec<String> = sides.iter().map(|&side| square(side)).collect();
    let mut arguments = vec!["run", "--quick", "--budget", "100", "-o", "run.jsonl", "-d", &devices, "-t", dtype];
    arguments.extend(options.iter().copied().chain(shapes.iter().map(String::as_str)));
    let ran = program.run(&arguments);
    let file = program.file("run.jsonl");
    complete(&file);
    let named = file.header.devices.iter().find(|device| device.id == fault.device().to_string());
    assert_eq!(named.map(|device| device.name.clone()), Some(format!("{fault:?}")));
    let (faulty, neighbours): (Vec<_>, Vec<_>) =
        file.results.into_iter().partition(|row| row.device == fault.device().to_string());
    assert_eq!((faulty.len(), neighbours.len()), (sides.len(), sides.len()));
    for row in &neighbours {
        assert_eq!(row.status, Status::Ok, "{row:?}");
    }
    (ran, faulty)
}

/// The rows at these places have the status and the words, and no number. All others are right.
fn struck(rows: &[ResultRow], places: &[usize], status: Status, words: &[&str]) {
    for (place, row) in rows.iter().enumerate() {
        if !places.contains(&place) {
            assert_eq!(row.status, Status::Ok, "{row:?}");
            continue;
        }
        let reason = row.reason.as_deref().unwrap_or_default();
        assert_eq!(row.status, status, "{row:?}");
        assert!(words.iter().all(|word| reason.contains(word)), "{words:?} in {reason}");
        assert!(row.timing.is_none() && row.rate.is_none(), "{row:?}");
    }
}
