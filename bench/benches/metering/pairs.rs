//! Pairs of segments, one metered and one not.

use crate::load::Load;
use accelbench::energy::Sampler;
use accelbench::stats;
use criterion::{Criterion, SamplingMode};
use std::cell::RefCell;
use std::time::Duration;

/// What a metered run may lose.
const BAR: f64 = 0.005;

/// Criterion with times that suit pairs of seconds; the command line has the last word.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(40))
        .sample_size(20)
        .without_plots()
        .configure_from_args()
}

/// Takes pairs, and gives the line that says what they came to; none where the command line left them out.
pub(crate) fn measure(criterion: &mut Criterion, name: &str, load: &Load, sampler: &Sampler) -> Option<String> {
    let pairs = RefCell::new(Pairs::default());
    let mut group = criterion.benchmark_group(name);
    // Each sample is one pair: more of them in a sample would only hide how they scatter.
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("metered", |bencher| {
        bencher.iter_custom(|runs| (0..runs).map(|_| pairs.borrow_mut().take(load, sampler)).sum::<Duration>());
    });
    group.finish();
    pairs.into_inner().row(name)
}

#[derive(Default)]
struct Pairs {
    /// Throughput with the meter read, divided by that without.
    ratios: Vec<f64>,
    readings: usize,
    metered_s: f64,
}

impl Pairs {
    /// The metered time of one more pair.
    fn take(&mut self, load: &Load, sampler: &Sampler) -> Duration {
        let segment = |metered: bool| {
            sampler.read(metered);
            let time = load.segment();
            sampler.read(false);
            time
        };
        let metered_first = self.ratios.len().is_multiple_of(2);
        let [one, other] = [metered_first, !metered_first].map(segment);
        let (metered, bare) = if metered_first { (one, other) } else { (other, one) };
        self.readings += sampler.events().count();
        self.metered_s += metered.as_secs_f64();
        self.ratios.push(bare.as_secs_f64() / metered.as_secs_f64());
        metered
    }

    fn row(&self, name: &str) -> Option<String> {
        let (median, [low, high]) = (stats::median(&self.ratios)?, stats::median_interval(&self.ratios)?);
        let percent = |ratio: f64| 100.0 * (1.0 - ratio);
        let verdict = match [low, high] {
            _ if self.readings == 0 => "the meter was not read",
            [low, _] if low >= 1.0 - BAR => "ok",
            [_, high] if high < 1.0 - BAR => "above the bar",
            _ => "not settled: take more pairs, or a quieter machine",
        };
        let interval = format!("{:+.2} to {:+.2}", percent(high), percent(low));
        let (median, rate, pairs) = (percent(median), self.readings as f64 / self.metered_s, self.ratios.len());
        Some(format!("{name:<32}{median:>+9.2}{interval:>18}{rate:>14.1}{pairs:>9}  {verdict}"))
    }
}

pub(crate) fn print(rows: &[String]) {
    if rows.is_empty() {
        return;
    }
    println!(
        "\nThroughput that is lost to reading the meter: the median of the pairs, with its 95% interval. The bar is {} %.\n",
        100.0 * BAR
    );
    println!("device/meter                      percent      95% interval  readings/s    pairs");
    for row in rows {
        println!("{row}");
    }
}
