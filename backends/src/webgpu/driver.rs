//! Finds adapters: of Vulkan, Metal and Direct3D 12, and of OpenGL when asked.

use super::device::WebGpuDevice;
use super::faults::caught;
use crate::{Absence, AbsenceReason, Device, Driver, Error, Presence, Result};
use std::error::Error as _;

/// Set to 1, this variable adds the adapters of OpenGL. They are left out otherwise: OpenGL shows the same chips as
/// Vulkan does, with lower limits, no half precision and no time stamps.
pub const GL_VARIABLE: &str = "ACCELBENCH_WEBGPU_GL";

/// wgpu's version, as the workspace's manifest pins it.
const WGPU_VERSION: &str = "30.0.1";

/// Buffers beyond this share of what Vulkan says is free are refused, before a driver that promises memory which is not
/// there has the process killed.
const MEMORY_PERCENT: u8 = 95;

const INSTALL_DRIVER: &str = "install the GPU vendor's Vulkan driver, or a software one (Debian and Ubuntu: \
     mesa-vulkan-drivers; Fedora: mesa-vulkan-drivers; Arch: vulkan-swrast)";

/// The backend `webgpu`.
pub struct WebGpuDriver;

impl Driver for WebGpuDriver {
    fn id(&self) -> &'static str {
        "webgpu"
    }

    fn environment(&self) -> &'static [&'static str] {
        &["VK_", "WGPU_", "MESA_", "LP_", "GALLIUM_"]
    }

    fn probe(&self) -> Presence {
        let adapters = match caught(adapters) {
            Ok(adapters) => adapters,
            Err(panic) => return failed(&panic).into(),
        };
        if adapters.is_empty() {
            return absence().into();
        }
        let (mut devices, mut notes) = (Vec::new(), Vec::new());
        for (adapter, index) in adapters.iter().zip(0..) {
            match open(adapter, index) {
                Ok(device) => devices.push(device.info().clone()),
                Err(error) => {
                    notes.push(format!("webgpu:{index} ({}) was passed over: {error}", adapter.get_info().name));
                }
            }
        }
        if devices.is_empty() {
            return failed(&notes.join("; ")).into();
        }
        Presence::Present { api_version: format!("wgpu {WGPU_VERSION}"), devices, notes }
    }

    fn open(&self, index: u32) -> Result<Box<dyn Device>> {
        let unavailable = |reason: String| Error::Unavailable { api: "webgpu", reason };
        let adapters = caught(adapters).map_err(unavailable)?;
        match adapters.get(index as usize) {
            Some(adapter) => Ok(Box::new(open(adapter, index)?)),
            None if adapters.is_empty() => Err(unavailable(absence().detail)),
            None => Err(unavailable(format!("there is no webgpu:{index}; the last is webgpu:{}", adapters.len() - 1))),
        }
    }
}

fn open(adapter: &wgpu::Adapter, index: u32) -> Result<WebGpuDevice> {
    caught(|| WebGpuDevice::open(adapter, index))
        .unwrap_or_else(|reason| Err(Error::Unavailable { api: "webgpu", reason }))
}

/// All adapters, in wgpu's order.
fn adapters() -> Vec<wgpu::Adapter> {
    let mut backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    if std::env::var(GL_VARIABLE).is_ok_and(|value| value == "1") {
        backends |= wgpu::Backends::GL;
    }
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        // Validation layers, which debug builds ask for otherwise, would be measured too.
        flags: wgpu::InstanceFlags::empty(),
        memory_budget_thresholds: wgpu::MemoryBudgetThresholds {
            for_resource_creation: Some(MEMORY_PERCENT),
            for_device_loss: None,
        },
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    pollster::block_on(instance.enumerate_adapters(backends))
}

fn failed(reason: &str) -> Absence {
    Absence::new(
        AbsenceReason::ProbeFailed,
        reason,
        "update or reinstall the graphics driver; VK_DRIVER_FILES selects another one",
    )
}

/// Why there is no adapter.
fn absence() -> Absence {
    if let Some(message) = missing_loader() {
        return Absence::new(
            AbsenceReason::LoaderMissing,
            format!("the Vulkan loader can't be loaded: {message}"),
            format!(
                "install it (Debian and Ubuntu: libvulkan1; Fedora: vulkan-loader; Arch: vulkan-icd-loader), \
                     then {INSTALL_DRIVER}"
            ),
        );
    }
    Absence::new(AbsenceReason::NoDevice, "no driver offers an adapter", INSTALL_DRIVER)
}

/// The dynamic linker's words on why the Vulkan loader is not there; other systems bring Metal or Direct3D along.
fn missing_loader() -> Option<String> {
    if !cfg!(all(unix, not(target_vendor = "apple"))) {
        return None;
    }
    // SAFETY: wgpu has just loaded the same library, or failed to; it runs no code of its own on loading.
    let error = unsafe { libloading::Library::new("libvulkan.so.1") }.err()?;
    Some(error.source().map_or_else(|| error.to_string(), ToString::to_string))
}
