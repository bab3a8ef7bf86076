//! How sure the energy of a run is. Standard terms are after the "Guide to the expression of uncertainty in measurement"
//! (JCGM 100:2008); all values here are relative and expanded to a level of 95.45%, which is k = 2.

/// The half-width of a rectangular distribution divided by its standard deviation.
const RECTANGULAR: f64 = 1.732_050_807_568_877_2;
/// The coverage factor of terms that no windows estimate.
const K: f64 = 2.0;

/// Student's factor for 95.45%, by degrees of freedom (JCGM 100:2008, table G.2).
fn student(freedom: usize) -> f64 {
    const FACTORS: [f64; 10] = [13.97, 4.53, 3.31, 2.87, 2.65, 2.52, 2.43, 2.37, 2.32, 2.28];
    FACTORS[freedom.clamp(1, FACTORS.len()) - 1]
}

/// From what windows gave each: how far the mean of others like them would lie. None with fewer than two.
pub(super) fn repeatability(values: &[f64]) -> Option<f64> {
    let count = values.len();
    if count < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1) as f64;
    Some(student(count - 1) * (variance / count as f64).sqrt() / mean)
}

/// Two edges, each of which lies anywhere within `slack_s` of where it was seen.
pub(super) fn ticks(slack_s: f64, seconds: f64) -> f64 {
    K * (2.0f64).sqrt() * slack_s / RECTANGULAR / seconds
}

/// Two readings of a counter that moves by steps of `resolution_j`.
pub(super) fn resolution(resolution_j: f64, joules: f64) -> f64 {
    K * (2.0f64).sqrt() * 0.5 * resolution_j / RECTANGULAR / joules
}

/// A mean of so many figures of power that scatter with this standard deviation, relative to their mean.
pub(super) fn sampling(deviation: f64, figures: f64) -> f64 {
    K * deviation / figures.max(1.0).sqrt()
}

/// Independent terms together.
pub(super) fn combined(terms: &[f64]) -> f64 {
    terms.iter().map(|term| term * term).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_s_factor_falls_towards_two() {
        let factors: Vec<f64> = (1..12).map(student).collect();
        assert!(factors.windows(2).all(|pair| pair[1] <= pair[0]));
        assert!(factors.iter().all(|&factor| factor > K));
    }

    #[test]
    fn repeatability_of_three() {
        // Mean 2, standard deviation 1, standard error 1/√3.
        let expanded = repeatability(&[1.0, 2.0, 3.0]).unwrap();
        assert!((expanded - 4.53 / 3.0f64.sqrt() / 2.0).abs() < 1e-12);
        assert_eq!(repeatability(&[1.0]), None);
    }

    #[test]
    fn terms_shrink_as_they_should() {
        assert!((ticks(0.01, 10.0) / ticks(0.01, 20.0) - 2.0).abs() < 1e-12);
        assert!((resolution(1.0, 10.0) / resolution(1.0, 20.0) - 2.0).abs() < 1e-12);
        assert!((sampling(0.1, 100.0) - 0.02).abs() < 1e-12);
        assert!((combined(&[3.0, 4.0]) - 5.0).abs() < 1e-12);
    }
}
