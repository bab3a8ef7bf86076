//! OpenCL C with inline PTX, compiled as CUDA C: the compiler of the one is a driver's and needs a GPU, that of the other
//! does not, and the emulated device runs it.

use accelbench_backends::{Caps, KernelSpec, Language, Source};
use std::collections::{BTreeMap, BTreeSet};

/// The words of the one language in the other.
const WORDS: &str = include_str!("opencl.cuh");

/// Whether it is OpenCL C with inline PTX.
pub(crate) fn has_ptx(spec: &KernelSpec) -> bool {
    spec.source.language() == Language::OpenClC && spec.source.text().contains("asm volatile")
}

/// The same kernel in CUDA C.
pub(crate) fn in_cuda(spec: &KernelSpec) -> KernelSpec {
    let text = spec.source.text().replace(" global ", " ").replace("(global ", "(");
    let text = text.replace("kernel void", "__global__ void").replace("\nstatic ", "\nINLINE ");
    KernelSpec { source: Source::CudaC(format!("{WORDS}{text}}}\n").into()), ..spec.clone() }
}

/// A CUDA device as its driver's OpenCL shows it: with less local memory, and without libraries.
pub(crate) fn seen(device: &Caps) -> Caps {
    let mut facts = device.facts.clone();
    facts.insert("inline-ptx".to_owned(), "yes".to_owned());
    Caps {
        languages: BTreeSet::from([Language::OpenClC]),
        libraries: BTreeMap::new(),
        library_forms: Vec::new(),
        external: BTreeMap::new(),
        local_bytes: 48 << 10,
        facts,
        ..device.clone()
    }
}
