//! What a device says of itself.

use super::driver::Found;
use super::{clblast, half, ptx};
use crate::{
    Caps, Clock, DType, DeviceId, DeviceInfo, DeviceKind, Error, Language, LibraryForm, Memory, PhysicalId, Result,
};
use opencl3::device::{
    CL_DEVICE_AVAILABLE, CL_DEVICE_COMPILER_AVAILABLE, CL_DEVICE_COMPUTE_CAPABILITY_MAJOR_NV,
    CL_DEVICE_COMPUTE_CAPABILITY_MINOR_NV, CL_DEVICE_DOUBLE_FP_CONFIG, CL_DEVICE_EXTENSIONS,
    CL_DEVICE_GLOBAL_FREE_MEMORY_AMD, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, CL_DEVICE_GLOBAL_MEM_SIZE,
    CL_DEVICE_LOCAL_MEM_SIZE, CL_DEVICE_MAX_CLOCK_FREQUENCY, CL_DEVICE_MAX_COMPUTE_UNITS, CL_DEVICE_MAX_MEM_ALLOC_SIZE,
    CL_DEVICE_MAX_WORK_GROUP_SIZE, CL_DEVICE_MAX_WORK_ITEM_SIZES, CL_DEVICE_NAME, CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE,
    CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, CL_DEVICE_NATIVE_VECTOR_WIDTH_HALF, CL_DEVICE_OPENCL_C_VERSION,
    CL_DEVICE_PCI_BUS_ID_NV, CL_DEVICE_PCI_BUS_INFO_KHR, CL_DEVICE_PCI_SLOT_ID_NV,
    CL_DEVICE_PREFERRED_VECTOR_WIDTH_DOUBLE, CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT,
    CL_DEVICE_PREFERRED_VECTOR_WIDTH_HALF, CL_DEVICE_PROFILING_TIMER_RESOLUTION, CL_DEVICE_TOPOLOGY_AMD,
    CL_DEVICE_TYPE, CL_DEVICE_TYPE_CPU, CL_DEVICE_TYPE_GPU, CL_DEVICE_UUID_KHR, CL_DEVICE_VENDOR, CL_DEVICE_VERSION,
    CL_DEVICE_WARP_SIZE_NV, CL_DEVICE_WAVEFRONT_WIDTH_AMD, CL_DRIVER_VERSION, get_device_data,
};
use opencl3::types::{cl_device_id, cl_device_info};
use std::collections::{BTreeMap, BTreeSet};

/// `CL_DEVICE_SUB_GROUP_SIZES_INTEL`, of the extension `cl_intel_required_subgroup_size`.
const SUB_GROUP_SIZES_INTEL: cl_device_info = 0x4108;
/// `CL_DEVICE_PCI_DOMAIN_ID_NV`, which NVIDIA's `cl_ext.h` lists.
const PCI_DOMAIN_ID_NV: cl_device_info = 0x400A;

/// OpenCL tells no limit for the number of work-groups, and drivers refuse or wrap beyond these: a GPU's hardware
/// counts them so.
const MAX_GRID: [u32; 3] = [i32::MAX as u32, 65_535, 65_535];

/// `clGetDeviceInfo`, where a question that a driver does not know has no answer.
#[derive(Clone, Copy)]
pub(super) struct Query(pub(super) cl_device_id);

impl Query {
    fn bytes(self, what: cl_device_info) -> Option<Vec<u8>> {
        get_device_data(self.0, what).ok().filter(|bytes| !bytes.is_empty())
    }

    fn u32s(self, what: cl_device_info) -> Option<Vec<u32>> {
        let bytes = self.bytes(what)?;
        Some(bytes.as_chunks().0.iter().map(|chunk| u32::from_ne_bytes(*chunk)).collect())
    }

    fn sizes(self, what: cl_device_info) -> Option<Vec<usize>> {
        let bytes = self.bytes(what)?;
        Some(bytes.as_chunks().0.iter().map(|chunk| usize::from_ne_bytes(*chunk)).collect())
    }

    fn u32(self, what: cl_device_info) -> Option<u32> {
        self.u32s(what)?.first().copied()
    }

    fn u64(self, what: cl_device_info) -> Option<u64> {
        self.bytes(what)?.as_chunks().0.first().map(|chunk| u64::from_ne_bytes(*chunk))
    }

    fn text(self, what: cl_device_info) -> String {
        let bytes = self.bytes(what).unwrap_or_default();
        String::from_utf8_lossy(&bytes).trim_matches(['\0', ' ']).to_owned()
    }

    pub(super) fn lists(self, extension: &str) -> bool {
        self.text(CL_DEVICE_EXTENSIONS).split_whitespace().any(|listed| listed == extension)
    }
}

