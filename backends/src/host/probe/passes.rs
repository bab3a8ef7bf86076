//! One thread's passes over its part of the arrays, for each kind of vector register: the widest that this CPU has.

/// What is computed of each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Copy,
    Mul,
    Add,
    Triad,
    Dot,
}

impl Op {
    pub(super) fn two_inputs(self) -> bool {
        matches!(self, Self::Add | Self::Triad | Self::Dot)
    }
}

/// Passes, s, x, y and z. The arrays are equally long, a multiple of 16 elements, and aligned to 64 bytes; a dot
/// product's z is one element. Where an operation has one input, y is not used.
pub(super) type Part<T> = fn(usize, T, &[T], &[T], &mut [T]);

/// Defines `$name::<OP, AROUND>` on vectors of `$width` elements. With AROUND, stores go round the caches.
macro_rules! passes {
    (
        $name:ident, $real:ty, $width:literal, $load:expr, $store:expr, $store_around:expr, $add:expr, $mul:expr,
        $fma:expr, $fence:expr $(, $feature:literal)?
    ) => {
        $(#[target_feature(enable = $feature)])?
        pub(super) fn $name<const OP: u8, const AROUND: bool>(
            passes: usize,
            s: $real,
            x: &[$real],
            y: &[$real],
            z: &mut [$real],
        ) {
            const COPY: u8 = Op::Copy as u8;
            const MUL: u8 = Op::Mul as u8;
            const ADD: u8 = Op::Add as u8;
            const DOT: u8 = Op::Dot as u8;
            let factor = $load(&[s; $width]);
            let mut total = $load(&[0.0; $width]);
            for _ in 0..passes {
                // No compiler may take one pass for all.
                let (x, y) = black_box((x.as_chunks::<$width>().0, y.as_chunks::<$width>().0));
                if OP == DOT {
                    let mut sums = [$load(&[0.0; $width]); SUMS];
                    let (x, rest_x) = x.as_chunks::<SUMS>();
                    let (y, rest_y) = y.as_chunks::<SUMS>();
                    for (x, y) in x.iter().zip(y) {
                        for lane in 0..SUMS {
                            sums[lane] = $fma($load(&x[lane]), $load(&y[lane]), sums[lane]);
                        }
                    }
                    for (x, y) in rest_x.iter().zip(rest_y) {
                        sums[0] = $fma($load(x), $load(y), sums[0]);
                    }
                    for sum in sums {
                        total = $add(total, sum);
                    }
                    continue;
                }
                let z = black_box(z.as_chunks_mut::<$width>().0);
                for ((x, y), z) in x.iter().zip(y).zip(z) {
                    let value = match OP {
                        COPY => $load(x),
                        MUL => $mul(factor, $load(x)),
                        ADD => $add($load(x), $load(y)),
                        _ => $fma(factor, $load(y), $load(x)),
                    };
                    if AROUND { $store_around(z, value) } else { $store(z, value) }
                }
            }
            if OP == DOT {
                let mut lanes = [0.0; $width];
                $store(&mut lanes, total);
                z[0] = lanes.iter().sum();
            }
            if AROUND {
                $fence();
            }
        }
    };
}

/// Accumulators of a dot product: enough to hide the latency of an addition.
const SUMS: usize = 8;

/// One of the functions as a pointer that is safe to call.
macro_rules! pointer {
    ($op:ident, $around:literal, $($name:ident)::+) => {
        // SAFETY: taken only where the CPU was found to have what the function needs.
        |passes, s, x, y, z| unsafe { $($name)::+::<{ Op::$op as u8 }, $around>(passes, s, x, y, z) }
    };
}

/// The function for an operation.
macro_rules! choose {
    ($op:expr, $around:expr, $($name:ident)::+) => {
        match ($op, $around) {
            (Op::Copy, false) => pointer!(Copy, false, $($name)::+),
            (Op::Copy, true) => pointer!(Copy, true, $($name)::+),
            (Op::Mul, false) => pointer!(Mul, false, $($name)::+),
            (Op::Mul, true) => pointer!(Mul, true, $($name)::+),
            (Op::Add, false) => pointer!(Add, false, $($name)::+),
            (Op::Add, true) => pointer!(Add, true, $($name)::+),
            (Op::Triad, false) => pointer!(Triad, false, $($name)::+),
            (Op::Triad, true) => pointer!(Triad, true, $($name)::+),
            (Op::Dot, _) => pointer!(Dot, false, $($name)::+),
        }
    };
}

/// The function for f64.
#[allow(unused_unsafe)] // The portable function is safe to call.
pub(super) fn f64_part(op: Op, around: bool) -> Part<f64> {
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx512f") {
            return choose!(op, around, x86::f64_avx512);
        }
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            return choose!(op, around, x86::f64_avx2);
        }
    }
    choose!(op, around, portable::f64_portable)
}

