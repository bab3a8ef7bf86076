//! wgpu, as one writes it directly: all objects made once, time stamps around the launches.

use crate::side::{BYTES, ENTRY, PARAMS, Side};
use accelbench_backends::DeviceInfo;
use wgpu::{BufferUsages, Features};

pub(crate) const SOURCE: &str = include_str!("touch.wgsl");

const STAMPS_BYTES: u64 = 2 * wgpu::QUERY_SIZE as u64;
const STAMPS: Features = Features::TIMESTAMP_QUERY.union(Features::TIMESTAMP_QUERY_INSIDE_ENCODERS);

pub(crate) struct Raw {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    buffer: wgpu::Buffer,
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    stamps: wgpu::Buffer,
}

impl Raw {
    /// The adapter that the seam knows by this name.
    pub(crate) fn open(info: &DeviceInfo) -> Result<Self, String> {
        let backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends,
            flags: wgpu::InstanceFlags::empty(),
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let adapters = pollster::block_on(instance.enumerate_adapters(backends));
        let adapter = adapters.iter().find(|adapter| adapter.get_info().name == info.name);
        let adapter = adapter.ok_or("wgpu does not see this adapter")?;
        if !adapter.features().contains(STAMPS) {
            return Err("it has no time stamps between passes, and the seam waits for each span there".to_owned());
        }
        let request = adapter.request_device(&wgpu::DeviceDescriptor {
            required_features: STAMPS,
            required_limits: adapter.limits(),
            ..Default::default()
        });
        let (device, queue) = pollster::block_on(request).map_err(|error| error.to_string())?;
        Ok(Self::new(device, queue))
    }

    fn new(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let module = wgpu::ShaderModuleDescriptor { label: None, source: wgpu::ShaderSource::Wgsl(SOURCE.into()) };
        // SAFETY: the kernel writes to one word of its buffer.
        let module = unsafe { device.create_shader_module_trusted(module, wgpu::ShaderRuntimeChecks::unchecked()) };
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &module,
            entry_point: Some(ENTRY),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let create = |size, usage| {
            device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
        };
        let buffer = create(BYTES as u64, BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST);
        let params = create(size_of_val(&PARAMS) as u64, BufferUsages::UNIFORM | BufferUsages::COPY_DST);
        queue.write_buffer(&params, 0, bytemuck::bytes_of(&PARAMS));
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: params.as_entire_binding() },
            ],
        });
        let queries = device.create_query_set(&wgpu::QuerySetDescriptor {
            label: None,
            ty: wgpu::QueryType::Timestamp,
            count: 2,
        });
        let resolved = create(STAMPS_BYTES, BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC);
        let stamps = create(STAMPS_BYTES, BufferUsages::COPY_DST | BufferUsages::MAP_READ);
        Self { device, queue, pipeline, group, buffer, queries, resolved, stamps }
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    fn wait(&self, submission: wgpu::SubmissionIndex) {
        let poll = wgpu::PollType::Wait { submission_index: Some(submission), timeout: None };
        self.device.poll(poll).expect("the device answers");
    }

    /// Submits, waits, and gives the bytes of a buffer that can be mapped.
    fn read<T>(&self, encoder: wgpu::CommandEncoder, buffer: &wgpu::Buffer, read: impl FnOnce(&[u8]) -> T) -> T {
        let submission = self.queue.submit([encoder.finish()]);
        buffer.map_async(wgpu::MapMode::Read, .., |_| ());
        self.wait(submission);
        let view = buffer.get_mapped_range(..).expect("it is mapped");
        let value = read(&view);
        drop(view);
        buffer.unmap();
        value
    }
}

impl Side for Raw {
    fn launch(&self, launches: usize) -> f64 {
        let mut encoder = self.encoder();
        encoder.write_timestamp(&self.queries, 0);
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, &[]);
        for _ in 0..launches {
            pass.dispatch_workgroups(1, 1, 1);
        }
        drop(pass);
        encoder.write_timestamp(&self.queries, 1);
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.stamps, 0, STAMPS_BYTES);
        let [begin, end] = self.read(encoder, &self.stamps, bytemuck::pod_read_unaligned::<[u64; 2]>);
        end.saturating_sub(begin) as f64 * f64::from(self.queue.get_timestamp_period())
    }

    fn upload(&self, src: &[u8]) {
        self.queue.write_buffer(&self.buffer, 0, src);
    }

    fn download(&self, dst: &mut [u8]) {
        let size = dst.len() as u64;
        let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        let staging = self.device.create_buffer(&descriptor);
        let mut encoder = self.encoder();
        encoder.copy_buffer_to_buffer(&self.buffer, 0, &staging, 0, size);
        self.read(encoder, &staging, |bytes| dst.copy_from_slice(bytes));
    }

    fn settle(&self) {
        self.wait(self.queue.submit([]));
    }
}
