//! Which tile of a matrix a number stands for: each comes exactly once, however many thread blocks take turns.

use crate::Check;
use crate::device::open;
use accelbench_backends::{Access, Command, Device, KernelSpec, Launch, Source};

/// Tiles of 256 × 128. Emulated blocks run one after another, so counts need no atomic.
const COUNT: &str = concat!(
    include_str!("../../../kernels/src/gemm/tiles.cuh"),
    r#"
struct Params { unsigned m, n, tiles_n, zero; };
extern "C" __global__ void count(unsigned* counts, Params p) {
    for (NUMBER number = blockIdx.x;; number += gridDim.x) {
        Tile tile = tile_of<256, 128>(number, p.m, p.n);
        if (!tile.exists) break;
        counts[tile.row / 256 * p.tiles_n + tile.column / 128] += 1;
    }
}
"#
);

/// The types that kernels number tiles in.
const NUMBERS: [&str; 2] = ["unsigned", "unsigned long long"];

pub(crate) fn trials() -> Vec<Check> {
    let trial = |number: &'static str| -> Check {
        (
            format!("tiles/each comes once by {number}"),
            Box::new(move |fakes| fakes.run("whole", &format!("tiles {number}"), &[]).map(|_| ())),
        )
    };
    NUMBERS.into_iter().map(trial).collect()
}

pub(crate) fn child(number: &str) {
    let device = open(0);
    for (m, n) in [(1, 1), (256, 128), (257, 129), (2048, 2048), (2049, 5000), (8192, 8192), (40_000, 1), (5, 90_000)] {
        for blocks in [1, 7, 66, 5000] {
            let counts = counts(&*device, number, m, n, blocks);
            assert!(counts.iter().all(|&count| count == 1), "{m} x {n} by {blocks} blocks: {counts:?}");
        }
    }
}

fn counts(device: &dyn Device, number: &str, m: u32, n: u32, blocks: u32) -> Vec<u32> {
    let spec = KernelSpec {
        source: Source::CudaC(COUNT.into()),
        entry: "count".to_owned(),
        defines: vec![("NUMBER".to_owned(), number.to_owned())],
        group: [1, 1, 1],
        shared_bytes: 0,
        bindings: vec![Access::Write],
        params_bytes: 16,
    };
    let (tiles_m, tiles_n) = (m.div_ceil(256), n.div_ceil(128));
    let kernel = device.compile(&spec).expect("the kernel compiles");
    let buffer = device.alloc(u64::from(4 * tiles_m * tiles_n)).expect("memory");
    let params: Vec<u8> = [m, n, tiles_n, 0].into_iter().flat_map(u32::to_le_bytes).collect();
    let launch = Launch { kernel: &kernel, grid: [blocks, 1, 1], buffers: &[&buffer], params: &params };
    let commands = [Command::Fill { dst: &buffer, pattern: 0 }, Command::Launch(launch)];
    device.wait(device.submit(&commands).expect("right")).expect("it ends");
    let mut bytes = vec![0; buffer.bytes() as usize];
    device.download(&buffer, 0, &mut bytes).expect("inside");
    bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}
