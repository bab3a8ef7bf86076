//! What a load loses while a meter is read beside it.
//!
//!     cargo bench -p accelbench --bench metering                  # a quarter of an hour on two devices
//!     cargo bench -p accelbench --bench metering -- host          # one of them
//!
//! Pairs of segments of a fifth of a second do the same work, one with the meter read and one without, their order
//! swapped each time: whatever else the machine does hits both alike. Meters are one inside this process, which shows what
//! the thread that reads costs, and one that is a program, which has to be started for every reading.

mod load;
mod pairs;

use accelbench::energy::Sampler;
use accelbench_backends::meters::virtual_meter::{Behaviour, Truth, VirtualMeter};
use accelbench_backends::meters::{self, Finding, Meter, MeterConfig, MeterKind, Serves};
use accelbench_backends::{Presence, Registry};
use load::Load;
use pairs::Metering;

/// What the program of a meter costs at least: a shell that prints a number.
const STUB: &str = r#"
[[command]]
id = "stub"
argv = ["/bin/sh", "-c", "echo 100"]
pattern = '^(?<value>\d+)$'
unit = "W"
scope = "node"
serves = "machine"
"#;

fn main() {
    let mut criterion = pairs::criterion();
    let mut rows = Vec::new();
    let registry = Registry::builtin();
    for backend in ["host", "opencl"] {
        let Some(Presence::Present { devices, .. }) = registry.probe(backend) else {
            eprintln!("left out: {backend} has no device");
            continue;
        };
        let id = &devices.first().expect("a backend that is present has a device").id;
        let load = match Load::new(&registry, id) {
            Ok(load) => load,
            Err(reason) => {
                eprintln!("left out: {id}: {reason}");
                continue;
            }
        };
        for (name, meter, counts) in [("counter in the process", Some(counter()), true), ("program", program(), false)]
        {
            let Some(meter) = meter else {
                eprintln!("left out: {name}: it can't be run here");
                continue;
            };
            let sampler = Sampler::start(meter, load.kind()).expect("the system gives a thread");
            let metering = Metering { sampler, counts };
            rows.extend(pairs::measure(&mut criterion, &format!("{id}/{name}"), &load, &metering));
        }
    }
    criterion.final_summary();
    pairs::print(&rows);
}

fn counter() -> Box<dyn Meter> {
    let behaviour = Behaviour::new(MeterKind::Counter, 0.02);
    Box::new(VirtualMeter::new(Truth::constant(100.0), behaviour, Serves::Processor))
}

fn program() -> Option<Box<dyn Meter>> {
    let config = MeterConfig::parse(STUB).expect("the declaration is right");
    meters::find(&config).into_iter().find_map(|finding| match finding {
        Finding::Found(meter) if meter.info().id == "stub" => Some(meter),
        _ => None,
    })
}
