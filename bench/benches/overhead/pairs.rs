//! Pairs of times: the same task by the raw binding and through the seam, one right after the other.

use crate::side::{BYTES, MOST_LAUNCHES, Side};
use criterion::Criterion;
use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// What the seam may add to a launch: this share of the raw binding's time, or this many nanoseconds where that is more.
const BAR: f64 = 0.03;
const BAR_NS: f64 = 200.0;

#[derive(Clone, Copy)]
enum Task {
    Launch(usize),
    Upload(usize),
    Download(usize),
}

const TASKS: [(&str, Task); 6] = [
    ("launch", Task::Launch(1)),
    ("100 launches", Task::Launch(MOST_LAUNCHES)),
    ("upload 4 KiB", Task::Upload(4 << 10)),
    ("upload 4 MiB", Task::Upload(BYTES)),
    ("download 4 KiB", Task::Download(4 << 10)),
    ("download 4 MiB", Task::Download(BYTES)),
];

/// Criterion with times that suit tasks of microseconds; the command line has the last word.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
        .without_plots()
        .configure_from_args()
}

/// Runs every task both ways.
pub(crate) fn measure(criterion: &mut Criterion, table: &mut Table, device: &str, raw: &dyn Side, seam: &dyn Side) {
    for (name, task) in TASKS {
        let pairs = RefCell::new(Pairs::default());
        for (index, who) in ["raw", "seam"].into_iter().enumerate() {
            criterion.bench_function(&format!("{device}/{name}/{who}"), |bencher| {
                bencher.iter_custom(|runs| {
                    (0..runs).map(|_| pairs.borrow_mut().take([raw, seam], task)[index]).sum::<Duration>()
                });
            });
        }
        table.rows.extend(pairs.into_inner().row(device, name, task));
    }
}

#[derive(Default)]
struct Pairs {
    times: Vec<[Duration; 2]>,
    /// Moved up and down; written once, so that no page of it is touched for the first time while the clock runs.
    bytes: Vec<u8>,
}

impl Pairs {
    /// Does the task both ways, the order swapped each time.
    fn take(&mut self, sides: [&dyn Side; 2], task: Task) -> [Duration; 2] {
        self.bytes.resize(BYTES, 1);
        let first = self.times.len() % 2;
        let mut times = [Duration::ZERO; 2];
        for index in [first, 1 - first] {
            times[index] = time(sides[index], task, &mut self.bytes);
        }
        self.times.push(times);
        times
    }

    /// Nothing where the command line left the task out.
    fn row(&self, device: &str, name: &str, task: Task) -> Option<String> {
        let ns = |time: Duration| time.as_nanos() as f64;
        let raw = median(self.times.iter().map(|&[raw, _]| ns(raw)))?;
        let seam = median(self.times.iter().map(|&[_, seam]| ns(seam)))?;
        let difference = median(self.times.iter().map(|&[raw, seam]| ns(seam) - ns(raw)))?;
        let verdict = match task {
            Task::Launch(launches) => {
                let each = difference / launches as f64;
                if each <= BAR_NS.max(BAR * raw / launches as f64) { "ok" } else { "above the bar" }
            }
            _ => "",
        };
        let percent = 100.0 * difference / raw;
        let pairs = self.times.len();
        Some(format!(
            "{device:<10} {name:<15}{raw:>12.0}{seam:>12.0}{difference:>+13.0}{percent:>+9.2}{pairs:>9}  {verdict}"
        ))
    }
}

fn time(side: &dyn Side, task: Task, bytes: &mut [u8]) -> Duration {
    let begun = Instant::now();
    match task {
        Task::Launch(launches) => drop(black_box(side.launch(launches))),
        Task::Upload(size) => side.upload(&bytes[..size]),
        Task::Download(size) => side.download(&mut bytes[..size]),
    }
    let time = begun.elapsed();
    side.settle();
    time
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// What all pairs came to.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<String>,
}

impl Table {
    pub(crate) fn print(&self) {
        if self.rows.is_empty() {
            return;
        }
        println!(
            "\nMedians in ns. A launch may cost {BAR_NS} ns or {} % more through the seam, whichever is larger.\n",
            100.0 * BAR
        );
        println!("device     task                    raw        seam   difference  percent    pairs");
        self.rows.iter().for_each(|row| println!("{row}"));
    }
}
