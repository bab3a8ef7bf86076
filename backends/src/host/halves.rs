//! Halves widened and narrowed a register at a time.
//!
//! `half` converts slices by a call for each 8 elements, which takes as long as a product of few rows. So whole registers are
//! converted here, and the rest by it.

use half::f16;
use half::slice::HalfFloatSliceExt;

/// Converts `from` into `to`, which is as long.
pub(super) fn widen(from: &[f16], to: &mut [f32]) {
    let done = whole::widen(from, to);
    from[done..].convert_to_f32_slice(&mut to[done..]);
}

/// Rounds `from` to the nearest halves, ties to even, in `to`, which is as long.
pub(super) fn narrow(from: &[f32], to: &mut [f16]) {
    let done = whole::narrow(from, to);
    to[done..].convert_from_f32_slice(&from[done..]);
}

/// Whole registers: how many elements were converted is returned.
#[cfg(target_arch = "x86_64")]
mod whole {
    use half::f16;
    use std::arch::x86_64::{
        _MM_FROUND_TO_NEAREST_INT, _mm_loadu_si128, _mm_storeu_si128, _mm256_cvtph_ps, _mm256_cvtps_ph,
        _mm256_loadu_ps, _mm256_loadu_si256, _mm256_storeu_ps, _mm256_storeu_si256, _mm512_cvtph_ps, _mm512_cvtps_ph,
        _mm512_loadu_ps, _mm512_storeu_ps,
    };

