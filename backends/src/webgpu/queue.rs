//! Submissions: one list of commands becomes one command encoder, its launches grouped into compute passes.
//!
//! Where only the host's clock can time a span, the list is cut at the span's ends and each part waited for.

use super::gpu::Gpu;
use super::kernel::GpuKernel;
use super::memory::GpuBuffer;
use super::timing::{StampPool, Stamps};
use super::{fill, timing};
use crate::{Buffer, Clock, Command, Kernel, Launch, Result, Span};
use std::time::Instant;

/// A submission that was not waited for yet.
pub(super) struct Pending {
    pub(super) submission: wgpu::SubmissionIndex,
    pub(super) timer: Timer,
}

/// How a submission's spans are timed.
pub(super) enum Timer {
    None,
    Stamps(Stamps),
    Wall { begun: Instant, spans: Vec<Span> },
}

impl Timer {
    fn of(gpu: &Gpu, pool: &StampPool, commands: &[Command<'_>]) -> Result<Self> {
        let spans = commands.iter().filter(|command| matches!(command, Command::Begin)).count() as u64;
        Ok(match timing::clock(&gpu.device) {
            _ if spans == 0 => Self::None,
            Clock::DeviceTimestamp => Self::Stamps(pool.take(gpu, spans)?),
            _ => Self::Wall { begun: Instant::now(), spans: Vec::new() },
        })
    }
}

/// Hands commands to the device.
pub(super) fn submit(gpu: &Gpu, fill: &Kernel, pool: &StampPool, commands: &[Command<'_>]) -> Result<Pending> {
    let mut recorder = Recorder { gpu, encoder: encoder(gpu), pass: None, bound: None };
    let mut timer = Timer::of(gpu, pool, commands)?;
    for command in commands {
        match command {
            Command::Launch(launch) => recorder.launch(launch)?,
            Command::Copy { src, src_offset, dst, dst_offset, bytes } => {
                let (src, dst) = (raw(gpu, src)?, raw(gpu, dst)?);
                recorder.outside().copy_buffer_to_buffer(src, *src_offset, dst, *dst_offset, *bytes);
            }
            Command::Fill { dst, pattern: 0 } => recorder.outside().clear_buffer(raw(gpu, dst)?, 0, None),
            Command::Fill { dst, pattern } => recorder.launch(&Launch {
                kernel: fill,
                grid: fill::grid(dst),
                buffers: &[dst],
                params: &fill::params(*pattern),
            })?,
            Command::Begin => match &mut timer {
                Timer::None => {}
                Timer::Stamps(stamps) => stamps.stamp(recorder.outside()),
                Timer::Wall { begun, .. } => {
                    recorder.drain()?;
                    *begun = Instant::now();
                }
            },
            Command::End => match &mut timer {
                Timer::None => {}
                Timer::Stamps(stamps) => stamps.stamp(recorder.outside()),
                Timer::Wall { begun, spans } => {
                    recorder.drain()?;
                    spans.push(Span { ns: begun.elapsed().as_nanos() as f64, clock: Clock::HostWall });
                }
            },
        }
    }
    if let Timer::Stamps(stamps) = &timer {
        stamps.resolve(recorder.outside());
    }
    Ok(Pending { submission: recorder.submit()?, timer })
}

fn encoder(gpu: &Gpu) -> wgpu::CommandEncoder {
    gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
}

fn raw<'a>(gpu: &Gpu, buffer: &'a Buffer) -> Result<&'a wgpu::Buffer> {
    buffer.inner::<GpuBuffer>(gpu.token).map(|memory| &memory.raw)
}

/// Records commands, keeping a compute pass open across launches.
struct Recorder<'a> {
    gpu: &'a Gpu,
    encoder: wgpu::CommandEncoder,
    pass: Option<wgpu::ComputePass<'static>>,
    /// What the pass was told last, so that a repeated launch is one command.
    bound: Option<(u64, wgpu::BindGroup)>,
}

impl Recorder<'_> {
    /// The encoder, with no pass open.
    fn outside(&mut self) -> &mut wgpu::CommandEncoder {
        self.pass = None;
        self.bound = None;
        &mut self.encoder
    }

    fn launch(&mut self, launch: &Launch<'_>) -> Result<()> {
        let kernel = launch.kernel.inner::<GpuKernel>(self.gpu.token)?;
        let group = kernel.bindings.get(self.gpu, launch.buffers, launch.params)?;
        let pass = self.pass.get_or_insert_with(|| self.encoder.begin_compute_pass(&<_>::default()).forget_lifetime());
        let bound = (launch.kernel.id(), group);
        if self.bound.as_ref() != Some(&bound) {
            pass.set_pipeline(&kernel.pipeline);
            pass.set_bind_group(0, &bound.1, &[]);
            self.bound = Some(bound);
        }
        let [x, y, z] = launch.grid;
        pass.dispatch_workgroups(x, y, z);
        Ok(())
    }

    /// Submits what was recorded and waits for it.
    fn drain(&mut self) -> Result<()> {
        self.outside();
        let recorded = std::mem::replace(&mut self.encoder, encoder(self.gpu));
        self.gpu.wait(hand_over(self.gpu, recorded)?)
    }

    fn submit(mut self) -> Result<wgpu::SubmissionIndex> {
        self.outside();
        hand_over(self.gpu, self.encoder)
    }
}

fn hand_over(gpu: &Gpu, recorded: wgpu::CommandEncoder) -> Result<wgpu::SubmissionIndex> {
    let commands = recorded.finish();
    // What wgpu found wrong while recording is reported here, before anything is handed over.
    gpu.faults.check(0)?;
    let submission = gpu.queue.submit([commands]);
    gpu.faults.check(0)?;
    Ok(submission)
}
