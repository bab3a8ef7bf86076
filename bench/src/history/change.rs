//! Change points: where the distribution of a series' values changes.
//!
//! E-divisive (D. S. Matteson, N. A. James, "A Nonparametric Approach for Multiple Change Point Analysis of Multivariate
//! Data", Journal of the American Statistical Association 109, 2014). A segment is divided where the energy distance of
//! its two sides, weighted by their sizes, is largest; a division counts if few random orders of the values show one as
//! large. As in D. Daly et al., "The Use of Change Point Detection to Identify Software Performance Regressions in a
//! Continuous Integration System", ICPE 2020, both sides together are the whole segment.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Fewest values on each side of a division.
pub const SHORTEST: usize = 3;

/// The number of random orders, times the level, so that a p-value can be as small as a tenth of the level.
const ORDERS_TIMES_LEVEL: f64 = 10.0;

/// The same series has the same change points on every machine.
const SEED: u64 = 0x5eed;

/// A place where a series changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePoint {
    /// The first value after the change.
    pub index: usize,
    /// The share of random orders that show a division as large.
    pub p: f64,
}

/// The change points of a series at a level of significance, by index. Values must be numbers; a level is above 0 and
/// below 1. A series without a change gives one with a probability of about the level.
pub fn change_points(values: &[f64], level: f64) -> Vec<ChangePoint> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut found: Vec<ChangePoint> = Vec::new();
    let mut segments = vec![Segment::new(0, values)];
    loop {
        let divisions = segments.iter().enumerate().filter_map(|(at, segment)| {
            let division = segment.best(&segment.order)?;
            Some((at, division))
        });
        let Some((at, best)) = divisions.max_by(|(_, one), (_, other)| one.statistic.total_cmp(&other.statistic))
        else {
            break;
        };
        let Some(p) = significance(&segments, best.statistic, level, &mut rng) else { break };
        let segment = segments.remove(at);
        let index = segment.start + best.left;
        let end = segment.start + segment.order.len();
        segments.push(Segment::new(segment.start, &values[segment.start..index]));
        segments.push(Segment::new(index, &values[index..end]));
        found.push(ChangePoint { index, p });
    }
    found.sort_by_key(|change| change.index);
    found
}

/// The p-value of the largest division of all segments, against random orders within each; none above the level.
///
/// Ends as soon as the level can't be kept any more, which changes no decision and saves most of the orders.
fn significance(segments: &[Segment], statistic: f64, level: f64, rng: &mut ChaCha8Rng) -> Option<f64> {
    let orders = (ORDERS_TIMES_LEVEL / level).round() as usize - 1;
    // Sums in another order differ in their last digits.
    let as_large = statistic * (1.0 - 1e-9);
    let mut shuffled: Vec<Vec<usize>> = segments.iter().map(|segment| segment.order.clone()).collect();
    let mut reached = 0;
    for _ in 0..orders {
        let any = segments.iter().zip(&mut shuffled).fold(false, |any, (segment, order)| {
            order.shuffle(rng);
            any || segment.best(order).is_some_and(|division| division.statistic >= as_large)
        });
        reached += usize::from(any);
        if (reached + 1) as f64 > level * (orders + 1) as f64 * (1.0 + 1e-9) {
            return None;
        }
    }
    Some((reached + 1) as f64 / (orders + 1) as f64)
}

/// A way to divide a segment.
#[derive(Clone, Copy)]
struct Division {
    /// Values on the left.
    left: usize,
    statistic: f64,
}

/// A part of a series, with what does not depend on the order of its values.
struct Segment {
    start: usize,
    /// The rank of each value, in the series' order.
    order: Vec<usize>,
    /// By rank.
    values: Vec<f64>,
    /// By rank: the sum of the distances to all values.
    distances: Vec<f64>,
    /// The sum of all pairs' distances.
    total: f64,
}

impl Segment {
    fn new(start: usize, values: &[f64]) -> Self {
        let mut by_value: Vec<usize> = (0..values.len()).collect();
        by_value.sort_by(|&one, &other| values[one].total_cmp(&values[other]));
        let mut order = vec![0; values.len()];
        for (rank, &index) in by_value.iter().enumerate() {
            order[index] = rank;
        }
        let values: Vec<f64> = by_value.iter().map(|&index| values[index]).collect();
        let sum: f64 = values.iter().sum();
        let mut below = 0.0;
        let distances: Vec<f64> = values
            .iter()
            .enumerate()
            .map(|(rank, &value)| {
                let distance = sum - 2.0 * below + (2.0 * rank as f64 - values.len() as f64) * value;
                below += value;
                distance
            })
            .collect();
        let total = distances.iter().sum::<f64>() / 2.0;
        Self { start, order, values, distances, total }
    }

    /// The division with the largest statistic when the values stand in this order; none if the segment is too short.
    fn best(&self, order: &[usize]) -> Option<Division> {
        let n = order.len();
        if n < 2 * SHORTEST {
            return None;
        }
        let mut tree = Tree::new(n);
        let mut best: Option<Division> = None;
        // Of the values on the left: their distances to all values, among themselves, and their sum.
        let (mut to_all, mut within, mut sum) = (0.0, 0.0, 0.0);
        for (index, &rank) in order[..n - SHORTEST].iter().enumerate() {
            let value = self.values[rank];
            let (count_below, sum_below) = tree.below(rank);
            within += value * (2.0 * count_below - index as f64) + sum - 2.0 * sum_below;
            to_all += self.distances[rank];
            tree.add(rank, value);
            sum += value;
            let left = index + 1;
            if left < SHORTEST {
                continue;
            }
            let (l, r) = (left as f64, (n - left) as f64);
            let across = to_all - 2.0 * within;
            let right = self.total - within - across;
            let distance = 2.0 * (across / (l * r) - within / (l * (l - 1.0)) - right / (r * (r - 1.0)));
            let statistic = l * r / (l + r) * distance;
            if best.is_none_or(|best| statistic > best.statistic) {
                best = Some(Division { left, statistic });
            }
        }
        best
    }
}

