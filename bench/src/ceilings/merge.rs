//! Putting findings together.

use accelbench_reports::{Bandwidth, Ceilings, Latency, Transfer};

/// Adds what a step found.
pub(super) fn add(all: &mut Ceilings, found: Ceilings) {
    all.peaks.extend(found.peaks);
    all.memory.extend(found.memory);
    all.sweep.extend(found.sweep);
    all.transfers.extend(found.transfers);
    all.theoretical.extend(found.theoretical);
    all.missing.extend(found.missing);
    let (known, new) = (&mut all.latency, found.latency);
    *known = Latency {
        smallest_upload_ns: known.smallest_upload_ns.or(new.smallest_upload_ns),
        smallest_download_ns: known.smallest_download_ns.or(new.smallest_download_ns),
        launch_round_trip_ns: known.launch_round_trip_ns.or(new.launch_round_trip_ns),
        sustained_launches_per_s: known.sustained_launches_per_s.or(new.sustained_launches_per_s),
    };
}

/// The later of two probings, with whatever the earlier one saw the device do better: what was reached once can be
/// reached.
pub fn larger(earlier: &Ceilings, later: Ceilings) -> Ceilings {
    Ceilings {
        peaks: best(&earlier.peaks, later.peaks, |peak| (peak.dtype.clone(), peak.unit), |peak| peak.flop_per_s),
        memory: best(&earlier.memory, later.memory, point, |point| point.bytes_per_s),
        sweep: best(&earlier.sweep, later.sweep, point, |point| point.bytes_per_s),
        transfers: best(&earlier.transfers, later.transfers, way, |transfer| transfer.bytes_per_s),
        latency: if later.latency == Latency::default() { earlier.latency.clone() } else { later.latency },
        theoretical: if later.theoretical.is_empty() { earlier.theoretical.clone() } else { later.theoretical },
        energy: later.energy.or_else(|| earlier.energy.clone()),
        missing: if later.missing.is_empty() { earlier.missing.clone() } else { later.missing },
        ..later
    }
}

fn point(point: &Bandwidth) -> (String, u64) {
    (point.kernel.clone(), point.working_set_bytes)
}

fn way(transfer: &Transfer) -> (accelbench_reports::Direction, accelbench_reports::HostMemory) {
    (transfer.direction, transfer.memory)
}

fn best<T: Clone, K: PartialEq>(
    earlier: &[T],
    later: Vec<T>,
    key: impl Fn(&T) -> K,
    rate: impl Fn(&T) -> f64,
) -> Vec<T> {
    let mut all = earlier.to_vec();
    for new in later {
        match all.iter_mut().find(|known| key(known) == key(&new)) {
            Some(known) if rate(known) >= rate(&new) => {}
            Some(known) => *known = new,
            None => all.push(new),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use accelbench_reports::{Peak, Unit, Verify};

    fn ceilings(peaks: &[(&str, f64)]) -> Ceilings {
        let verify = Verify { method: "elementwise".to_owned(), checked: 1, max_error: Some(0.0), bound: 1.0 };
        let peak = |&(dtype, flop_per_s): &(&str, f64)| Peak {
            dtype: dtype.to_owned(),
            unit: Unit::Vector,
            flop_per_s,
            plan: String::new(),
            verify: verify.clone(),
        };
        Ceilings { peaks: peaks.iter().map(peak).collect(), ..Ceilings::default() }
    }

    #[test]
    fn what_was_reached_once_can_be_reached() {
        let both =
            larger(&ceilings(&[("f64", 5.0), ("f32", 10.0)]), ceilings(&[("f32", 9.0), ("f64", 6.0), ("f16", 1.0)]));
        assert_eq!(both.peaks, ceilings(&[("f64", 6.0), ("f32", 10.0), ("f16", 1.0)]).peaks);
    }
}
