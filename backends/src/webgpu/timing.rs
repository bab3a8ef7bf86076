//! Spans: by time stamps that the device writes, or by the host's clock where it writes none.
//!
//! A time stamp between two passes is written when everything before it is complete, so the difference of two covers
//! all launches between them.

use super::gpu::Gpu;
use super::memory::{raw_buffer, read_mapped};
use crate::{Clock, Error, Result, Span};
use std::cell::RefCell;

const STAMP_BYTES: u64 = wgpu::QUERY_SIZE as u64;
/// Two stamps a span, and as many queries in a set as WebGPU allows.
const MOST_SPANS: u64 = wgpu::QUERY_SET_MAX_QUERIES as u64 / 2;

/// The step that is assumed of the host's clock: every system's monotonic clock does better.
pub(super) const WALL_RESOLUTION_NS: f64 = 1000.0;

/// The clock that times spans on this device.
pub(super) fn clock(device: &wgpu::Device) -> Clock {
    // Without this feature, stamps are tied to the borders of passes, and copies lie outside of passes.
    if device.features().contains(wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS) {
        Clock::DeviceTimestamp
    } else {
        Clock::HostWall
    }
}

/// The time stamps of one submission.
pub(super) struct Stamps {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    mappable: wgpu::Buffer,
    capacity: u64,
    written: u32,
}

impl Stamps {
    fn new(gpu: &Gpu, spans: u64) -> Result<Self> {
        let queries = gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: None,
            ty: wgpu::QueryType::Timestamp,
            count: 2 * spans as u32,
        });
        gpu.faults.check(0)?;
        let bytes = 2 * spans * STAMP_BYTES;
        Ok(Self {
            queries,
            resolved: raw_buffer(gpu, bytes, wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC)?,
            mappable: raw_buffer(gpu, bytes, wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ)?,
            capacity: spans,
            written: 0,
        })
    }

    /// Writes the next stamp.
    pub(super) fn stamp(&mut self, encoder: &mut wgpu::CommandEncoder) {
        encoder.write_timestamp(&self.queries, self.written);
        self.written += 1;
    }

    /// Moves the stamps to where the host can read them.
    pub(super) fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.resolve_query_set(&self.queries, 0..self.written, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.mappable, 0, u64::from(self.written) * STAMP_BYTES);
    }
}

/// Sets of time stamps that wait for their next use: making one costs more than many a launch.
#[derive(Default)]
pub(super) struct StampPool(RefCell<Vec<Stamps>>);

impl StampPool {
    /// Room for this many spans.
    pub(super) fn take(&self, gpu: &Gpu, spans: u64) -> Result<Stamps> {
        if spans > MOST_SPANS {
            return Err(Error::LimitExceeded { what: "spans of a submission", asked: spans, limit: MOST_SPANS });
        }
        let mut idle = self.0.borrow_mut();
        match idle.iter().position(|stamps| stamps.capacity >= spans) {
            Some(index) => Ok(Stamps { written: 0, ..idle.swap_remove(index) }),
            None => Stamps::new(gpu, spans.next_power_of_two()),
        }
    }

    /// Waits for `submission` and turns its stamps into spans.
    pub(super) fn spans(&self, gpu: &Gpu, stamps: Stamps, submission: wgpu::SubmissionIndex) -> Result<Vec<Span>> {
        let period_ns = f64::from(gpu.queue.get_timestamp_period());
        let bytes = u64::from(stamps.written) * STAMP_BYTES;
        let spans = read_mapped(gpu, &stamps.mappable, submission, bytes, |view| {
            let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(view);
            ticks
                .chunks_exact(2)
                .map(|pair| Span {
                    ns: pair[1].saturating_sub(pair[0]) as f64 * period_ns,
                    clock: Clock::DeviceTimestamp,
                })
                .collect()
        })?;
        self.0.borrow_mut().push(stamps);
        Ok(spans)
    }
}
