//! What a plan asks of a device: what a model of its time goes by before anything is measured.

use crate::gemm::tiled::Products;

/// A plan's work as its kernel cuts it up: with what is computed beyond the tensors' edges, and what is moved more than
/// once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// Work-groups of the launch that computes.
    pub groups: f64,
    /// FLOP of one of them.
    pub group_flop: f64,
    /// Bytes that one of them reads and writes in the device's memory.
    pub group_bytes: f64,
    /// Bytes that all other launches move: copies into panels, parts that are combined.
    pub other_bytes: f64,
    /// Multiplications for each operand that the innermost loop brings into a register.
    pub reuse: f64,
    /// Local memory of a work-group, in bytes.
    pub local_bytes: u64,
}

impl Demand {
    /// Of tiles of `rows` × `columns` that cover products, a tile a work-group.
    pub(crate) fn of_tiles(problem: &Products, rows: u32, columns: u32, reuse: f64) -> Self {
        let tiles = f64::from(problem.m.div_ceil(rows)) * f64::from(problem.n.div_ceil(columns));
        let (rows, columns, k) = (f64::from(rows), f64::from(columns), f64::from(problem.k));
        Self {
            groups: tiles * f64::from(problem.batch),
            group_flop: 2.0 * rows * columns * k,
            group_bytes: ((rows + columns) * k + rows * columns) * problem.precision.storage().bytes() as f64,
            other_bytes: 0.0,
            reuse,
            local_bytes: 0,
        }
    }
}

/// The multiplications for each operand of a register tile of `rows` × `columns`.
pub(crate) fn reuse(rows: u32, columns: u32) -> f64 {
    f64::from(rows) * f64::from(columns) / f64::from(rows + columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Precision;

    #[test]
    fn tiles_count_what_lies_beyond_the_edges() {
        let products =
            Products { precision: Precision::F32, m: 65, n: 64, k: 10, batch: 3, elements: [650, 640, 4160] };
        let demand = Demand::of_tiles(&products, 64, 64, 2.0);
        let computed = demand.groups * demand.group_flop;
        assert_eq!((demand.groups, computed), (6.0, 3.0 * 2.0 * 128.0 * 64.0 * 10.0));
        assert_eq!(demand.group_bytes.to_bits(), f64::to_bits((128.0 * 10.0 + 64.0 * 64.0) * 4.0));
    }

    #[test]
    fn square_register_tiles_reuse_the_most() {
        assert!(reuse(8, 8) > reuse(16, 4) && reuse(6, 4) > reuse(8, 3) && reuse(8, 3) > reuse(12, 2));
    }
}
