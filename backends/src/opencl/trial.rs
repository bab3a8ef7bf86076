//! A kernel that is compiled and run to see what the device can do.

use super::device::OpenClDevice;
use crate::{Access, Command, Device, KernelSpec, Launch, Result, Source};
use bytemuck::Pod;

/// Compiles a kernel of one buffer, runs one work-group of so many work-items on `values`, and returns what it leaves in
/// their place.
///
/// # Errors
/// What the compiler or the device says.
pub(super) fn run<T: Pod, const N: usize>(
    device: &OpenClDevice,
    source: &'static str,
    entry: &str,
    items: u32,
    mut values: [T; N],
) -> Result<[T; N]> {
    let kernel = device.compile(&KernelSpec {
        source: Source::OpenClC(source.into()),
        entry: entry.to_owned(),
        defines: Vec::new(),
        group: [items, 1, 1],
        shared_bytes: 0,
        bindings: vec![Access::Write],
        params_bytes: 0,
    })?;
    let buffer = device.alloc(size_of_val(&values) as u64)?;
    device.upload(&buffer, 0, bytemuck::cast_slice(&values))?;
    let launch = Launch { kernel: &kernel, grid: [1, 1, 1], buffers: &[&buffer], params: &[] };
    device.wait(device.submit(&[Command::Launch(launch)])?)?;
    device.download(&buffer, 0, bytemuck::cast_slice_mut(&mut values))?;
    Ok(values)
}
