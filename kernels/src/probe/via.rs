//! How a probe's plan reaches its device: by a kernel in a language that the device speaks, or by a library.

use accelbench_backends::{Caps, DeviceKind, Language};

/// Work-items of a work-group, where a work-group is more than one vector.
const GROUP: u32 = 256;

/// A language or a library.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Via {
    Language(Language),
    Library(String),
}

impl Via {
    /// The `variant` of a plan: `family` is that of the kernels.
    pub(super) fn variant(&self, family: &str) -> String {
        match self {
            Self::Language(_) => family.to_owned(),
            Self::Library(library) => library.clone(),
        }
    }
}

/// The languages that a device speaks.
pub(super) fn languages(caps: &Caps) -> impl Iterator<Item = Language> {
    let all = [Language::CudaC, Language::OpenClC, Language::Wgsl];
    all.into_iter().filter(|&language| caps.speaks(language))
}

/// One work-item a work-group where a CPU runs work-items one after another, a sub-group where it makes a vector of them.
pub(super) fn group(language: Language, caps: &Caps) -> u32 {
    match (language, caps.kind) {
        (Language::OpenClC, DeviceKind::Cpu) => 1,
        (_, DeviceKind::Cpu) => caps.subgroup.map_or(8, |(smallest, _)| smallest),
        // A power of two, for sums over a group.
        _ => GROUP.min(1 << caps.max_group_items.ilog2()),
    }
}
