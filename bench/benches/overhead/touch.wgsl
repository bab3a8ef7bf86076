@group(0) @binding(0) var<storage, read_write> words: array<u32>;
@group(0) @binding(1) var<uniform> params: vec4<u32>;
@compute @workgroup_size(1) fn touch(@builtin(global_invocation_id) item: vec3<u32>) { words[item.x] = params.x; }