/// Why kernels can't be run on this device, or nothing where they can.
pub(super) fn unusable(query: Query) -> Option<String> {
    let name = query.text(CL_DEVICE_NAME);
    let version = query.text(CL_DEVICE_VERSION);
    if query.u32(CL_DEVICE_AVAILABLE) == Some(0) {
        Some(format!("{name} is not available"))
    } else if query.u32(CL_DEVICE_COMPILER_AVAILABLE) == Some(0) {
        Some(format!("{name} has no compiler"))
    } else if version.starts_with("OpenCL 1.0") || version.starts_with("OpenCL 1.1") {
        Some(format!("{name} has {version}, and 1.2 is needed"))
    } else {
        None
    }
}

/// All that can be known without running a kernel.
///
/// # Errors
/// [`Error::Unavailable`] where the device leaves a question unanswered that every device must answer.
pub(super) fn describe(index: u32, found: &Found) -> Result<DeviceInfo> {
    let query = Query(found.device);
    let must = |answer: Option<u64>, what: &str| {
        answer.ok_or_else(|| Error::Unavailable { api: "opencl", reason: format!("opencl:{index} tells no {what}") })
    };
    let group = query.sizes(CL_DEVICE_MAX_WORK_ITEM_SIZES).unwrap_or_default();
    let side = |axis: usize| group.get(axis).map_or(1, |&size| saturate(size));
    let group_items = query.sizes(CL_DEVICE_MAX_WORK_GROUP_SIZE).and_then(|sizes| sizes.first().copied());
    let mut floats = BTreeSet::from([DType::F32]);
    if query.u64(CL_DEVICE_DOUBLE_FP_CONFIG).is_some_and(|config| config != 0) {
        floats.insert(DType::F64);
    }
    let mut storage = floats.clone();
    // `vload_half` and `vstore_half` belong to the core language, with or without arithmetic in half.
    storage.insert(DType::F16);
    let forms = clblast::forms(query);
    let mut languages = BTreeSet::from([Language::OpenClC]);
    languages.extend((!forms.is_empty()).then_some(Language::Library));
    let resolution = query.sizes(CL_DEVICE_PROFILING_TIMER_RESOLUTION).and_then(|sizes| sizes.first().copied());
    Ok(DeviceInfo {
        id: DeviceId::new("opencl", index),
        name: query.text(CL_DEVICE_NAME),
        vendor: query.text(CL_DEVICE_VENDOR),
        driver: format!("{} {}", found.platform.name, query.text(CL_DRIVER_VERSION)),
        physical_id: PhysicalId { pci: pci(query), uuid: uuid(query) },
        caps: Caps {
            kind: kind(query),
            languages,
            libraries: libraries(&forms),
            library_forms: forms,
            external: clblast::identity().into_iter().collect(),
            storage,
            compute: floats,
            subgroup: subgroup(query),
            max_group_items: saturate(group_items.unwrap_or(1)),
            max_group: [side(0), side(1), side(2)],
            max_grid: MAX_GRID,
            local_bytes: must(query.u64(CL_DEVICE_LOCAL_MEM_SIZE), "size of local memory")?,
            max_buffer_bytes: must(query.u64(CL_DEVICE_MAX_MEM_ALLOC_SIZE), "largest buffer")?,
            memory_bytes: query.u64(CL_DEVICE_GLOBAL_MEM_SIZE).filter(|&bytes| bytes > 0),
            cache_bytes: query.u64(CL_DEVICE_GLOBAL_MEM_CACHE_SIZE).filter(|&bytes| bytes > 0),
            compute_units: query.u32(CL_DEVICE_MAX_COMPUTE_UNITS),
            clock_mhz: query.u32(CL_DEVICE_MAX_CLOCK_FREQUENCY).filter(|&mhz| mhz > 0),
            clock: Clock::DeviceEvent,
            clock_resolution_ns: resolution.unwrap_or(1).max(1) as f64,
            theoretical: Vec::new(),
            facts: facts(found),
        },
    })
}

/// The functions that such calls reach, each with its libraries.
fn libraries(forms: &[LibraryForm]) -> BTreeMap<String, Vec<String>> {
    let mut libraries: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for form in forms {
        let names = libraries.entry(form.function.clone()).or_default();
        if !names.contains(&form.library) {
            names.push(form.library.clone());
        }
    }
    libraries
}

