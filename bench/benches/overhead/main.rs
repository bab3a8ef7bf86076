//! What the seam costs over the raw bindings, on every device that there is: opencl3, wgpu and cudarc.
//!
//!     cargo bench -p accelbench --bench overhead              # a minute on three devices
//!     cargo bench -p accelbench --bench overhead -- --quick   # seconds
//!     cargo bench -p accelbench --bench overhead -- opencl:0/launch   # some of it
//!
//! Criterion can't interleave two benchmarks, so each of its iterations does the task both ways, and counts one of them:
//! whatever else the machine does hits both alike. All pairs of times go into the table at the end, whose difference is
//! the median of the pairs' differences. The host has no raw binding, since its launch is a function call.

mod cuda;
mod opencl;
mod pairs;
mod side;
mod webgpu;

use accelbench_backends::{DeviceInfo, Presence, Registry, Source};
use criterion::Criterion;
use pairs::Table;
use side::{Seam, Side};

fn main() {
    let mut criterion = pairs::criterion();
    let mut table = Table::default();
    let registry = Registry::builtin();
    for id in registry.ids() {
        match registry.probe(id) {
            Some(Presence::Present { devices, .. }) => {
                for device in devices {
                    if let Err(reason) = compare(&mut criterion, &mut table, &registry, &device) {
                        eprintln!("left out: {}: {reason}", device.id);
                    }
                }
            }
            Some(Presence::Absent(absence)) => eprintln!("left out: {id}: {}", absence.detail),
            None => {}
        }
    }
    criterion.final_summary();
    table.print();
}

fn compare(
    criterion: &mut Criterion,
    table: &mut Table,
    registry: &Registry,
    device: &DeviceInfo,
) -> Result<(), String> {
    let (raw, source): (Box<dyn Side>, Source) = match device.id.backend.as_str() {
        "opencl" => (Box::new(opencl::Raw::open(device)?), Source::OpenClC(opencl::SOURCE.into())),
        "webgpu" => (Box::new(webgpu::Raw::open(device)?), Source::Wgsl(webgpu::SOURCE.into())),
        "cuda" => (Box::new(cuda::Raw::open(device)?), Source::CudaC(cuda::SOURCE.into())),
        _ => return Err("it has no raw binding to compare with".to_owned()),
    };
    let seam = Seam::open(registry, &device.id, source).map_err(|error| error.to_string())?;
    pairs::measure(criterion, table, &device.id.to_string(), &*raw, &seam);
    Ok(())
}
