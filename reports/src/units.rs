//! Numbers as people read them: scaled units, four digits.

/// What work in a numeric type is counted in: floating-point operations, or operations on whole numbers.
pub fn work(dtype: &str) -> &'static str {
    if is_whole(dtype) { "OP" } else { "FLOP" }
}

/// What rates of such work are counted in.
pub fn work_per_s(dtype: &str) -> &'static str {
    if is_whole(dtype) { "OP/s" } else { "FLOP/s" }
}

/// What its energy is counted in.
pub fn pj_per_work(dtype: &str) -> &'static str {
    if is_whole(dtype) { "pJ/OP" } else { "pJ/FLOP" }
}

/// A rate of work in a numeric type.
pub fn rate(per_s: f64, dtype: &str) -> String {
    scaled(per_s, work_per_s(dtype))
}

fn is_whole(dtype: &str) -> bool {
    dtype.strip_prefix('i').is_some_and(|bits| bits.parse::<u32>().is_ok())
}

/// A bandwidth in bytes/s.
pub fn bytes_per_s(rate: f64) -> String {
    scaled(rate, "B/s")
}

/// Picojoules for each of something.
pub fn pj(picojoules: f64, of: &str) -> String {
    match picojoules.abs() {
        1e6.. => format!("{} µJ/{of}", digits(picojoules / 1e6)),
        1e3.. => format!("{} nJ/{of}", digits(picojoules / 1e3)),
        _ => format!("{} pJ/{of}", digits(picojoules)),
    }
}

/// Energy.
pub fn joules(energy: f64) -> String {
    scaled(energy, "J")
}

/// Work per energy, which is a rate per power.
pub fn flop_per_s_per_w(efficiency: f64) -> String {
    scaled(efficiency, "FLOP/s/W")
}

/// A ratio: three digits.
pub fn ratio(value: f64) -> String {
    match value {
        value if value < 0.0995 => format!("{value:.3}×"),
        value if value < 9.995 => format!("{value:.2}×"),
        value if value < 99.95 => format!("{value:.1}×"),
        value => format!("{value:.0}×"),
    }
}

/// How often something happens.
pub fn per_s(rate: f64) -> String {
    scaled(rate, "/s")
}

/// A share of a whole.
pub fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    if percent < 9.95 { format!("{percent:.1}%") } else { format!("{percent:.0}%") }
}

/// A size in bytes, in binary units.
pub fn bytes(size: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = size as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{size} B") } else { format!("{value:.1} {}", units[unit]) }
}

/// A time in nanoseconds.
pub fn time(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{} ns", digits(ns)),
        ns if ns < 1e6 => format!("{} µs", digits(ns / 1e3)),
        ns if ns < 1e9 => format!("{} ms", digits(ns / 1e6)),
        ns => format!("{} s", digits(ns / 1e9)),
    }
}

fn scaled(value: f64, unit: &str) -> String {
    let scales = [
        (1e15, "P"),
        (1e12, "T"),
        (1e9, "G"),
        (1e6, "M"),
        (1e3, "k"),
        (1.0, ""),
        (1e-3, "m"),
        (1e-6, "µ"),
        (1e-9, "n"),
        (1e-12, "p"),
    ];
    match scales.into_iter().find(|(scale, _)| value >= *scale) {
        Some((scale, prefix)) => format!("{} {prefix}{unit}", digits(value / scale)),
        None => format!("{} {unit}", digits(value)),
    }
}

/// Four significant digits of a number from 1 to 9999.
fn digits(value: f64) -> String {
    match value.abs() {
        size if size < 10.0 => format!("{value:.3}"),
        size if size < 100.0 => format!("{value:.2}"),
        size if size < 1000.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits() {
        assert_eq!(rate(203.44e9, "f32"), "203.4 GFLOP/s");
        assert_eq!(rate(12.0, "f64"), "12.00 FLOP/s");
        assert_eq!([rate(1.2e12, "tf32"), rate(1.2e12, "i8")], ["1.200 TFLOP/s", "1.200 TOP/s"]);
        assert_eq!(["f16-acc16", "i8", "int"].map(work), ["FLOP", "OP", "FLOP"]);
        assert_eq!(bytes_per_s(4.21e12), "4.210 TB/s");
        assert_eq!([percent(0.9412), percent(0.0312), percent(0.0997)], ["94%", "3.1%", "10%"]);
        assert_eq!(time(1234.5), "1.234 µs");
        assert_eq!(joules(0.0123), "12.30 mJ");
        assert_eq!(time(83_700_000.0), "83.70 ms");
        assert_eq!([pj(0.71, "FLOP"), pj(-12.0, "B"), pj(2400.0, "B")], ["0.710 pJ/FLOP", "-12.00 pJ/B", "2.400 nJ/B"]);
        assert_eq!(bytes(24 << 30), "24.0 GiB");
        assert_eq!(bytes(512), "512 B");
    }
}