/// Counts and sums of values by rank, in a binary indexed tree: with it all divisions of n values take n log n steps.
struct Tree(Vec<(f64, f64)>);

impl Tree {
    fn new(ranks: usize) -> Self {
        Self(vec![(0.0, 0.0); ranks + 1])
    }

    fn add(&mut self, rank: usize, value: f64) {
        let mut node = rank + 1;
        while let Some((count, sum)) = self.0.get_mut(node) {
            *count += 1.0;
            *sum += value;
            node += node & node.wrapping_neg();
        }
    }

    /// How many values have a lower rank, and their sum.
    fn below(&self, rank: usize) -> (f64, f64) {
        let (mut count, mut sum) = (0.0, 0.0);
        let mut node = rank;
        while node > 0 {
            count += self.0[node].0;
            sum += self.0[node].1;
            node &= node - 1;
        }
        (count, sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::noise::{Noise, binomial_upper};

    const LEVEL: f64 = 0.01;

    fn indices(values: &[f64]) -> Vec<usize> {
        change_points(values, LEVEL).into_iter().map(|change| change.index).collect()
    }

    /// The definition, term by term.
    fn statistic(left: &[f64], right: &[f64]) -> f64 {
        let pairs = |x: &[f64], y: &[f64]| x.iter().flat_map(|a| y.iter().map(move |b| (a - b).abs())).sum::<f64>();
        let (n, m) = (left.len() as f64, right.len() as f64);
        let within = |x: &[f64], n: f64| pairs(x, x) / (n * (n - 1.0));
        n * m / (n + m) * (2.0 / (n * m) * pairs(left, right) - within(left, n) - within(right, m))
    }

    #[test]
    fn the_statistic_is_the_definition_s() {
        let mut noise = Noise::new(1);
        let mut values: Vec<f64> = (0..40).map(|_| 3.0 + noise.normal()).collect();
        values[7] = values[31];
        let segment = Segment::new(0, &values);
        let best = segment.best(&segment.order).unwrap();
        let by_definition = (SHORTEST..=values.len() - SHORTEST)
            .map(|split| (split, statistic(&values[..split], &values[split..])))
            .max_by(|one, other| one.1.total_cmp(&other.1))
            .unwrap();
        assert_eq!(best.left, by_definition.0);
        assert!((best.statistic / by_definition.1 - 1.0).abs() < 1e-9, "{} {by_definition:?}", best.statistic);
    }

    #[test]
    fn too_few_or_equal_values_have_no_change() {
        for count in 0..2 * SHORTEST {
            let values: Vec<f64> = (0..count).map(|i| if i < SHORTEST { 0.0 } else { 9.0 }).collect();
            assert!(indices(&values).is_empty(), "{count}");
        }
        assert!(indices(&[1.5; 100]).is_empty());
    }

    #[test]
    fn noise_is_seldom_taken_for_a_change() {
        let mut noise = Noise::new(2);
        let alarms = |level: f64, noise: &mut Noise| {
            let series = |noise: &mut Noise| -> Vec<f64> { (0..60).map(|_| noise.normal()).collect() };
            (0..200).filter(|_| !change_points(&series(noise), level).is_empty()).count()
        };
        for level in [0.01, 0.05] {
            let alarms = alarms(level, &mut noise);
            // So many or more would come about in one run of this test in a thousand, were the level kept exactly.
            assert!(alarms < binomial_upper(200, level, 1e-3), "{alarms} of 200 at {level}");
        }
    }

    #[test]
    fn a_change_of_three_standard_deviations_is_found_at_its_place() {
        let mut noise = Noise::new(3);
        let found = (0..100)
            .filter(|_| {
                let values: Vec<f64> = (0..60).map(|i| noise.normal() + if i < 35 { 0.0 } else { 3.0 }).collect();
                matches!(indices(&values)[..], [at] if at.abs_diff(35) <= 2)
            })
            .count();
        assert!(found >= 90, "{found} of 100");
    }

    #[test]
    fn a_change_of_one_standard_deviation_is_mostly_found() {
        let mut noise = Noise::new(4);
        let found = (0..100)
            .filter(|_| {
                let values: Vec<f64> = (0..100).map(|i| noise.normal() + if i < 50 { 0.0 } else { 1.0 }).collect();
                indices(&values).iter().any(|at| at.abs_diff(50) <= 15)
            })
            .count();
        assert!(found >= 90, "{found} of 100");
    }

    #[test]
    fn two_changes_are_found_also_where_the_second_undoes_the_first() {
        let mut noise = Noise::new(5);
        for levels in [[0.0, 4.0, 8.0], [0.0, 4.0, 0.0]] {
            let values: Vec<f64> = (0..90).map(|i| levels[i / 30] + 0.5 * noise.normal()).collect();
            let at = indices(&values);
            assert_eq!(at.len(), 2, "{levels:?}: {at:?}");
            assert!(at[0].abs_diff(30) <= 1 && at[1].abs_diff(60) <= 1, "{levels:?}: {at:?}");
        }
    }

    #[test]
    fn the_same_series_gives_the_same_answer() {
        let mut noise = Noise::new(6);
        let values: Vec<f64> = (0..80).map(|i| noise.normal() + if i < 40 { 0.0 } else { 1.2 }).collect();
        assert_eq!(change_points(&values, LEVEL), change_points(&values, LEVEL));
    }
}
