//! Outputs against truth: the verdict, and the error that rounding may cause.
//!
//! A sum of k products, kept with unit in the last place u, is off by the sum over its steps of u times the
//! partial sum there. For inputs that are independent and zero on average, as [`fill::normal`](crate::fill::normal)
//! makes them, the partial sums grow like the square root of the number of terms, and the steps' errors cancel alike.
//! With ‖p‖ the Euclidean norm of the k products, the error's standard deviation is below u·√(k/2)·‖p‖ for any order of
//! summation, so
//!
//! ```text
//! |error| ≤ λ · u · √(k + 2) · ‖p‖  +  u_out · |truth|  +  the smallest normal number
//! ```
//!
//! with λ = 6 fails a right kernel less than once in 10⁸ elements, while sums kept in half precision where single is
//! promised are ten times outside from k = 64 on. Where operands are rounded before they are multiplied, as tf32's are, each
//! product is off by up to 2r of itself, r the operands' relative error, independently of the others: λ·2r·‖p‖ comes on
//! top. Of whole numbers all is exact, and the bound 0. The second term is the rounding to the stored type, the third what a
//! device that flushes subnormals may lose. u is a whole unit, not half of one: device compilers promise faithful
//! rounding, not always correct rounding, and the truth's own f64 rounding is inside it too.
//!
//! (Probabilistic bounds after N. J. Higham and T. Mary, "A new approach to probabilistic rounding error analysis",
//! SIAM J. Sci. Comput. 41(5), 2019; Freivalds' projection after R. Freivalds, "Probabilistic machines can use less
//! running time", IFIP 1977.)

use crate::Precision;

/// How many standard deviations an error may have: see the module's text.
pub const LAMBDA: f64 = 6.0;

/// Hoeffding: a sum of independent signs times values of quadratic mean q exceeds this times q with a probability of
/// 2·exp(−7²/2) < 10⁻¹⁰.
const PROJECTION: f64 = 7.0;

/// What a comparison found.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Whether every check held.
    pub ok: bool,
    /// How it was checked: `elementwise`, or `sampled+freivalds`.
    pub method: &'static str,
    /// Elements that were compared one by one.
    pub checked: u64,
    /// The error that came nearest to its bound, or is farthest beyond it.
    pub max_error: f64,
    /// That error's bound.
    pub bound: f64,
    /// Where that was, with both values.
    pub worst: String,
}

/// Gathers comparisons into a verdict.
#[derive(Debug)]
pub struct Comparison {
    checked: u64,
    worst: Option<Worst>,
}

#[derive(Debug)]
struct Worst {
    error: f64,
    bound: f64,
    place: String,
}

impl Worst {
    /// Above 1 is wrong. An error that is not a number is beyond every bound.
    fn ratio(&self) -> f64 {
        // Where all is exact, the bound is 0, too.
        if self.error == 0.0 {
            return 0.0;
        }
        let ratio = self.error / self.bound;
        if ratio.is_nan() { f64::INFINITY } else { ratio }
    }
}

impl Comparison {
    /// Nothing compared yet.
    pub fn new() -> Self {
        Self { checked: 0, worst: None }
    }

    /// Compares one element.
    pub fn element(&mut self, got: f64, truth: f64, bound: f64, place: impl FnOnce() -> String) {
        self.checked += 1;
        self.note((got - truth).abs(), bound, || format!("{}: {got:e} instead of {truth:e}", place()));
    }

    /// Compares a projection, which speaks for many elements at once.
    pub fn projection(&mut self, residual: f64, bound: f64, place: impl FnOnce() -> String) {
        self.note(residual.abs(), bound, place);
    }

