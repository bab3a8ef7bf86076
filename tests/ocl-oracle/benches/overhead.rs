//! What the seam costs over `ocl`: the same tasks and table as the workspace's own benchmark of the same name.
//!
//!     tests/ocl-oracle/run bench [-- --quick]

#[path = "../../../bench/benches/overhead/pairs.rs"]
mod pairs;
#[path = "../../../bench/benches/overhead/side.rs"]
mod side;

use accelbench_backends::{Access, DeviceInfo, KernelSpec, Presence, Registry, Source};
use accelbench_ocl_oracle::Ocl;
use ocl::enums::{ProfilingInfo, ProfilingInfoResult};
use ocl::{Buffer, Event, Kernel};
use side::{BYTES, ENTRY, PARAMS, Seam, Side};

const SOURCE: &str = include_str!("../../../bench/benches/overhead/touch.cl");

/// As one uses `ocl`: arguments set once.
struct Raw {
    buffer: Buffer<u8>,
    kernel: Kernel,
    ocl: Ocl,
}

impl Raw {
    fn open(info: &DeviceInfo) -> Result<Self, String> {
        let ocl = Ocl::open(info)?;
        let buffer = ocl.buffer(BYTES as u64).map_err(|error| error.to_string())?;
        let spec = KernelSpec {
            source: Source::OpenClC(SOURCE.into()),
            entry: ENTRY.to_owned(),
            defines: Vec::new(),
            group: [1, 1, 1],
            shared_bytes: 0,
            bindings: vec![Access::Write],
            params_bytes: size_of_val(&PARAMS) as u32,
        };
        let kernel = ocl.kernel(&spec, [1, 1, 1], &[&buffer], bytemuck::bytes_of(&PARAMS))?;
        Ok(Self { buffer, kernel, ocl })
    }

    fn enqueue(&self) -> ocl::Result<Event> {
        let mut event = Event::empty();
        // SAFETY: the kernel writes to one word of its buffer.
        unsafe { self.kernel.cmd().enew(&mut event).enq()? };
        Ok(event)
    }

    fn run(&self, launches: usize) -> ocl::Result<u64> {
        let first = self.enqueue()?;
        let mut last = None;
        for _ in 1..launches {
            last = Some(self.enqueue()?);
        }
        self.ocl.queue.flush()?;
        let last = last.as_ref().unwrap_or(&first);
        last.wait_for()?;
        let time = |event: &Event, what| match event.profiling_info(what)? {
            ProfilingInfoResult::Start(ns) | ProfilingInfoResult::End(ns) => Ok(ns),
            _ => Ok::<_, ocl::Error>(0),
        };
        Ok(time(last, ProfilingInfo::End)?.saturating_sub(time(&first, ProfilingInfo::Start)?))
    }
}

impl Side for Raw {
    fn launch(&self, launches: usize) -> f64 {
        self.run(launches).expect("the device answers") as f64
    }

    fn upload(&self, src: &[u8]) {
        self.buffer.write(src).enq().expect("it fits");
    }

    fn download(&self, dst: &mut [u8]) {
        self.buffer.read(dst).enq().expect("it fits");
    }
}

fn main() {
    let registry = Registry::builtin();
    let devices = match registry.probe("opencl") {
        Some(Presence::Present { devices, .. }) => devices,
        Some(Presence::Absent(absence)) => return eprintln!("left out: opencl: {}", absence.detail),
        None => return,
    };
    let (mut criterion, mut table) = (pairs::criterion(), pairs::Table::default());
    for device in devices {
        match (Raw::open(&device), Seam::open(&registry, &device.id, Source::OpenClC(SOURCE.into()))) {
            (Ok(raw), Ok(seam)) => pairs::measure(&mut criterion, &mut table, &device.id.to_string(), &raw, &seam),
            (Err(reason), _) => eprintln!("left out: {}: {reason}", device.id),
            (_, Err(error)) => eprintln!("left out: {}: {error}", device.id),
        }
    }
    criterion.final_summary();
    table.print();
}
