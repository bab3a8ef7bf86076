//! What NVIDIA's documents give for a multiprocessor: results of multiply-add instructions in one cycle.

use super::caps::Capability;
use crate::{DType, TheoreticalRate};

const GUIDE: &str = "CUDA C++ Programming Guide, throughput of native arithmetic instructions";

/// Compute capability, then multiply-adds a cycle of a multiprocessor in f64, f32 and f16.
const VECTOR: &[((u32, u32), [u32; 3])] = &[
    ((7, 0), [32, 64, 128]),
    ((7, 5), [2, 64, 128]),
    ((8, 0), [32, 64, 256]),
    ((8, 6), [2, 128, 128]),
    ((8, 9), [2, 128, 128]),
    ((9, 0), [64, 128, 256]),
    ((10, 0), [64, 128, 256]),
];

/// Compute capability, multiply-adds a cycle of a multiprocessor's matrix units without sparsity, document. Where products
/// of one chip differ in this, none is listed.
const MATRIX: &[((u32, u32), DType, u32, &str)] = &[
    ((7, 0), DType::F16, 512, "NVIDIA Tesla V100 GPU Architecture"),
    ((8, 0), DType::Tf32, 512, "NVIDIA A100 Tensor Core GPU Architecture"),
    ((8, 0), DType::Bf16, 1024, "NVIDIA A100 Tensor Core GPU Architecture"),
    ((8, 0), DType::F16, 1024, "NVIDIA A100 Tensor Core GPU Architecture"),
    ((8, 0), DType::I8, 2048, "NVIDIA A100 Tensor Core GPU Architecture"),
    ((8, 0), DType::F64, 64, "NVIDIA A100 Tensor Core GPU Architecture"),
    ((9, 0), DType::Tf32, 1024, "NVIDIA H100 Tensor Core GPU Architecture"),
    ((9, 0), DType::Bf16, 2048, "NVIDIA H100 Tensor Core GPU Architecture"),
    ((9, 0), DType::F16, 2048, "NVIDIA H100 Tensor Core GPU Architecture"),
    ((9, 0), DType::F8E4M3, 4096, "NVIDIA H100 Tensor Core GPU Architecture"),
    ((9, 0), DType::I8, 4096, "NVIDIA H100 Tensor Core GPU Architecture"),
    ((9, 0), DType::F64, 128, "NVIDIA H100 Tensor Core GPU Architecture"),
];

/// The rates of a device with so many multiprocessors, its memory's clock in kHz and its bus in bits.
pub(super) fn of(capability: Capability, units: u32, memory_khz: u32, bus_bits: u32) -> Vec<TheoreticalRate> {
    let own = (capability.major, capability.minor);
    let compute = |dtype, matrix, multiply_adds: u32, source: &str| TheoreticalRate::Compute {
        dtype,
        matrix,
        flop_per_cycle: 2.0 * f64::from(multiply_adds) * f64::from(units),
        source: source.to_owned(),
    };
    let vector = VECTOR.iter().filter(|(known, _)| *known == own).flat_map(|(_, rates)| {
        [DType::F64, DType::F32, DType::F16]
            .into_iter()
            .zip(rates)
            .map(|(dtype, &rate)| compute(dtype, false, rate, GUIDE))
    });
    let matrix = MATRIX.iter().filter(|(known, ..)| *known == own);
    let mut rates: Vec<_> =
        vector.chain(matrix.map(|&(_, dtype, rate, source)| compute(dtype, true, rate, source))).collect();
    // Drivers that no longer tell the memory's clock say 0.
    if memory_khz > 0 && bus_bits > 0 {
        rates.push(TheoreticalRate::Bandwidth {
            // Twice in a cycle.
            bytes_per_cycle: 2.0 * f64::from(bus_bits) / 8.0,
            clock_mhz: f64::from(memory_khz) / 1e3,
            source: "CUDA C++ Best Practices Guide, theoretical bandwidth calculation".to_owned(),
        });
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FLOP/s at a clock, by type and unit.
    fn at(mhz: f64, major: u32, minor: u32, units: u32) -> Vec<(DType, bool, f64)> {
        of(Capability { major, minor }, units, 0, 0)
            .into_iter()
            .filter_map(|rate| match rate {
                TheoreticalRate::Compute { dtype, matrix, flop_per_cycle, .. } => {
                    Some((dtype, matrix, (flop_per_cycle * mhz / 1e5).round() / 10.0))
                }
                TheoreticalRate::Bandwidth { .. } => None,
            })
            .collect()
    }

    /// The data sheets' figures, in TFLOP/s.
    #[test]
    fn data_sheets_agree() {
        let a100 = at(1410.0, 8, 0, 108);
        for figure in [
            (DType::F64, false, 9.7),
            (DType::F32, false, 19.5),
            (DType::F16, false, 78.0),
            (DType::Tf32, true, 155.9),
            (DType::Bf16, true, 311.9),
            (DType::F16, true, 311.9),
            (DType::I8, true, 623.7),
            (DType::F64, true, 19.5),
        ] {
            assert!(a100.contains(&figure), "{figure:?} in {a100:?}");
        }
        // That sheet's rates of matrix units are at 1830 MHz.
        let h100 = at(1830.0, 9, 0, 132);
        for figure in [
            (DType::Tf32, true, 494.7),
            (DType::Bf16, true, 989.4),
            (DType::F16, true, 989.4),
            (DType::F8E4M3, true, 1978.9),
            (DType::I8, true, 1978.9),
        ] {
            assert!(h100.contains(&figure), "{figure:?} in {h100:?}");
        }
        let h100 = at(1980.0, 9, 0, 132);
        for figure in [(DType::F64, false, 33.5), (DType::F32, false, 66.9), (DType::F64, true, 66.9)] {
            assert!(h100.contains(&figure), "{figure:?} in {h100:?}");
        }
        assert_eq!(at(1500.0, 12, 0, 100), []);
    }

    #[test]
    fn memory_counts_both_edges() {
        let rates = of(Capability { major: 9, minor: 0 }, 1, 2_619_000, 5120);
        let Some(TheoreticalRate::Bandwidth { bytes_per_cycle, clock_mhz, .. }) = rates.last() else {
            unreachable!("the last one is memory's");
        };
        // The H100's data sheet: 3.35 TB/s.
        assert!((bytes_per_cycle * clock_mhz / 1e6 - 3.352).abs() < 1e-3);
    }
}