    pub(super) fn widen(from: &[f16], to: &mut [f32]) -> usize {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has these instructions.
            unsafe { widen_16(from, to) }
        } else if is_x86_feature_detected!("f16c") {
            // SAFETY: the same.
            unsafe { widen_8(from, to) }
        } else {
            0
        }
    }

    pub(super) fn narrow(from: &[f32], to: &mut [f16]) -> usize {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has these instructions.
            unsafe { narrow_16(from, to) }
        } else if is_x86_feature_detected!("f16c") {
            // SAFETY: the same.
            unsafe { narrow_8(from, to) }
        } else {
            0
        }
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn widen_16(from: &[f16], to: &mut [f32]) -> usize {
        let (from, to) = (from.as_chunks::<16>().0, to.as_chunks_mut::<16>().0);
        for (from, to) in from.iter().zip(&mut *to) {
            // SAFETY: 16 elements each.
            unsafe { _mm512_storeu_ps(to.as_mut_ptr(), _mm512_cvtph_ps(_mm256_loadu_si256(from.as_ptr().cast()))) };
        }
        16 * from.len().min(to.len())
    }

    #[target_feature(enable = "f16c")]
    pub(super) fn widen_8(from: &[f16], to: &mut [f32]) -> usize {
        let (from, to) = (from.as_chunks::<8>().0, to.as_chunks_mut::<8>().0);
        for (from, to) in from.iter().zip(&mut *to) {
            // SAFETY: 8 elements each.
            unsafe { _mm256_storeu_ps(to.as_mut_ptr(), _mm256_cvtph_ps(_mm_loadu_si128(from.as_ptr().cast()))) };
        }
        8 * from.len().min(to.len())
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn narrow_16(from: &[f32], to: &mut [f16]) -> usize {
        let (from, to) = (from.as_chunks::<16>().0, to.as_chunks_mut::<16>().0);
        for (from, to) in from.iter().zip(&mut *to) {
            // SAFETY: 16 elements each.
            unsafe {
                let halves = _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(_mm512_loadu_ps(from.as_ptr()));
                _mm256_storeu_si256(to.as_mut_ptr().cast(), halves);
            }
        }
        16 * from.len().min(to.len())
    }

    #[target_feature(enable = "f16c")]
    pub(super) fn narrow_8(from: &[f32], to: &mut [f16]) -> usize {
        let (from, to) = (from.as_chunks::<8>().0, to.as_chunks_mut::<8>().0);
        for (from, to) in from.iter().zip(&mut *to) {
            // SAFETY: 8 elements each.
            unsafe {
                let halves = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(_mm256_loadu_ps(from.as_ptr()));
                _mm_storeu_si128(to.as_mut_ptr().cast(), halves);
            }
        }
        8 * from.len().min(to.len())
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod whole {
    use half::f16;

    pub(super) fn widen(_from: &[f16], _to: &mut [f32]) -> usize {
        0
    }

    pub(super) fn narrow(_from: &[f32], _to: &mut [f16]) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn every_half_is_widened_exactly() {
        let all: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).filter(|half| !half.is_nan()).collect();
        let truth: Vec<f32> = all.iter().map(|half| half.to_f32_const()).collect();
        let mut wide = vec![0.0; all.len()];
        widen(&all, &mut wide);
        assert_eq!(bits(&wide), bits(&truth));
    }

    #[test]
    fn floats_are_rounded_to_the_nearest_half_and_ties_to_the_even_one() {
        // Every half, what lies halfway to the next one, and its neighbours; beyond the largest and below the smallest, too.
        let floats: Vec<f32> = (0..0x7c00_u16)
            .flat_map(|low| {
                let [low, high] = [low, low + 1].map(|bits| f16::from_bits(bits).to_f32_const());
                let middle = if high.is_finite() { f32::midpoint(low, high) } else { 65520.0 };
                [low, middle, middle.next_up(), middle.next_down(), -middle, 2.0 * high]
            })
            .collect();
        let truth: Vec<u16> = floats.iter().map(|&float| f16::from_f32_const(float).to_bits()).collect();
        let mut halves = vec![f16::NAN; floats.len()];
        narrow(&floats, &mut halves);
        assert_eq!(halves.iter().map(|half| half.to_bits()).collect::<Vec<_>>(), truth);
    }

    #[test]
    fn nan_stays_nan_and_every_length_is_whole() {
        for length in 0..70 {
            let from: Vec<f16> = (0..length).map(|i| f16::from_f32(i as f32 - 20.0)).collect();
            let mut wide = vec![f32::NAN; length];
            widen(&from, &mut wide);
            assert!(
                wide.iter().enumerate().all(|(i, &value)| value.to_bits() == (i as f32 - 20.0).to_bits()),
                "{length}"
            );
            let mut back = vec![f16::NAN; length];
            narrow(&wide, &mut back);
            assert_eq!(back, from);
        }
        let mut wide = [0.0; 19];
        widen(&[f16::NAN; 19], &mut wide);
        let mut halves = [f16::ZERO; 19];
        narrow(&[f32::NAN; 19], &mut halves);
        assert!(wide.iter().all(|value| value.is_nan()) && halves.iter().all(|half| half.is_nan()));
    }

    /// This processor may have both.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn registers_of_8_and_of_16_agree() {
        if !(is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("f16c")) {
            println!("left out: this processor has not both");
            return;
        }
        let halves: Vec<f16> = (0..0x7c00).map(f16::from_bits).collect();
        let mut wide = [vec![0.0; halves.len()], vec![0.0; halves.len()]];
        // SAFETY: the processor has these instructions.
        let done = unsafe { [whole::widen_8(&halves, &mut wide[0]), whole::widen_16(&halves, &mut wide[1])] };
        assert_eq!((done, bits(&wide[0])), ([halves.len(); 2], bits(&wide[1])));
        let floats: Vec<f32> = wide[0].iter().map(|value| value * 1.000_3).collect();
        let mut narrow = [vec![f16::ZERO; halves.len()], vec![f16::ZERO; halves.len()]];
        // SAFETY: the same.
        let done = unsafe { [whole::narrow_8(&floats, &mut narrow[0]), whole::narrow_16(&floats, &mut narrow[1])] };
        assert_eq!((done, &narrow[0]), ([halves.len(); 2], &narrow[1]));
    }
}
