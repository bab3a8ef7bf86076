//! Vectors of a type as wide as this CPU's registers.

use crate::host::element::{Element, Real};
use pulp::{MemMask, Simd};

/// Lanes of the widest vectors.
const MOST: usize = 64;

/// A type with vectors.
pub(in crate::host) trait Lanes: Real + Element<Real = Self> {
    /// A vector: so many contiguous elements.
    type Vector<S: Simd>: Copy;
    /// Some of its lanes.
    type Mask<S: Simd>: Copy;

    /// All lanes alike.
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;

    /// a·b + c.
    fn fma<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;

    /// The sum of all lanes.
    fn sum<S: Simd>(simd: S, x: Self::Vector<S>) -> Self;

    /// The lanes whose bits are set, from the lowest on.
    fn lanes_of<S: Simd>(simd: S, bits: u64) -> Self::Mask<S>;

    /// Those lanes of a vector in memory; the others are 0 and not read.
    ///
    /// # Safety
    /// Those lanes are valid.
    unsafe fn load<S: Simd>(simd: S, lanes: Self::Mask<S>, from: *const Self) -> Self::Vector<S>;

    /// The bits of either.
    fn or<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;

    /// Elements of a vector.
    fn lanes<S: Simd>() -> usize {
        size_of::<Self::Vector<S>>() / size_of::<Self>()
    }
}

macro_rules! lanes {
    ($real:ident, $vector:ident, $splat:ident, $fma:ident, $sum:ident, $or:ident,
     $mask:ident: $bits:ident, $set:ident, $splat_bits:ident, $greater:ident, $load:ident) => {
        impl Lanes for $real {
            type Vector<S: Simd> = S::$vector;
            type Mask<S: Simd> = MemMask<S::$mask>;

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

            #[inline(always)]
            fn lanes_of<S: Simd>(simd: S, bits: u64) -> MemMask<S::$mask> {
                let set: [$bits; MOST] = std::array::from_fn(|lane| (bits >> lane & 1) as $bits);
                // SAFETY: a vector is so many of these, or fewer.
                let set = unsafe { set.as_ptr().cast::<S::$set>().read_unaligned() };
                simd.$greater(set, simd.$splat_bits(0)).into()
            }

            #[inline(always)]
            unsafe fn load<S: Simd>(simd: S, lanes: MemMask<S::$mask>, from: *const Self) -> S::$vector {
                // SAFETY: the caller's.
                unsafe { simd.$load(lanes, from) }
            }

            #[inline(always)]
            fn or<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$or(a, b)
            }
        }
    };
}

lanes!(f32, f32s, splat_f32s, mul_add_f32s, reduce_sum_f32s, or_f32s,
    m32s: u32, u32s, splat_u32s, greater_than_u32s, mask_load_ptr_f32s);
lanes!(f64, f64s, splat_f64s, mul_add_f64s, reduce_sum_f64s, or_f64s,
    m64s: u64, u64s, splat_u64s, greater_than_u64s, mask_load_ptr_f64s);
