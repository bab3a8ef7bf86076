//! c = a₀·x + a₁·y on every device: in its own language, or as a product of 1 × 2 by 2 × 1024 where it has a library only.
use accelbench_backends::{Access, Command, KernelSpec, Language, Launch, LibraryCall, Presence, Registry, Source};

const CUDA: &str = r#"extern "C" __global__ void combine(const float *a, const float *b, float *c) {
    int i = blockIdx.x * 64 + threadIdx.x; c[i] = a[0] * b[i] + a[1] * b[1024 + i]; }"#;
const OPENCL: &str = "kernel void combine(global const float *a, global const float *b, global float *c) {
    int i = get_global_id(0); c[i] = a[0] * b[i] + a[1] * b[1024 + i]; }";
const WGSL: &str = "@group(0) @binding(0) var<storage> a: array<f32>; @group(0) @binding(1) var<storage> b: array<f32>;
    @group(0) @binding(2) var<storage, read_write> c: array<f32>;
    @compute @workgroup_size(64) fn combine(@builtin(global_invocation_id) id: vec3<u32>) {
        let i = id.x; c[i] = a[0] * b[i] + a[1] * b[1024 + i]; }";
const GEMM: &str = r#"{ "m": 1, "n": 1024, "k": 2, "trans_a": false, "trans_b": false,
    "storage": "f32", "accumulate": "f32" }"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let registry = Registry::builtin();
    for id in registry.ids() {
        let Some(Presence::Present { devices, .. }) = registry.probe(id) else { continue };
        for info in devices {
            let device = registry.open(&info.id)?;
            let (source, group, grid) = match info.caps.languages.first() {
                Some(Language::CudaC) => (Source::CudaC(CUDA.into()), 64, 16),
                Some(Language::OpenClC) => (Source::OpenClC(OPENCL.into()), 64, 16),
                Some(Language::Wgsl) => (Source::Wgsl(WGSL.into()), 64, 16),
                _ => {
                    let (library, function) = (info.caps.libraries("gemm")[0].clone(), "gemm".into());
                    let arguments = serde_json::from_str(GEMM)?;
                    (Source::Library(LibraryCall { library, function, arguments }), 1, 1)
                }
            };
            let kernel = device.compile(&KernelSpec {
                source,
                entry: "combine".into(),
                defines: vec![],
                group: [group, 1, 1],
                shared_bytes: 0,
                bindings: vec![Access::Read, Access::Read, Access::Write],
                params_bytes: 0,
            })?;
            let (a, b, c) = (device.alloc(8)?, device.alloc(8192)?, device.alloc(4096)?);
            device.upload(&a, 0, bytemuck::bytes_of(&[2.0_f32, 3.0]))?;
            device.upload(&b, 0, bytemuck::bytes_of(&[1.0_f32; 2048]))?;
            let launch = Launch { kernel: &kernel, grid: [grid, 1, 1], buffers: &[&a, &b, &c], params: &[] };
            let spans = device.wait(device.submit(&[Command::Begin, Command::Launch(launch), Command::End])?)?;
            let mut out = [0.0_f32; 1024];
            device.download(&c, 0, bytemuck::bytes_of_mut(&mut out))?;
            assert!(out.iter().all(|x| (x - 5.0).abs() < 1e-6), "{} computes wrongly", info.id);
            let (id, name, span) = (info.id, info.name, spans[0]);
            println!("{id}  {name}: right, in {} ns by {}", span.ns, span.clock.name());
        }
    }
    Ok(())
}
