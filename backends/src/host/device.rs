//! The CPU as a device.

use super::cpu::{Cpu, last_level_cache};
use super::memory::{HostMemory, memory};
use super::{blas, clock, kernel, probe, queue, rates, timing};
use crate::launch;
use crate::timing::Submissions;
use crate::{
    Buffer, Caps, Clock, Command, DType, Device, DeviceId, DeviceInfo, DeviceKind, DeviceToken, Error, Kernel,
    KernelSpec, Language, Memory, PhysicalId, Result, Source, Span, Ticket,
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct HostDevice {
    token: DeviceToken,
    info: DeviceInfo,
    submissions: Submissions<Vec<Span>>,
}

impl HostDevice {
    pub(super) fn new() -> Self {
        let token = DeviceToken::new();
        Self { token, info: Self::describe(), submissions: Submissions::new(token) }
    }

    pub(super) fn describe() -> DeviceInfo {
        let cpu = Cpu::read();
        let threads = rayon::current_num_threads();
        let memory = memory();
        DeviceInfo {
            id: DeviceId::new("host", 0),
            name: cpu.name.clone(),
            vendor: cpu.vendor.clone(),
            driver: "built-in".to_owned(),
            physical_id: PhysicalId::default(),
            caps: Caps {
                kind: DeviceKind::Cpu,
                languages: BTreeSet::from([Language::Library]),
                libraries: libraries(),
                library_forms: blas::forms(),
                external: blas::found().map(|cblas| (cblas.name.to_owned(), cblas.version.clone())).collect(),
                storage: BTreeSet::from([DType::F64, DType::F32, DType::F16]),
                compute: BTreeSet::from([DType::F64, DType::F32]),
                subgroup: None,
                max_group_items: 1,
                max_group: [1, 1, 1],
                max_grid: [1, 1, 1],
                local_bytes: 0,
                max_buffer_bytes: memory.total.unwrap_or(isize::MAX as u64),
                memory_bytes: memory.total,
                cache_bytes: last_level_cache(),
                compute_units: u32::try_from(threads).ok(),
                clock_mhz: cpu.mhz,
                clock: Clock::HostWall,
                clock_resolution_ns: timing::resolution_ns(),
                theoretical: rates::of(&cpu, threads),
                facts: BTreeMap::from([
                    ("isa".to_owned(), kernel::isa().to_owned()),
                    ("threads".to_owned(), threads.to_string()),
                ]),
            },
        }
    }
}

/// The functions with their libraries: this program's own before those of the machine.
fn libraries() -> BTreeMap<String, Vec<String>> {
    let own = ["gemm", "conv2d", "attention"].map(|function| (function, kernel::PACKED));
    let probes = ["fma", "stream"].map(|function| (function, probe::NATIVE));
    let machine = blas::found().map(|cblas| ("gemm", cblas.name));
    let mut libraries: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (function, library) in own.into_iter().chain(probes).chain(machine) {
        libraries.entry(function.to_owned()).or_default().push(library.to_owned());
    }
    libraries
}

impl Device for HostDevice {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn alloc(&self, bytes: u64) -> Result<Buffer> {
        HostMemory::buffer(self.token, bytes)
    }

    fn alloc_pinned(&self, _bytes: u64) -> Result<Buffer> {
        Err(Error::unsupported("the host's memory is the device's own"))
    }

    fn upload(&self, dst: &Buffer, offset: u64, src: &[u8]) -> Result<()> {
        dst.check_range(offset, src.len() as u64)?;
        dst.inner::<HostMemory>(self.token)?.bytes_mut()[offset as usize..][..src.len()].copy_from_slice(src);
        Ok(())
    }

    fn download(&self, src: &Buffer, offset: u64, dst: &mut [u8]) -> Result<()> {
        src.check_range(offset, dst.len() as u64)?;
        dst.copy_from_slice(&src.inner::<HostMemory>(self.token)?.bytes()[offset as usize..][..dst.len()]);
        Ok(())
    }

    fn compile(&self, spec: &KernelSpec) -> Result<Kernel> {
        launch::check_spec(spec, &self.info.caps)?;
        match &spec.source {
            Source::Library(call) => {
                Ok(Kernel::new(self.token, spec, String::new(), kernel::HostKernel::prepare(call)?))
            }
            _ => Err(spec.wrong_language("host")),
        }
    }

    fn submit(&self, commands: &[Command<'_>]) -> Result<Ticket> {
        launch::check(commands, self.token, &self.info.caps)?;
        Ok(self.submissions.add(queue::run(self.token, commands)?))
    }

    fn wait(&self, ticket: Ticket) -> Result<Vec<Span>> {
        self.submissions.take(&ticket)
    }

    fn clock_mhz(&self) -> Result<f64> {
        clock::measure().ok_or_else(|| Error::unsupported("no chain of known length for this architecture"))
    }

    fn memory(&self) -> Result<Memory> {
        Ok(memory())
    }
}
