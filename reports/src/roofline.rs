//! The roofline: what a device can attain for a case, from its ceilings and the case's work.
//!
//! attainable = min(peak, bandwidth × intensity), after Williams, Waterman and Patterson, CACM 52(4), 2009.

use crate::schema::{Bound, CacheMode, Ceiling, Ceilings, Quantity, ResultRow, Unit, Work};

/// A rate above the attainable one by more than this is no measurement: times vary by so much.
pub const TOLERANCE: f64 = 1.02;

/// The type that sums are kept in, which is what vector units compute in; none for types that are not known here.
fn arithmetic(dtype: &str) -> Option<&'static str> {
    match dtype {
        "f64" => Some("f64"),
        "f32" | "bf16" | "f16" => Some("f32"),
        "f16-acc16" => Some("f16"),
        _ => None,
    }
}

/// The best of `figures` that are of the units and types that a case computes on and in.
fn best<'a>(dtype: &str, unit: Unit, figures: impl Iterator<Item = (&'a str, Unit, f64)>) -> Option<f64> {
    let fits = |of: &str, kind: Unit| match kind {
        Unit::Vector => unit != Unit::Matrix && arithmetic(dtype) == Some(of),
        Unit::Matrix => unit != Unit::Vector && of == dtype,
        Unit::Any => false,
    };
    figures.filter(|&(of, kind, _)| fits(of, kind)).map(|(.., value)| value).reduce(f64::max)
}

/// The measured peak of the units that compute a case, in FLOP/s.
pub fn peak(ceilings: &Ceilings, dtype: &str, unit: Unit) -> Option<f64> {
    best(dtype, unit, ceilings.peaks.iter().map(|peak| (peak.dtype.as_str(), peak.unit, peak.flop_per_s)))
}

/// The theoretical peak of the units that compute a case, in FLOP/s.
pub fn theoretical(ceilings: &Ceilings, dtype: &str, unit: Unit) -> Option<f64> {
    let compute = ceilings.theoretical.iter().filter(|figure| figure.quantity == Quantity::Compute);
    best(dtype, unit, compute.filter_map(|figure| Some((figure.dtype.as_deref()?, figure.unit?, figure.value))))
}

/// The bandwidth of what holds `bytes` bytes, in bytes/s.
///
/// With cold caches, data comes from memory. With warm ones, data that fits a cache may come from there: the envelope of
/// the sweep from the largest set that is not larger than the data.
pub fn bandwidth(ceilings: &Ceilings, cache: CacheMode, bytes: f64) -> Option<f64> {
    let swept = || ceilings.sweep.iter().map(|point| point.working_set_bytes);
    let sets = || ceilings.memory.iter().map(|point| point.working_set_bytes).chain(swept());
    let from = match cache {
        // Below the smallest set, that one says most; without a sweep, nothing is known of the caches.
        CacheMode::Warm => sets().filter(|&set| set as f64 <= bytes).max().or_else(|| swept().min())?,
        CacheMode::Cold => u64::MAX,
    };
    let held = ceilings.sweep.iter().filter(|point| point.working_set_bytes >= from);
    ceilings.memory.iter().chain(held).map(|point| point.bytes_per_s).reduce(f64::max)
}

/// Holds a rate against what the device can do for this case; none where a ceiling that it takes is not known.
pub fn ceiling(
    ceilings: &Ceilings,
    dtype: &str,
    unit: Unit,
    cache: CacheMode,
    work: Work,
    flop_per_s: f64,
) -> Option<Ceiling> {
    let peak_flop_per_s = peak(ceilings, dtype, unit)?;
    let bandwidth_bytes_per_s = bandwidth(ceilings, cache, work.bytes)?;
    let intensity_flop_per_byte = work.flop / work.bytes;
    let fed = bandwidth_bytes_per_s * intensity_flop_per_byte;
    let attainable_flop_per_s = peak_flop_per_s.min(fed);
    Some(Ceiling {
        intensity_flop_per_byte,
        unit,
        peak_flop_per_s,
        bandwidth_bytes_per_s,
        attainable_flop_per_s,
        fraction: flop_per_s / attainable_flop_per_s,
        bound_by: if fed < peak_flop_per_s { Bound::Memory } else { Bound::Compute },
        theoretical_flop_per_s: theoretical(ceilings, dtype, unit),
        vendor: None,
    })
}

/// The ceiling of a row that has a rate.
pub fn of_row(ceilings: &Ceilings, row: &ResultRow, unit: Unit) -> Option<Ceiling> {
    let (rate, timing, work) = (row.rate?, row.timing.as_ref()?, row.work?);
    ceiling(ceilings, &row.dtype, unit, timing.cache, work, rate.flop_per_s)
}

