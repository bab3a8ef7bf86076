//! cudarc, as one writes it directly: one stream, two events with timing made once.

use crate::side::{BYTES, ENTRY, PARAMS, Side};
use accelbench_backends::DeviceInfo;
use cudarc::driver::result::{self, ctx, event, module, primary_ctx, stream};
use cudarc::driver::sys::{CUcontext, CUdeviceptr, CUevent, CUevent_flags, CUfunction, CUstream};
use cudarc::driver::{DriverError, result::stream::StreamKind};
use cudarc::nvrtc::result::{self as nvrtc, NvrtcError};
use std::ffi::{CString, c_char, c_void};

pub(crate) const SOURCE: &str = include_str!("touch.cu");

/// Nothing of it is given back before the process ends.
pub(crate) struct Raw {
    context: CUcontext,
    stream: CUstream,
    function: CUfunction,
    events: [CUevent; 2],
    buffer: CUdeviceptr,
}

/// PTX for the oldest architecture that compilers still know; the driver translates it. The kernel does too little for
/// its code to matter.
fn compile() -> Result<Vec<c_char>, NvrtcError> {
    let source = CString::new(SOURCE).expect("it has no NUL");
    let program = nvrtc::create_program(&source, None)?;
    // SAFETY: the program was just created.
    unsafe {
        nvrtc::compile_program(program, &["--gpu-architecture=compute_75"])?;
        nvrtc::get_ptx(program)
    }
}

impl Raw {
    /// The device with this number, which is the seam's.
    pub(crate) fn open(info: &DeviceInfo) -> Result<Self, String> {
        let ptx = compile().map_err(|error| error.to_string())?;
        Self::new(info.id.index as i32, &ptx).map_err(|error| format!("{:?}", error.0))
    }

    fn new(ordinal: i32, ptx: &[c_char]) -> Result<Self, DriverError> {
        result::init()?;
        let entry = CString::new(ENTRY).expect("it has no NUL");
        // SAFETY: every handle comes from the call before it and is alive; the compiler ends PTX with a NUL.
        unsafe {
            let context = primary_ctx::retain(result::device::get(ordinal)?)?;
            ctx::set_current(context)?;
            let function = module::get_function(module::load_data(ptx.as_ptr().cast())?, entry)?;
            let event = || event::create(CUevent_flags::CU_EVENT_DEFAULT);
            Ok(Self {
                context,
                stream: stream::create(StreamKind::NonBlocking)?,
                function,
                events: [event()?, event()?],
                buffer: result::malloc_sync(BYTES)?,
            })
        }
    }

    fn run(&self, launches: usize) -> Result<f32, DriverError> {
        let (mut buffer, mut params) = (self.buffer, PARAMS);
        let mut arguments: [*mut c_void; 2] = [(&raw mut buffer).cast(), (&raw mut params).cast()];
        let [begin, end] = self.events;
        // SAFETY: all handles are alive; the arguments are of the kernel's types and copied by the call.
        unsafe {
            // What a program with more than one device does before it uses one of them.
            ctx::set_current(self.context)?;
            event::record(begin, self.stream)?;
            for _ in 0..launches {
                result::launch_kernel(self.function, (1, 1, 1), (1, 1, 1), 0, self.stream, &mut arguments)?;
            }
            event::record(end, self.stream)?;
            event::synchronize(end)?;
            event::elapsed(begin, end)
        }
    }
}

impl Side for Raw {
    fn launch(&self, launches: usize) -> f64 {
        1e6 * f64::from(self.run(launches).expect("the device answers"))
    }

    fn upload(&self, src: &[u8]) {
        // SAFETY: the buffer is larger, and `src` is borrowed until the stream has caught up.
        unsafe {
            ctx::set_current(self.context)
                .and_then(|()| result::memcpy_htod_async(self.buffer, src, self.stream))
                .and_then(|()| stream::synchronize(self.stream))
        }
        .expect("it fits");
    }

    fn download(&self, dst: &mut [u8]) {
        // SAFETY: as above.
        unsafe {
            ctx::set_current(self.context)
                .and_then(|()| result::memcpy_dtoh_async(dst, self.buffer, self.stream))
                .and_then(|()| stream::synchronize(self.stream))
        }
        .expect("it fits");
    }
}
