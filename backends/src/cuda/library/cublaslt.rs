//! GEMM by cuBLASLt.
//!
//! The library's matrices are stored column by column. A row-major matrix is the transposed one to it, so C = A·B is
//! asked for as Cᵀ = Bᵀ·Aᵀ: the problem's B comes first, n and m change places, and what is stored plainly stays so.

use super::api::cublaslt as api;
use super::operands::{Types, elements, random, side};
use super::race::{self, Candidate, Race};
use super::workspace::Workspace;
use super::{Function, Prepared};
use crate::cuda::context::Context;
use crate::cuda::memory::CudaMemory;
use crate::{DType, Error, LibraryCall, Result};
use cudarc::cublaslt::sys::{
    cublasComputeType_t, cublasLtContext, cublasLtMatmulAlgo_t, cublasLtMatmulAlgoConfigAttributes_t,
    cublasLtMatmulDescAttributes_t, cublasLtMatmulDescOpaque_t, cublasLtMatmulHeuristicResult_t,
    cublasLtMatmulPreferenceAttributes_t, cublasLtMatmulPreferenceOpaque_t, cublasLtMatrixLayoutOpaque_t,
    cublasLtReductionScheme_t, cublasStatus_t, cudaDataType_t,
};
use cudarc::driver::sys::CUdeviceptr;
use half::f16;
use std::ffi::c_void;
use std::mem;
use std::ptr;
use std::rc::Rc;

/// What an algorithm may use beside the operands: what the library's makers advise for these devices.
const WORKSPACE_BYTES: usize = 32 << 20;
/// Algorithms that the library is asked for.
const ASKED: usize = 32;

/// A handle of the library on a device.
pub(super) struct Handle {
    raw: Owned<cublasLtContext>,
    workspace: Rc<Workspace>,
    context: Rc<Context>,
}

impl Handle {
    /// The context is current.
    pub(super) fn new(context: &Rc<Context>, workspace: &Rc<Workspace>) -> Result<Self> {
        // SAFETY: the place is of the handle's type.
        let raw = Owned::new("cublasLtCreate", api::cublasLtDestroy, |place| unsafe { api::cublasLtCreate(place) })?;
        Ok(Self { raw, workspace: Rc::clone(workspace), context: Rc::clone(context) })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // For the library's handle, which is destroyed next.
        let _ = self.context.enter();
    }
}

/// Prepares the function `gemm` with its types, sizes and layouts.
pub(super) fn gemm(handle: &Rc<Handle>, call: &LibraryCall) -> Result<Prepared> {
    let types = Types::of(call)?;
    let (m, n, k) = (side(call, "m")?, side(call, "n")?, side(call, "k")?);
    let problem = Problem::new(types, [m, n, k], call.flag("trans_a")?, call.flag("trans_b")?)?;
    let elements = [elements(&[m, k])?, elements(&[k, n])?, elements(&[m, n])?];
    let context = &handle.context;
    let [a, b] = [elements[0], elements[1]].map(|elements| random(context, types.storage, elements));
    let (a, b, c) = (a?, b?, CudaMemory::device(context, elements[2] * types.result().bytes())?);
    // All of it at once, so that it stays where it is.
    handle.workspace.of(WORKSPACE_BYTES as u64)?;
    let starts = [a.start, b.start, c.start];
    let Race { way: algorithm, name, log } =
        race::fastest(context, problem.candidates(handle)?, |algorithm| problem.run(handle, algorithm, starts))?;
    let gemm = Gemm { problem, algorithm, handle: Rc::clone(handle) };
    let of = [types.storage, types.storage, types.result()];
    let bytes = elements.iter().zip(of).map(|(elements, dtype)| elements * dtype.bytes()).collect();
    Ok(Prepared { bytes, function: Box::new(gemm), algorithm: name, log })
}

/// A prepared product.
struct Gemm {
    problem: Problem,
    algorithm: cublasLtMatmulHeuristicResult_t,
    handle: Rc<Handle>,
}

