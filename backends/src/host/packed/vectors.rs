//! Vectors of a type as wide as this CPU's registers.

use crate::host::element::Real;
use pulp::Simd;

/// A type with vectors.
pub(super) trait Lanes: Real {
    /// A vector: so many contiguous elements.
    type Vector<S: Simd>: Copy;

    /// All lanes alike.
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;

    /// a·b + c.
    fn fma<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;

    /// The sum of all lanes.
    fn sum<S: Simd>(simd: S, x: Self::Vector<S>) -> Self;

    /// Elements of a vector.
    fn lanes<S: Simd>() -> usize {
        size_of::<Self::Vector<S>>() / size_of::<Self>()
    }
}

macro_rules! lanes {
    ($real:ident, $vector:ident, $splat:ident, $fma:ident, $sum:ident) => {
        impl Lanes for $real {
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> S::$vector {
                simd.$splat(x)
            }

            #[inline(always)]
            fn fma<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                simd.$fma(a, b, c)
            }

            #[inline(always)]
            fn sum<S: Simd>(simd: S, x: S::$vector) -> Self {
                simd.$sum(x)
            }
        }
    };
}

lanes!(f32, f32s, splat_f32s, mul_add_f32s, reduce_sum_f32s);
lanes!(f64, f64s, splat_f64s, mul_add_f64s, reduce_sum_f64s);
