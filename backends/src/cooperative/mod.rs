//! Matrices that the work-items of a sub-group multiply together in OpenCL C, on the units that a device has for that.
//!
//! What compilers offer has nothing in common but the idea: sizes, types and who holds what differ. [`OPENCL`] is source
//! text that gives all of them one form, for kernels to be written in once; a device names the instruction that it has by
//! the fact `cooperative_matrix`, after it was seen to multiply.

use std::fmt;

/// C ← A·B + C in one form: halves, with sums in f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// Rows of A and C.
    pub m: u32,
    /// Columns of B and C.
    pub n: u32,
    /// Columns of A and rows of B.
    pub k: u32,
    /// Work-items of the sub-group.
    pub subgroup: u32,
    /// Bytes of a work-item's sums, at most: so many that its registers also hold operands and what is on its way.
    pub sums_bytes: u32,
}

/// Those that [`OPENCL`] knows.
pub const INSTRUCTIONS: [Instruction; 4] = [
    // Dot products, accumulated, systolic: DPAS, of matrices as wide as a sub-group (extension
    // `cl_intel_subgroup_matrix_multiply_accumulate`, revision 1.1). A thread has 128 registers of 32 or of 64 bytes.
    Instruction { m: 8, n: 16, k: 16, subgroup: 16, sums_bytes: 256 },
    Instruction { m: 8, n: 8, k: 16, subgroup: 8, sums_bytes: 256 },
    // V_WMMA_F32_16X16X16_F16 in waves of 32 (AMD, "RDNA3 Instruction Set Architecture", 2023).
    Instruction { m: 16, n: 16, k: 16, subgroup: 32, sums_bytes: 256 },
    // V_MFMA_F32_32X32X8_F16 in waves of 64 (AMD, "Instinct MI200 Instruction Set Architecture", 2022).
    Instruction { m: 32, n: 32, k: 8, subgroup: 64, sums_bytes: 512 },
];

/// The functions, for one of the [`INSTRUCTIONS`] as its [`Instruction::defines`] say.
pub const OPENCL: &str = include_str!("cooperative.cl");

/// The same and a kernel `multiply_once`, by which one sub-group adds A·B to C: A by rows, B by columns, C by rows.
#[cfg(feature = "opencl")]
pub(crate) const TRIAL: &str = concat!(include_str!("cooperative.cl"), include_str!("trial.cl"));

/// As the fact `cooperative_matrix` names it.
impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { m, n, k, .. } = self;
        write!(f, "{m}x{n}x{k} f16 f32")
    }
}

impl Instruction {
    /// The definitions that [`OPENCL`] needs.
    pub fn defines(&self) -> [(&'static str, u32); 4] {
        [("MATRIX_M", self.m), ("MATRIX_N", self.n), ("MATRIX_K", self.k), ("SUBGROUP", self.subgroup)]
    }
}
