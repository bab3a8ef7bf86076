//! What is shown while ratios are measured, and in the end.

use crate::CaseId;
use crate::cli::exit::UserError;
use crate::cli::term::{BAD, FAINT, styled};
use crate::cli::units;
use accelbench_reports::ratios::{LaneKind, Measure, PeakPair, RatioCase, RatioLane, RatiosFile};
use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// The width that most cases' names fit in.
const NAME_WIDTH: usize = 50;

pub(super) struct Progress {
    bar: ProgressBar,
    total: usize,
    done: usize,
}

impl Progress {
    pub(super) fn new(total: usize, done: usize) -> Self {
        let target =
            if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} cases, {elapsed} so far: {msg}") {
            bar.set_style(style);
        }
        bar.set_position(done as u64);
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, total, done }
    }

    pub(super) fn begun(&self, id: &CaseId) {
        self.bar.set_message(id.to_string());
    }

    /// Shows a case; `print` prints lines where they belong.
    pub(super) fn case(
        &mut self,
        case: &RatioCase,
        print: impl Fn(&str) -> Result<(), UserError>,
    ) -> Result<(), UserError> {
        self.done += 1;
        let width = self.total.to_string().len();
        let lines = format!("[{:>width$}/{}] {}", self.done, self.total, lines(case));
        let printed = self.bar.suspend(|| print(&lines));
        self.bar.inc(1);
        printed
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A case in one line, and one for each of its lanes without figures.
fn lines(case: &RatioCase) -> String {
    let name = format!("{:NAME_WIDTH$}", case.case);
    if let Some(reason) = &case.left_out {
        return format!("{name} {}\n", styled(FAINT, &format!("left out: {}", first(reason))));
    }
    let share = |kind| case.lane(kind).and_then(|(_, figures)| figures.of_peak).map(units::percent);
    let mut words = Vec::new();
    if let Some((_, figures)) = case.lane(LaneKind::Own) {
        words.push(format!("{:>14}", units::rate(figures.flop_per_s, &case.dtype)));
        words.extend(share(LaneKind::Own).map(|share| format!("{share} of peak")));
        words.extend(share(LaneKind::OwnKernel).map(|share| format!("kernel alone {share}")));
        words.extend(figures.of_library.as_ref().map(|ratio| {
            let [low, high] = ratio.ci95.map(units::ratio);
            format!("{} {} on {} ({low} – {high})", units::ratio(ratio.ratio), ratio.to, ratio.on)
        }));
    }
    let moved = case.peaks.iter().map(PeakPair::drift).reduce(f64::max);
    words.extend(moved.map(|share| format!("peak moved {}", units::percent(share))));
    words.extend(case.unsteady.as_ref().map(|why| styled(BAD, &format!("unsteady: {why}"))));
    let fault = |lane: &RatioLane| {
        let reason = first(lane.reason.as_deref().unwrap_or_default());
        format!("    {} on {} {}\n", lane.variant, lane.device, styled(BAD, &format!("{}: {reason}", lane.status)))
    };
    let faults = case.lanes.iter().filter(|lane| lane.figures.is_none()).map(fault);
    format!("{name} {}\n{}", words.join("  "), faults.collect::<String>())
}

fn first(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The means as a table: devices, operations and types down, measures across.
pub(super) fn means(file: &RatiosFile) -> String {
    let columns: Vec<Measure> =
        Measure::ALL.into_iter().filter(|measure| file.means.iter().any(|mean| mean.measure == *measure)).collect();
    if columns.is_empty() {
        return "\nno case has figures that stayed steady\n".to_owned();
    }
    let mut rows: Vec<[&str; 3]> = Vec::new();
    for mean in &file.means {
        let row = [mean.device.as_str(), mean.op.as_str(), mean.dtype.as_str()];
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["device", "kernel", "type"].into_iter().chain(columns.iter().map(|measure| measure.name())));
    for row in rows {
        let cells = columns.iter().map(|measure| {
            let of = |mean: &&accelbench_reports::ratios::RatioMean| {
                [mean.device.as_str(), mean.op.as_str(), mean.dtype.as_str()] == row && mean.measure == *measure
            };
            let share = matches!(measure, Measure::OwnOfPeak | Measure::OwnKernelOfPeak);
            let shown = |value| if share { units::percent(value) } else { units::ratio(value) };
            file.means.iter().find(of).map_or("-".to_owned(), |mean| format!("{} ({})", shown(mean.ratio), mean.cases))
        });
        table.add_row(row.into_iter().map(str::to_owned).chain(cells).collect::<Vec<_>>());
    }
    for column in table.column_iter_mut().skip(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("\nGeometric means, each with its number of cases\n{table}\n")
}
