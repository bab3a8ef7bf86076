//! Finding and opening CUDA devices.

use super::api;
use super::caps::{self, Capability, describe};
use super::device::CudaDevice;
use super::library;
use crate::{Absence, AbsenceReason, Device, Driver, Error, Presence, Result};

/// The backend `cuda`.
pub struct CudaDriver;

impl Driver for CudaDriver {
    fn id(&self) -> &'static str {
        "cuda"
    }

    fn environment(&self) -> &'static [&'static str] {
        &["CUDA_", "NVIDIA_", "CUBLAS", "CUDNN_"]
    }

    fn probe(&self) -> Presence {
        match api::load() {
            Ok(()) => look_around().unwrap_or_else(|error| {
                Absence::new(AbsenceReason::ProbeFailed, error.to_string(), "check `nvidia-smi` and the kernel's log")
                    .into()
            }),
            Err(absence) => absence.into(),
        }
    }

    fn open(&self, index: u32) -> Result<Box<dyn Device>> {
        let unavailable = |reason: String| Error::Unavailable { api: "cuda", reason };
        api::load().map_err(|absence| unavailable(absence.detail))?;
        let devices = caps::devices()?;
        let device = *devices
            .get(index as usize)
            .ok_or_else(|| unavailable(format!("there is no cuda:{index}; there are {} devices", devices.len())))?;
        if let Some(reason) = too_old(Capability::of(device)?) {
            return Err(unavailable(format!("cuda:{index} {reason}")));
        }
        Ok(Box::new(CudaDevice::open(index, device)?))
    }
}

fn look_around() -> Result<Presence> {
    let mut devices = Vec::new();
    let mut notes = Vec::new();
    for (index, device) in (0..).zip(caps::devices()?) {
        match Capability::of(device).map(too_old) {
            Ok(Some(reason)) => notes.push(format!("cuda:{index} {reason}")),
            Ok(None) => match describe(index, device) {
                Ok(info) => devices.push(info),
                Err(error) => notes.push(format!("cuda:{index} can't be described: {error}")),
            },
            Err(error) => notes.push(format!("cuda:{index} can't be described: {error}")),
        }
    }
    if devices.is_empty() {
        let detail = if notes.is_empty() { "the driver lists no device".to_owned() } else { notes.join("; ") };
        return Ok(Absence::new(AbsenceReason::NoDevice, detail, "check `nvidia-smi` and CUDA_VISIBLE_DEVICES").into());
    }
    notes.extend(library::versions().filter_map(|(_, version)| Some(version.err()?.to_owned())));
    Ok(Presence::Present { api_version: caps::api_version()?, devices, notes })
}

fn too_old(capability: Capability) -> Option<String> {
    (capability < Capability::OLDEST).then(|| {
        format!("has compute capability {}.{}; 7.0 is the oldest supported", capability.major, capability.minor)
    })
}
