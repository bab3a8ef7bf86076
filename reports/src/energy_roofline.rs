//! The energy roofline: what a FLOP, a byte and a second cost.
//!
//! E = ε₁ × flop + ε₂ × bytes + π₀ × seconds, after Choi, Bedard, Fowler and Vuduc, "A roofline model of energy", IPDPS
//! 2013: divided by the FLOP, E/flop = ε₁ + ε₂ / intensity + π₀ × seconds/flop.

use crate::schema::{EnergyPoint, EnergyRoofline};

/// A verified measurement at one intensity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Floating-point operations.
    pub flop: f64,
    /// Bytes moved.
    pub bytes: f64,
    /// How long it took.
    pub seconds: f64,
    /// What it took.
    pub joules: f64,
}

/// The fitted model. Errors are standard errors in the parameter's own unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Joules per FLOP, and its error.
    pub joules_per_flop: (f64, f64),
    /// Joules per byte, and its error.
    pub joules_per_byte: (f64, f64),
    /// Constant power in watts, and its error; none where time can't be told from FLOP and bytes.
    pub constant_w: Option<(f64, f64)>,
    /// The root mean square of what the model leaves, as a share of each point's joules.
    pub residual: f64,
}

/// Intensities that a fit takes.
const INTENSITIES: usize = 4;
/// Intensities closer than this share are one.
const APART: f64 = 0.01;
/// The lowest intensity is so many times below the ridge, and the highest so many times above it: else bytes or FLOP are
/// all that was measured.
const BESIDE: f64 = 1.5;
/// A column that the others explain but for this share of its length says nothing of its own.
const INDEPENDENT: f64 = 0.02;

/// Fits by least squares of the relative errors. The constant power is left out where the times are next to a mixture of
/// FLOP and bytes, and where there are not more points than parameters.
///
/// # Errors
/// What the points lack.
pub fn fit(points: &[Point]) -> Result<Fit, String> {
    let sound = |value: f64| value.is_finite() && value > 0.0;
    if !points.iter().all(|point| [point.flop, point.bytes, point.seconds, point.joules].into_iter().all(sound)) {
        return Err("a point is not a positive number throughout".to_owned());
    }
    let mut intensities: Vec<f64> = points.iter().map(|point| point.flop / point.bytes).collect();
    intensities.sort_by(f64::total_cmp);
    intensities.dedup_by(|next, before| *next <= *before * (1.0 + APART));
    if intensities.len() < INTENSITIES {
        return Err(format!("it takes {INTENSITIES} intensities, and {} were measured", intensities.len()));
    }
    let most = |rate: fn(&Point) -> f64| points.iter().map(rate).fold(0.0, f64::max);
    let ridge = most(|point| point.flop / point.seconds) / most(|point| point.bytes / point.seconds);
    if !(intensities[0] * BESIDE < ridge && ridge * BESIDE < intensities[intensities.len() - 1]) {
        return Err("all that was measured lies on one side of the ridge".to_owned());
    }
    // Each row is divided by its joules, so that the model's right side is 1 throughout.
    let columns: [Vec<f64>; 3] = [
        points.iter().map(|point| point.flop / point.joules).collect(),
        points.iter().map(|point| point.bytes / point.joules).collect(),
        points.iter().map(|point| point.seconds / point.joules).collect(),
    ];
    let ones = vec![1.0; points.len()];
    let with_time = (points.len() > columns.len()).then(|| least_squares(&columns, &ones)).flatten();
    let (parameters, residual) = with_time
        .or_else(|| least_squares(&columns[..2], &ones))
        .ok_or("FLOP and bytes can't be told from each other")?;
    Ok(Fit {
        joules_per_flop: parameters[0],
        joules_per_byte: parameters[1],
        constant_w: parameters.get(2).copied(),
        residual,
    })
}

