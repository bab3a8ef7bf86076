//! Which working sets the memory's and the caches' bandwidths are found on.

use accelbench_backends::{Caps, DeviceKind};
use accelbench_kernels::Precision;
use accelbench_kernels::probe::stream::{Op, working_set, working_sets};
use accelbench_kernels::probe::{Fields, fma};

/// The kernels, the most telling first: little time may be left for the others.
const KERNELS: [Op; 5] = [Op::Triad, Op::Dot, Op::Copy, Op::Add, Op::Mul];
/// Those that bound the caches: one that writes, too, and one that only reads.
const SWEPT: [Op; 2] = [Op::Triad, Op::Dot];
/// Seconds that a point of the sweep takes.
const POINT_S: f64 = 0.08;

/// Each kernel on arrays that together are no cache's: four times the last one, and no less than this.
pub(super) fn memory(precision: Precision, caps: &Caps) -> Vec<Fields> {
    KERNELS.iter().map(|&op| largest(op, precision, caps)).collect()
}

/// One kernel on the arrays of [`memory`].
pub(super) fn largest(op: Op, precision: Precision, caps: &Caps) -> Fields {
    working_set(op, large(caps), precision, caps)
}

/// The vector probe on arrays of that size: so many bodies of multiply-adds for each element that is read and written.
pub(super) fn streamed(bodies: u32, precision: Precision, caps: &Caps) -> Fields {
    let lanes = (large(caps) / 2 / precision.storage().bytes()).next_multiple_of(fma::LANES);
    let rounds = bodies * fma::BODY;
    [("lanes", lanes.to_string()), ("rounds", rounds.to_string())].map(|(name, size)| (name.to_owned(), size)).into()
}

/// Bytes that no cache holds and the device has room for.
fn large(caps: &Caps) -> u64 {
    let least: u64 = if caps.kind == DeviceKind::Cpu { 128 << 20 } else { 768 << 20 };
    let wanted = least.max(4 * caps.cache_bytes.unwrap_or(0));
    // Two arrays at least, and the host's copies of them where that is the same memory.
    wanted.min(caps.memory_bytes.map_or(u64::MAX, |bytes| bytes / 8)).min(caps.max_buffer_bytes / 16 * 30)
}

/// A ladder of smaller working sets, as fine as the time allows, from the smallest up: where time runs out, what is known
/// of the nearest caches still bounds every case.
pub(super) fn sweep(precision: Precision, caps: &Caps, seconds: f64) -> Vec<Fields> {
    let points = (seconds / POINT_S / SWEPT.len() as f64).max(2.0) as usize;
    let [one, other] = SWEPT.map(|op| {
        let mut rungs = working_sets(op, precision, caps);
        let memory = elements(&working_set(op, large(caps), precision, caps));
        rungs.retain(|rung| elements(rung) < memory);
        let step = rungs.len().div_ceil(points).max(1);
        rungs.into_iter().step_by(step).collect::<Vec<_>>()
    });
    one.into_iter().zip(other).flat_map(|(one, other)| [one, other]).collect()
}

fn elements(fields: &Fields) -> u64 {
    fields.get("elements").and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The shape with next to nothing to do.
pub(super) fn smallest(precision: Precision, caps: &Caps) -> Fields {
    let mut fields = working_set(Op::Copy, 1024, precision, caps);
    fields.insert("passes".to_owned(), "1".to_owned());
    fields
}
