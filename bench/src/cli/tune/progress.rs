//! What is shown while a tuning goes on, and in the end.

use crate::CaseId;
use crate::cli::exit::UserError;
use crate::cli::term::{self, BAD, FAINT, GOOD, styled};
use crate::tune::log::{Settled, Trial, Verdict};
use accelbench_reports::PlanSource;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

/// The width that most cases' names fit in.
const NAME_WIDTH: usize = 46;

pub(super) struct Progress {
    bar: ProgressBar,
    total: usize,
    done: usize,
    trials: usize,
    candidates: usize,
}

impl Progress {
    pub(super) fn new(total: usize, done: usize) -> Self {
        let target =
            if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target).with_position(done as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} cases, {elapsed}: {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, total, done, trials: 0, candidates: 0 }
    }

    pub(super) fn begun(&mut self, id: &CaseId, incumbent: &str, source: PlanSource, candidates: usize) {
        (self.trials, self.candidates) = (0, candidates);
        self.bar.set_message(format!("{id}, {candidates} plans against {incumbent} ({})", source.name()));
    }

    pub(super) fn trial(&mut self, trial: &Trial) {
        self.trials += 1;
        self.bar
            .set_message(format!("{}, trial {} of {} plans: {}", trial.case, self.trials, self.candidates, trial.plan));
    }

    /// Shows a case that is on disk; `print` prints a line where it belongs.
    pub(super) fn settled(
        &mut self,
        case: &Settled,
        print: impl Fn(&str) -> Result<(), UserError>,
    ) -> Result<(), UserError> {
        self.done += 1;
        let width = self.total.to_string().len();
        let line = format!("[{:>width$}/{}] {}\n", self.done, self.total, line(case));
        let printed = self.bar.suspend(|| print(&line));
        self.bar.inc(1);
        printed
    }

    pub(super) fn note(&self, note: &str) {
        self.bar.suspend(|| term::note(note));
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A case in one line.
fn line(case: &Settled) -> String {
    let name = format!("{:NAME_WIDTH$}", case.case);
    let incumbent = case.incumbent.as_deref().unwrap_or_default();
    let reason = case.reason.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
    let effort = format!("{} of {} plans tried in {:.0} s", case.tried, case.candidates, case.seconds);
    let faults = if case.faults.is_empty() {
        String::new()
    } else {
        format!(", {}", faults(case.faults.values().map(|f| f.status.name())))
    };
    match (case.verdict, &case.gain, &case.plan) {
        (Verdict::Better, Some(gain), Some(plan)) => format!(
            "{name} {} {plan}, {:.2} times as fast as {incumbent} (at least {:.2}), {effort}{faults}",
            styled(GOOD, case.verdict.name()),
            gain.speedup,
            gain.least
        ),
        (Verdict::Failed, ..) => format!("{name} {} {incumbent}: {reason}", styled(BAD, case.verdict.name())),
        (Verdict::Skipped, ..) => format!("{name} {}", styled(FAINT, &format!("{}: {reason}", case.verdict.name()))),
        (Verdict::Single, ..) => format!("{name} {}", styled(FAINT, &format!("{}: {incumbent}", case.verdict.name()))),
        _ => {
            let reason = if reason.is_empty() { String::new() } else { format!(", {reason}") };
            format!("{name} {} {incumbent}, {effort}{faults}{reason}", case.verdict.name())
        }
    }
}

/// How many of each.
fn faults<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}

/// What was found, and what is left to do.
pub(super) fn conclusion(settled: &[Settled], left: usize, wall_s: f64, path: &Path) -> String {
    let mut text = String::new();
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    for case in settled {
        *counts.entry(case.verdict).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(verdict, count)| format!("{count} {}", verdict.name())).collect();
    let gains: Vec<f64> = settled.iter().filter_map(|case| case.gain).map(|gain| gain.speedup.ln()).collect();
    let _ = writeln!(text, "\n{} in {wall_s:.0} s. Log: {}", counts.join(", "), path.display());
    if !gains.is_empty() {
        let mean = (gains.iter().sum::<f64>() / gains.len() as f64).exp();
        let _ =
            writeln!(text, "Winners are {mean:.2} times as fast in the geometric mean; `all` and `run` use them now");
    }
    let faulty = settled.iter().flat_map(|case| case.faults.iter().map(move |fault| (case, fault)));
    for (case, (plan, fault)) in faulty.filter(|(_, (_, fault))| fault.status.is_fault()).take(SHOWN_FAULTS) {
        let reason = fault.reason.lines().next().unwrap_or_default();
        let _ = writeln!(text, "{}: {plan} is {}: {reason}", case.case, fault.status);
    }
    if left > 0 {
        let _ = writeln!(text, "{left} cases are left: `accelbench tune --resume {}` goes on", path.display());
    }
    text
}

/// The log has all of them.
const SHOWN_FAULTS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tune::Fault;
    use crate::tune::table::Gain;
    use accelbench_reports::Status;

    fn settled(verdict: Verdict) -> Settled {
        Settled {
            case: "gemm/f32/8x8x8/any@host:0".to_owned(),
            verdict,
            reason: Some("the reason".to_owned()),
            incumbent: Some("old".to_owned()),
            source: Some(PlanSource::Default),
            plan: Some("new".to_owned()),
            gain: (verdict == Verdict::Better).then_some(Gain { speedup: 1.5, least: 1.4, pairs: 12 }),
            candidates: 20,
            tried: 10,
            faults: BTreeMap::from([(
                "bad".to_owned(),
                Fault { status: Status::Wrong, reason: "row 1\nand more".to_owned() },
            )]),
            seconds: 3.0,
        }
    }

    #[test]
    fn each_verdict_says_what_it_rests_on() {
        for (verdict, words) in [
            (Verdict::Better, ["new, 1.50 times as fast as old (at least 1.40)", "1 wrong"]),
            (Verdict::Kept, ["kept old", "10 of 20 plans"]),
            (Verdict::Single, ["one plan", "old"]),
            (Verdict::Skipped, ["left out", "the reason"]),
            (Verdict::Failed, ["FAILED", "the reason"]),
        ] {
            let line = line(&settled(verdict));
            assert!(words.iter().all(|word| line.contains(word)) && line.lines().count() == 1, "{line}");
        }
        let text = conclusion(&[settled(Verdict::Better), settled(Verdict::Kept)], 2, 9.0, Path::new("log.jsonl"));
        for words in
            ["1 better, 1 kept in 9 s", "1.50 times", "bad is wrong: row 1", "2 cases are left", "--resume log"]
        {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}
