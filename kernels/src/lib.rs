//! What is computed: operations, their plans and kernel sources, and the f64 truth that every output is held against.
//!
//! The crate knows types, shapes, source text, and counts of operations and bytes. It knows no driver: a [`Program`] is
//! plain data (buffers, kernels, launches) that any device which speaks its language can run.
//!
//! An [`Operation`] makes [`Case`]s, and one case object serves them all: verifying, measuring, tuning, and the matrix of
//! what is supported. A new operation is one folder and one line in [`catalogue`].

pub mod attention;
mod bound;
pub mod catalogue;
pub mod compare;
pub mod conv2d;
mod cooperative;
pub mod demand;
mod fields;
pub mod fill;
pub mod gemm;
pub mod op;
pub mod precision;
pub mod probe;
pub mod program;
mod samples;
pub mod shapes;
mod space;
pub mod tensor;
#[cfg(test)]
mod testing;
pub mod tuned;
mod wgsl;

pub use catalogue::Catalogue;
pub use compare::Verdict;
pub use demand::Demand;
pub use op::{Bucket, Case, Operation, Plan, ShapeError, TensorSpec, Unit, Work};
pub use precision::Precision;
pub use program::{BufferRole, BufferSpec, LaunchSpec, Program};
pub use shapes::{NamedShape, Phase, Profile};
pub use tensor::Tensor;
