//! Filling a buffer with a pattern: WebGPU itself only clears to 0.

use super::gpu::Gpu;
use super::kernel::GpuKernel;
use crate::{Access, Buffer, Kernel, KernelSpec, Result, Source};

/// Work-items of a work-group: within every adapter's limits.
const GROUP: u32 = 256;
/// Work-groups, at most: enough to keep any device busy, and within WebGPU's own limit.
const MOST_GROUPS: u64 = 65_535;

const SOURCE: &str = "
@group(0) @binding(0) var<storage, read_write> words: array<u32>;
@group(0) @binding(1) var<uniform> pattern: vec4<u32>;

@compute @workgroup_size(256)
fn fill(@builtin(global_invocation_id) item: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    for (var i = item.x; i < arrayLength(&words); i += groups.x * 256u) {
        words[i] = pattern.x;
    }
}
";

pub(super) fn compile(gpu: &Gpu) -> Result<Kernel> {
    let spec = KernelSpec {
        source: Source::Wgsl(SOURCE.into()),
        entry: "fill".to_owned(),
        defines: Vec::new(),
        group: [GROUP, 1, 1],
        shared_bytes: 0,
        bindings: vec![Access::Write],
        params_bytes: 16,
    };
    GpuKernel::compile(gpu, &spec)
}

/// The grid that covers a buffer.
pub(super) fn grid(dst: &Buffer) -> [u32; 3] {
    [dst.bytes().div_ceil(4 * u64::from(GROUP)).min(MOST_GROUPS) as u32, 1, 1]
}

/// The parameter block for a pattern.
pub(super) fn params(pattern: u32) -> [u8; 16] {
    let mut block = [0; 16];
    block[..4].copy_from_slice(&pattern.to_le_bytes());
    block
}
