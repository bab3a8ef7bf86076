//! conv2d forward, as neural networks have it: the cross-correlation of a batch of images with a set of filters.
//!
//! ```text
//! Y[n, k, y, x] = Σ_{c, i, j}  X[n, g·C + c, y·stride_h − pad_h + i·dilation_h, x·stride_w − pad_w + j·dilation_w]
//!                              · W[k, c, i, j]
//! ```
//!
//! with C = c / groups channels of group g = k / (K / groups), and 0 outside the image. Layouts: with `nchw` X is
//! n × c × h × w, W is k × C × r × s and Y is n × k × oh × ow; with `nhwc` X is n × h × w × c, W is k × r × s × C and Y is
//! n × oh × ow × k; all dense. The output's height `oh` is `⌊(h + 2·pad_h − dilation_h·(r − 1) − 1) / stride_h⌋ + 1`, and
//! its width alike.
//!
//! 2·n·k·oh·ow·C·r·s floating-point operations by this definition, products with the padding included, whatever an
//! algorithm saves.

mod bands;
mod case;
mod depthwise;
mod direct;
mod mma;
mod packed;
mod panels;
pub mod plan;
mod pointwise;
mod problem;
mod reference;
mod shapes;
mod single;
mod tiled;

pub use bands::BandsPlan;
pub use case::Conv2d;
pub use depthwise::DepthwisePlan;
pub use direct::DirectPlan;
pub use mma::MmaPlan;
pub use packed::PackedPlan;
pub use plan::ConvPlan;
pub use pointwise::PointwisePlan;
pub use problem::{ConvProblem, Layout};
pub use tiled::TiledPlan;
