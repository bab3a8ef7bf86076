//! The clock of the cores while all of them work: a chain of additions of which each needs the one before takes one cycle
//! an addition, whatever else a core could do beside it.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Additions of one pass of the chain's loop.
const LINKS: u64 = 64;
/// Passes between two readings of the time: about 100 µs.
const PASSES: u64 = 5000;
/// Long enough for the clock to settle.
const LASTING: Duration = Duration::from_millis(60);

/// The mean of all cores, in MHz, each by its fastest window: in a slower one something else ran. None where this
/// architecture's chain is not known.
pub(super) fn measure() -> Option<f64> {
    let clocks: Vec<f64> = rayon::broadcast(|_| fastest()).into_iter().collect::<Option<_>>()?;
    let mean = clocks.iter().sum::<f64>() / clocks.len() as f64;
    (mean.is_finite() && mean > 0.0).then_some(mean)
}

fn fastest() -> Option<f64> {
    let chain = CHAIN?;
    let begun = Instant::now();
    let mut fastest = 0.0_f64;
    while begun.elapsed() < LASTING {
        let start = Instant::now();
        // Each pass needs the one before, too.
        black_box((0..PASSES).fold(1, |sum, _| chain(sum)));
        fastest = fastest.max((PASSES * LINKS) as f64 / start.elapsed().as_nanos() as f64 * 1e3);
    }
    Some(fastest)
}

/// [`LINKS`] dependent additions of registers. With a constant instead of the second register, some cores would not
/// compute them one by one.
#[cfg(target_arch = "x86_64")]
const CHAIN: Option<fn(u64) -> u64> = Some(|mut sum| {
    // SAFETY: adds registers of its own, and touches neither memory nor the stack.
    unsafe {
        std::arch::asm!(
            ".rept 64", "add {sum}, {one}", ".endr",
            sum = inout(reg) sum, one = in(reg) 1_u64, options(nomem, nostack)
        );
    }
    sum
});
#[cfg(target_arch = "aarch64")]
const CHAIN: Option<fn(u64) -> u64> = Some(|mut sum| {
    // SAFETY: adds registers of its own, and touches neither memory nor the stack.
    unsafe {
        std::arch::asm!(
            ".rept 64", "add {sum}, {sum}, {one}", ".endr",
            sum = inout(reg) sum, one = in(reg) 1_u64, options(nomem, nostack)
        );
    }
    sum
});
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const CHAIN: Option<fn(u64) -> u64> = None;

#[cfg(test)]
mod tests {
    /// Cores run at 500 MHz to 8 GHz; a chain that is not one would show as several times its clock.
    #[test]
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    fn the_clock_is_one_that_cores_have() {
        let mhz = super::measure().unwrap_or_default();
        println!("{mhz} MHz");
        assert!((500.0..8000.0).contains(&mhz), "{mhz} MHz");
    }
}
