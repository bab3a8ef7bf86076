//! CLBlast: GEMM and convolution on any OpenCL device, where the library is found on this machine.
//!
//! Its functions enqueue one or more kernels of their own on the queue that they are given and return the event of the
//! last. Its half-precision functions keep their sums in half, and convolution in these types is no case, so of halves
//! there is GEMM with sums in half.

use super::caps::Query;
use super::half;
use super::timing::Event;
use crate::external::{Loaded, Wanted};
use crate::{Error, LibraryForm, Result};
use ::half::f16;
use opencl3::error_codes::cl_int;
use opencl3::types::{cl_command_queue, cl_event, cl_mem};
use serde_json::{Value, json};
use std::ffi::c_int;
use std::ptr::null_mut;
use std::sync::OnceLock;

const WANTED: Wanted = Wanted {
    name: "clblast",
    files: if cfg!(windows) {
        &["clblast.dll"]
    } else if cfg!(target_os = "macos") {
        &["libclblast.1.dylib", "libclblast.dylib"]
    } else {
        &["libclblast.so.1", "libclblast.so"]
    },
    hint: "CLBlast (Debian's and Ubuntu's `libclblast1`, Fedora's `clblast`)",
};

const ROW_MAJOR: c_int = 101;
const AS_STORED: c_int = 111;
const TRANSPOSED: c_int = 112;
const CROSS_CORRELATION: c_int = 151;

const NO_HALF: cl_int = -2045;
const NO_DOUBLE: cl_int = -2044;

/// `CLBlastSgemm` and its like: layout, transpositions, m, n, k, α, A with its offset and its row's length, B alike, β, C
/// alike, queue, and where the last kernel's event goes.
type Gemm<T> = unsafe extern "C" fn(
    c_int,
    c_int,
    c_int,
    usize,
    usize,
    usize,
    T,
    cl_mem,
    usize,
    usize,
    cl_mem,
    usize,
    usize,
    T,
    cl_mem,
    usize,
    usize,
    *mut cl_command_queue,
    *mut cl_event,
) -> c_int;

/// `CLBlastSconvgemm` and its like: mode, channels, height and width of an image, a filter, the padding, the stride and the
/// dilation, filters, images, then X, W and Y each with its offset, queue and event.
type Convolution = unsafe extern "C" fn(
    c_int,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    cl_mem,
    usize,
    cl_mem,
    usize,
    cl_mem,
    usize,
    *mut cl_command_queue,
    *mut cl_event,
) -> c_int;

/// The library.
pub(super) struct ClBlast {
    version: String,
    sgemm: Gemm<f32>,
    dgemm: Gemm<f64>,
    hgemm: Gemm<u16>,
    /// In f32 and f64; none of versions before 1.5.
    convolution: Option<[Convolution; 2]>,
}

/// The types that its functions come in, by what is stored; sums are kept in the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Real {
    F64,
    F32,
    F16,
}

impl Real {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::F16 => "f16",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::F64, Self::F32, Self::F16].into_iter().find(|real| real.name() == name)
    }
}

/// GEMM, row-major.
#[derive(Clone, Copy)]
pub(super) struct GemmSizes {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
    pub(super) trans_a: bool,
    pub(super) trans_b: bool,
}

/// Convolution with channels as planes and one group. Pairs are height, then width.
#[derive(Clone, Copy)]
pub(super) struct ConvolutionSizes {
    pub(super) n: usize,
    pub(super) c: usize,
    pub(super) image: [usize; 2],
    pub(super) k: usize,
    pub(super) filter: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) pad: [usize; 2],
    pub(super) dilation: [usize; 2],
}

/// The library of this machine, or why it is not used.
pub(super) fn find() -> std::result::Result<&'static ClBlast, &'static str> {
    static FOUND: OnceLock<std::result::Result<ClBlast, String>> = OnceLock::new();
    FOUND.get_or_init(|| WANTED.open(ClBlast::open)).as_ref().map_err(String::as_str)
}

/// What was found, or why the library is not used.
pub(super) fn note() -> String {
    find().map_or_else(str::to_owned, |library| format!("{}: {}", WANTED.name, library.version))
}

/// What the library takes on such a device: nothing where it was not found.
pub(super) fn forms(query: Query) -> Vec<LibraryForm> {
    let Ok(library) = find() else { return Vec::new() };
    let listed =
        [(Real::F64, query.lists("cl_khr_fp64")), (Real::F32, true), (Real::F16, query.lists(half::EXTENSION))];
    let form = |function: &str, real: Real, others: &[(&str, Value)]| {
        let types = ["storage", "accumulate"].map(|name| (name, json!(real.name())));
        let arguments = types.iter().chain(others).map(|(name, value)| ((*name).to_owned(), value.clone()));
        LibraryForm { library: WANTED.name.to_owned(), function: function.to_owned(), arguments: arguments.collect() }
    };
    let reals: Vec<Real> = listed.into_iter().filter_map(|(real, listed)| listed.then_some(real)).collect();
    let gemm = reals.iter().map(|&real| form("gemm", real, &[]));
    let plain = [("groups", json!(1)), ("layout", json!("nchw"))];
    let convolution = reals.iter().filter(|&&real| library.convolution.is_some() && real != Real::F16);
    gemm.chain(convolution.map(|&real| form("conv2d", real, &plain))).collect()
}

