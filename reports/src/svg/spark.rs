//! A word-sized chart of a result's samples, in the order of measuring.

use super::short;
use maud::{Markup, html};

/// The samples as a line from the smallest to the largest; nothing for fewer than two.
pub(crate) fn spark(samples: &[f64]) -> Markup {
    let low = samples.iter().copied().fold(f64::INFINITY, f64::min);
    let high = samples.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if samples.len() < 2 || !(high - low).is_finite() {
        return html! {};
    }
    let step = 80.0 / (samples.len() - 1) as f64;
    let range = if high > low { high - low } else { 1.0 };
    let place = |(index, sample): (usize, &f64)| {
        format!("{} {}", short(index as f64 * step), short(15.0 - (sample - low) / range * 14.0))
    };
    let points: Vec<String> = samples.iter().enumerate().map(place).collect();
    html! { svg class="sp" viewBox="0 0 80 16" aria-hidden="true" { path d={ "M" (points.join("L")) } {} } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_span_the_height() {
        assert!(spark(&[1.0, 3.0, 2.0]).into_string().contains("M0 15L40 1L80 8"));
        assert_eq!(spark(&[1.0]).into_string(), "");
        assert!(spark(&[2.0, 2.0]).into_string().contains("M0 15L80 15"));
    }
}
