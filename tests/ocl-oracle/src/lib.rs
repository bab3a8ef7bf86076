//! OpenCL devices through `ocl`: nothing here is shared with the seam's own path but the kernels' text.

use accelbench_backends::{DeviceInfo, KernelSpec, Source};
use accelbench_kernels::{BufferRole, Program, Tensor};
use ocl::enums::DeviceInfo as Ask;
use ocl::prm::Uint4;
use ocl::{Buffer, Context, Device, Kernel, Platform, Queue, flags::CommandQueueProperties};
use std::cell::RefCell;
use std::collections::HashMap;

/// A device with an in-order queue that keeps times.
pub struct Ocl {
    /// The device itself.
    pub device: Device,
    /// The context that it is alone in.
    pub context: Context,
    /// The queue.
    pub queue: Queue,
    built: RefCell<HashMap<(String, String), ocl::Program>>,
}

impl Ocl {
    /// Opens the device that the seam knows by this platform and this name. Ask only where the seam has found devices:
    /// listing platforms panics where there is none.
    ///
    /// # Errors
    /// When `ocl` does not see it.
    pub fn open(info: &DeviceInfo) -> Result<Self, String> {
        let wanted = info.caps.facts.get("platform").map(String::as_str);
        for platform in Platform::list() {
            if platform.name().ok().as_deref().map(str::trim) != wanted {
                continue;
            }
            for device in Device::list_all(platform).map_err(text)? {
                if device.info(Ask::Name).map_err(text)?.to_string().trim() == info.name {
                    return Self::new(platform, device).map_err(text);
                }
            }
        }
        Err(format!("ocl does not see {} of {}", info.name, wanted.unwrap_or("any platform")))
    }

    fn new(platform: Platform, device: Device) -> ocl::Result<Self> {
        let context = Context::builder().platform(platform).devices(device).build()?;
        let queue = Queue::new(&context, device, Some(CommandQueueProperties::PROFILING_ENABLE))?;
        Ok(Self { device, context, queue, built: RefCell::default() })
    }

    /// A buffer whose every byte is 0xFF: NaN in every type, as the seam's outputs start.
    ///
    /// # Errors
    /// The driver's.
    pub fn buffer(&self, bytes: u64) -> ocl::Result<Buffer<u8>> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        Buffer::builder().queue(self.queue.clone()).len(bytes).fill_val(0xFF_u8).build()
    }

    /// Runs a program once and returns its output's bytes.
    ///
    /// # Errors
    /// The driver's, with the compiler's log.
    pub fn run(&self, program: &Program, inputs: &[Tensor]) -> Result<Vec<u8>, String> {
        let mut buffers = Vec::new();
        let mut output = None;
        for spec in &program.buffers {
            let buffer = self.buffer(spec.bytes).map_err(text)?;
            match spec.role {
                BufferRole::Input(index) => buffer.write(inputs[index].bytes()).enq().map_err(text)?,
                BufferRole::Output => output = Some(buffer.clone()),
                BufferRole::Scratch => {}
            }
            buffers.push(buffer);
        }
        for launch in &program.launches {
            let spec = &program.kernels[launch.kernel];
            let bound: Vec<&Buffer<u8>> = launch.buffers.iter().map(|&index| &buffers[index]).collect();
            let kernel = self.kernel(spec, launch.grid, &bound, &launch.params)?;
            // SAFETY: the seam runs the same kernel with the same arguments and sizes.
            unsafe { kernel.enq() }.map_err(text)?;
        }
        let output = output.ok_or("a program without an output")?;
        let mut bytes = vec![0; output.len()];
        output.read(&mut bytes).enq().map_err(text)?;
        Ok(bytes)
    }

    /// A kernel with its arguments and its launch.
    ///
    /// # Errors
    /// The driver's, with the compiler's log.
    pub fn kernel(
        &self,
        spec: &KernelSpec,
        grid: [u32; 3],
        buffers: &[&Buffer<u8>],
        params: &[u8],
    ) -> Result<Kernel, String> {
        let program = self.program(spec)?;
        let local = spec.group.map(|items| items as usize);
        let global = [0, 1, 2].map(|axis| grid[axis] as usize * local[axis]);
        let mut builder = Kernel::builder();
        builder.program(&program).name(&spec.entry).queue(self.queue.clone());
        builder.global_work_size(global).local_work_size(local);
        for &buffer in buffers {
            builder.arg(buffer);
        }
        match params.as_chunks::<4>().0 {
            [] => {}
            &[a, b, c, d] => {
                let [a, b, c, d] = [a, b, c, d].map(u32::from_le_bytes);
                builder.arg(Uint4::new(a, b, c, d));
            }
            words => return Err(format!("a parameter block of {} words, and ocl passes vectors of 4", words.len())),
        }
        // SAFETY: buffers are passed as bytes and the block as a vector, whatever the kernel calls their types.
        unsafe { builder.disable_arg_type_check() };
        builder.build().map_err(text)
    }

    fn program(&self, spec: &KernelSpec) -> Result<ocl::Program, String> {
        let Source::OpenClC(source) = &spec.source else {
            return Err(format!("{:?} is not for OpenCL", spec.source.language()));
        };
        let options = spec
            .defines
            .iter()
            .fold("-cl-std=CL1.2".to_owned(), |options, (name, value)| format!("{options} -D {name}={value}"));
        let key = (source.to_string(), options);
        if let Some(program) = self.built.borrow().get(&key) {
            return Ok(program.clone());
        }
        let program = ocl::Program::builder().src(&*key.0).cmplr_opt(&*key.1).devices(self.device).build(&self.context);
        let program = program.map_err(text)?;
        self.built.borrow_mut().insert(key, program.clone());
        Ok(program)
    }
}

fn text(error: impl Into<ocl::Error>) -> String {
    error.into().to_string()
}