/// The library's name and what it says of itself.
pub(super) fn identity() -> Option<(String, String)> {
    find().ok().map(|library| (WANTED.name.to_owned(), library.version.clone()))
}

impl ClBlast {
    fn open(library: Loaded) -> std::result::Result<Self, String> {
        // SAFETY: the signatures are those of `clblast_c.h`, the same in every version that has the function.
        unsafe {
            let convolution = ["CLBlastSconvgemm", "CLBlastDconvgemm"].map(|name| library.function(name).ok());
            Ok(Self {
                version: version(library),
                sgemm: library.function("CLBlastSgemm")?,
                dgemm: library.function("CLBlastDgemm")?,
                hgemm: library.function("CLBlastHgemm")?,
                convolution: match convolution {
                    [Some(single), Some(double)] => Some([single, double]),
                    _ => None,
                },
            })
        }
    }

    /// Enqueues C = A·B and gives the event of the last kernel.
    ///
    /// # Safety
    /// The queue and the buffers are alive, of one context, and the buffers hold the matrices.
    pub(super) unsafe fn gemm(
        &self,
        real: Real,
        sizes: GemmSizes,
        [a, b, c]: [cl_mem; 3],
        queue: cl_command_queue,
    ) -> Result<Event> {
        let GemmSizes { m, n, k, trans_a, trans_b } = sizes;
        let stored = |transposed| if transposed { TRANSPOSED } else { AS_STORED };
        let (at, bt) = (stored(trans_a), stored(trans_b));
        let (a_row, b_row) = (if trans_a { m } else { k }, if trans_b { k } else { n });
        macro_rules! call {
            ($function:expr, $zero:expr, $one:expr) => {
                |queue, event| {
                    // SAFETY: the caller's, and rows are as long as stated.
                    unsafe {
                        ($function)(
                            ROW_MAJOR, at, bt, m, n, k, $one, a, 0, a_row, b, 0, b_row, $zero, c, 0, n, queue, event,
                        )
                    }
                }
            };
        }
        match real {
            Real::F64 => enqueue("CLBlastDgemm", queue, call!(self.dgemm, 0.0, 1.0)),
            Real::F32 => enqueue("CLBlastSgemm", queue, call!(self.sgemm, 0.0, 1.0)),
            Real::F16 => enqueue("CLBlastHgemm", queue, call!(self.hgemm, f16::ZERO.to_bits(), f16::ONE.to_bits())),
        }
    }

    /// Enqueues a convolution of X with the filters W into Y and gives the event of the last kernel.
    ///
    /// # Safety
    /// The queue and the buffers are alive, of one context, and the buffers hold the tensors.
    pub(super) unsafe fn convolution(
        &self,
        real: Real,
        sizes: ConvolutionSizes,
        [x, w, y]: [cl_mem; 3],
        queue: cl_command_queue,
    ) -> Result<Event> {
        let (name, function) = match (real, self.convolution) {
            (Real::F32, Some([single, _])) => ("CLBlastSconvgemm", single),
            (Real::F64, Some([_, double])) => ("CLBlastDconvgemm", double),
            _ => return Err(Error::unsupported(format!("{} has no convolution in {}", WANTED.name, real.name()))),
        };
        let ConvolutionSizes { n, c, image, k, filter, stride, pad, dilation } = sizes;
        enqueue(name, queue, |queue, event| {
            // SAFETY: the caller's.
            unsafe {
                function(
                    CROSS_CORRELATION,
                    c,
                    image[0],
                    image[1],
                    filter[0],
                    filter[1],
                    pad[0],
                    pad[1],
                    stride[0],
                    stride[1],
                    dilation[0],
                    dilation[1],
                    k,
                    n,
                    x,
                    0,
                    w,
                    0,
                    y,
                    0,
                    queue,
                    event,
                )
            }
        })
    }
}

/// Calls a function of the library on a queue and takes over the event that it gives.
fn enqueue(
    name: &'static str,
    mut queue: cl_command_queue,
    function: impl FnOnce(*mut cl_command_queue, *mut cl_event) -> c_int,
) -> Result<Event> {
    let mut event = null_mut();
    match function(&raw mut queue, &raw mut event) {
        0 if !event.is_null() => {
            // SAFETY: the event comes from the enqueuing of the last kernel, and is this call's own.
            Ok(unsafe { Event::new(event) })
        }
        0 => Err(Error::Driver { api: "opencl", call: name, code: 0, name: "no event of its last kernel".to_owned() }),
        NO_HALF => Err(Error::unsupported(format!("{name}: the device does not list {}", half::EXTENSION))),
        NO_DOUBLE => Err(Error::unsupported(format!("{name}: the device does not list cl_khr_fp64"))),
        // The others are OpenCL's, but for mistakes in the arguments.
        code => Err(super::code::memory_error(name, code, 0)),
    }
}

/// The version, which the library tells by the name of its file only.
fn version(library: Loaded) -> String {
    let file = library.file("CLBlastSgemm");
    let name = file.as_deref().and_then(|file| file.file_name()?.to_str());
    match name.and_then(|name| name.split_once(".so.")) {
        Some((_, version)) => format!("CLBlast {version}"),
        None => "CLBlast of an unknown version".to_owned(),
    }
}
