//! What Vulkan knows of a device and WebGPU does not tell.

/// Facts of a Vulkan device.
pub(super) struct Facts {
    /// The device's own memory in bytes.
    pub(super) memory_bytes: u64,
    /// The version of Vulkan that the driver implements.
    pub(super) api_version: String,
}

/// The facts of an adapter, where it is one of Vulkan's.
pub(super) fn facts(adapter: &wgpu::Adapter) -> Option<Facts> {
    const DEVICE_LOCAL: u32 = 1;
    // SAFETY: the adapter is only asked for properties; nothing of it is changed or destroyed.
    let (memory, version) = unsafe {
        let adapter = adapter.as_hal::<wgpu::hal::api::Vulkan>()?;
        let instance = adapter.shared_instance().raw_instance();
        let device = adapter.raw_physical_device();
        let memory = instance.get_physical_device_memory_properties(device);
        (memory, adapter.physical_device_capabilities().properties().api_version)
    };
    let heaps = memory.memory_heaps.iter().take(memory.memory_heap_count as usize);
    let local = heaps.filter(|heap| heap.flags.as_raw() & DEVICE_LOCAL != 0);
    Some(Facts {
        memory_bytes: local.map(|heap| heap.size).sum(),
        // Vulkan's packing: 7 bits major, 10 minor, 12 patch.
        api_version: format!("{}.{}.{}", version >> 22 & 0x7f, version >> 12 & 0x3ff, version & 0xfff),
    })
}