/// The function for f32.
#[allow(unused_unsafe)] // The portable function is safe to call.
pub(super) fn f32_part(op: Op, around: bool) -> Part<f32> {
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx512f") {
            return choose!(op, around, x86::f32_avx512);
        }
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            return choose!(op, around, x86::f32_avx2);
        }
    }
    choose!(op, around, portable::f32_portable)
}

/// By arrays of 64 bytes, of which a compiler makes vectors. Products are rounded before they are added: not every CPU
/// that comes here fuses them.
mod portable {
    use super::{Op, SUMS};
    use std::array::from_fn;
    use std::hint::black_box;

    macro_rules! arrays {
        ($name:ident, $real:ty, $width:literal) => {
            passes!(
                $name,
                $real,
                $width,
                |x: &[$real; $width]| *x,
                |z: &mut [$real; $width], value| *z = value,
                |z: &mut [$real; $width], value| *z = value,
                |x: [$real; $width], y: [$real; $width]| from_fn::<_, $width, _>(|i| x[i] + y[i]),
                |x: [$real; $width], y: [$real; $width]| from_fn::<_, $width, _>(|i| x[i] * y[i]),
                |x: [$real; $width], y: [$real; $width], z: [$real; $width]| {
                    from_fn::<_, $width, _>(|i| x[i] * y[i] + z[i])
                },
                || ()
            );
        };
    }

    arrays!(f64_portable, f64, 8);
    arrays!(f32_portable, f32, 16);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Op, SUMS};
    use std::arch::x86_64::{
        _mm_sfence, _mm256_add_pd, _mm256_add_ps, _mm256_fmadd_pd, _mm256_fmadd_ps, _mm256_loadu_pd, _mm256_loadu_ps,
        _mm256_mul_pd, _mm256_mul_ps, _mm256_storeu_pd, _mm256_storeu_ps, _mm256_stream_pd, _mm256_stream_ps,
        _mm512_add_pd, _mm512_add_ps, _mm512_fmadd_pd, _mm512_fmadd_ps, _mm512_loadu_pd, _mm512_loadu_ps,
        _mm512_mul_pd, _mm512_mul_ps, _mm512_storeu_pd, _mm512_storeu_ps, _mm512_stream_pd, _mm512_stream_ps,
    };
    use std::hint::black_box;

    /// `passes` by intrinsics. An array of as many elements as a vector has is what they load and store.
    macro_rules! intrinsics {
        (
            $name:ident, $real:ty, $width:literal, $load:ident, $store:ident, $stream:ident, $add:ident, $mul:ident,
            $fma:ident, $feature:literal
        ) => {
            passes!(
                $name,
                $real,
                $width,
                // SAFETY: the array is as long as the vector, and no alignment is asked for.
                |x: &[$real; $width]| unsafe { $load(x.as_ptr()) },
                // SAFETY: as above.
                |z: &mut [$real; $width], value| unsafe { $store(z.as_mut_ptr(), value) },
                // SAFETY: as above; parts start at multiples of 64 bytes, and so each vector at one of its own size.
                |z: &mut [$real; $width], value| unsafe { $stream(z.as_mut_ptr(), value) },
                $add,
                $mul,
                $fma,
                _mm_sfence,
                $feature
            );
        };
    }

    intrinsics!(
        f64_avx512,
        f64,
        8,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_stream_pd,
        _mm512_add_pd,
        _mm512_mul_pd,
        _mm512_fmadd_pd,
        "avx512f"
    );
    intrinsics!(
        f32_avx512,
        f32,
        16,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_stream_ps,
        _mm512_add_ps,
        _mm512_mul_ps,
        _mm512_fmadd_ps,
        "avx512f"
    );
    intrinsics!(
        f64_avx2,
        f64,
        4,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_stream_pd,
        _mm256_add_pd,
        _mm256_mul_pd,
        _mm256_fmadd_pd,
        "avx2,fma"
    );
    intrinsics!(
        f32_avx2,
        f32,
        8,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_stream_ps,
        _mm256_add_ps,
        _mm256_mul_ps,
        _mm256_fmadd_ps,
        "avx2,fma"
    );
}
