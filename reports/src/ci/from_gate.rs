//! A suite from a gate's document.

use super::{Change, Entry, State, Suite};
use crate::gate::{Arm, Build, GateCase, GateFile, Mode, Outcome, Severity, Verdict};
use crate::inert::{NAME, SENTENCE, inert};

impl From<&GateFile> for Suite {
    fn from(file: &GateFile) -> Self {
        let mut cases: Vec<&GateCase> = file.cases.iter().collect();
        let rank = |case: &GateCase| Verdict::ALL.iter().position(|verdict| *verdict == case.verdict);
        cases.sort_by_key(|case| (state(case).rank(), rank(case)));
        let mode = match file.mode {
            Mode::Paired => "pairs of blocks, here and now",
            Mode::Stored => "advisory: the base's figures are those of an earlier run",
        };
        let devices: Vec<String> =
            file.devices.iter().map(|device| format!("{} ({})", device.id, device.name)).collect();
        Self {
            name: "accelbench gate",
            started: inert(&file.started, NAME),
            wall_s: Some(file.wall_s),
            host: file.host.hostname.as_deref().map(|name| inert(name, NAME)),
            outcome: file.outcome.name(),
            exit_code: file.exit_code,
            summary: inert(&file.summary, SENTENCE),
            beyond_entries: file.outcome != Outcome::Pass
                && (file.cases.is_empty() || file.outcome != file.outcome_of_cases()),
            facts: vec![
                ("gate", inert(&file.gate_id, NAME)),
                ("base", build(&file.base)),
                ("candidate", build(&file.candidate)),
                ("compared in", mode.to_owned()),
                ("devices", inert(&devices.join(", "), SENTENCE)),
                ("processor", inert(&file.host.cpu, NAME)),
            ],
            notes: file.notes.iter().map(|note| inert(note, SENTENCE)).collect(),
            entries: Self::entries(cases.into_iter().map(|case| (case.case.as_str(), entry(case)))),
        }
    }
}

/// A build by what it was given as, and by its commit where that says more.
fn build(build: &Build) -> String {
    let commit = build.revision.as_ref().filter(|revision| **revision != build.given);
    let dirty = if build.dirty == Some(true) { ", with changes" } else { "" };
    let given = inert(&build.given, NAME);
    match commit {
        Some(revision) => format!("{given} ({}{dirty})", inert(revision, NAME)),
        None => format!("{given}{dirty}"),
    }
}

fn state(case: &GateCase) -> State {
    match case.verdict {
        Verdict::Pass | Verdict::Improved => State::Passed,
        Verdict::Wrong => State::Failed,
        Verdict::Failed | Verdict::Missing | Verdict::Incomparable => State::Errored,
        Verdict::Regressed if case.severity == Severity::Fail => State::Failed,
        Verdict::Regressed | Verdict::Inconclusive | Verdict::Unsettled => State::Skipped,
    }
}

fn entry(case: &GateCase) -> Entry {
    let arm = match case.arm {
        Some(Arm::Base) => "in the base: ",
        Some(Arm::Candidate) => "in the candidate: ",
        None => "",
    };
    // What is wrong on one side, or stands on one side only, has no figure that says anything.
    let compared = case.verdict.is_of_speed();
    Entry {
        id: String::new(),
        metric: case.metric,
        verdict: case.verdict.name(),
        state: state(case),
        reason: case.reason.as_ref().map(|reason| inert(&format!("{arm}{reason}"), SENTENCE)),
        value: case.candidate.filter(|_| compared),
        interval: None,
        change: Some(Change {
            base: case.base.filter(|_| compared),
            estimate: case.estimate.filter(|_| compared),
            thrown_out: case.thrown_out,
            stage: case.stage,
        }),
    }
}
