//! The chains for each kind of vector register: the widest that this CPU has, found when the program runs.

/// What every chain does: `bodies` times, `body` − 1 steps x ← a·x + b and one x ← a·x + c. It starts at a multiple of
/// `unit`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps<T> {
    pub(super) bodies: usize,
    pub(super) body: usize,
    pub(super) unit: T,
    pub(super) a: T,
    pub(super) b: T,
    pub(super) c: T,
}

impl Steps<f64> {
    pub(super) fn narrow(self) -> Steps<f32> {
        let [unit, a, b, c] = [self.unit, self.a, self.b, self.c].map(|number| number as f32);
        Steps { bodies: self.bodies, body: self.body, unit, a, b, c }
    }
}

/// Takes x to y, both as long as a multiple of the lanes that it has in registers.
pub(super) type Function<T> = fn(&Steps<T>, &[T], &mut [T]);

/// Defines `$name::<CHAINS>`, which advances CHAINS vectors of `$width` lanes in turn.
macro_rules! chains {
    ($name:ident, $real:ty, $width:literal, $load:expr, $fma:expr, $store:expr $(, $feature:literal)?) => {
        $(#[target_feature(enable = $feature)])?
        pub(super) fn $name<const CHAINS: usize>(steps: &Steps<$real>, x: &[$real], y: &mut [$real]) {
            let [a, b, c] = [$load(&[steps.a; $width]), $load(&[steps.b; $width]), $load(&[steps.c; $width])];
            for (x, y) in x.chunks_exact(CHAINS * $width).zip(y.chunks_exact_mut(CHAINS * $width)) {
                for (x, y) in x.iter().zip(&mut *y) {
                    *y = (x / steps.unit).round_ties_even() * steps.unit;
                }
                let lanes = y.as_chunks_mut::<$width>().0;
                let mut vectors: [_; CHAINS] = std::array::from_fn(|chain| $load(&lanes[chain]));
                for _ in 0..steps.bodies {
                    for _ in 1..steps.body {
                        for vector in &mut vectors {
                            *vector = $fma(*vector, a, b);
                        }
                    }
                    for vector in &mut vectors {
                        *vector = $fma(*vector, a, c);
                    }
                }
                for (vector, y) in vectors.into_iter().zip(lanes) {
                    $store(y, vector);
                }
            }
        }
    };
}

/// One of the functions as a pointer that is safe to call.
macro_rules! pointer {
    ($function:expr) => {
        // SAFETY: taken only where the CPU was found to have what the function needs.
        Some(|steps, x, y| unsafe { $function(steps, x, y) })
    };
}

/// The function for a number of chains, where there is one.
macro_rules! choose {
    ($chains:expr, $($name:ident)::+) => {
        match $chains {
            4 => pointer!($($name)::+::<4>),
            8 => pointer!($($name)::+::<8>),
            12 => pointer!($($name)::+::<12>),
            16 => pointer!($($name)::+::<16>),
            _ => None,
        }
    };
}

/// The function for f64.
#[allow(unused_unsafe)] // The portable function is safe to call.
pub(super) fn f64_chains(chains: usize) -> Option<Function<f64>> {
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx512f") {
            return choose!(chains, x86::f64_avx512);
        }
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            return choose!(chains, x86::f64_avx2);
        }
    }
    choose!(chains, f64_portable)
}

/// The function for f32.
#[allow(unused_unsafe)] // The portable function is safe to call.
pub(super) fn f32_chains(chains: usize) -> Option<Function<f32>> {
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx512f") {
            return choose!(chains, x86::f32_avx512);
        }
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            return choose!(chains, x86::f32_avx2);
        }
    }
    choose!(chains, f32_portable)
}

chains!(f64_portable, f64, 2, |x: &[f64; 2]| *x, multiply_add, |y: &mut [f64; 2], x| *y = x);
chains!(f32_portable, f32, 4, |x: &[f32; 4]| *x, multiply_add, |y: &mut [f32; 4], x| *y = x);

/// Sixteen bytes are a vector register where nothing more is known; NEON's are never wider.
fn multiply_add<T: Fused, const WIDTH: usize>(x: [T; WIDTH], a: [T; WIDTH], b: [T; WIDTH]) -> [T; WIDTH] {
    std::array::from_fn(|lane| x[lane].fused(a[lane], b[lane]))
}

trait Fused: Copy {
    fn fused(self, a: Self, b: Self) -> Self;
}

impl Fused for f64 {
    fn fused(self, a: Self, b: Self) -> Self {
        self.mul_add(a, b)
    }
}

impl Fused for f32 {
    fn fused(self, a: Self, b: Self) -> Self {
        self.mul_add(a, b)
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Steps;
    use std::arch::x86_64::{
        _mm256_fmadd_pd, _mm256_fmadd_ps, _mm256_loadu_pd, _mm256_loadu_ps, _mm256_storeu_pd, _mm256_storeu_ps,
        _mm512_fmadd_pd, _mm512_fmadd_ps, _mm512_loadu_pd, _mm512_loadu_ps, _mm512_storeu_pd, _mm512_storeu_ps,
    };

    /// [`chains`] by intrinsics. An array of as many lanes as a vector has is what they load and store.
    macro_rules! intrinsics {
        ($name:ident, $real:ty, $width:literal, $load:ident, $fma:ident, $store:ident, $feature:literal) => {
            chains!(
                $name,
                $real,
                $width,
                // SAFETY: the array is as long as the vector, and no alignment is asked for.
                |x: &[$real; $width]| unsafe { $load(x.as_ptr()) },
                $fma,
                // SAFETY: as above.
                |y: &mut [$real; $width], x| unsafe { $store(y.as_mut_ptr(), x) },
                $feature
            );
        };
    }

    intrinsics!(f64_avx512, f64, 8, _mm512_loadu_pd, _mm512_fmadd_pd, _mm512_storeu_pd, "avx512f");
    intrinsics!(f32_avx512, f32, 16, _mm512_loadu_ps, _mm512_fmadd_ps, _mm512_storeu_ps, "avx512f");
    intrinsics!(f64_avx2, f64, 4, _mm256_loadu_pd, _mm256_fmadd_pd, _mm256_storeu_pd, "avx2,fma");
    intrinsics!(f32_avx2, f32, 8, _mm256_loadu_ps, _mm256_fmadd_ps, _mm256_storeu_ps, "avx2,fma");
}
