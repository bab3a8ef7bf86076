//! What unit tests share.

use accelbench_backends::cooperative::Instruction;
use accelbench_backends::{Caps, Clock, DType, DeviceKind, Language};
use naga::back::spv;
use naga::front;
use naga::valid::{Capabilities, ValidationFlags, Validator};
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

/// A GPU that speaks WGSL, whose sub-groups of 32 multiply matrices of these forms.
pub(crate) fn cooperative(forms: &str) -> Caps {
    let base = caps(DeviceKind::Gpu, Language::Wgsl);
    Caps {
        compute: [DType::F64, DType::F32, DType::F16].into(),
        subgroup: Some((32, 32)),
        local_bytes: 48 << 10,
        compute_units: None,
        facts: BTreeMap::from([("cooperative_matrix".to_owned(), forms.to_owned())]),
        ..base
    }
}

/// A GPU that speaks OpenCL C and has such an instruction.
pub(crate) fn instructed(instruction: Instruction) -> Caps {
    Caps {
        compute_units: None,
        local_bytes: 64 << 10,
        facts: BTreeMap::from([("cooperative_matrix".to_owned(), instruction.to_string())]),
        ..caps(DeviceKind::Gpu, Language::OpenClC)
    }
}

/// A kernel in WGSL as Vulkan's drivers get it: parsed, validated and translated, or what is wrong with it.
pub(crate) fn spirv(source: &str) -> Vec<u32> {
    let module = front::wgsl::parse_str(source).unwrap_or_else(|error| panic!("{}", error.emit_to_string(source)));
    let info = Validator::new(ValidationFlags::all(), Capabilities::all())
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string(source)));
    let options = spv::Options { lang_version: (1, 6), ..spv::Options::default() };
    spv::write_vec(&module, &info, &options, None).unwrap_or_else(|error| panic!("{error}"))
}

/// How often an instruction occurs.
pub(crate) fn count_instructions(words: &[u32], opcode: u32) -> usize {
    const HEADER: usize = 5;
    let (mut at, mut count) = (HEADER, 0);
    while let Some(&word) = words.get(at) {
        count += usize::from(word & 0xffff == opcode);
        at += (word >> 16) as usize;
    }
    count
}

/// `OpCooperativeMatrixMulAddKHR`.
pub(crate) const MULTIPLY_MATRICES: u32 = 4459;
