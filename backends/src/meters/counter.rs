//! Energy that only grows, out of counters that wrap, restart, stand still or lie.

/// Adds up what a counter advances from reading to reading, over its wraps.
///
/// A counter that wraps must be read at least once in each lap: a whole lap that nobody saw can't be known.
#[derive(Clone, Debug)]
pub struct Counter {
    wraps_at_j: Option<f64>,
    most_w: f64,
    last: Option<Point>,
    changed_s: f64,
    total_j: f64,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    at_s: f64,
    joules: f64,
}

/// Why a counter can't be believed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum CounterFault {
    /// It fell, and no wrap explains that: it was reset, or it is broken.
    #[error("the counter went back from {from_j} J to {to_j} J")]
    Backward {
        /// Its value before.
        from_j: f64,
        /// Its value after.
        to_j: f64,
    },
    /// It rose by more than the device can draw.
    #[error("the counter jumped by {step_j} J in {seconds} s")]
    Jump {
        /// By how much.
        step_j: f64,
        /// In which time since it last changed.
        seconds: f64,
    },
    /// A reading is older than the one before.
    #[error("a reading of the counter is older than the one before")]
    Order,
}

/// Counters advance in ticks, so one step may hold the energy of this time more than has passed since the last change.
const SLACK_S: f64 = 1.0;

impl Counter {
    /// A counter that starts again from 0 at `wraps_at_j` joules, of a device that draws at most `most_w` watts: twice
    /// its power limit is a good bound where that is known, [`MOST_W`](Self::MOST_W) where it is not.
    pub fn new(wraps_at_j: Option<f64>, most_w: f64) -> Self {
        Self { wraps_at_j, most_w, last: None, changed_s: 0.0, total_j: 0.0 }
    }

    /// More than any single device or node draws, in watts.
    pub const MOST_W: f64 = 20_000.0;

    /// Takes the next reading and tells the joules since the first one.
    ///
    /// # Errors
    /// What is wrong with the counter. The total stays as it was, and the next step counts from this reading: what was
    /// drawn up to it is lost, so no energy may be told across it.
    pub fn advance(&mut self, at_s: f64, joules: f64) -> Result<f64, CounterFault> {
        let Some(last) = self.last.replace(Point { at_s, joules }) else {
            self.changed_s = at_s;
            return Ok(0.0);
        };
        if at_s < last.at_s {
            return Err(CounterFault::Order);
        }
        let seconds = at_s - self.changed_s;
        let most_j = self.most_w * (seconds + SLACK_S);
        let mut step_j = joules - last.joules;
        if step_j != 0.0 {
            self.changed_s = at_s;
        }
        if step_j < 0.0 {
            step_j += self.wraps_at_j.unwrap_or(0.0);
            if step_j < 0.0 || step_j > most_j {
                return Err(CounterFault::Backward { from_j: last.joules, to_j: joules });
            }
        } else if step_j > most_j {
            return Err(CounterFault::Jump { step_j, seconds });
        }
        self.total_j += step_j;
        Ok(self.total_j)
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // Sums and differences of small integers and halves are exact.
mod tests {
    use super::*;

    fn fed(counter: &mut Counter, readings: &[(f64, f64)]) -> Vec<Result<f64, CounterFault>> {
        readings.iter().map(|&(at_s, joules)| counter.advance(at_s, joules)).collect()
    }

    #[test]
    fn it_adds_up_over_a_wrap() {
        let mut counter = Counter::new(Some(1000.0), 500.0);
        let totals = fed(&mut counter, &[(0.0, 900.0), (1.0, 990.0), (2.0, 80.0), (3.0, 170.0)]);
        assert_eq!(totals, [Ok(0.0), Ok(90.0), Ok(180.0), Ok(270.0)]);
    }

    #[test]
    fn a_counter_that_does_not_wrap_may_not_fall() {
        let mut counter = Counter::new(None, 500.0);
        let totals = fed(&mut counter, &[(0.0, 900.0), (1.0, 80.0), (2.0, 90.0)]);
        assert_eq!(totals, [Ok(0.0), Err(CounterFault::Backward { from_j: 900.0, to_j: 80.0 }), Ok(10.0)]);
    }

    #[test]
    fn a_reset_is_no_wrap() {
        let mut counter = Counter::new(Some(262_144.0), 500.0);
        let totals = fed(&mut counter, &[(0.0, 5_000.0), (1.0, 3.0)]);
        assert_eq!(totals[1], Err(CounterFault::Backward { from_j: 5_000.0, to_j: 3.0 }));
    }

    #[test]
    fn more_than_the_device_can_draw_is_a_jump() {
        let mut counter = Counter::new(None, 500.0);
        let totals = fed(&mut counter, &[(0.0, 0.0), (1.0, 400.0), (2.0, 1_400.0), (3.0, 3_000.0)]);
        assert_eq!(totals[2], Ok(1_400.0), "a tick later, the energy of two");
        assert_eq!(totals[3], Err(CounterFault::Jump { step_j: 1_600.0, seconds: 1.0 }));
    }

    #[test]
    fn readings_come_in_order() {
        let mut counter = Counter::new(None, 500.0);
        assert_eq!(fed(&mut counter, &[(1.0, 1.0), (0.5, 2.0)])[1], Err(CounterFault::Order));
    }
}
