//! Rates above what a device can do: no measurement, whichever of the two is wrong.

use accelbench_reports::{Bound, ResultRow, Status};

/// The row of a case whose rate is above its ceiling: a fault without a rate.
pub fn above(row: ResultRow) -> ResultRow {
    let giga = |rate: f64| format!("{:.1} GFLOP/s", rate * 1e-9);
    let reason = row.rate.zip(row.ceiling.as_ref()).map(|(rate, ceiling)| {
        let bound = match ceiling.bound_by {
            Bound::Compute => format!("the {} units' measured peak", ceiling.unit.name()),
            Bound::Memory => format!(
                "{:.1} GB/s measured, times {:.2} FLOP a byte",
                ceiling.bandwidth_bytes_per_s * 1e-9,
                ceiling.intensity_flop_per_byte
            ),
        };
        format!(
            "{} is above what the device can do, {} ({bound}): the clock or the probe is wrong",
            giga(rate.flop_per_s),
            giga(ceiling.attainable_flop_per_s)
        )
    });
    ResultRow { status: Status::Failed, reason, timing: None, rate: None, ceiling: None, energy: None, ..row }
}
