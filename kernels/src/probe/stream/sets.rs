//! How large the arrays are for a device: for its memory, and for every level of its caches.

use super::{Op, StreamProblem, VECTOR, plan, shape};
use crate::Precision;
use crate::probe::Fields;
use accelbench_backends::{Caps, DeviceKind};

/// The shapes whose best rate is the bandwidth of the device's memory in this type: each of the five kernels, on arrays
/// that no cache holds.
pub fn fields(precision: Precision, caps: &Caps) -> Vec<Fields> {
    let bytes = memory_bytes(caps);
    Op::ALL.iter().map(|&op| working_set(op, bytes * op.arrays(), precision, caps)).collect()
}

/// A ladder of working sets, each twice the last, from one that the nearest cache holds up to memory.
pub fn working_sets(op: Op, precision: Precision, caps: &Caps) -> Vec<Fields> {
    let most = memory_bytes(caps) * op.arrays();
    let smallest = op.arrays() * precision.storage().bytes() * VECTOR * units(caps) * 16;
    std::iter::successors(Some(smallest.next_power_of_two()), |bytes| Some(2 * bytes))
        .take_while(|&bytes| bytes < most)
        .chain([most])
        .map(|bytes| working_set(op, bytes, precision, caps))
        .collect()
}

/// So many passes hide the launch of all but the smallest sets; more would blur dot's sums in f32.
const MOST_PASSES: u64 = 1 << 13;

/// A shape whose arrays take about `bytes` altogether, with as many passes as keep a launch busy.
pub fn working_set(op: Op, bytes: u64, precision: Precision, caps: &Caps) -> Fields {
    // A CPU's thread has one part, which stays in its cache; a GPU hides its latencies by many.
    let parts = units(caps) * if caps.kind == DeviceKind::Cpu { 1 } else { 16 };
    let element = op.arrays() * precision.storage().bytes();
    // Where passes are many, threads end together; where there is one, small parts let them.
    let parts = if bytes >= memory_bytes(caps) { parts * 8 } else { parts };
    let elements = (bytes / element).next_multiple_of(VECTOR * parts);
    let passes = (busy_bytes(caps) / (elements * element)).max(1);
    let problem =
        StreamProblem { precision, op, elements, parts: parts as u32, passes: passes.min(MOST_PASSES) as u32 };
    shape(op, elements, parts, plan::fewer_passes(&problem, caps).into())
}

fn units(caps: &Caps) -> u64 {
    caps.compute_units.unwrap_or(16).into()
}

/// Bytes of an array that no cache holds, where the device has room for it.
fn memory_bytes(caps: &Caps) -> u64 {
    let least: u64 = if caps.kind == DeviceKind::Cpu { 64 << 20 } else { 256 << 20 };
    let wanted = least.max(4 * caps.cache_bytes.unwrap_or(0));
    // Three arrays, and the host's copies of them where that is the same memory.
    let room = caps.memory_bytes.map_or(u64::MAX, |bytes| bytes / 16).min(caps.max_buffer_bytes);
    // Rounding up to whole parts stays inside.
    wanted.min(room / 16 * 15)
}

/// What a launch moves: a millisecond or so.
fn busy_bytes(caps: &Caps) -> u64 {
    if caps.kind == DeviceKind::Cpu { 128 << 20 } else { 2 << 30 }
}