impl Function for Gemm {
    fn run(&self, starts: &[CUdeviceptr]) -> Result<()> {
        let &[a, b, c] = starts else { return Err(Error::invalid("gemm takes the buffers A, B and C")) };
        self.problem.run(&self.handle, &self.algorithm, [a, b, c])
    }
}

/// What the library is told of a product. `first` is the problem's B, `second` its A.
struct Problem {
    description: Owned<cublasLtMatmulDescOpaque_t>,
    first: Owned<cublasLtMatrixLayoutOpaque_t>,
    second: Owned<cublasLtMatrixLayoutOpaque_t>,
    output: Owned<cublasLtMatrixLayoutOpaque_t>,
    /// The bits of 1 in the type of the sums.
    one: u64,
    /// How sums that several work-groups share may be added up.
    reduction: u32,
}

impl Problem {
    fn new(types: Types, [m, n, k]: [u64; 3], trans_a: bool, trans_b: bool) -> Result<Self> {
        use cublasLtMatmulDescAttributes_t as D;
        let (compute, scale, one) = compute(types)?;
        // SAFETY: the place is of the description's type.
        let description = Owned::new("cublasLtMatmulDescCreate", api::cublasLtMatmulDescDestroy, |place| unsafe {
            api::cublasLtMatmulDescCreate(place, compute, scale)
        })?;
        let set = |attribute, value: *const c_void, bytes| {
            // SAFETY: the value is of the attribute's size, and the library copies it.
            check("cublasLtMatmulDescSetAttribute", unsafe {
                api::cublasLtMatmulDescSetAttribute(description.0, attribute, value, bytes)
            })
        };
        // CUBLAS_OP_N and CUBLAS_OP_T.
        let operations = [trans_b, trans_a].map(i32::from);
        set(D::CUBLASLT_MATMUL_DESC_TRANSA, bits(&operations[0]), mem::size_of::<i32>())?;
        set(D::CUBLASLT_MATMUL_DESC_TRANSB, bits(&operations[1]), mem::size_of::<i32>())?;
        if types.storage == DType::F8E4M3 {
            // The matrix units' own sums, as our kernels': without it, some architectures' are added to others every few.
            let fast = 1_i8;
            set(D::CUBLASLT_MATMUL_DESC_FAST_ACCUM, bits(&fast), mem::size_of::<i8>())?;
        }
        // As stored, column by column: rows, columns. The row-major ones have these the other way round.
        let layout = |dtype: DType, rows: u64, columns: u64| {
            // SAFETY: the place is of the layout's type.
            Owned::new("cublasLtMatrixLayoutCreate", api::cublasLtMatrixLayoutDestroy, |place| unsafe {
                api::cublasLtMatrixLayoutCreate(place, data_type(dtype), rows, columns, rows as i64)
            })
        };
        let sides = |rows, columns, transposed| if transposed { (rows, columns) } else { (columns, rows) };
        let (first, second) = (sides(k, n, trans_b), sides(m, k, trans_a));
        let exact = types.result() == types.accumulate;
        Ok(Self {
            description,
            first: layout(types.storage, first.0, first.1)?,
            second: layout(types.storage, second.0, second.1)?,
            output: layout(types.result(), n, m)?,
            one,
            reduction: if exact {
                cublasLtReductionScheme_t::CUBLASLT_REDUCTION_SCHEME_MASK
            } else {
                // The others add up in the output's type, which is narrower than the sums'.
                cublasLtReductionScheme_t::CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE
            } as u32,
        })
    }

