//! Platforms and their devices, numbered in the loader's order.

use super::caps::Query;
use super::device::OpenClDevice;
use super::{caps, clblast, code, loader};
use crate::{Absence, Device, Driver, Error, Presence, Result};
use opencl3::device::{CL_DEVICE_TYPE_ACCELERATOR, CL_DEVICE_TYPE_CPU, CL_DEVICE_TYPE_GPU, get_device_ids};
use opencl3::platform::platform::{CL_PLATFORM_NAME, CL_PLATFORM_VERSION, get_platform_data, get_platform_ids};
use opencl3::types::{cl_device_id, cl_platform_id};

/// The backend `opencl`.
pub struct OpenClDriver;

impl Driver for OpenClDriver {
    fn id(&self) -> &'static str {
        "opencl"
    }

    fn environment(&self) -> &'static [&'static str] {
        &["OCL_", "OPENCL_", "CL_", "POCL_", "GPU_", "HSA_", "CLBLAST_"]
    }

    fn probe(&self) -> Presence {
        let (found, mut notes) = match find() {
            Ok(found) => found,
            Err(absence) => return absence.into(),
        };
        let mut versions: Vec<&str> = found.iter().map(|found| found.platform.version.as_str()).collect();
        versions.dedup();
        let api_version = versions.join(", ");
        let mut devices = Vec::new();
        for (index, found) in (0..).zip(&found) {
            match OpenClDevice::open(index, found) {
                Ok(device) => devices.push(device.info().clone()),
                Err(error) => notes.push(format!("opencl:{index} of {} does not answer: {error}", found.platform.name)),
            }
        }
        if devices.is_empty() {
            loader::no_device(&notes).into()
        } else {
            notes.push(clblast::note());
            Presence::Present { api_version, devices, notes }
        }
    }

    fn open(&self, index: u32) -> Result<Box<dyn Device>> {
        let unavailable = |reason| Error::Unavailable { api: "opencl", reason };
        let (found, _) = find().map_err(|absence| unavailable(absence.detail))?;
        let found = found
            .get(index as usize)
            .ok_or_else(|| unavailable(format!("there is no opencl:{index}; devices found: {}", found.len())))?;
        Ok(Box::new(OpenClDevice::open(index, found)?))
    }
}

/// A platform, which is a driver in OpenCL's terms.
#[derive(Clone)]
pub(super) struct Platform {
    pub(super) name: String,
    pub(super) version: String,
}

/// A device with its platform.
pub(super) struct Found {
    pub(super) platform: Platform,
    pub(super) device: cl_device_id,
}

/// The devices that can be used, and notes on those that can't.
fn find() -> std::result::Result<(Vec<Found>, Vec<String>), Absence> {
    let platforms = get_platform_ids().map_err(loader::absence)?;
    if platforms.is_empty() {
        return Err(loader::no_platform());
    }
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    for id in platforms {
        let platform = Platform { name: text(id, CL_PLATFORM_NAME), version: text(id, CL_PLATFORM_VERSION) };
        // One platform's failure must not hide the others' devices, so each is asked by itself.
        match get_device_ids(id, CL_DEVICE_TYPE_CPU | CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_ACCELERATOR) {
            Ok(devices) if devices.is_empty() => notes.push(format!("platform {} has no device", platform.name)),
            Ok(devices) => {
                for device in devices {
                    match caps::unusable(Query(device)) {
                        Some(why) => notes.push(format!("platform {}: {why}", platform.name)),
                        None => found.push(Found { platform: platform.clone(), device }),
                    }
                }
            }
            Err(status) => {
                notes.push(format!("platform {}: clGetDeviceIDs failed with {}", platform.name, code::name(status)));
            }
        }
    }
    if found.is_empty() { Err(loader::no_device(&notes)) } else { Ok((found, notes)) }
}

fn text(platform: cl_platform_id, what: u32) -> String {
    let bytes = get_platform_data(platform, what).unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim_matches(['\0', ' ']).to_owned()
}
