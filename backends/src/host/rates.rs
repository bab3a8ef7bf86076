//! What the makers' guides give for well-known server processors: FLOP of one core in one cycle.

use super::cpu::Cpu;
use crate::{DType, TheoreticalRate};

/// A core's multiply-add units for vectors: their number, and the bits of each.
struct Units {
    count: u32,
    bits: u32,
    source: &'static str,
}

const INTEL: &str = "Intel 64 and IA-32 Architectures Optimization Reference Manual";

fn units(cpu: &Cpu) -> Option<Units> {
    let found = |count, bits, source| Some(Units { count, bits, source });
    match (cpu.vendor.as_str(), cpu.family?) {
        ("AuthenticAMD", (0x17, 0x30..)) => {
            found(2, 256, "Software Optimization Guide for AMD Family 17h Models 30h and Greater Processors")
        }
        // Zen 4's 512-bit instructions take its 256-bit units twice.
        ("AuthenticAMD", (0x19, 0x10..=0x1f | 0x60..=0x7f | 0xa0..=0xaf)) => {
            found(2, 256, "Software Optimization Guide for the AMD Zen4 Microarchitecture")
        }
        ("AuthenticAMD", (0x19, _)) => found(2, 256, "Software Optimization Guide for AMD Family 19h Processors"),
        // The models for notebooks have narrower units.
        ("AuthenticAMD", (0x1a, 0x00..=0x1f | 0x40..=0x4f)) => {
            found(2, 512, "Software Optimization Guide for the AMD Zen5 Microarchitecture")
        }
        // Smaller models of this generation have one unit.
        ("GenuineIntel", (6, 0x55)) if cpu.name.contains("Platinum") || cpu.name.contains("Gold 6") => {
            found(2, 512, INTEL)
        }
        // Ice Lake, Sapphire Rapids and Emerald Rapids.
        ("GenuineIntel", (6, 0x6a | 0x6c | 0x8f | 0xcf)) => found(2, 512, INTEL),
        _ => None,
    }
}

/// The rates of this processor with so many threads at work; none where its guide, or its number of cores, is not known.
pub(super) fn of(cpu: &Cpu, threads: usize) -> Vec<TheoreticalRate> {
    let (Some(units), Some(cores)) = (units(cpu), cpu.cores) else { return Vec::new() };
    [DType::F64, DType::F32]
        .into_iter()
        .map(|dtype| {
            let lanes = u64::from(units.bits) / 8 / dtype.bytes();
            let core = 2.0 * f64::from(units.count) * lanes as f64;
            // Threads of one core share its units.
            let flop_per_cycle = core * cores.min(threads) as f64;
            TheoreticalRate::Compute { dtype, matrix: false, flop_per_cycle, source: units.source.to_owned() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_cycle(vendor: &str, family: (u32, u32), name: &str, threads: usize) -> Vec<f64> {
        let cpu =
            Cpu { name: name.to_owned(), vendor: vendor.to_owned(), mhz: None, family: Some(family), cores: Some(4) };
        let rates = of(&cpu, threads).into_iter();
        rates
            .filter_map(|rate| match rate {
                TheoreticalRate::Compute { flop_per_cycle, .. } => Some(flop_per_cycle),
                TheoreticalRate::Bandwidth { .. } => None,
            })
            .collect()
    }

    #[test]
    fn cores_count_and_threads_of_a_core_do_not() {
        assert_eq!(per_cycle("AuthenticAMD", (0x19, 0x11), "EPYC", 8), [64.0, 128.0]);
        assert_eq!(per_cycle("AuthenticAMD", (0x19, 0x11), "EPYC", 2), [32.0, 64.0]);
        assert_eq!(per_cycle("AuthenticAMD", (0x1a, 0x02), "EPYC", 4), [128.0, 256.0]);
        assert_eq!(per_cycle("GenuineIntel", (6, 0x8f), "Xeon", 4), [128.0, 256.0]);
    }

    #[test]
    fn what_no_guide_is_known_for_has_no_rate() {
        assert_eq!(per_cycle("GenuineIntel", (6, 0x55), "Xeon Silver 4110", 4), Vec::<f64>::new());
        assert_eq!(per_cycle("AuthenticAMD", (0x1a, 0x24), "Ryzen", 4), Vec::<f64>::new());
        assert_eq!(per_cycle("GenuineIntel", (15, 6), "old", 4), Vec::<f64>::new());
    }
}