impl Ceiling {
    /// Whether the rate is above what the device can do, which says that a clock or a probe is wrong.
    pub fn is_exceeded(&self) -> bool {
        self.fraction > TOLERANCE
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::schema::{Bandwidth, Peak, Theoretical, Verify};

    fn verify() -> Verify {
        Verify { method: "elementwise".to_owned(), checked: 1, max_error: Some(0.0), bound: 1.0 }
    }

    fn peak_of(dtype: &str, unit: Unit, flop_per_s: f64) -> Peak {
        Peak { dtype: dtype.to_owned(), unit, flop_per_s, plan: "chains-8".to_owned(), verify: verify() }
    }

    fn point(kernel: &str, working_set_bytes: u64, bytes_per_s: f64) -> Bandwidth {
        Bandwidth {
            kernel: kernel.to_owned(),
            dtype: "f32".to_owned(),
            working_set_bytes,
            bytes_per_s,
            plan: "stream".to_owned(),
            verify: verify(),
        }
    }

    /// A device whose matrix units are ten times its vector units, and whose cache is four times its memory.
    pub(crate) fn device() -> Ceilings {
        Ceilings {
            device: "host:0".to_owned(),
            probed: "2026-01-01T00:00:00Z".to_owned(),
            profile: "quick".to_owned(),
            peaks: vec![
                peak_of("f64", Unit::Vector, 50.0),
                peak_of("f32", Unit::Vector, 100.0),
                peak_of("f16", Unit::Vector, 200.0),
                peak_of("f16", Unit::Matrix, 1000.0),
            ],
            memory: vec![point("copy", 1000, 9.0), point("triad", 1000, 10.0)],
            sweep: vec![point("triad", 10, 30.0), point("triad", 50, 40.0), point("triad", 200, 12.0)],
            theoretical: vec![Theoretical {
                quantity: Quantity::Compute,
                dtype: Some("f32".to_owned()),
                unit: Some(Unit::Vector),
                value: 110.0,
                clock_mhz: 1.0,
                clock_source: "measured".to_owned(),
                source: "a guide".to_owned(),
            }],
            ..Ceilings::default()
        }
    }

    fn attainable(dtype: &str, unit: Unit, cache: CacheMode, [flop, bytes]: [f64; 2]) -> Option<(f64, Bound)> {
        ceiling(&device(), dtype, unit, cache, Work { flop, bytes }, 1.0)
            .map(|ceiling| (ceiling.attainable_flop_per_s, ceiling.bound_by))
    }

    #[test]
    fn sums_choose_the_vector_peak_and_storage_the_matrix_peak() {
        let far = [1e9, 1000.0];
        let peak = |dtype, unit| attainable(dtype, unit, CacheMode::Warm, far).map(|(rate, _)| rate);
        assert_eq!(peak("f64", Unit::Vector), Some(50.0));
        assert_eq!(peak("f16", Unit::Vector), Some(100.0));
        assert_eq!(peak("f16-acc16", Unit::Vector), Some(200.0));
        assert_eq!(peak("f16", Unit::Matrix), Some(1000.0));
        assert_eq!(peak("f16", Unit::Any), Some(1000.0));
        assert_eq!(peak("f32", Unit::Any), Some(100.0));
        assert_eq!(peak("f64", Unit::Matrix), None);
        assert_eq!(peak("bf16", Unit::Any), Some(100.0));
        assert_eq!(peak("fp8", Unit::Any), None);
    }

    #[test]
    fn low_intensity_is_bound_by_memory() {
        assert_eq!(attainable("f32", Unit::Vector, CacheMode::Warm, [5000.0, 1000.0]), Some((50.0, Bound::Memory)));
        assert_eq!(attainable("f32", Unit::Vector, CacheMode::Warm, [20_000.0, 1000.0]), Some((100.0, Bound::Compute)));
    }

    #[test]
    fn warm_data_has_the_bandwidth_of_what_holds_it() {
        let bandwidth = |cache, bytes| bandwidth(&device(), cache, bytes);
        // The envelope: the set of 50 bytes was faster than that of 10.
        assert_eq!(bandwidth(CacheMode::Warm, 1.0), Some(40.0));
        assert_eq!(bandwidth(CacheMode::Warm, 60.0), Some(40.0));
        assert_eq!(bandwidth(CacheMode::Warm, 250.0), Some(12.0));
        assert_eq!(bandwidth(CacheMode::Warm, 1e9), Some(10.0));
        assert_eq!(bandwidth(CacheMode::Cold, 60.0), Some(10.0));
        let unswept = Ceilings { sweep: Vec::new(), ..device() };
        assert_eq!(super::bandwidth(&unswept, CacheMode::Warm, 60.0), None);
        assert_eq!(super::bandwidth(&unswept, CacheMode::Warm, 1000.0), Some(10.0));
        assert_eq!(super::bandwidth(&Ceilings::default(), CacheMode::Cold, 1.0), None);
    }

    #[test]
    fn a_rate_may_lie_a_little_above_its_ceiling() {
        let fraction = |rate| {
            let work = Work { flop: 1e9, bytes: 1000.0 };
            ceiling(&device(), "f32", Unit::Vector, CacheMode::Warm, work, rate).unwrap()
        };
        assert!(!fraction(101.9).is_exceeded());
        assert!(fraction(102.1).is_exceeded());
        assert_eq!(fraction(55.0).theoretical_flop_per_s, Some(110.0));
    }
}
