//! GEMM: C = A·B, where A is m × k, B is k × n and C is m × n, all dense and row-major.
//!
//! `trans` names what is stored: `n` as is, `t` transposed, for A and B in this order. With `nt`, B lies in memory as
//! n × k, as a linear layer's weights do. 2·m·n·k floating-point operations, by the usual convention.

mod blocks;
mod case;
pub(crate) mod coop;
pub(crate) mod direct;
mod dots;
mod library;
pub(crate) mod mma;
pub(crate) mod packed;
pub mod plan;
mod problem;
mod reference;
mod shapes;
mod single;
pub(crate) mod tiled;
pub(crate) mod wgmma;

pub use case::Gemm;
pub use coop::CoopPlan;
pub use direct::DirectPlan;
pub use dots::DotsPlan;
pub use mma::MmaPlan;
pub use packed::PackedPlan;
pub use plan::GemmPlan;
pub use problem::GemmProblem;
pub use tiled::TiledPlan;
pub use wgmma::WgmmaPlan;

pub(crate) use packed::{has_32_registers, takes_vectors, vector_width};
pub(crate) use plan::preferred_first;
pub(crate) use tiled::precision_define;
