//! What the tests of the functions share: one call through the device, on values that are f64 outside.

#![allow(clippy::unwrap_used)] // A test may panic.

use super::HostDriver;
use super::kernel::PACKED;
use crate::{Access, Command, Driver, KernelSpec, Launch, LibraryCall, Result, Source};
use bytemuck::Pod;
use half::f16;
use serde_json::Value;

/// The precisions: their names, and the largest error of a stored result near 1.
pub(super) const PRECISIONS: [(&str, &str, f64); 3] =
    [("f64", "f64", f64::EPSILON), ("f32", "f32", f32::EPSILON as f64), ("f16", "f32", 1.0 / 1024.0)];

/// `len` values between -1 and 1 that every precision stores exactly: multiples of 1/256.
pub(super) fn values(len: usize, seed: u32) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from((state >> 23) as i32 - 256) / 256.0
    };
    (0..len).map(|_| next()).collect()
}

/// Calls `function` on `operands`, and gives its last buffer, of `output` elements.
pub(super) fn call(function: &str, arguments: &Value, operands: &[Vec<f64>], output: usize) -> Result<Vec<f64>> {
    let storage = arguments["storage"].as_str().unwrap_or("f32");
    let device = HostDriver.open(0)?;
    let kernel = device.compile(&KernelSpec {
        source: Source::Library(LibraryCall {
            library: PACKED.to_owned(),
            function: function.to_owned(),
            arguments: arguments.as_object().unwrap().clone(),
        }),
        entry: function.to_owned(),
        defines: Vec::new(),
        group: [1, 1, 1],
        shared_bytes: 0,
        bindings: [vec![Access::Read; operands.len()], vec![Access::Write]].concat(),
        params_bytes: 0,
    })?;
    // What is not written must not look like a result.
    let operands = operands.iter().cloned().chain([vec![f64::NAN; output]]);
    let buffers = operands
        .map(|values| {
            let bytes = to_bytes(&values, storage);
            let buffer = device.alloc(bytes.len() as u64)?;
            device.upload(&buffer, 0, &bytes)?;
            Ok(buffer)
        })
        .collect::<Result<Vec<_>>>()?;
    let buffers: Vec<_> = buffers.iter().collect();
    // Twice, for the second run finds memory that the first one used.
    for _ in 0..2 {
        let launch = Launch { kernel: &kernel, grid: [1, 1, 1], buffers: &buffers, params: &[] };
        device.wait(device.submit(&[Command::Launch(launch)])?)?;
    }
    let mut bytes = to_bytes(&vec![0.0; output], storage);
    device.download(buffers[buffers.len() - 1], 0, &mut bytes)?;
    Ok(from_bytes(&bytes, storage))
}

fn to_bytes(values: &[f64], storage: &str) -> Vec<u8> {
    match storage {
        "f64" => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
        "f32" => values.iter().flat_map(|value| (*value as f32).to_ne_bytes()).collect(),
        _ => values.iter().flat_map(|value| f16::from_f64(*value).to_ne_bytes()).collect(),
    }
}

fn from_bytes(bytes: &[u8], storage: &str) -> Vec<f64> {
    fn elements<T: Pod + Into<f64>>(bytes: &[u8]) -> Vec<f64> {
        bytes.chunks(size_of::<T>()).map(|element| bytemuck::pod_read_unaligned::<T>(element).into()).collect()
    }
    match storage {
        "f64" => elements::<f64>(bytes),
        "f32" => elements::<f32>(bytes),
        _ => elements::<f16>(bytes),
    }
}
