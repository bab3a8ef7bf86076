//! What elements are stored as, and what they are computed as.

use super::halves;
use crate::{Error, LibraryCall, Result};
use bytemuck::Pod;
use half::f16;
use std::ops::{Add, Div, Mul, Sub};

/// The precisions that the host's functions have: the storage, and sums as wide or wider.
#[derive(Clone, Copy)]
pub(super) enum Precision {
    F64,
    F32,
    /// Widened to f32 for the sums.
    F16,
}

impl Precision {
    pub(super) fn of(call: &LibraryCall) -> Result<Self> {
        match (call.text("storage")?, call.text("accumulate")?) {
            ("f64", "f64") => Ok(Self::F64),
            ("f32", "f32") => Ok(Self::F32),
            ("f16", "f32") => Ok(Self::F16),
            (storage, accumulate) => {
                Err(Error::unsupported(format!("{} has no {storage} with sums in {accumulate}", call.library)))
            }
        }
    }
}

/// A type that sums are computed in.
pub(super) trait Real:
    Pod + Send + Sync + PartialOrd + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    const ZERO: Self;
    const ONE: Self;
    const NEG_INFINITY: Self;

    /// 1/√n.
    fn inverse_root(n: usize) -> Self;

    /// a·b + c, rounded once.
    fn mul_add(a: Self, b: Self, c: Self) -> Self;

    /// e^x for x up to about 88, to 2 units in the last place; 0 where the result would be subnormal.
    fn exp(self) -> Self;
}

/// Constants of e^x = 2^n·e^r with n = round(x/ln 2), where r is found to more than the type's precision because the
/// high part of ln 2 times any n is exact (Cody and Waite), and e^r is its Taylor polynomial.
macro_rules! real {
    ($real:ident, $mantissa:literal, lowest: $lowest:expr, ln2: $high:expr, $low:expr, terms: $terms:literal) => {
        impl Real for $real {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NEG_INFINITY: Self = $real::NEG_INFINITY;

            fn inverse_root(n: usize) -> Self {
                (1.0 / (n as f64).sqrt()) as Self
            }

            #[inline(always)]
            fn mul_add(a: Self, b: Self, c: Self) -> Self {
                a.mul_add(b, c)
            }

            #[inline(always)]
            fn exp(self) -> Self {
                /// Adding it leaves the nearest whole number in the lowest bits.
                const ROUND: $real = 1.5 * (1_u64 << $mantissa) as $real;
                /// 1/k!.
                const TAYLOR: [$real; $terms] = {
                    let mut terms = [1.0; $terms];
                    let mut k = 1;
                    while k < $terms {
                        terms[k] = terms[k - 1] / k as $real;
                        k += 1;
                    }
                    terms
                };
                // Comparisons, not `max`, so that NaN stays NaN.
                let x = if self < $lowest { $lowest } else { self };
                let shifted = x.mul_add(std::$real::consts::LOG2_E, ROUND);
                let n = shifted - ROUND;
                let r = n.mul_add(-$low, n.mul_add(-$high, x));
                let mut sum = TAYLOR[$terms - 1];
                let mut k = $terms - 1;
                while k > 0 {
                    k -= 1;
                    sum = sum.mul_add(r, TAYLOR[k]);
                }
                let power = $real::from_bits((shifted.to_bits() << $mantissa).wrapping_add($real::to_bits(1.0)));
                if self < $lowest { 0.0 } else { sum * power }
            }
        }
    };
}

real!(f32, 23, lowest: -87.336_54, ln2: 0.693_359_4, -2.121_944_4e-4, terms: 8);
real!(f64, 52, lowest: -708.396_418_532_264_1, ln2: 0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10, terms: 14);

/// A type that elements are stored in.
pub(super) trait Element: Pod + Send + Sync {
    /// What it is computed as.
    type Real: Real;

    /// Whether that is the same type.
    const IN_PLACE: bool;

    /// The element as it is computed.
    fn real(self) -> Self::Real;

    /// The nearest element.
    fn stored(real: Self::Real) -> Self;

    /// Converts `from` into `to`, which is as long.
    fn widen(from: &[Self], to: &mut [Self::Real]);

    /// Rounds `from` into `to`, which is as long.
    fn narrow(from: &[Self::Real], to: &mut [Self]);

    /// The same elements, where they are stored as they are computed.
    fn in_place(slice: &[Self]) -> Option<&[Self::Real]> {
        Self::IN_PLACE.then(|| bytemuck::cast_slice(slice))
    }

    /// The elements as they are computed: in place, or converted into `to`, which is at least as long.
    fn widened<'a>(from: &'a [Self], to: &'a mut [Self::Real]) -> &'a [Self::Real] {
        Self::in_place(from).unwrap_or_else(|| {
            let to = &mut to[..from.len()];
            Self::widen(from, to);
            to
        })
    }
}

macro_rules! stored_as_computed {
    ($($real:ident)*) => {$(
        impl Element for $real {
            type Real = Self;

            const IN_PLACE: bool = true;

            fn real(self) -> Self {
                self
            }

            fn stored(real: Self) -> Self {
                real
            }

            fn widen(from: &[Self], to: &mut [Self]) {
                to.copy_from_slice(from);
            }

            fn narrow(from: &[Self], to: &mut [Self]) {
                to.copy_from_slice(from);
            }
        }
    )*};
}

stored_as_computed!(f32 f64);

impl Element for f16 {
    type Real = f32;

    const IN_PLACE: bool = false;

    fn real(self) -> f32 {
        self.to_f32()
    }

    fn stored(real: f32) -> Self {
        Self::from_f32(real)
    }

    fn widen(from: &[Self], to: &mut [f32]) {
        halves::widen(from, to);
    }

    fn narrow(from: &[f32], to: &mut [Self]) {
        halves::narrow(from, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units in the last place of `truth` between it and `got`.
    fn ulps(got: f64, truth: f64, epsilon: f64) -> f64 {
        ((got - truth) / (epsilon * truth.log2().floor().exp2())).abs()
    }

    #[test]
    #[allow(clippy::float_cmp)] // These results are exact.
    fn exponentials_are_good_to_2_units_in_the_last_place() {
        let mut worst = [0.0_f64; 2];
        for step in 0..2_000_000 {
            let x = -708.0 * f64::from(step) / 2e6;
            worst[0] = worst[0].max(ulps(Real::exp(x), x.exp(), f64::EPSILON));
            let x = (x / 708.0 * 87.3) as f32;
            worst[1] = worst[1].max(ulps(f64::from(Real::exp(x)), f64::from(x).exp(), f64::from(f32::EPSILON)));
        }
        assert!(worst.iter().all(|ulps| *ulps < 2.0), "{worst:?}");
        assert_eq!(Real::exp(0.0_f32), 1.0);
        assert_eq!(Real::exp(0.0_f64), 1.0);
        assert_eq!(Real::exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(Real::exp(f64::NEG_INFINITY), 0.0);
        assert!(Real::exp(f32::NAN).is_nan() && Real::exp(f64::NAN).is_nan());
    }
}
