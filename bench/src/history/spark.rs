//! A series as one line of text.

use super::analysis::NOTICED;

/// At most so many of the last points.
const WIDTH: usize = 40;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const GAP: char = '×';

/// A bar for each of the last values, and a cross for each gap. A series that moves by less than a gate notices fills
/// less than half of the height, so that noise does not look like news.
pub(super) fn sparkline(points: impl DoubleEndedIterator<Item = Option<f64>>) -> String {
    let mut shown: Vec<Option<f64>> = points.rev().take(WIDTH).collect();
    shown.reverse();
    let values = || shown.iter().flatten().copied();
    let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let middle = f64::midpoint(low, high);
    let span = (high - low).max(2.5 * NOTICED * middle);
    let bar = |value: f64| {
        let height = 0.5 + (value - middle) / span;
        BARS[((height * BARS.len() as f64) as usize).min(BARS.len() - 1)]
    };
    shown.iter().map(|value| value.map_or(GAP, bar)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_gaps() {
        assert_eq!(sparkline([Some(1.0), None, Some(2.0), Some(1.5)].into_iter()), "▁×█▅");
        assert_eq!(sparkline([Some(3.0); 3].into_iter()), "▅▅▅");
        assert_eq!(sparkline([None].into_iter()), "×");
        assert_eq!(sparkline(std::iter::empty()), "");
    }

    #[test]
    fn noise_stays_low_and_long_series_lose_their_beginning() {
        let noisy = sparkline([1.0, 1.01, 0.995].map(Some).into_iter());
        assert!(noisy.chars().all(|bar| BARS[2..6].contains(&bar)), "{noisy}");
        let long = sparkline((0..100).map(|at| Some(if at < 60 { 1.0 } else { 2.0 })));
        assert_eq!(long, "▅".repeat(40));
    }
}
