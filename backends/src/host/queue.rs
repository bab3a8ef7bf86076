//! Submissions run at once, on the calling thread; libraries use their own threads.

use super::kernel::HostKernel;
use super::memory::HostMemory;
use crate::{Access, Clock, Command, DeviceToken, Error, Launch, Result, Span};
use std::time::Instant;

pub(super) fn run(token: DeviceToken, commands: &[Command<'_>]) -> Result<Vec<Span>> {
    let mut spans = Vec::new();
    let mut begun = Instant::now();
    for command in commands {
        match command {
            Command::Launch(launch) => run_launch(token, launch)?,
            Command::Copy { src, src_offset, dst, dst_offset, bytes } => {
                let src = &src.inner::<HostMemory>(token)?.bytes()[*src_offset as usize..][..*bytes as usize];
                dst.inner::<HostMemory>(token)?.bytes_mut()[*dst_offset as usize..][..*bytes as usize]
                    .copy_from_slice(src);
            }
            Command::Fill { dst, pattern } => {
                let pattern = pattern.to_le_bytes();
                for word in dst.inner::<HostMemory>(token)?.bytes_mut().chunks_mut(4) {
                    word.copy_from_slice(&pattern[..word.len()]);
                }
            }
            Command::Begin => begun = Instant::now(),
            Command::End => {
                spans.push(Span { ns: begun.elapsed().as_nanos() as f64, clock: Clock::HostWall });
            }
        }
    }
    Ok(spans)
}

fn run_launch(token: DeviceToken, launch: &Launch<'_>) -> Result<()> {
    let kernel = launch.kernel.inner::<HostKernel>(token)?;
    for (index, buffer) in launch.buffers.iter().enumerate() {
        let writes = launch.kernel.bindings()[index] == Access::Write;
        let shared = launch.buffers.iter().enumerate().any(|(other, b)| other != index && b.id() == buffer.id());
        if writes && shared {
            return Err(Error::invalid("a buffer that a kernel writes is bound twice"));
        }
    }
    let memories = launch.buffers.iter().map(|buffer| buffer.inner::<HostMemory>(token)).collect::<Result<Vec<_>>>()?;
    kernel.run(&memories)
}
