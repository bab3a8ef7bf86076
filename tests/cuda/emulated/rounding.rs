//! How narrow numbers are made of floats: to the nearest, with ties, subnormals and infinities.

use crate::Check;
use crate::device::open;
use accelbench_backends::{Access, Command, KernelSpec, Launch, Source};

const ROUND: &str = concat!(
    include_str!("../../../kernels/src/ptx.cuh"),
    r#"
extern "C" __global__ void narrow(const float* x, unsigned* y) {
    y[2 * threadIdx.x] = f32_to_half(x[threadIdx.x]);
    y[2 * threadIdx.x + 1] = f32_to_tf32(x[threadIdx.x]).bits;
}
"#
);

/// The bits of a float, of the bfloat16 that is nearest to it, ties to even, and of the tf32, ties away from zero.
const NEAREST: [[u32; 3]; 16] = [
    [0x3F80_0000, 0x3F80, 0x3F80_0000],
    [0x3F80_7FFF, 0x3F80, 0x3F80_8000],
    [0x3F80_8000, 0x3F80, 0x3F80_8000],
    [0x3F80_8001, 0x3F81, 0x3F80_8000],
    [0x3F81_8000, 0x3F82, 0x3F81_8000],
    [0xBF81_8000, 0xBF82, 0xBF81_8000],
    [0x3F80_0FFF, 0x3F80, 0x3F80_0000],
    [0x3F80_1000, 0x3F80, 0x3F80_2000],
    [0xBF80_1000, 0xBF80, 0xBF80_2000],
    [0x3FFF_FFFF, 0x4000, 0x4000_0000],
    [0x8000_0000, 0x8000, 0x8000_0000],
    [0x0000_8000, 0x0000, 0x0000_8000],
    [0x0001_8000, 0x0002, 0x0001_8000],
    [0x007F_FFFF, 0x0080, 0x0080_0000],
    [0x7F7F_FFFF, 0x7F80, 0x7F80_0000],
    [0xFF80_0000, 0xFF80, 0xFF80_0000],
];

pub(crate) fn trials() -> Vec<Check> {
    vec![("rounding/to the nearest".into(), Box::new(|fakes| fakes.run("whole", "rounding", &[]).map(|_| ())))]
}

pub(crate) fn child() {
    let device = open(0);
    let count = NEAREST.len() as u32;
    let spec = KernelSpec {
        source: Source::CudaC(ROUND.into()),
        entry: "narrow".to_owned(),
        defines: vec![("PRECISION_BF16".to_owned(), "1".to_owned())],
        group: [count, 1, 1],
        shared_bytes: 0,
        bindings: vec![Access::Read, Access::Write],
        params_bytes: 0,
    };
    let kernel = device.compile(&spec).expect("the kernel compiles");
    let input: Vec<u8> = NEAREST.iter().flat_map(|[float, ..]| float.to_le_bytes()).collect();
    let (x, y) =
        (device.alloc(input.len() as u64).expect("memory"), device.alloc(u64::from(8 * count)).expect("memory"));
    device.upload(&x, 0, &input).expect("inside");
    let launch = Launch { kernel: &kernel, grid: [1, 1, 1], buffers: &[&x, &y], params: &[] };
    device.wait(device.submit(&[Command::Launch(launch)]).expect("right")).expect("it ends");
    let mut output = vec![0; y.bytes() as usize];
    device.download(&y, 0, &mut output).expect("inside");
    let words: Vec<u32> = output.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
    for ([float, bfloat16, tf32], found) in NEAREST.iter().zip(words.chunks(2)) {
        assert_eq!([found[0], found[1]], [*bfloat16, *tf32], "of {float:08x}");
    }
}
