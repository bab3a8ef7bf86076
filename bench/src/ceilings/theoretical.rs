//! What the makers' documents give, at the clock of now.

use accelbench_backends::{Device, TheoreticalRate};
use accelbench_reports::{Missing, Quantity, Theoretical, Unit};

/// What is known, and what is not.
pub(super) fn probe(device: &dyn Device) -> (Vec<Theoretical>, Vec<Missing>) {
    let rates = &device.caps().theoretical;
    let unknown = |reason: String| (Vec::new(), vec![Missing { what: "theoretical peaks".to_owned(), reason }]);
    if rates.is_empty() {
        return unknown("no maker's document is known for this device".to_owned());
    }
    let measured = device.clock_mhz().map(|mhz| (mhz, "measured"));
    let stated = || device.caps().clock_mhz.map(|mhz| (f64::from(mhz), "stated by the driver"));
    let clock = measured.ok().or_else(stated);
    let mut missing = Vec::new();
    let mut known = Vec::new();
    for rate in rates {
        match (rate, clock) {
            (TheoreticalRate::Bandwidth { bytes_per_cycle, clock_mhz, source }, _) => known.push(Theoretical {
                quantity: Quantity::Bandwidth,
                dtype: None,
                unit: None,
                value: bytes_per_cycle * clock_mhz * 1e6,
                clock_mhz: *clock_mhz,
                clock_source: "stated by the driver".to_owned(),
                source: source.clone(),
            }),
            (TheoreticalRate::Compute { dtype, matrix, flop_per_cycle, source }, Some((clock_mhz, clock_source))) => {
                known.push(Theoretical {
                    quantity: Quantity::Compute,
                    dtype: Some(dtype.name().to_owned()),
                    unit: Some(if *matrix { Unit::Matrix } else { Unit::Vector }),
                    value: flop_per_cycle * clock_mhz * 1e6,
                    clock_mhz,
                    clock_source: clock_source.to_owned(),
                    source: source.clone(),
                });
            }
            (TheoreticalRate::Compute { dtype, .. }, None) => missing.push(Missing {
                what: format!("theoretical peak in {dtype}"),
                reason: "the clock is neither measured nor stated".to_owned(),
            }),
        }
    }
    (known, missing)
}
