//! Products of matrices in this program's own vector code: copies of the operands in panels, which are multiplied tile by
//! tile.
//!
//! After `GotoBLAS` (K. Goto and R. van de Geijn, ACM Trans. Math. Softw. 34(3), 2008), for caches as they are today: a
//! panel of B stays in the second-level cache, and A's panels, some at a time, are streamed past it from the last one.

mod ahead;
mod panels;
mod product;
mod scratch;
mod serial;
mod tile;
mod vectors;

pub(super) use ahead::Ahead;
pub(super) use panels::{pack_a, pack_b, panel_a, parts_of_row};
pub(super) use product::{Limits, Product};
pub(super) use scratch::Scratch;
pub(super) use serial::{Tall, Wide, product};
pub(super) use tile::{Left, Order, ROWS, Rows, Target, columns, lanes, multiply, steps};
pub(super) use vectors::Lanes;