    /// Takes in what another thread compared.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.checked += other.checked;
        if let Some(worst) = other.worst {
            self.note(worst.error, worst.bound, || worst.place);
        }
        self
    }

    fn note(&mut self, error: f64, bound: f64, place: impl FnOnce() -> String) {
        let candidate = Worst { error, bound, place: String::new() };
        if self.worst.as_ref().is_none_or(|worst| candidate.ratio() > worst.ratio()) {
            self.worst = Some(Worst { place: place(), ..candidate });
        }
    }

    /// The verdict. Where nothing was compared, nothing is right.
    pub fn verdict(self, method: &'static str) -> Verdict {
        match self.worst {
            Some(worst) => Verdict {
                ok: worst.ratio() <= 1.0,
                method,
                checked: self.checked,
                max_error: worst.error,
                bound: worst.bound,
                worst: worst.place,
            },
            None => Verdict {
                ok: false,
                method,
                checked: 0,
                max_error: f64::NAN,
                bound: 0.0,
                worst: "nothing was compared".to_owned(),
            },
        }
    }
}

impl Default for Comparison {
    fn default() -> Self {
        Self::new()
    }
}

/// The bound on a sum of `terms` products: `norm_squared` is the sum of their squares.
pub fn sum_bound(precision: Precision, terms: u64, norm_squared: f64, truth: f64) -> f64 {
    accumulation_bound(precision, terms) * norm_squared.sqrt()
        + precision.result().ulp() * truth.abs()
        + precision.result().min_positive()
}

/// The part of [`sum_bound`] that multiplies the norm of the products.
pub fn accumulation_bound(precision: Precision, terms: u64) -> f64 {
    LAMBDA * (precision.sum_ulp() * (terms as f64 + 2.0).sqrt() + 2.0 * precision.operand_error())
}

/// The bound on the residual of `outputs` sums of `terms` products each, added up with random signs: `norm_squared` is
/// the sum of all products' squares, `size_squared` that of the outputs'.
pub fn projection_bound(precision: Precision, terms: u64, outputs: u64, norm_squared: f64, size_squared: f64) -> f64 {
    let outputs = (outputs as f64).sqrt();
    // The projections' own rounding, which only shows where the output is f64 too.
    let exact = precision.accumulate().is_integer();
    let own = if exact { 0.0 } else { f64::EPSILON * (outputs + (terms as f64).sqrt()) };
    // An output that is no number has no size either, and its bound must stay one.
    let size_squared = if size_squared.is_finite() { size_squared } else { 0.0 };
    let flushed = precision.result().min_positive() * outputs;
    PROJECTION
        * ((accumulation_bound(precision, terms) + own) * norm_squared.sqrt()
            + precision.result().ulp() * size_squared.sqrt()
            + flushed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_wrong_whatever_the_bound() {
        let mut comparison = Comparison::new();
        comparison.element(1.0, 1.0, 1e-9, || "first".into());
        comparison.element(f64::NAN, 1.0, f64::INFINITY, || "second".into());
        let verdict = comparison.verdict("elementwise");
        assert!(!verdict.ok);
        assert!(verdict.worst.starts_with("second"), "{}", verdict.worst);
    }

    #[test]
    fn nothing_compared_is_not_right() {
        assert!(!Comparison::new().verdict("elementwise").ok);
    }

    #[test]
    fn whole_numbers_are_right_to_the_last_one() {
        let bound = sum_bound(Precision::I8, 4096, 1e9, 12345.0);
        let projected = projection_bound(Precision::I8, 4096, 4096, 1e12, 1e12);
        assert_eq!([bound, projected].map(f64::to_bits), [0; 2]);
        let verdict = |got: f64| {
            let mut comparison = Comparison::new();
            comparison.element(got, 12345.0, bound, || "first".into());
            comparison.verdict("elementwise").ok
        };
        assert!(verdict(12345.0) && !verdict(12346.0) && !verdict(f64::NAN));
    }

    #[test]
    fn merging_keeps_the_worst() {
        let mut left = Comparison::new();
        left.element(1.5, 1.0, 1.0, || "left".into());
        let mut right = Comparison::new();
        right.element(3.0, 1.0, 1.0, || "right".into());
        let verdict = left.merge(right).verdict("elementwise");
        assert!(!verdict.ok && verdict.checked == 2 && verdict.worst.starts_with("right"));
    }
}
