//! What samples say: the median, and how sure it is.

/// The median; the mean of the middle two where their number is even. None without samples.
pub fn median(samples: &[f64]) -> Option<f64> {
    let sorted = sorted(samples);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// A 95% interval of the median that supposes nothing about the distribution: the order statistics between which the
/// median lies with at least that probability (W. J. Conover, "Practical Nonparametric Statistics", 3.2). With fewer
/// than six samples no such pair exists, and the range is given.
pub fn median_interval(samples: &[f64]) -> Option<[f64; 2]> {
    let sorted = sorted(samples);
    let n = sorted.len();
    if n == 0 {
        return None;
    }
    // The number of samples below the median is binomial(n, 1/2). Drop as many at each end as leaves 95% inside.
    let mut tail = 0.0;
    let mut dropped = 0;
    let mut probability = 0.5f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    while dropped < n / 2 {
        tail += probability;
        if tail > 0.025 {
            break;
        }
        dropped += 1;
        probability *= (n - dropped + 1) as f64 / dropped as f64;
    }
    // `dropped` counts how many could be left below; the interval starts at the last of them.
    let low = dropped.saturating_sub(1);
    Some([sorted[low], sorted[n - 1 - low]])
}

fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn few_samples_give_their_range() {
        assert_eq!(median_interval(&[]), None);
        assert_eq!(median_interval(&[2.0]), Some([2.0, 2.0]));
        assert_eq!(median_interval(&[5.0, 1.0, 3.0]), Some([1.0, 5.0]));
    }

    #[test]
    fn the_textbook_s_ranks() {
        // Tables of the sign test: n = 10 gives the 2nd and 9th, n = 20 the 6th and 15th, n = 100 the 40th and 61st.
        for (n, low) in [(6u32, 1u32), (9, 2), (10, 2), (20, 6), (100, 40)] {
            let samples: Vec<f64> = (1..=n).map(f64::from).collect();
            assert_eq!(median_interval(&samples), Some([f64::from(low), f64::from(n + 1 - low)]), "n = {n}");
        }
    }

    #[test]
    fn the_interval_covers_the_median_as_often_as_it_says() {
        // A skewed distribution with a known median, from a small linear congruential generator.
        let mut state = 1u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let covered = (0..4000)
            .filter(|_| {
                let samples: Vec<f64> = (0..25).map(|_| -uniform().ln()).collect();
                let [low, high] = median_interval(&samples).unwrap();
                low <= std::f64::consts::LN_2 && std::f64::consts::LN_2 <= high
            })
            .count();
        assert!(covered >= 3800, "{covered} of 4000");
    }
}