/// Memory now; free memory is told by AMD's drivers only, in KiB.
pub(super) fn memory(query: Query) -> Memory {
    let free = query.sizes(CL_DEVICE_GLOBAL_FREE_MEMORY_AMD).and_then(|sizes| sizes.first().copied());
    Memory { total: query.u64(CL_DEVICE_GLOBAL_MEM_SIZE), free: free.map(|kib| kib as u64 * 1024) }
}

fn saturate(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

fn kind(query: Query) -> DeviceKind {
    let kind = query.u64(CL_DEVICE_TYPE).unwrap_or_default();
    if kind & CL_DEVICE_TYPE_GPU != 0 {
        DeviceKind::Gpu
    } else if kind & CL_DEVICE_TYPE_CPU != 0 {
        DeviceKind::Cpu
    } else {
        DeviceKind::Accelerator
    }
}

fn subgroup(query: Query) -> Option<(u32, u32)> {
    let sizes = query.sizes(SUB_GROUP_SIZES_INTEL).unwrap_or_default();
    let intel = sizes.iter().min().zip(sizes.iter().max()).map(|(&min, &max)| (saturate(min), saturate(max)));
    let fixed = || query.u32(CL_DEVICE_WARP_SIZE_NV).or_else(|| query.u32(CL_DEVICE_WAVEFRONT_WIDTH_AMD));
    intel.or_else(|| fixed().map(|size| (size, size)))
}

fn pci(query: Query) -> Option<String> {
    let format = |domain, bus, device, function| format!("{domain:04x}:{bus:02x}:{device:02x}.{function:x}");
    if let Some([domain, bus, device, function]) = query.u32s(CL_DEVICE_PCI_BUS_INFO_KHR).as_deref() {
        return Some(format(*domain, *bus, *device, *function));
    }
    if let (Some(bus), Some(slot)) = (query.u32(CL_DEVICE_PCI_BUS_ID_NV), query.u32(CL_DEVICE_PCI_SLOT_ID_NV)) {
        return Some(format(query.u32(PCI_DOMAIN_ID_NV).unwrap_or(0), bus, slot >> 3, slot & 7));
    }
    // A union whose PCIe variant has type 1 and ends in bus, device and function; it has no domain.
    match query.bytes(CL_DEVICE_TOPOLOGY_AMD)?.as_slice() {
        [1, 0, 0, 0, .., bus, device, function] => {
            Some(format(0, u32::from(*bus), u32::from(*device), u32::from(*function)))
        }
        _ => None,
    }
}

fn uuid(query: Query) -> Option<String> {
    let bytes: [u8; 16] = query.bytes(CL_DEVICE_UUID_KHR)?.try_into().ok()?;
    let id = u128::from_be_bytes(bytes);
    let [a, b, c] = [80, 64, 48].map(|shift| id >> shift & 0xffff);
    Some(format!("{:08x}-{a:04x}-{b:04x}-{c:04x}-{:012x}", id >> 96, id & 0xffff_ffff_ffff))
}

fn facts(found: &Found) -> BTreeMap<String, String> {
    let query = Query(found.device);
    let yes_no = |listed| if listed { "yes" } else { "no" }.to_owned();
    let mut facts = BTreeMap::from([
        ("platform".to_owned(), found.platform.name.clone()),
        ("platform-version".to_owned(), found.platform.version.clone()),
        ("device-version".to_owned(), query.text(CL_DEVICE_VERSION)),
        ("c-version".to_owned(), query.text(CL_DEVICE_OPENCL_C_VERSION)),
        (half::EXTENSION.to_owned(), yes_no(query.lists(half::EXTENSION))),
        ("cl_khr_subgroups".to_owned(), yes_no(query.lists("cl_khr_subgroups"))),
    ]);
    for (name, what) in [
        ("native-vector-f64", CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE),
        ("native-vector-f32", CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT),
        ("native-vector-f16", CL_DEVICE_NATIVE_VECTOR_WIDTH_HALF),
        ("preferred-vector-f64", CL_DEVICE_PREFERRED_VECTOR_WIDTH_DOUBLE),
        ("preferred-vector-f32", CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT),
        ("preferred-vector-f16", CL_DEVICE_PREFERRED_VECTOR_WIDTH_HALF),
    ] {
        if let Some(width) = query.u32(what) {
            facts.insert(name.to_owned(), width.to_string());
        }
    }
    let capability = [CL_DEVICE_COMPUTE_CAPABILITY_MAJOR_NV, CL_DEVICE_COMPUTE_CAPABILITY_MINOR_NV];
    if let [Some(major), Some(minor)] = capability.map(|what| query.u32(what))
        && query.lists("cl_nv_device_attribute_query")
    {
        facts.insert(ptx::ARCHITECTURE.to_owned(), format!("{major}.{minor}"));
    }
    facts
}
