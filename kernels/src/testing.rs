//! What unit tests share.

use accelbench_backends::{Caps, Clock, DType, DeviceKind, Language};
use std::collections::{BTreeMap, BTreeSet};

/// A device of such a kind that speaks one language, stores all types, computes in f64 and f32, and has roomy limits.
pub(crate) fn caps(kind: DeviceKind, language: Language) -> Caps {
    Caps {
        kind,
        languages: BTreeSet::from([language]),
        libraries: BTreeMap::new(),
        library_forms: Vec::new(),
        external: BTreeMap::new(),
        storage: BTreeSet::from([DType::F64, DType::F32, DType::F16]),
        compute: BTreeSet::from([DType::F64, DType::F32]),
        subgroup: None,
        max_group_items: 1024,
        max_group: [1024; 3],
        max_grid: [1 << 20, 1 << 10, 1],
        local_bytes: 1 << 15,
        max_buffer_bytes: 1 << 30,
        memory_bytes: None,
        cache_bytes: None,
        compute_units: Some(2),
        clock_mhz: None,
        clock: Clock::DeviceEvent,
        clock_resolution_ns: 1.0,
        theoretical: Vec::new(),
        facts: BTreeMap::new(),
    }
}
