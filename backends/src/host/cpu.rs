//! What the system says of the processor.

use std::collections::BTreeSet;

/// What Linux says of the processor; other systems give its architecture only.
pub(super) struct Cpu {
    pub(super) name: String,
    pub(super) vendor: String,
    pub(super) mhz: Option<u32>,
    /// The number of its generation and of its design within it, as x86 processors have them.
    pub(super) family: Option<(u32, u32)>,
    /// Physical cores, where the system tells.
    pub(super) cores: Option<usize>,
}

impl Cpu {
    pub(super) fn read() -> Self {
        let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            let line = text.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name))?;
            line.split_once(':').map(|(_, value)| value.trim().to_owned())
        };
        let number = |name: &str| field(name)?.parse::<u32>().ok();
        let highest = std::fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
        Self {
            name: field("model name").unwrap_or_else(|| format!("{} CPU", std::env::consts::ARCH)),
            vendor: field("vendor_id").unwrap_or_else(|| "unknown".to_owned()),
            mhz: highest.ok().and_then(|khz| khz.trim().parse::<u32>().ok()).map(|khz| khz / 1000),
            family: number("cpu family").zip(number("model")),
            cores: cores(&text),
        }
    }
}

/// Different pairs of socket and core in the text of Linux's `/proc/cpuinfo`.
fn cores(text: &str) -> Option<usize> {
    let mut socket = "";
    let mut cores = BTreeSet::new();
    for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
        match name.trim() {
            "physical id" => socket = value,
            "core id" => {
                cores.insert((socket, value));
            }
            _ => {}
        }
    }
    (!cores.is_empty()).then_some(cores.len())
}

/// The largest cache of the first core, by Linux's sysfs.
pub(in crate::host) fn last_level_cache() -> Option<u64> {
    let folder = std::fs::read_dir("/sys/devices/system/cpu/cpu0/cache").ok()?;
    folder
        .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("size")).ok())
        .filter_map(|size| {
            let size = size.trim();
            let kib = size.strip_suffix('K').and_then(|n| n.parse::<u64>().ok());
            kib.or_else(|| size.strip_suffix('M').and_then(|n| n.parse::<u64>().ok()).map(|mib| mib * 1024))
        })
        .max()
        .map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::cores;

    #[test]
    fn threads_of_a_core_are_one_core() {
        let thread = |socket, core| format!("processor\t: 0\nphysical id\t: {socket}\ncore id\t\t: {core}\n\n");
        let text = [thread(0, 0), thread(0, 0), thread(0, 1), thread(1, 0)].concat();
        assert_eq!(cores(&text), Some(3));
        assert_eq!(cores("processor\t: 0\n"), None);
    }
}
