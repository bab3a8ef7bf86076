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
        let request = adapter.request_device(&wgpu::DeviceDescriptor {
            label: None,
            required_features: adapter.features() & useful,
            required_limits: adapter.limits(),
            ..Default::default()
        });
        let (device, queue) = pollster::block_on(request)
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
