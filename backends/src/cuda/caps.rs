//! What the driver says of a device.

use super::api::{check, driver};
use super::{library, nvrtc, rates, timing};
use crate::{Caps, Clock, DType, DeviceId, DeviceInfo, DeviceKind, Language, PhysicalId, Result};
use cudarc::driver::sys::{CUdevice, CUdevice_attribute, CUuuid};
use std::collections::BTreeSet;
use std::ffi::{CStr, c_char, c_int};
use std::fmt::Write;

/// A device's architecture: 9.0 is (9, 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Capability {
    /// The generation.
    pub major: u32,
    /// The chip within it.
    pub minor: u32,
}

impl Capability {
    /// Volta: independent thread scheduling, and half arithmetic at more than a token rate.
    pub(super) const OLDEST: Self = Self { major: 7, minor: 0 };

    pub(super) fn of(device: CUdevice) -> Result<Self> {
        use CUdevice_attribute as A;
        Ok(Self {
            major: attribute(device, A::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            minor: attribute(device, A::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
        })
    }
}

/// The driver's version, `13.0`.
pub(super) fn api_version() -> Result<String> {
    let mut version = 0;
    // SAFETY: the place outlives the call.
    check("cuDriverGetVersion", unsafe { driver::cuDriverGetVersion(&raw mut version) })?;
    Ok(format!("{}.{}", version / 1000, version % 1000 / 10))
}

/// Handles of all devices, in the driver's order.
pub(super) fn devices() -> Result<Vec<CUdevice>> {
    let mut count = 0;
    // SAFETY: the place outlives the call.
    check("cuDeviceGetCount", unsafe { driver::cuDeviceGetCount(&raw mut count) })?;
    (0..count)
        .map(|ordinal| {
            let mut device = 0;
            // SAFETY: the place outlives the call.
            check("cuDeviceGet", unsafe { driver::cuDeviceGet(&raw mut device, ordinal) })?;
            Ok(device)
        })
        .collect()
}

/// Everything that is known of a device without opening it.
pub(super) fn describe(index: u32, device: CUdevice) -> Result<DeviceInfo> {
    use CUdevice_attribute as A;
    let get = |which| attribute(device, which);
    let capability = Capability::of(device)?;
    let mut memory = 0;
    // SAFETY: the place outlives the call.
    check("cuDeviceTotalMem", unsafe { driver::cuDeviceTotalMem_v2(&raw mut memory, device) })?;
    let (storage, compute) = types(capability);
    let warp = get(A::CU_DEVICE_ATTRIBUTE_WARP_SIZE)?;
    let libraries = library::offered();
    let facts = [
        ("compute_capability", format!("{}.{}", capability.major, capability.minor)),
        ("nvrtc", nvrtc::version()?),
        ("ecc", on_off(get(A::CU_DEVICE_ATTRIBUTE_ECC_ENABLED)?)),
        ("integrated", on_off(get(A::CU_DEVICE_ATTRIBUTE_INTEGRATED)?)),
        ("watchdog", on_off(get(A::CU_DEVICE_ATTRIBUTE_KERNEL_EXEC_TIMEOUT)?)),
        ("memory_clock_mhz", (get(A::CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE)? / 1000).to_string()),
        ("memory_bus_bits", get(A::CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH)?.to_string()),
        ("registers_per_unit", get(A::CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR)?.to_string()),
        ("shared_bytes_per_unit", get(A::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR)?.to_string()),
        ("shared_bytes_static", get(A::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK)?.to_string()),
    ];
    Ok(DeviceInfo {
        id: DeviceId::new("cuda", index),
        name: text("cuDeviceGetName", |start, length| {
            // SAFETY: `start` has room for `length` bytes.
            unsafe { driver::cuDeviceGetName(start, length, device) }
        })?,
        vendor: "NVIDIA".to_owned(),
        driver: driver_name()?,
        physical_id: PhysicalId { pci: Some(pci(device)?), uuid: Some(uuid(device)?) },
        caps: Caps {
            kind: DeviceKind::Gpu,
            languages: if libraries.is_empty() {
                BTreeSet::from([Language::CudaC])
            } else {
                BTreeSet::from([Language::CudaC, Language::Library])
            },
            libraries,
            library_forms: library::forms(),
            external: library::versions()
                .filter_map(|(name, version)| Some((name.to_owned(), version.ok()?.to_owned())))
                .collect(),
            storage,
            compute,
            subgroup: Some((warp, warp)),
            max_group_items: get(A::CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK)?,
            max_group: [
                get(A::CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X)?,
                get(A::CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y)?,
                get(A::CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z)?,
            ],
            max_grid: [
                get(A::CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X)?,
                get(A::CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y)?,
                get(A::CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z)?,
            ],
            // Beyond the static limit, shared memory must be sized at the launch: `KernelSpec::shared_bytes`.
            local_bytes: get(A::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)?.into(),
            max_buffer_bytes: memory as u64,
            memory_bytes: Some(memory as u64),
            cache_bytes: Some(get(A::CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE)?.into()),
            compute_units: Some(get(A::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?),
            clock_mhz: Some(get(A::CU_DEVICE_ATTRIBUTE_CLOCK_RATE)? / 1000),
            clock: Clock::DeviceEvent,
            clock_resolution_ns: timing::RESOLUTION_NS,
            theoretical: rates::of(
                capability,
                get(A::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?,
                get(A::CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE)?,
                get(A::CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH)?,
            ),
            facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        },
    })
}

/// What it stores, and what it computes in: from Ampere on, matrix units multiply more types, and from Ada on those of 8
/// bits.
fn types(capability: Capability) -> (BTreeSet<DType>, BTreeSet<DType>) {
    let mut storage = BTreeSet::from([DType::F64, DType::F32, DType::F16]);
    let mut compute = storage.clone();
    if capability >= (Capability { major: 8, minor: 0 }) {
        storage.extend([DType::Bf16, DType::I32, DType::I8]);
        compute.extend([DType::Tf32, DType::I32]);
    }
    if capability >= (Capability { major: 8, minor: 9 }) {
        storage.insert(DType::F8E4M3);
    }
    (storage, compute)
}

fn attribute(device: CUdevice, which: CUdevice_attribute) -> Result<u32> {
    let mut value = 0;
    // SAFETY: the place outlives the call.
    check("cuDeviceGetAttribute", unsafe { driver::cuDeviceGetAttribute(&raw mut value, which, device) })?;
    Ok(u32::try_from(value).unwrap_or(0))
}

fn on_off(flag: u32) -> String {
    if flag == 0 { "off" } else { "on" }.to_owned()
}

/// Text that the driver writes into a buffer, ended by a 0.
fn text(call: &'static str, write: impl FnOnce(*mut c_char, c_int) -> cudarc::driver::sys::CUresult) -> Result<String> {
    let mut bytes = [0_u8; 256];
    check(call, write(bytes.as_mut_ptr().cast(), bytes.len() as c_int))?;
    Ok(CStr::from_bytes_until_nul(&bytes).map(|text| text.to_string_lossy().into_owned()).unwrap_or_default())
}

fn pci(device: CUdevice) -> Result<String> {
    let address = text("cuDeviceGetPCIBusId", |start, length| {
        // SAFETY: `start` has room for `length` bytes.
        unsafe { driver::cuDeviceGetPCIBusId(start, length, device) }
    })?;
    Ok(address.to_ascii_lowercase())
}

fn uuid(device: CUdevice) -> Result<String> {
    let mut uuid = CUuuid { bytes: [0; 16] };
    // SAFETY: the place outlives the call.
    check("cuDeviceGetUuid", unsafe { driver::cuDeviceGetUuid_v2(&raw mut uuid, device) })?;
    let mut text = String::new();
    for (index, byte) in uuid.bytes.iter().enumerate() {
        let dash = if [4, 6, 8, 10].contains(&index) { "-" } else { "" };
        let _ = write!(text, "{dash}{:02x}", *byte as u8);
    }
    Ok(text)
}

/// The kernel module's version, where Linux tells, and the API's.
fn driver_name() -> Result<String> {
    let api = api_version()?;
    Ok(match std::fs::read_to_string("/sys/module/nvidia/version") {
        Ok(version) => format!("{} (CUDA {api})", version.trim()),
        Err(_) => format!("CUDA {api}"),
    })
}
