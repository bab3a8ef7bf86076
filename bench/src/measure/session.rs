//! An open device with what was compiled on it.

use accelbench_backends::{Buffer, Command, Device, Error, Kernel, KernelSpec, Launch, Result, Span, Ticket};
use accelbench_kernels::{BufferRole, Case, LaunchSpec, Program, Tensor, fill::POISON};
use accelbench_reports::CacheMode;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// Cleared before each run with cold caches where a device does not say how large its last-level cache is: more than
/// twice that of any device at the time of writing.
const UNKNOWN_CACHE_BYTES: u64 = 256 << 20;

/// An open device. Kernels are compiled once: cases of different shapes share them.
pub struct Session {
    device: Box<dyn Device>,
    kernels: RefCell<HashMap<String, Rc<Kernel>>>,
}

/// A program whose buffers and kernels are on the device.
pub struct Loaded {
    buffers: Vec<Buffer>,
    kernels: Vec<Rc<Kernel>>,
    launches: Vec<LaunchSpec>,
    /// Which of the launches a run has.
    part: Range<usize>,
    output: usize,
    /// Written before each run where caches are to be cold.
    evict: Option<Buffer>,
}

impl Loaded {
    /// What libraries that had a choice compute with.
    pub fn algorithm(&self) -> Option<String> {
        let algorithms: Vec<&str> = self.kernels.iter().filter_map(|kernel| kernel.algorithm()).collect();
        (!algorithms.is_empty()).then(|| algorithms.join("; "))
    }

    /// Each launch's buffers.
    fn bound(&self) -> Vec<Vec<&Buffer>> {
        self.launches.iter().map(|launch| launch.buffers.iter().map(|&index| &self.buffers[index]).collect()).collect()
    }

    /// One run, given [`Loaded::bound`].
    fn commands<'a>(&'a self, bound: &'a [Vec<&'a Buffer>]) -> impl Iterator<Item = Command<'a>> + Clone {
        self.launches.iter().zip(bound).take(self.part.end).skip(self.part.start).map(|(launch, buffers)| {
            Command::Launch(Launch {
                kernel: &self.kernels[launch.kernel],
                grid: launch.grid,
                buffers,
                params: &launch.params,
            })
        })
    }
}

impl Session {
    /// A session on an open device.
    pub fn new(device: Box<dyn Device>) -> Self {
        Self { device, kernels: RefCell::default() }
    }

    /// The device.
    pub fn device(&self) -> &dyn Device {
        &*self.device
    }

    /// Why a program can't be loaded for its size, with the numbers, where others hold so many bytes `beside` it.
    pub fn too_large(&self, program: &Program, beside: u64) -> Option<String> {
        let caps = self.device.caps();
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        if let Some(buffer) = program.buffers.iter().find(|buffer| buffer.bytes > caps.max_buffer_bytes) {
            return Some(format!(
                "it needs a buffer of {:.2} GiB and the device's largest is {:.2} GiB",
                gib(buffer.bytes),
                gib(caps.max_buffer_bytes)
            ));
        }
        let memory = self.device.memory().ok()?;
        let free = memory.free.or(memory.total)?;
        // The rest is for the driver and for what else runs there. Drivers may take memory when it is first used, so that
        // what is held beside may still be free.
        let usable = (free / 10 * 9).saturating_sub(beside);
        (program.bytes() > usable).then(|| {
            format!("it needs {:.2} GiB and {:.2} GiB of device memory can be used", gib(program.bytes()), gib(usable))
        })
    }

    /// Puts a program and its inputs on the device. With `cache`, what cold caches need is there too.
    ///
    /// # Errors
    /// The device's, on allocating, compiling or uploading.
    pub fn load(&self, program: &Program, inputs: &[Tensor], cache: Option<CacheMode>) -> Result<Loaded> {
        let kernels = program.kernels.iter().map(|spec| self.kernel(spec)).collect::<Result<Vec<_>>>()?;
        let mut buffers = Vec::with_capacity(program.buffers.len());
        let mut output = None;
        for (index, spec) in program.buffers.iter().enumerate() {
            let buffer = self.device.alloc(spec.bytes)?;
            match spec.role {
                BufferRole::Input(input) => {
                    let tensor = inputs.get(input).ok_or_else(|| Error::invalid(format!("no input {input}")))?;
                    self.device.upload(&buffer, 0, tensor.bytes())?;
                }
                BufferRole::Output => output = Some(index),
                BufferRole::Scratch => {}
            }
            buffers.push(buffer);
        }
        let evict = match cache {
            Some(CacheMode::Cold) => {
                let bytes = self.device.caps().cache_bytes.map_or(UNKNOWN_CACHE_BYTES, |bytes| 2 * bytes);
                Some(self.device.alloc(bytes.next_multiple_of(4))?)
            }
            _ => None,
        };
        Ok(Loaded {
            buffers,
            kernels,
            part: 0..program.launches.len(),
            launches: program.launches.clone(),
            output: output.ok_or_else(|| Error::invalid("a program without an output"))?,
            evict,
        })
    }

