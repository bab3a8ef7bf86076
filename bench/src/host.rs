//! Facts about the machine and the program for a result file's header.

use accelbench_backends::Registry;
use accelbench_reports::{Host, Suite};
use std::collections::BTreeMap;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// The machine.
pub fn host() -> Host {
    let kinds =
        RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram()).with_cpu(CpuRefreshKind::nothing());
    let system = System::new_with_specifics(kinds).ok();
    let cpus = system.as_ref().map(System::cpus).unwrap_or_default();
    Host {
        hostname: System::host_name().ok(),
        os: System::long_os_version().ok(),
        kernel: System::kernel_version().ok(),
        arch: System::cpu_arch(),
        cpu: cpus.first().map(|cpu| cpu.brand().to_owned()).unwrap_or_default(),
        cores: System::physical_core_count().ok(),
        threads: cpus.len(),
        memory_bytes: system.as_ref().map(System::total_memory).unwrap_or_default(),
    }
}

/// Main memory that a process can still have, in bytes.
pub fn available_memory() -> Option<u64> {
    let kinds = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    System::new_with_specifics(kinds).ok().map(|system| system.available_memory())
}

/// This program.
pub fn suite() -> Suite {
    Suite {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git_commit: option_env!("ACCELBENCH_GIT_COMMIT").map(str::to_owned),
        git_dirty: option_env!("ACCELBENCH_GIT_DIRTY").map(|dirty| dirty == "true"),
    }
}

/// The environment variables that change what this program, its backends or the dynamic loader do.
pub fn environment(registry: &Registry) -> BTreeMap<String, String> {
    let prefixes: Vec<&str> = ["ACCELBENCH_", "LD_"].into_iter().chain(registry.environment()).collect();
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix)))
        .collect()
}
