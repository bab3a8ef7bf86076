//! A small kernel that is compiled and run when a device is opened, to see what it really can do.

use crate::{Access, Command, Device, KernelSpec, Launch, Result, Source};

/// Compiles a kernel without parameters, runs one work-group of so many work-items on a buffer for each of `inputs`, which
/// it reads, and on one more that holds `output`, and returns what that one holds then.
///
/// # Errors
/// What the compiler or the device says.
pub(crate) fn run(
    device: &dyn Device,
    source: Source,
    entry: &str,
    items: u32,
    inputs: &[&[u8]],
    output: &[u8],
) -> Result<Vec<u8>> {
    let mut bindings = vec![Access::Read; inputs.len()];
    bindings.push(Access::Write);
    let kernel = device.compile(&KernelSpec {
        source,
        entry: entry.to_owned(),
        defines: Vec::new(),
        group: [items, 1, 1],
        shared_bytes: 0,
        bindings,
        params_bytes: 0,
    })?;
    let hold = |content: &[u8]| {
        let buffer = device.alloc(content.len() as u64)?;
        device.upload(&buffer, 0, content)?;
        Ok(buffer)
    };
    let buffers = inputs.iter().map(|input| hold(input)).collect::<Result<Vec<_>>>()?;
    let result = hold(output)?;
    let buffers: Vec<_> = buffers.iter().chain([&result]).collect();
    let launch = Launch { kernel: &kernel, grid: [1, 1, 1], buffers: &buffers, params: &[] };
    device.wait(device.submit(&[Command::Launch(launch)])?)?;
    let mut found = output.to_vec();
    device.download(&result, 0, &mut found)?;
    Ok(found)
}
