//! Whether the device computes in half: a kernel that does is compiled and run, for NVIDIA's GPUs do it without listing
//! `cl_khr_fp16`, and a listed extension says nothing about results.

use super::device::OpenClDevice;
use crate::{Device, DeviceKind, Source, trial};

/// The extension for arithmetic in half, and the fact that says whether it is listed.
pub(super) const EXTENSION: &str = "cl_khr_fp16";

const SOURCE: &str = "
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
kernel void half_arithmetic(global float *values)
{
    half x = (half)values[0];
    half y = (half)values[1];
    values[0] = (float)(x + y);
    values[1] = (float)fma(x, y, x);
}
";

/// 2048 + 1 lies halfway between two halves and goes to the even one, 2048; in f32 it is exact.
const INPUT: [f32; 2] = [2048.0, 1.0];
const EXPECTED: [f32; 2] = [2048.0, 4096.0];

/// Whether it compiles, runs and rounds as halves do.
pub(super) fn computes(device: &OpenClDevice) -> bool {
    let caps = device.caps();
    let listed = caps.facts.get(EXTENSION).is_some_and(|listed| listed == "yes");
    // CPU drivers list what they have, and PoCL prints its compiler's errors on the terminal.
    (listed || caps.kind != DeviceKind::Cpu) && is_right(device)
}

fn is_right(device: &OpenClDevice) -> bool {
    let values =
        trial::run(device, Source::OpenClC(SOURCE.into()), "half_arithmetic", 1, &[], bytemuck::bytes_of(&INPUT));
    values.is_ok_and(|values| values == bytemuck::bytes_of(&EXPECTED))
}
