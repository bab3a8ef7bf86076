//! What a plan should take by a roofline for each wave of work-groups: enough to say which plans are worth a try.
//!
//! A device runs as many work-groups at a time as its compute units hold; that is a wave, and the last one may be nearly
//! empty. A wave takes as long as its arithmetic or its memory traffic, whichever is longer. Arithmetic goes at the
//! peak as far as the innermost loop is arithmetic: each multiplication beside 1/reuse operands to load.

use accelbench_backends::{Caps, DeviceKind};
use accelbench_kernels::Demand;

/// Work-groups that a compute unit holds at a time, at most: more hide no more.
const MOST_RESIDENT: u64 = 4;
/// Compute units of a device that states none.
const USUAL_UNITS: u32 = 16;

/// A device's rates. Their ratio decides which plan looks better; only times depend on both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Arithmetic at best.
    pub flop_per_s: f64,
    /// Memory at best.
    pub bytes_per_s: f64,
}

impl Default for Rates {
    /// Ten FLOP a byte, as many devices have within a factor of three.
    fn default() -> Self {
        Self { flop_per_s: 1e12, bytes_per_s: 1e11 }
    }
}

/// The seconds that a plan should take.
pub fn seconds(demand: &Demand, caps: &Caps, rates: Rates) -> f64 {
    let units = f64::from(caps.compute_units.unwrap_or(USUAL_UNITS).max(1));
    let resident = match caps.kind {
        DeviceKind::Cpu => 1.0,
        _ => caps.local_bytes.checked_div(demand.local_bytes).unwrap_or(MOST_RESIDENT).clamp(1, MOST_RESIDENT) as f64,
    };
    let slots = units * resident;
    let waves = (demand.groups / slots).ceil().max(1.0);
    let at_peak = demand.reuse / (demand.reuse + 1.0);
    let arithmetic = resident * demand.group_flop / (rates.flop_per_s / units * at_peak);
    let traffic = slots.min(demand.groups) * demand.group_bytes / rates.bytes_per_s;
    waves * arithmetic.max(traffic) + demand.other_bytes / rates.bytes_per_s
}

#[cfg(test)]
mod tests {
    use super::*;
    use accelbench_backends::{DeviceId, Registry};

    fn caps(kind: DeviceKind, units: u32) -> Caps {
        let host = Registry::builtin().open(&DeviceId::new("host", 0)).unwrap();
        Caps { kind, compute_units: Some(units), local_bytes: 64 << 10, ..host.caps().clone() }
    }

    fn demand(groups: f64) -> Demand {
        Demand { groups, group_flop: 1e9, group_bytes: 1e6, other_bytes: 0.0, reuse: 4.0, local_bytes: 32 << 10 }
    }

    #[test]
    fn a_wave_that_is_nearly_empty_takes_as_long_as_a_full_one() {
        let gpu = caps(DeviceKind::Gpu, 10);
        let of = |groups: f64| seconds(&demand(groups), &gpu, Rates::default());
        // Two work-groups a unit fit into local memory.
        assert!((of(20.0) - of(1.0)).abs() < 1e-12);
        assert!((of(21.0) / of(20.0) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn memory_bounds_what_has_little_arithmetic() {
        let cpu = caps(DeviceKind::Cpu, 2);
        let light = Demand { group_flop: 1.0, ..demand(100.0) };
        assert!((seconds(&light, &cpu, Rates::default()) - 100.0 * 1e6 / 1e11).abs() < 1e-9);
        let packed = Demand { other_bytes: 1e9, ..light };
        assert!((seconds(&packed, &cpu, Rates::default()) - 100.0 * 1e6 / 1e11 - 0.01).abs() < 1e-9);
    }

    #[test]
    fn more_reuse_is_faster_where_arithmetic_bounds() {
        let cpu = caps(DeviceKind::Cpu, 2);
        let with = |reuse: f64| seconds(&Demand { reuse, ..demand(64.0) }, &cpu, Rates::default());
        assert!(with(1.0) > with(2.0) && with(2.0) > with(4.0));
    }
}