/// The roofline of measured points, in picojoules.
///
/// # Errors
/// What the points lack.
pub fn of(points: &[EnergyPoint]) -> Result<EnergyRoofline, String> {
    let measured = points.iter().filter_map(|point| {
        let figures = point.energy.figures.as_ref()?;
        let (flop, bytes) = (point.work.flop, point.work.bytes);
        Some(Point { flop, bytes, seconds: figures.seconds_per_run, joules: figures.joules_per_run })
    });
    let fit = fit(&measured.collect::<Vec<_>>())?;
    let pico = |(value, error): (f64, f64)| (value * 1e12, error * 1e12);
    let ((pj_per_flop, pj_per_flop_error), (pj_per_byte, pj_per_byte_error)) =
        (pico(fit.joules_per_flop), pico(fit.joules_per_byte));
    Ok(EnergyRoofline {
        pj_per_flop,
        pj_per_flop_error,
        pj_per_byte,
        pj_per_byte_error,
        constant_w: fit.constant_w.map(|(value, _)| value),
        constant_w_error: fit.constant_w.map(|(_, error)| error),
        fit_error: fit.residual,
    })
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// The parameters with their standard errors, and the root mean square that is left, by modified Gram-Schmidt
/// orthogonalisation of the columns (Golub and Van Loan, "Matrix computations", 5.2.8). None where columns depend.
fn least_squares(columns: &[Vec<f64>], right: &[f64]) -> Option<(Vec<(f64, f64)>, f64)> {
    let (rows, count) = (right.len(), columns.len());
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    let mut upper = vec![vec![0.0; count]; count];
    for (index, column) in columns.iter().enumerate() {
        let mut rest = column.clone();
        for (row, unit) in basis.iter().enumerate() {
            upper[row][index] = dot(unit, &rest);
            rest.iter_mut().zip(unit).for_each(|(value, unit)| *value -= upper[row][index] * unit);
        }
        let length = dot(&rest, &rest).sqrt();
        if length <= INDEPENDENT * dot(column, column).sqrt() {
            return None;
        }
        upper[index][index] = length;
        basis.push(rest.into_iter().map(|value| value / length).collect());
    }
    let mut rest = right.to_vec();
    let mut projected = vec![0.0; count];
    for (value, unit) in projected.iter_mut().zip(&basis) {
        *value = dot(unit, &rest);
        rest.iter_mut().zip(unit).for_each(|(left, unit)| *left -= *value * unit);
    }
    let left = dot(&rest, &rest);
    let solution = back_substitute(&upper, &projected);
    // The parameters' covariance is σ² R⁻¹ R⁻ᵀ: a parameter's variance is the square of its row of R⁻¹.
    let variance = left / (rows - count) as f64;
    let mut squares = vec![0.0; count];
    for unit in 0..count {
        let mut side = vec![0.0; count];
        side[unit] = 1.0;
        for (square, value) in squares.iter_mut().zip(back_substitute(&upper, &side)) {
            *square += value * value;
        }
    }
    let errors = squares.iter().map(|square| (variance * square).sqrt());
    Some((solution.into_iter().zip(errors).collect(), (left / rows as f64).sqrt()))
}

fn back_substitute(upper: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut solution = right.to_vec();
    for row in (0..right.len()).rev() {
        let known = dot(&upper[row][row + 1..], &solution[row + 1..]);
        solution[row] = (right[row] - known) / upper[row][row];
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::*;

    const PER_FLOP: f64 = 0.8e-12;
    const PER_BYTE: f64 = 60e-12;
    const CONSTANT_W: f64 = 90.0;

    /// A device of 50 TFLOP/s and 2 TB/s that never does both at once, at an intensity, with its energy wrong by a share.
    fn point(intensity: f64, wrong: f64) -> Point {
        let (flop, bytes) = (1e12, 1e12 / intensity);
        let seconds = (flop / 50e12f64).max(bytes / 2e12);
        let joules = PER_FLOP * flop + PER_BYTE * bytes + CONSTANT_W * seconds;
        Point { flop, bytes, seconds, joules: joules * (1.0 + wrong) }
    }

    #[test]
    fn exact_points_give_the_model_back() {
        let points: Vec<Point> = [0.25, 2.0, 10.0, 30.0, 100.0, 400.0].map(|at| point(at, 0.0)).to_vec();
        let fit = fit(&points).unwrap();
        assert!((fit.joules_per_flop.0 / PER_FLOP - 1.0).abs() < 1e-9, "{fit:?}");
        assert!((fit.joules_per_byte.0 / PER_BYTE - 1.0).abs() < 1e-9, "{fit:?}");
        assert!((fit.constant_w.unwrap().0 / CONSTANT_W - 1.0).abs() < 1e-9, "{fit:?}");
        assert!(fit.residual < 1e-12, "{fit:?}");
    }

    #[test]
    fn errors_bound_what_noise_does() {
        let noise = [0.01, -0.008, 0.006, -0.01, 0.009, -0.004, 0.007, -0.009];
        let intensities = [0.25, 1.0, 4.0, 12.0, 25.0, 50.0, 150.0, 400.0];
        let points: Vec<Point> = intensities.iter().zip(noise).map(|(&at, wrong)| point(at, wrong)).collect();
        let fit = fit(&points).unwrap();
        for ((value, error), truth) in
            [(fit.joules_per_flop, PER_FLOP), (fit.joules_per_byte, PER_BYTE), (fit.constant_w.unwrap(), CONSTANT_W)]
        {
            assert!(error > 0.0 && (value - truth).abs() < 3.0 * error, "{value} ± {error}, not {truth}");
        }
        assert!((0.004..0.012).contains(&fit.residual), "{fit:?}");
    }

    /// As [`point`], on a device that computes and moves one after the other.
    fn serial(intensity: f64) -> Point {
        let (flop, bytes) = (1e12, 1e12 / intensity);
        let seconds = flop / 50e12f64 + bytes / 2e12;
        let joules = PER_FLOP * flop + PER_BYTE * bytes + CONSTANT_W * seconds;
        Point { flop, bytes, seconds, joules }
    }

    #[test]
    fn time_that_follows_flop_and_bytes_has_no_power_of_its_own() {
        let points: Vec<Point> = [0.25, 1.0, 10.0, 50.0, 400.0].map(serial).to_vec();
        let fit = fit(&points).unwrap();
        assert_eq!(fit.constant_w, None);
        // The power is then paid by the FLOP and by the byte.
        assert!((fit.joules_per_flop.0 / (PER_FLOP + CONSTANT_W / 50e12) - 1.0).abs() < 1e-9, "{fit:?}");
        assert!((fit.joules_per_byte.0 / (PER_BYTE + CONSTANT_W / 2e12) - 1.0).abs() < 1e-9, "{fit:?}");
    }

    #[test]
    fn one_side_of_the_ridge_is_no_fit() {
        for side in [[0.25, 0.5, 1.0, 2.0], [50.0, 100.0, 200.0, 400.0]] {
            let error = fit(&side.map(|at| point(at, 0.0))).unwrap_err();
            assert!(error.contains("one side of the ridge"), "{error}");
        }
    }

    #[test]
    fn too_little_is_no_fit() {
        let three = [1.0, 10.0, 10.05, 100.0].map(|at| point(at, 0.0));
        assert_eq!(fit(&three), Err("it takes 4 intensities, and 3 were measured".to_owned()));
        let dark = Point { joules: 0.0, ..point(1.0, 0.0) };
        assert!(fit(&[dark]).is_err());
    }
}
