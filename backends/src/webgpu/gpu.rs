//! An open wgpu device with its queue, as the parts of this backend share it.

use super::faults::{Faults, caught, internal};
use crate::{DeviceToken, Error, Result};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

pub(super) struct Gpu {
    pub(super) token: DeviceToken,
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) faults: Arc<Faults>,
    /// Bytes of all buffers that are held.
    pub(super) allocated: Rc<Cell<u64>>,
}

impl Gpu {
    /// Opens an adapter with all that it offers and this backend has a use for.
    pub(super) fn open(adapter: &wgpu::Adapter) -> Result<Self> {
        let useful = wgpu::Features::SHADER_F16
            | wgpu::Features::SHADER_F64
            | wgpu::Features::SUBGROUP
            | wgpu::Features::TIMESTAMP_QUERY
            | wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS;
        // SAFETY: the one such feature that is asked for is that of matrices. Kernels that use it come with this
        // program, keep to the forms that the adapter states and are held against a reference.
        let experimental_features = unsafe { wgpu::ExperimentalFeatures::enabled() };
        let request = |features: wgpu::Features| {
            pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
                label: None,
                required_features: adapter.features() & features,
                required_limits: adapter.limits(),
                experimental_features,
                ..Default::default()
            }))
        };
        // Some drivers state matrices and then refuse the device that is to have them.
        let (device, queue) = request(useful | wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX)
            .or_else(|_| request(useful))
            .map_err(|error| Error::Unavailable { api: "webgpu", reason: error.to_string() })?;
        let faults = Faults::of(&device);
        Ok(Self { token: DeviceToken::new(), device, queue, faults, allocated: Rc::default() })
    }

    /// Waits until a submission is complete and its mappings are made.
    pub(super) fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<()> {
        let poll = wgpu::PollType::Wait { submission_index: Some(submission), timeout: None };
        // wgpu panics here when the device is lost.
        match caught(|| self.device.poll(poll)) {
            Ok(Ok(_)) => self.faults.check(0),
            Ok(Err(wgpu::PollError::Timeout)) => Err(Error::Timeout { what: "a submission".into() }),
            Ok(Err(error)) => Err(internal("Device::poll", &error)),
            Err(reason) => Err(Error::DeviceLost { reason }),
        }
    }
}
