//! A suite from a run's file.

use super::{Entry, State, Suite};
use crate::gate::{Metric, Outcome};
use crate::inert::{NAME, SENTENCE, inert};
use crate::{EndStatus, EnergyStatus, ResultRow, RunFile, Status, check};

impl From<&RunFile> for Suite {
    fn from(run: &RunFile) -> Self {
        let whole = run.end.as_ref().is_some_and(|end| end.status == EndStatus::Complete);
        let outcome = match run.results.iter().any(|row| row.status.is_fault()) {
            true => Outcome::Failed,
            false if whole => Outcome::Pass,
            false => Outcome::Interrupted,
        };
        let mut rows: Vec<&ResultRow> = run.results.iter().collect();
        rows.sort_by_key(|row| state(row.status).rank());
        let counts: Vec<String> =
            check::counts(&run.results).iter().map(|(status, count)| format!("{count} {status}")).collect();
        let planned = run.header.plan.cases.len();
        let devices: Vec<String> =
            run.header.devices.iter().map(|device| format!("{} ({})", device.id, device.name)).collect();
        Self {
            name: "accelbench run",
            started: inert(&run.header.started, NAME),
            wall_s: run.end.as_ref().map(|end| end.wall_s),
            host: run.header.host.hostname.as_deref().map(|name| inert(name, NAME)),
            outcome: outcome.name(),
            exit_code: outcome.exit_code(),
            summary: format!("{} of {planned} cases have a row: {}", run.results.len(), counts.join(", ")),
            beyond_entries: !whole,
            facts: vec![
                ("run", inert(&run.header.run_id, NAME)),
                ("devices", inert(&devices.join(", "), SENTENCE)),
                ("processor", inert(&run.header.host.cpu, NAME)),
            ],
            notes: Vec::new(),
            entries: Self::entries(
                rows.into_iter().flat_map(|row| entries(row).map(|entry| (row.case.as_str(), entry))),
            ),
        }
    }
}

fn state(status: Status) -> State {
    match status {
        Status::Ok => State::Passed,
        Status::Unsupported | Status::Skipped => State::Skipped,
        Status::Wrong => State::Failed,
        Status::Failed | Status::Crashed | Status::Timeout => State::Errored,
    }
}

/// A row's time, and its energy where that was measured.
fn entries(row: &ResultRow) -> impl Iterator<Item = Entry> {
    let timing = row.timing.as_ref();
    let time = Entry {
        id: String::new(),
        metric: Metric::Time,
        verdict: row.status.name(),
        state: state(row.status),
        reason: row.reason.as_deref().map(|reason| inert(reason, SENTENCE)),
        value: timing.map(|timing| timing.median_ns),
        interval: timing.map(|timing| timing.ci95_ns),
        change: None,
    };
    let measured = row.energy.as_ref().filter(|energy| energy.status == EnergyStatus::Measured);
    let energy = measured.and_then(|energy| energy.figures.as_ref()).map(|figures| Entry {
        metric: Metric::Energy,
        value: Some(figures.joules_per_run),
        interval: None,
        ..time.clone()
    });
    std::iter::once(time).chain(energy)
}
