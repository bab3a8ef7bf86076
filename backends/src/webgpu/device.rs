//! An adapter as a device.

use super::gpu::Gpu;
use super::kernel::GpuKernel;
use super::memory::GpuBuffer;
use super::queue::{self, Pending, Timer};
use super::timing::StampPool;
use super::{caps, fill, matrices, memory};
use crate::launch;
use crate::timing::Submissions;
use crate::{Buffer, Command, Device, DeviceInfo, Error, Kernel, KernelSpec, Memory, Result, Span, Ticket};

pub(super) struct WebGpuDevice {
    gpu: Gpu,
    info: DeviceInfo,
    fill: Kernel,
    stamps: StampPool,
    submissions: Submissions<Pending>,
}

impl WebGpuDevice {
    /// Opens the adapter that has this index, and tries out the types and the forms of matrices that it states.
    pub(super) fn open(adapter: &wgpu::Adapter, index: u32) -> Result<Self> {
        let gpu = Gpu::open(adapter)?;
        let fill = fill::compile(&gpu)?;
        let info = caps::describe(adapter, &gpu, index);
        let mut device =
            Self { submissions: Submissions::new(gpu.token), gpu, info, fill, stamps: StampPool::default() };
        for dtype in device.info.caps.compute.clone() {
            if let Some(trouble) = trouble(caps::computes(&device, dtype)) {
                device.info.caps.compute.remove(&dtype);
                device.info.caps.facts.insert(format!("no {dtype}"), trouble);
            }
        }
        let mut forms = Vec::new();
        for form in matrices::stated(adapter, &device.info.caps) {
            match trouble(matrices::multiplies(&device, form)) {
                None => forms.push(form.to_string()),
                Some(trouble) => {
                    device.info.caps.facts.insert(format!("no {form}"), trouble);
                }
            }
        }
        if !forms.is_empty() {
            device.info.caps.facts.insert("cooperative_matrix".to_owned(), forms.join(", "));
        }
        Ok(device)
    }
}

/// Why what a driver states is not believed, or nothing where a trial proved it.
fn trouble(tried: Result<bool>) -> Option<String> {
    match tried {
        Ok(true) => None,
        Ok(false) => Some("the driver states it, and computes something else".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

impl Device for WebGpuDevice {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn alloc(&self, bytes: u64) -> Result<Buffer> {
        memory::alloc(&self.gpu, &self.info.caps, bytes)
    }

    fn alloc_pinned(&self, _bytes: u64) -> Result<Buffer> {
        Err(Error::unsupported("WebGPU maps memory of the host for reading or for writing, and none for both"))
    }

    fn upload(&self, dst: &Buffer, offset: u64, src: &[u8]) -> Result<()> {
        dst.check_range(offset, src.len() as u64)?;
        memory::upload(&self.gpu, &dst.inner::<GpuBuffer>(self.gpu.token)?.raw, offset, src)
    }

    fn download(&self, src: &Buffer, offset: u64, dst: &mut [u8]) -> Result<()> {
        src.check_range(offset, dst.len() as u64)?;
        memory::download(&self.gpu, &src.inner::<GpuBuffer>(self.gpu.token)?.raw, offset, dst)
    }

    fn compile(&self, spec: &KernelSpec) -> Result<Kernel> {
        launch::check_spec(spec, &self.info.caps)?;
        GpuKernel::compile(&self.gpu, spec)
    }

    fn submit(&self, commands: &[Command<'_>]) -> Result<Ticket> {
        launch::check(commands, self.gpu.token, &self.info.caps)?;
        Ok(self.submissions.add(queue::submit(&self.gpu, &self.fill, &self.stamps, commands)?))
    }

    fn wait(&self, ticket: Ticket) -> Result<Vec<Span>> {
        let Pending { submission, timer } = self.submissions.take(&ticket)?;
        match timer {
            Timer::None => self.gpu.wait(submission).map(|()| Vec::new()),
            Timer::Stamps(stamps) => self.stamps.spans(&self.gpu, stamps, submission),
            Timer::Wall { spans, .. } => self.gpu.wait(submission).map(|()| spans),
        }
    }

    fn memory(&self) -> Result<Memory> {
        // wgpu tells no device's free memory.
        Ok(Memory { total: self.info.caps.memory_bytes, free: None })
    }
}
