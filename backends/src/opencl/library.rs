//! Calls of libraries as kernels, and whether a library's results on this device can be believed.

use super::clblast::{self, ClBlast, ConvolutionSizes, GemmSizes, Real};
use super::device::Memory;
use super::timing::Event;
use crate::{Caps, DeviceToken, Error, Launch, LibraryCall, Result};
use opencl3::types::{cl_command_queue, cl_mem};

/// Elements of a matrix or tensor that the library counts with `int`.
const MOST_ELEMENTS: usize = i32::MAX as usize;

/// A call with all its sizes.
pub(super) struct LibraryKernel {
    library: &'static ClBlast,
    real: Real,
    problem: Problem,
    /// Bytes that the buffers must have.
    bytes: [u64; 3],
}

enum Problem {
    Gemm(GemmSizes),
    Convolution(ConvolutionSizes),
}

impl LibraryKernel {
    pub(super) fn prepare(call: &LibraryCall, caps: &Caps) -> Result<Self> {
        if !caps.takes(&call.library, &call.function, &call.arguments) {
            return Err(Error::unsupported(format!("the device has no such {}::{}", call.library, call.function)));
        }
        let library = clblast::find().map_err(Error::unsupported)?;
        let real = Real::named(call.text("storage")?)
            .ok_or_else(|| Error::unsupported(format!("{} has no such type", call.library)))?;
        let (problem, elements, temporary) = if call.function == "gemm" { gemm(call)? } else { convolution(call)? };
        if let Some(many) = elements.into_iter().chain([temporary]).find(|&elements| elements > MOST_ELEMENTS) {
            return Err(Error::unsupported(format!("{} counts elements with int, and {many} are more", call.library)));
        }
        let size = match real {
            Real::F64 => 8,
            Real::F32 => 4,
            Real::F16 => 2,
        };
        let bytes = |elements: usize| elements as u64 * size;
        if bytes(temporary) > caps.max_buffer_bytes {
            let (what, asked) = ("the library's own buffer", bytes(temporary));
            return Err(Error::LimitExceeded { what, asked, limit: caps.max_buffer_bytes });
        }
        Ok(Self { library, real, problem, bytes: elements.map(bytes) })
    }

    /// Enqueues all of the library's kernels and gives the last one's event.
    pub(super) fn enqueue(&self, token: DeviceToken, launch: &Launch<'_>, queue: cl_command_queue) -> Result<Event> {
        let &[one, two, result] = launch.buffers else {
            return Err(Error::invalid("a library's product takes two inputs and a result"));
        };
        let buffers = [one, two, result];
        if let Some((buffer, bytes)) = buffers.iter().zip(self.bytes).find(|(buffer, bytes)| buffer.bytes() < *bytes) {
            return Err(Error::invalid(format!("a buffer of {} bytes is to hold {bytes}", buffer.bytes())));
        }
        let mut raw: [cl_mem; 3] = [std::ptr::null_mut(); 3];
        for (raw, buffer) in raw.iter_mut().zip(buffers) {
            *raw = buffer.inner::<Memory>(token)?.raw();
        }
        // SAFETY: the queue and the buffers are of the device that `token` names, and the buffers are large enough.
        unsafe {
            match self.problem {
                Problem::Gemm(sizes) => self.library.gemm(self.real, sizes, raw, queue),
                Problem::Convolution(sizes) => self.library.convolution(self.real, sizes, raw, queue),
            }
        }
    }
}

/// The problem, the elements of its tensors, and those of the library's own buffer, which must hold every window of an
/// image. What it needs for a GEMM is about as large as the matrices.
type Prepared = (Problem, [usize; 3], usize);

fn gemm(call: &LibraryCall) -> Result<Prepared> {
    let sizes = GemmSizes {
        m: call.size("m")?,
        n: call.size("n")?,
        k: call.size("k")?,
        trans_a: call.flag("trans_a")?,
        trans_b: call.flag("trans_b")?,
    };
    let GemmSizes { m, n, k, .. } = sizes;
    Ok((Problem::Gemm(sizes), [m * k, k * n, m * n], 0))
}

fn convolution(call: &LibraryCall) -> Result<Prepared> {
    let pair = |name: &str| Ok([call.size(&format!("{name}_h"))?, call.size(&format!("{name}_w"))?]);
    let sizes = ConvolutionSizes {
        n: call.size("n")?,
        c: call.size("c")?,
        image: [call.size("h")?, call.size("w")?],
        k: call.size("k")?,
        filter: [call.size("r")?, call.size("s")?],
        stride: pair("stride")?,
        pad: pair("pad")?,
        dilation: pair("dilation")?,
    };
    let out = |axis: usize| {
        let spread = sizes.dilation[axis] * (sizes.filter[axis] - 1) + 1;
        (sizes.image[axis] + 2 * sizes.pad[axis] - spread) / sizes.stride[axis] + 1
    };
    let ConvolutionSizes { n, c, image, k, filter, .. } = sizes;
    let (window, pixels) = (c * filter[0] * filter[1], n * out(0) * out(1));
    let elements = [n * c * image[0] * image[1], k * window, pixels * k];
    Ok((Problem::Convolution(sizes), elements, window * pixels))
}
