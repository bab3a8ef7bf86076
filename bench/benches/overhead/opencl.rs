//! opencl3, as one writes it directly: an in-order queue with profiling, arguments set once.

use crate::side::{BYTES, ENTRY, PARAMS, Side};
use accelbench_backends::DeviceInfo;
use opencl3::Result;
use opencl3::command_queue::{CL_QUEUE_PROFILING_ENABLE, CommandQueue};
use opencl3::context::Context;
use opencl3::device::{CL_DEVICE_TYPE_ALL, Device};
use opencl3::kernel::Kernel;
use opencl3::memory::{Buffer, CL_MEM_READ_WRITE, ClMem};
use opencl3::platform::get_platforms;
use opencl3::program::Program;
use opencl3::types::CL_BLOCKING;
use std::cell::RefCell;
use std::ptr;

pub(crate) const SOURCE: &str = include_str!("touch.cl");

pub(crate) struct Raw {
    // Dropped in this order.
    buffer: RefCell<Buffer<u8>>,
    kernel: Kernel,
    _program: Program,
    queue: CommandQueue,
    _context: Context,
}

impl Raw {
    /// The device that the seam knows by this platform and name.
    pub(crate) fn open(info: &DeviceInfo) -> std::result::Result<Self, String> {
        let platforms = get_platforms().map_err(|error| error.to_string())?;
        let wanted = info.caps.facts.get("platform").map(String::as_str);
        let device = platforms
            .iter()
            .filter(|platform| platform.name().ok().as_deref() == wanted)
            .flat_map(|platform| platform.get_devices(CL_DEVICE_TYPE_ALL).unwrap_or_default())
            .map(Device::new)
            .find(|device| device.name().is_ok_and(|name| name.trim() == info.name));
        Self::new(&device.ok_or("opencl3 does not see this device")?).map_err(|error| error.to_string())
    }

    fn new(device: &Device) -> Result<Self> {
        let context = Context::from_device(device)?;
        let program = Program::create_and_build_from_source(&context, SOURCE, "-cl-std=CL1.2")
            .map_err(|_| opencl3::error_codes::ClError(opencl3::error_codes::CL_BUILD_PROGRAM_FAILURE))?;
        let kernel = Kernel::create(&program, ENTRY)?;
        // SAFETY: the device is the context's; no host memory is involved; both arguments are of the parameters' types.
        let (queue, buffer) = unsafe {
            let queue = CommandQueue::create(&context, device.id(), CL_QUEUE_PROFILING_ENABLE)?;
            let buffer = Buffer::<u8>::create(&context, CL_MEM_READ_WRITE, BYTES, ptr::null_mut())?;
            kernel.set_arg(0, &buffer.get())?;
            kernel.set_arg(1, &PARAMS)?;
            (queue, buffer)
        };
        Ok(Self { buffer: buffer.into(), kernel, _program: program, queue, _context: context })
    }

    fn run(&self, launches: usize) -> Result<u64> {
        let sizes = [1_usize, 1, 1];
        // SAFETY: the arguments are set, and the sizes have the three dimensions that are announced.
        let enqueue = || unsafe {
            let kernel = self.kernel.get();
            self.queue.enqueue_nd_range_kernel(kernel, 3, ptr::null(), sizes.as_ptr(), sizes.as_ptr(), &[])
        };
        let first = enqueue()?;
        let mut last = None;
        for _ in 1..launches {
            last = Some(enqueue()?);
        }
        self.queue.flush()?;
        let last = last.as_ref().unwrap_or(&first);
        last.wait()?;
        Ok(last.profiling_command_end()? - first.profiling_command_start()?)
    }
}

impl Side for Raw {
    fn launch(&self, launches: usize) -> f64 {
        self.run(launches).expect("the device answers") as f64
    }

    fn upload(&self, src: &[u8]) {
        // SAFETY: the buffer is larger, and the call blocks.
        unsafe { self.queue.enqueue_write_buffer(&mut self.buffer.borrow_mut(), CL_BLOCKING, 0, src, &[]) }
            .expect("it fits");
    }

    fn download(&self, dst: &mut [u8]) {
        // SAFETY: as above.
        unsafe { self.queue.enqueue_read_buffer(&self.buffer.borrow(), CL_BLOCKING, 0, dst, &[]) }.expect("it fits");
    }
}
