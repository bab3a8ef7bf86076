//! What an adapter says of itself, and what a small kernel shows that it computes.

use super::gpu::Gpu;
use super::timing;
use crate::{
    Caps, Clock, DType, Device, DeviceId, DeviceInfo, DeviceKind, Language, PhysicalId, Result, Source, trial,
};
use std::collections::{BTreeMap, BTreeSet};

/// An adapter's description; its types are those that it states.
pub(super) fn describe(adapter: &wgpu::Adapter, gpu: &Gpu, index: u32) -> DeviceInfo {
    let about = adapter.get_info();
    DeviceInfo {
        id: DeviceId::new("webgpu", index),
        vendor: vendor(about.vendor),
        driver: format!("{} {}", about.driver, about.driver_info).trim().to_owned(),
        physical_id: PhysicalId {
            pci: (!about.device_pci_bus_id.is_empty()).then(|| about.device_pci_bus_id.to_lowercase()),
            uuid: None,
        },
        caps: caps(adapter, gpu, &about),
        name: about.name,
    }
}

fn caps(adapter: &wgpu::Adapter, gpu: &Gpu, about: &wgpu::AdapterInfo) -> Caps {
    let (features, limits) = (gpu.device.features(), gpu.device.limits());
    let clock = timing::clock(&gpu.device);
    let mut types = BTreeSet::from([DType::F32]);
    types.extend(features.contains(wgpu::Features::SHADER_F64).then_some(DType::F64));
    types.extend(features.contains(wgpu::Features::SHADER_F16).then_some(DType::F16));
    let mut facts = BTreeMap::from([("api".to_owned(), about.backend.to_string())]);
    let mut memory_bytes = None;
    #[cfg(not(target_vendor = "apple"))]
    if let Some(vulkan) = super::vulkan::facts(adapter) {
        facts.insert("api_version".to_owned(), vulkan.api_version);
        memory_bytes = Some(vulkan.memory_bytes);
    }
    Caps {
        kind: match about.device_type {
            wgpu::DeviceType::Cpu => DeviceKind::Cpu,
            wgpu::DeviceType::Other => DeviceKind::Accelerator,
            _ => DeviceKind::Gpu,
        },
        languages: BTreeSet::from([Language::Wgsl]),
        libraries: BTreeMap::new(),
        library_forms: Vec::new(),
        external: BTreeMap::new(),
        storage: types.clone(),
        compute: types,
        subgroup: features
            .contains(wgpu::Features::SUBGROUP)
            .then_some((about.subgroup_min_size, about.subgroup_max_size)),
        max_group_items: limits.max_compute_invocations_per_workgroup,
        max_group: [
            limits.max_compute_workgroup_size_x,
            limits.max_compute_workgroup_size_y,
            limits.max_compute_workgroup_size_z,
        ],
        max_grid: [limits.max_compute_workgroups_per_dimension; 3],
        local_bytes: limits.max_compute_workgroup_storage_size.into(),
        max_buffer_bytes: limits.max_buffer_size.min(limits.max_storage_buffer_binding_size),
        memory_bytes,
        cache_bytes: None,
        compute_units: None,
        clock_mhz: None,
        clock,
        clock_resolution_ns: match clock {
            Clock::DeviceTimestamp => gpu.queue.get_timestamp_period().into(),
            _ => timing::WALL_RESOLUTION_NS,
        },
        theoretical: Vec::new(),
        facts,
    }
}

/// The vendor by its PCI number, or by the one that Khronos gave it.
fn vendor(id: u32) -> String {
    let name = match id {
        0x1002 => "AMD",
        0x1010 => "Imagination",
        0x106b => "Apple",
        0x10de => "NVIDIA",
        0x13b5 => "Arm",
        0x1414 => "Microsoft",
        0x5143 => "Qualcomm",
        0x8086 => "Intel",
        0x1_0005 => "Mesa",
        _ => return format!("PCI vendor {id:#06x}"),
    };
    name.to_owned()
}

/// Whether the device really computes in this type: runs one product and sum whose exact result a narrower type misses.
pub(super) fn computes(device: &dyn Device, dtype: DType) -> Result<bool> {
    let enable = if dtype == DType::F16 { "enable f16;" } else { "" };
    let name = dtype.name();
    let source = format!(
        "{enable}
        @group(0) @binding(0) var<storage, read> input: array<{name}>;
        @group(0) @binding(1) var<storage, read_write> output: array<{name}>;
        @compute @workgroup_size(1) fn probe() {{ output[0] = fma(input[0], input[1], input[2]); }}"
    );
    let step = dtype.ulp() * 4.0;
    let encoded: Vec<u8> = [1.0 + step, 3.0, 0.5].into_iter().flat_map(|value| encode(dtype, value)).collect();
    let expected = encode(dtype, 3.5 + 3.0 * step);
    let nothing = vec![0; expected.len()];
    Ok(trial::run(device, Source::Wgsl(source.into()), "probe", 1, &[&encoded], &nothing)? == expected)
}

/// A number's bytes in a buffer of this type.
pub(super) fn encode(dtype: DType, value: f64) -> Vec<u8> {
    match dtype {
        DType::F64 => value.to_le_bytes().to_vec(),
        DType::F16 => half::f16::from_f64(value).to_le_bytes().to_vec(),
        _ => (value as f32).to_le_bytes().to_vec(),
    }
}
