//! What is shown while a run goes on: a bar with the time left on a terminal, plain lines in a pipe.

use super::exit::UserError;
use super::term::{self, BAD, FAINT, GOOD, styled};
use super::units;
use accelbench_kernels::fill::Fill;
use accelbench_reports::{PlanSource, ResultRow, Status};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// The width that most cases' names fit in.
const NAME_WIDTH: usize = 54;

pub(super) struct Progress {
    bar: ProgressBar,
    total: usize,
    done: usize,
}

impl Progress {
    pub(super) fn new(total: usize, done: usize) -> Self {
        let target =
            if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target).with_position(done as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} cases, {elapsed} so far, {eta} left") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(std::time::Duration::from_millis(500));
        bar.reset_eta();
        Self { bar, total, done }
    }

    /// Shows a row that is on disk; `print` prints a line where it belongs.
    pub(super) fn row(
        &mut self,
        row: &ResultRow,
        print: impl Fn(&str) -> Result<(), UserError>,
    ) -> Result<(), UserError> {
        self.done += 1;
        let width = self.total.to_string().len();
        let line = format!("[{:>width$}/{}] {}\n", self.done, self.total, line(row));
        let printed = self.bar.suspend(|| print(&line));
        self.bar.inc(1);
        printed
    }

    /// Shows a line beside the rows.
    pub(super) fn note(&self, line: &str, print: impl Fn(&str) -> Result<(), UserError>) -> Result<(), UserError> {
        self.bar.suspend(|| print(line))
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A row in one line.
fn line(row: &ResultRow) -> String {
    let name = format!("{:NAME_WIDTH$}", row.case);
    let reason = row.reason.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
    match (row.status, &row.timing, &row.rate) {
        (Status::Ok, Some(timing), Some(rate)) => {
            let [low, high] = timing.ci95_ns;
            let half = (high - low) / 2.0 / timing.median_ns * 100.0;
            let share = row.ceiling.as_ref().map_or(String::new(), |ceiling| units::percent(ceiling.fraction));
            let unsteady = if timing.steady { "" } else { ", had not settled" };
            let zeros = row.provenance.as_ref().is_some_and(|provenance| provenance.fill == Fill::Zeros.name());
            let zeros = if zeros { ", on zeros" } else { "" };
            let tuned = row.provenance.as_ref().and_then(|provenance| {
                let source = provenance.plan_source.filter(|source| *source != PlanSource::Default)?;
                Some(format!(", {} by {}", provenance.plan.as_ref()?, source.name()))
            });
            let tuned = tuned.unwrap_or_default();
            let energy = row.energy.as_ref().and_then(|energy| energy.figures.as_ref());
            let energy = energy.map_or(String::new(), |figures| {
                format!("  {}", units::pj(figures.pj_per_flop, units::work(&row.dtype)))
            });
            let vendor = row.ceiling.as_ref().and_then(|ceiling| ceiling.vendor.as_ref());
            let vendor = vendor.map_or(String::new(), |vendor| {
                format!("  {:.2}x {}", rate.flop_per_s / vendor.flop_per_s, vendor.variant)
            });
            format!(
                "{name} {} {:>14} {share:>4}  {:>9} ±{half:.1}%{vendor}{energy}{tuned}{zeros}{unsteady}",
                styled(GOOD, "ok"),
                units::rate(rate.flop_per_s, &row.dtype),
                units::time(timing.median_ns)
            )
        }
        (status, ..) if status.is_fault() => format!("{name} {} {reason}", styled(BAD, status.name())),
        (status, ..) => format!("{name} {}", styled(FAINT, &format!("{status}: {reason}"))),
    }
}

/// Prints beside a JSON stream, which has standard output to itself.
#[allow(clippy::unnecessary_wraps)] // The shape of printing to standard output, which can fail.
pub(super) fn to_stderr(line: &str) -> Result<(), UserError> {
    term::note(line.trim_end());
    Ok(())
}