    /// All algorithms that the library has for this.
    fn candidates(&self, handle: &Handle) -> Result<Vec<Candidate<cublasLtMatmulHeuristicResult_t>>> {
        use cublasLtMatmulPreferenceAttributes_t as P;
        // SAFETY: the place is of the preference's type.
        let preference: Owned<cublasLtMatmulPreferenceOpaque_t> =
            Owned::new("cublasLtMatmulPreferenceCreate", api::cublasLtMatmulPreferenceDestroy, |place| unsafe {
                api::cublasLtMatmulPreferenceCreate(place)
            })?;
        let set = |attribute, value: *const c_void, bytes| {
            // SAFETY: the value is of the attribute's size, and the library copies it.
            check("cublasLtMatmulPreferenceSetAttribute", unsafe {
                api::cublasLtMatmulPreferenceSetAttribute(preference.0, attribute, value, bytes)
            })
        };
        set(P::CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, bits(&WORKSPACE_BYTES), mem::size_of::<usize>())?;
        set(P::CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, bits(&self.reduction), mem::size_of::<u32>())?;
        let mut results = [NO_RESULT; ASKED];
        let mut count = 0;
        // SAFETY: everything was made for this, and there is room for as many results as are asked for.
        check("cublasLtMatmulAlgoGetHeuristic", unsafe {
            api::cublasLtMatmulAlgoGetHeuristic(
                handle.raw.0,
                self.description.0,
                self.first.0,
                self.second.0,
                self.output.0,
                self.output.0,
                preference.0,
                ASKED as i32,
                results.as_mut_ptr(),
                &raw mut count,
            )
        })?;
        let found = results.into_iter().take(usize::try_from(count).unwrap_or(0));
        let usable = found.filter(|result| {
            result.state == cublasStatus_t::CUBLAS_STATUS_SUCCESS && result.workspaceSize <= WORKSPACE_BYTES
        });
        usable.map(|way| Ok(Candidate { name: name(&way)?, way })).collect()
    }

    /// Puts the product into the stream.
    fn run(
        &self,
        handle: &Handle,
        algorithm: &cublasLtMatmulHeuristicResult_t,
        [a, b, c]: [CUdeviceptr; 3],
    ) -> Result<()> {
        let workspace = handle.workspace.of(algorithm.workspaceSize as u64)?;
        // In every type, the bits of 0 are 0. With this, C is written and not read.
        let zero = 0_u64;
        // SAFETY: the buffers hold what the layouts say, the workspace what the algorithm needs, and the factors are of
        // the type of the sums; the library copies them.
        check("cublasLtMatmul", unsafe {
            api::cublasLtMatmul(
                handle.raw.0,
                self.description.0,
                bits(&self.one),
                b as *const c_void,
                self.first.0,
                a as *const c_void,
                self.second.0,
                bits(&zero),
                c as *const c_void,
                self.output.0,
                c as *mut c_void,
                self.output.0,
                &raw const algorithm.algo,
                workspace as *mut c_void,
                algorithm.workspaceSize,
                handle.context.stream().cast(),
            )
        })
    }
}

const NO_RESULT: cublasLtMatmulHeuristicResult_t = cublasLtMatmulHeuristicResult_t {
    algo: cublasLtMatmulAlgo_t { data: [0; 8] },
    workspaceSize: 0,
    state: cublasStatus_t::CUBLAS_STATUS_NOT_SUPPORTED,
    wavesCount: 0.0,
    reserved: [0; 4],
};

/// An algorithm's configuration, in the library's own numbers.
fn name(result: &cublasLtMatmulHeuristicResult_t) -> Result<String> {
    use cublasLtMatmulAlgoConfigAttributes_t as A;
    let parts = [
        ("algorithm", A::CUBLASLT_ALGO_CONFIG_ID, 4),
        ("tile", A::CUBLASLT_ALGO_CONFIG_TILE_ID, 4),
        ("stages", A::CUBLASLT_ALGO_CONFIG_STAGES_ID, 4),
        ("split-k", A::CUBLASLT_ALGO_CONFIG_SPLITK_NUM, 4),
        ("reduction", A::CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, 4),
        ("swizzle", A::CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING, 4),
        ("cluster", A::CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, 2),
    ];
    let parts = parts.map(|(word, attribute, bytes)| {
        let mut value = 0_u32;
        let mut written = 0;
        // SAFETY: the place holds as many bytes as are told, or more.
        check("cublasLtMatmulAlgoConfigGetAttribute", unsafe {
            api::cublasLtMatmulAlgoConfigGetAttribute(
                &raw const result.algo,
                attribute,
                (&raw mut value).cast(),
                bytes,
                &raw mut written,
            )
        })?;
        Ok(format!("{word} {value}"))
    });
    let parts: Result<Vec<String>> = parts.into_iter().collect();
    Ok(format!("{}, workspace {}", parts?.join(", "), result.workspaceSize))
}

