//! Buffers, and how bytes get into them and out.
//!
//! WebGPU moves whole 32-bit words at offsets that are multiples of 4, so buffers are rounded up to that, and what
//! starts or ends within a word is moved together with its neighbours.

use super::faults::internal;
use super::gpu::Gpu;
use crate::{Buffer, Caps, Error, Result};
use std::cell::Cell;
use std::rc::Rc;

/// What is moved at once: staging memory comes on top of a device's buffers, so it is kept small beside them.
const CHUNK: u64 = 64 << 20;

/// A buffer's memory.
pub(super) struct GpuBuffer {
    pub(super) raw: wgpu::Buffer,
    /// What all buffers of the device take together.
    allocated: Rc<Cell<u64>>,
}

impl Drop for GpuBuffer {
    fn drop(&mut self) {
        // Bind groups that are kept for the next launch hold on to the handle, so dropping it would free nothing.
        self.raw.destroy();
        self.allocated.set(self.allocated.get() - self.raw.size());
    }
}

pub(super) fn alloc(gpu: &Gpu, caps: &Caps, bytes: u64) -> Result<Buffer> {
    if bytes == 0 {
        return Err(Error::invalid("a buffer of 0 bytes"));
    }
    // Software drivers promise more than there is, so what was handed out already is counted here.
    let free = caps.memory_bytes.map(|memory| memory.saturating_sub(gpu.allocated.get()));
    if free.is_some_and(|free| bytes > free) {
        return Err(Error::OutOfMemory { asked: bytes, free });
    }
    if bytes > caps.max_buffer_bytes {
        return Err(Error::LimitExceeded { what: "a buffer", asked: bytes, limit: caps.max_buffer_bytes });
    }
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    let raw = raw_buffer(gpu, bytes.next_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT), usage)?;
    gpu.allocated.set(gpu.allocated.get() + raw.size());
    Ok(Buffer::new(gpu.token, bytes, GpuBuffer { raw, allocated: Rc::clone(&gpu.allocated) }))
}

/// A wgpu buffer of this backend's own.
pub(super) fn raw_buffer(gpu: &Gpu, size: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer> {
    let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
    let buffer = gpu.device.create_buffer(&descriptor);
    gpu.faults.check(size)?;
    Ok(buffer)
}

pub(super) fn upload(gpu: &Gpu, dst: &wgpu::Buffer, offset: u64, src: &[u8]) -> Result<()> {
    let (start, end) = words_around(offset, src.len());
    if (start, end) == (offset, offset + src.len() as u64) {
        return upload_words(gpu, dst, start, src);
    }
    let mut words = vec![0; (end - start) as usize];
    let last = words.len() - 4;
    download(gpu, dst, start, &mut words[..4])?;
    download(gpu, dst, end - 4, &mut words[last..])?;
    words[(offset - start) as usize..][..src.len()].copy_from_slice(src);
    upload_words(gpu, dst, start, &words)
}

fn upload_words(gpu: &Gpu, dst: &wgpu::Buffer, offset: u64, src: &[u8]) -> Result<()> {
    let mut at = offset;
    for chunk in src.chunks(CHUNK as usize) {
        gpu.queue.write_buffer(dst, at, chunk);
        gpu.faults.check(chunk.len() as u64)?;
        at += chunk.len() as u64;
        if src.len() as u64 > CHUNK {
            // Staging memory is only given back when what it was written for is done.
            gpu.wait(gpu.queue.submit([]))?;
        }
    }
    Ok(())
}

pub(super) fn download(gpu: &Gpu, src: &wgpu::Buffer, offset: u64, dst: &mut [u8]) -> Result<()> {
    if dst.is_empty() {
        return Ok(());
    }
    let (start, end) = words_around(offset, dst.len());
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let staging = raw_buffer(gpu, (end - start).min(CHUNK), usage)?;
    let (mut at, mut rest) = (start, dst);
    let mut skip = (offset - start) as usize;
    while !rest.is_empty() {
        let bytes = (end - at).min(CHUNK);
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(src, at, &staging, 0, bytes);
        let submission = gpu.queue.submit([encoder.finish()]);
        gpu.faults.check(bytes)?;
        let wanted = rest.len().min(bytes as usize - skip);
        let (now, later) = rest.split_at_mut(wanted);
        read_mapped(gpu, &staging, submission, bytes, |view| now.copy_from_slice(&view[skip..][..wanted]))?;
        (at, rest, skip) = (at + bytes, later, 0);
    }
    Ok(())
}

/// Waits for `submission`, then reads the first `bytes` of a mappable buffer.
pub(super) fn read_mapped<T>(
    gpu: &Gpu,
    buffer: &wgpu::Buffer,
    submission: wgpu::SubmissionIndex,
    bytes: u64,
    read: impl FnOnce(&[u8]) -> T,
) -> Result<T> {
    // Whether it worked is seen from the range itself.
    buffer.map_async(wgpu::MapMode::Read, ..bytes, |_| ());
    gpu.wait(submission)?;
    let view = buffer.get_mapped_range(..bytes).map_err(|error| internal("Buffer::map_async", &error))?;
    let value = read(&view);
    drop(view);
    buffer.unmap();
    Ok(value)
}

/// The whole words that cover `bytes` bytes from `offset`.
fn words_around(offset: u64, bytes: usize) -> (u64, u64) {
    (offset & !3, (offset + bytes as u64).next_multiple_of(4))
}