    /// Poisons the output, evicts the caches if they are to be cold, then runs the program `runs` times in one span.
    ///
    /// # Errors
    /// The device's.
    pub fn run_batch(&self, loaded: &Loaded, runs: u64) -> Result<Span> {
        let bound = loaded.bound();
        let launches = loaded.commands(&bound);
        let mut commands = vec![Command::Fill { dst: &loaded.buffers[loaded.output], pattern: POISON }];
        if let Some(evict) = &loaded.evict {
            commands.push(Command::Fill { dst: evict, pattern: 0 });
        }
        commands.push(Command::Begin);
        for _ in 0..runs {
            commands.extend(launches.clone());
        }
        commands.push(Command::End);
        let spans = self.device.wait(self.device.submit(&commands)?)?;
        spans.first().copied().ok_or_else(|| Error::invalid("the device returned no span"))
    }

    /// From now on, a run is only the launch that takes longest, on what a whole run has left in the buffers: without
    /// packing what it reads, and without adding up what it writes.
    ///
    /// # Errors
    /// The device's.
    pub fn narrow(&self, loaded: &mut Loaded) -> Result<()> {
        let whole = loaded.part.clone();
        self.run_bare(loaded, 1)?;
        let mut longest = (whole.clone(), 0.0);
        for launch in whole.clone() {
            loaded.part = launch..launch + 1;
            // The first run may pay for what drivers put off.
            self.run_bare(loaded, 1)?;
            let ns = self.run_batch(loaded, 1)?.ns;
            if ns >= longest.1 {
                longest = (loaded.part.clone(), ns);
            }
        }
        loaded.part = whole;
        self.run_bare(loaded, 1)?;
        loaded.part = longest.0;
        Ok(())
    }

    /// Runs what comes after the part that [`Session::narrow`] left, once: the output is then that of a whole run.
    ///
    /// # Errors
    /// The device's.
    pub fn complete(&self, loaded: &mut Loaded) -> Result<()> {
        loaded.part = loaded.part.end..loaded.launches.len();
        if loaded.part.is_empty() { Ok(()) } else { self.run_bare(loaded, 1) }
    }

    /// Runs the program `runs` times in one submission and nothing beside it, and waits.
    ///
    /// # Errors
    /// The device's.
    pub fn run_bare(&self, loaded: &Loaded, runs: usize) -> Result<()> {
        self.device.wait(self.submit(loaded, runs)?).map(|_| ())
    }

    /// Hands `runs` runs of the program and nothing beside them to the device, and returns at once.
    ///
    /// # Errors
    /// The device's.
    pub fn submit(&self, loaded: &Loaded, runs: usize) -> Result<Ticket> {
        let bound = loaded.bound();
        let launches: Vec<_> = (0..runs).flat_map(|_| loaded.commands(&bound)).collect();
        self.device.submit(&launches)
    }

    /// Poisons the output: what is right there afterwards was written later.
    ///
    /// # Errors
    /// The device's.
    pub fn poison(&self, loaded: &Loaded) -> Result<()> {
        let fill = Command::Fill { dst: &loaded.buffers[loaded.output], pattern: POISON };
        self.device.wait(self.device.submit(&[fill])?).map(|_| ())
    }

    /// Whether a batch may have only one run, since the caches must be cold before each.
    pub fn one_run_a_batch(&self, loaded: &Loaded) -> bool {
        loaded.evict.is_some()
    }

    /// Downloads the output.
    ///
    /// # Errors
    /// The device's.
    pub fn output(&self, loaded: &Loaded, case: &dyn Case) -> Result<Tensor> {
        let spec = case.output();
        let elements = usize::try_from(spec.elements).unwrap_or(usize::MAX);
        let mut tensor = Tensor::zeros(spec.dtype, elements);
        self.device.download(&loaded.buffers[loaded.output], 0, tensor.bytes_mut())?;
        Ok(tensor)
    }

    fn kernel(&self, spec: &KernelSpec) -> Result<Rc<Kernel>> {
        let key = format!(
            "{}\0{}\0{:?}\0{:?}\0{}",
            spec.source.text(),
            spec.entry,
            spec.defines,
            spec.group,
            spec.shared_bytes
        );
        if let Some(kernel) = self.kernels.borrow().get(&key) {
            return Ok(Rc::clone(kernel));
        }
        let kernel = Rc::new(self.device.compile(spec)?);
        self.kernels.borrow_mut().insert(key, Rc::clone(&kernel));
        Ok(kernel)
    }
}
