//! Pairs of segments, one metered and one not.

use crate::load::Load;
use accelbench::energy::Sampler;
use accelbench::stats;
use criterion::{Criterion, SamplingMode};
use std::cell::RefCell;
use std::time::Duration;

/// What a metered run may lose.
const BAR: f64 = 0.005;
/// Segments over which the pace of readings is counted: about as long as a window.
const WINDOW: usize = 50;

/// A meter that is read as it is in a window.
pub(crate) struct Metering {
    pub(crate) sampler: Sampler,
    /// A counter is read less often away from windows' edges, and so nearly always.
    pub(crate) counts: bool,
}

impl Metering {
    fn read(&self, on: bool) {
        if on { self.sampler.read_closely(!self.counts) } else { self.sampler.read(false) }
    }
}

/// Criterion with times that suit pairs of seconds; the command line has the last word.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(80))
        .sample_size(400)
        .without_plots()
        .configure_from_args()
}

/// Takes pairs, and gives the line that says what they came to; none where the command line left them out.
pub(crate) fn measure(criterion: &mut Criterion, name: &str, load: &Load, metering: &Metering) -> Option<String> {
    let pairs = RefCell::new(Pairs { pace: pace(load, metering), ..Pairs::default() });
    let mut group = criterion.benchmark_group(name);
    // Each sample is one pair: more of them in a sample would only hide how they scatter.
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("metered", |bencher| {
        bencher.iter_custom(|runs| (0..runs).map(|_| pairs.borrow_mut().take(load, metering)).sum::<Duration>());
    });
    group.finish();
    pairs.into_inner().row(name)
}

/// Readings a second in a window. Segments are shorter and each begins with a reading, so that they have more of them.
fn pace(load: &Load, metering: &Metering) -> f64 {
    metering.read(true);
    let busy: Duration = (0..WINDOW).map(|_| load.segment()).sum();
    metering.read(false);
    metering.sampler.events().count() as f64 / busy.as_secs_f64()
}

#[derive(Default)]
struct Pairs {
    /// Readings a second in a window.
    pace: f64,
    /// Throughput with the meter read, divided by that without.
    ratios: Vec<f64>,
    readings: usize,
    metered_s: f64,
}

impl Pairs {
    /// The metered time of one more pair.
    fn take(&mut self, load: &Load, metering: &Metering) -> Duration {
        let segment = |metered: bool| {
            metering.read(metered);
            let time = load.segment();
            metering.read(false);
            time
        };
        let metered_first = self.ratios.len().is_multiple_of(2);
        let [one, other] = [metered_first, !metered_first].map(segment);
        let (metered, bare) = if metered_first { (one, other) } else { (other, one) };
        self.readings += metering.sampler.events().count();
        self.metered_s += metered.as_secs_f64();
        self.ratios.push(bare.as_secs_f64() / metered.as_secs_f64());
        metered
    }

    fn row(&self, name: &str) -> Option<String> {
        let (median, [low, high]) = (stats::median(&self.ratios)?, stats::median_interval(&self.ratios)?);
        let rate = self.readings as f64 / self.metered_s;
        // Each reading costs the same, however many there are.
        let lost = |ratio: f64| (1.0 - ratio) * self.pace / rate;
        let verdict = match [lost(low), lost(high)] {
            _ if self.readings == 0 || self.pace == 0.0 => "the meter was not read",
            [most, _] if most <= BAR => "ok",
            [_, least] if least > BAR => "above the bar",
            _ => "not settled: take more pairs, or a quieter machine",
        };
        let interval = format!("{:+.2} to {:+.2}", 100.0 * lost(high), 100.0 * lost(low));
        let (median, in_segments) = (100.0 * lost(median), 100.0 * (1.0 - median));
        let (pace, pairs) = (self.pace, self.ratios.len());
        Some(format!(
            "{name:<32}{median:>+9.2}{interval:>18}{pace:>12.1}{in_segments:>+12.2}{rate:>8.1}{pairs:>7}  {verdict}"
        ))
    }
}

pub(crate) fn print(rows: &[String]) {
    if rows.is_empty() {
        return;
    }
    println!(
        "\nThroughput that is lost to reading the meter, at the pace of readings in a window: the median of the pairs, with its \
         95% interval. The bar is {} %.\n\n{:65}in segments of pairs",
        100.0 * BAR,
        ""
    );
    println!("device/meter                      percent      95% interval  readings/s   percent  per s  pairs");
    for row in rows {
        println!("{row}");
    }
}
