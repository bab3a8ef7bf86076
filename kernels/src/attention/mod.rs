//! Attention forward: scaled dot-product attention, `O = softmax(Q·Kᵀ / √head_dim + mask)·V`, for each head of a batch.
//!
//! Q and O are `batch × heads × seq_q × head_dim`; K and V are `batch × kv_heads × seq_kv × head_dim`; all dense,
//! row-major. Query heads share key and value heads evenly: head h reads head `h / (heads / kv_heads)`, which is
//! multi-head attention where both numbers are the same, multi-query attention where `kv_heads` is 1, and grouped-query
//! attention between.
//!
//! With the causal mask, query i sees the keys `j ≤ i + seq_kv − seq_q`: the last query sees every key, as when a model
//! decodes against a cache. (`FlashAttention` aligns so from 2.1 on.)
//!
//! `4·batch·heads·head_dim` floating-point operations for every pair of a query and a key: two products of `head_dim`,
//! softmax not counted. There are `seq_q·seq_kv` pairs; the causal mask takes off `seq_q²/2`, which is half where both
//! sequences are equal. (The convention of T. Dao, "`FlashAttention-2`", 2023, carried on to unequal sequences.)

// Sizes and formulas, which read like code, are text here.
#![allow(clippy::doc_markdown)]

mod case;
mod direct;
mod mma;
mod packed;
pub mod plan;
mod problem;
mod reference;
mod shapes;
mod split;
mod tiled;
mod wgmma;

pub use case::Attention;
pub use direct::DirectPlan;
pub use mma::MmaPlan;
pub use packed::PackedPlan;
pub use plan::AttentionPlan;
pub use problem::AttentionProblem;
pub use tiled::TiledPlan;
pub use wgmma::WgmmaPlan;
