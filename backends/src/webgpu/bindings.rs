//! Bind groups and parameter blocks, made once for each set of arguments and kept.
//!
//! A benchmark launches the same kernel on the same buffers thousands of times, and making a bind group takes longer
//! than a launch. Keys are the ids of the buffers, which no later buffer gets again, and the parameter block.

use super::gpu::Gpu;
use super::memory::{GpuBuffer, raw_buffer};
use crate::{Buffer, Result};
use std::cell::RefCell;
use std::collections::HashMap;

/// Sets of arguments kept for a kernel. Programs have a few; past this something makes new ones all the time.
const KEPT: usize = 256;

/// Uniform buffers come in units of their largest member, a `vec4`.
const UNIFORM_UNIT: u64 = 16;

pub(super) struct Bindings {
    layout: wgpu::BindGroupLayout,
    made: RefCell<HashMap<Vec<u8>, wgpu::BindGroup>>,
    /// Memory for the key that is looked for.
    key: RefCell<Vec<u8>>,
}

impl Bindings {
    pub(super) fn new(layout: wgpu::BindGroupLayout) -> Self {
        Self { layout, made: RefCell::default(), key: RefCell::default() }
    }

    /// The bind group for these arguments.
    pub(super) fn get(&self, gpu: &Gpu, buffers: &[&Buffer], params: &[u8]) -> Result<wgpu::BindGroup> {
        let mut key = self.key.borrow_mut();
        key.clear();
        for buffer in buffers {
            key.extend_from_slice(&buffer.id().to_le_bytes());
        }
        key.extend_from_slice(params);
        let mut made = self.made.borrow_mut();
        if let Some(group) = made.get(&*key) {
            return Ok(group.clone());
        }
        let group = self.make(gpu, buffers, params)?;
        if made.len() >= KEPT {
            made.clear();
        }
        made.insert(key.clone(), group.clone());
        Ok(group)
    }

    fn make(&self, gpu: &Gpu, buffers: &[&Buffer], params: &[u8]) -> Result<wgpu::BindGroup> {
        let memories = buffers.iter().map(|buffer| buffer.inner::<GpuBuffer>(gpu.token)).collect::<Result<Vec<_>>>()?;
        let block = if params.is_empty() { None } else { Some(uniform(gpu, params)?) };
        let entries: Vec<_> = memories
            .iter()
            .map(|memory| &memory.raw)
            .chain(&block)
            .zip(0..)
            .map(|(buffer, binding)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let descriptor = wgpu::BindGroupDescriptor { label: None, layout: &self.layout, entries: &entries };
        let group = gpu.device.create_bind_group(&descriptor);
        gpu.faults.check(0)?;
        Ok(group)
    }
}

fn uniform(gpu: &Gpu, params: &[u8]) -> Result<wgpu::Buffer> {
    let size = (params.len() as u64).next_multiple_of(UNIFORM_UNIT);
    let block = raw_buffer(gpu, size, wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST)?;
    gpu.queue.write_buffer(&block, 0, params);
    gpu.faults.check(size)?;
    Ok(block)
}