/// The type that the library computes in, that of the factors, and the bits of 1 in it. TF32 is for those who ask for it.
fn compute(types: Types) -> Result<(cublasComputeType_t, cudaDataType_t, u64)> {
    use cublasComputeType_t as C;
    Ok(match (types.storage, types.accumulate) {
        (DType::F64, DType::F64) => (C::CUBLAS_COMPUTE_64F, cudaDataType_t::CUDA_R_64F, 1_f64.to_bits()),
        (DType::F32 | DType::Bf16 | DType::F16 | DType::F8E4M3, DType::F32) => {
            (C::CUBLAS_COMPUTE_32F, cudaDataType_t::CUDA_R_32F, 1_f32.to_bits().into())
        }
        (DType::Tf32, DType::F32) => {
            (C::CUBLAS_COMPUTE_32F_FAST_TF32, cudaDataType_t::CUDA_R_32F, 1_f32.to_bits().into())
        }
        (DType::I8, DType::I32) => (C::CUBLAS_COMPUTE_32I, cudaDataType_t::CUDA_R_32I, 1),
        (DType::F16, DType::F16) => (C::CUBLAS_COMPUTE_16F, cudaDataType_t::CUDA_R_16F, f16::ONE.to_bits().into()),
        (storage, accumulate) => {
            return Err(Error::unsupported(format!("cublaslt::gemm has no {storage} with sums in {accumulate}")));
        }
    })
}

fn data_type(dtype: DType) -> cudaDataType_t {
    match dtype {
        DType::F64 => cudaDataType_t::CUDA_R_64F,
        DType::F32 | DType::Tf32 => cudaDataType_t::CUDA_R_32F,
        DType::Bf16 => cudaDataType_t::CUDA_R_16BF,
        DType::I32 => cudaDataType_t::CUDA_R_32I,
        DType::I8 => cudaDataType_t::CUDA_R_8I,
        DType::F16 => cudaDataType_t::CUDA_R_16F,
        DType::F8E4M3 => cudaDataType_t::CUDA_R_8F_E4M3,
    }
}

fn bits<T>(value: &T) -> *const c_void {
    ptr::from_ref(value).cast()
}

/// Something that the library made, destroyed on drop.
struct Owned<T>(*mut T, unsafe fn(*mut T) -> cublasStatus_t);

impl<T> Owned<T> {
    fn new(
        call: &'static str,
        destroy: unsafe fn(*mut T) -> cublasStatus_t,
        create: impl FnOnce(*mut *mut T) -> cublasStatus_t,
    ) -> Result<Self> {
        let mut raw = ptr::null_mut();
        check(call, create(&raw mut raw))?;
        Ok(Self(raw, destroy))
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the library made it, for this value alone.
        unsafe {
            let _ = (self.1)(self.0);
        }
    }
}

fn check(call: &'static str, status: cublasStatus_t) -> Result<()> {
    // As a number: a library may know more codes than the bindings.
    let code = status as u32;
    let name = match code {
        0 => return Ok(()),
        1 => "CUBLAS_STATUS_NOT_INITIALIZED",
        3 => "CUBLAS_STATUS_ALLOC_FAILED",
        7 => "CUBLAS_STATUS_INVALID_VALUE",
        8 => "CUBLAS_STATUS_ARCH_MISMATCH",
        11 => "CUBLAS_STATUS_MAPPING_ERROR",
        13 => "CUBLAS_STATUS_EXECUTION_FAILED",
        14 => "CUBLAS_STATUS_INTERNAL_ERROR",
        15 => return Err(Error::unsupported(format!("{call}: CUBLAS_STATUS_NOT_SUPPORTED"))),
        _ => "a cuBLAS error",
    };
    Err(Error::Driver { api: "cuda", call, code: code.into(), name: name.to_owned() })
}
