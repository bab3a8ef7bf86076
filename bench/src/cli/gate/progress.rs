//! What is shown while a gate runs: a bar with the time left on a terminal, a line a pair in a pipe.

use crate::cli::term;
use crate::gate_run::{Event, Phase};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

pub(super) struct Progress {
    bar: ProgressBar,
    terminal: bool,
    /// The phase that goes on, its last pair, and since when.
    phase: Option<(Phase, usize, Instant)>,
}

impl Progress {
    pub(super) fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {msg}, {elapsed} so far, {eta} left in this phase") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, terminal, phase: None }
    }

    pub(super) fn tell(&mut self, event: Event) {
        match event {
            Event::Note(text) => self.bar.suspend(|| term::note(&text)),
            Event::Cases(count) => self.bar.suspend(|| term::note(&format!("cases to compare: {count}"))),
            Event::Row => self.bar.inc(1),
            Event::Block { phase, round, rounds, arm, cases } => {
                let now = Instant::now();
                let since = match self.phase {
                    Some((of, _, since)) if of == phase => since,
                    _ => now,
                };
                let new_pair = self.phase.is_none_or(|(of, last, _)| of != phase || last != round);
                self.phase = Some((phase, round, since));
                if self.terminal {
                    // Both arms of each pair.
                    let done = ((round - 1) * 2 + usize::from(!new_pair)) * cases;
                    self.bar.set_length((rounds * 2 * cases) as u64);
                    self.bar.set_position(done as u64);
                    if since == now {
                        self.bar.reset_eta();
                    }
                    self.bar.set_message(format!("{} {round}/{rounds} {}", phase.name(), arm.name()));
                } else if new_pair {
                    let left =
                        now.duration_since(since).as_secs_f64() / (round as f64 - 1.0) * (rounds + 1 - round) as f64;
                    let left = if left.is_finite() { format!(", about {left:.0} s left") } else { String::new() };
                    term::note(&format!("{} {round}/{rounds}, cases: {cases}{left}", phase.name()));
                }
            }
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
