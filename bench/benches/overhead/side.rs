//! The tasks, and how the seam does them.

use accelbench_backends::{
    Access, Buffer, Command, Device, DeviceId, Kernel, KernelSpec, Launch, Registry, Result, Source,
};

/// The entry point of the smallest kernel with a buffer and a parameter block.
pub(crate) const ENTRY: &str = "touch";
/// Its parameter block.
pub(crate) const PARAMS: [u32; 4] = [7, 0, 0, 0];
/// The size of its buffer: what is moved at most.
pub(crate) const BYTES: usize = 4 << 20;
/// Launches of a submission, at most.
pub(crate) const MOST_LAUNCHES: usize = 100;

/// One way to use a device.
pub(crate) trait Side {
    /// Launches so many times between two marks of the device's clock, waits, and returns the nanoseconds between them.
    fn launch(&self, launches: usize) -> f64;

    /// Copies to the start of the buffer.
    fn upload(&self, src: &[u8]);

    /// Copies from the start of the buffer.
    fn download(&self, dst: &mut [u8]);

    /// Completes what an upload may have left for later. Not timed.
    fn settle(&self) {}
}

/// A device through the seam.
pub(crate) struct Seam {
    device: Box<dyn Device>,
    kernel: Kernel,
    buffer: Buffer,
}

impl Seam {
    pub(crate) fn open(registry: &Registry, id: &DeviceId, source: Source) -> Result<Self> {
        let device = registry.open(id)?;
        let kernel = device.compile(&KernelSpec {
            source,
            entry: ENTRY.to_owned(),
            defines: Vec::new(),
            group: [1, 1, 1],
            shared_bytes: 0,
            bindings: vec![Access::Write],
            params_bytes: size_of_val(&PARAMS) as u32,
        })?;
        let buffer = device.alloc(BYTES as u64)?;
        Ok(Self { device, kernel, buffer })
    }

    fn run(&self, commands: &[Command<'_>]) -> Option<f64> {
        let ticket = self.device.submit(commands).expect("the submission was accepted before");
        self.device.wait(ticket).expect("the device answers").first().map(|span| span.ns)
    }
}

impl Side for Seam {
    fn launch(&self, launches: usize) -> f64 {
        let launch = Command::Launch(Launch {
            kernel: &self.kernel,
            grid: [1, 1, 1],
            buffers: &[&self.buffer],
            params: bytemuck::bytes_of(&PARAMS),
        });
        // Listed anew each time, but not on the heap: a large block disturbs it for the driver, on both sides.
        let span = if launches == 1 {
            self.run(&[Command::Begin, launch, Command::End])
        } else {
            let mut commands = [const { Command::End }; MOST_LAUNCHES + 2];
            commands[0] = Command::Begin;
            commands[1..=launches].fill(launch);
            self.run(&commands[..launches + 2])
        };
        span.expect("one span was asked for")
    }

    fn upload(&self, src: &[u8]) {
        self.device.upload(&self.buffer, 0, src).expect("it fits");
    }

    fn download(&self, dst: &mut [u8]) {
        self.device.download(&self.buffer, 0, dst).expect("it fits");
    }

    fn settle(&self) {
        self.run(&[]);
    }
}
