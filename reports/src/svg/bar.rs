//! A bar with its interval, as wide as the table cell that it stands in.

use super::{HUES, short};
use maud::{Markup, html};

/// A bar of `value` on a scale that starts at 0 and ends at `full`, with its interval as a whisker.
///
/// The number stands as text in a cell beside it, so the bar is hidden from screen readers.
pub(crate) fn bar(series: usize, value: f64, interval: Option<[f64; 2]>, full: f64) -> Markup {
    let place = |value: f64| (value / full).clamp(0.0, 1.0) * 1000.0;
    html! {
        svg class={ "bar s" (series % HUES) } viewBox="0 0 1000 16" preserveAspectRatio="none" aria-hidden="true" {
            path class="b" d={ "M0 1H" (short(place(value))) "V15H0z" } {}
            @if let Some([low, high]) = interval.map(|ends| ends.map(|end| short(place(end)))) {
                path class="w" d={ "M" (low) " 8H" (high) "M" (low) " 4V12M" (high) " 4V12" } {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_value() {
        let text = bar(9, 25.0, Some([20.0, 30.0]), 100.0).into_string();
        assert!(text.contains("class=\"bar s1\"") && text.contains("M0 1H250V15H0z"), "{text}");
        assert!(text.contains("M200 8H300M200 4V12M300 4V12"), "{text}");
        assert!(!bar(0, 1.0, None, 2.0).into_string().contains("class=\"w\""));
    }
}
