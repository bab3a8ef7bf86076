//! How work-items bring a block of A or B from memory, for the kernels in WGSL that stage blocks: what `blocks.wgsl.j2`
//! is told.

use minijinja::{Value, context};

/// A block of rows of A or of columns of B. Local memory holds it in slots, each of some rows or columns at one place
/// along k; a work-item brings a piece at a time, which is a slot at some places along k.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The matrix: `a` or `b`.
    pub(crate) matrix: &'static str,
    /// Neighbours in memory are neighbouring rows or columns; else they are neighbours along k.
    pub(crate) along_side: bool,
    /// A load brings 4 neighbours.
    pub(crate) wide: bool,
    /// Rows or columns.
    pub(crate) side: u32,
    /// Length along k.
    pub(crate) depth: u32,
    /// Rows or columns of a slot.
    pub(crate) slot: u32,
    /// Those of a slot are neighbours; else they are as far from each other as there are slots.
    pub(crate) neighbours: bool,
    /// Places along k of a piece: 1 or, where memory runs along k, 4.
    pub(crate) run: u32,
}

impl Block {
    /// Slots at one place along k.
    pub(crate) fn slots(&self) -> u32 {
        self.side / self.slot
    }

    /// Pieces of a line: neighbouring ones lie next to each other in memory.
    pub(crate) fn line(&self) -> u32 {
        if self.along_side { self.slots() } else { self.depth / self.run }
    }

    /// Pieces of the block.
    pub(crate) fn pieces(&self) -> u32 {
        self.slots() * self.depth / self.run
    }

    /// Whether work-items can share the pieces line by line, as the kernels suppose.
    pub(crate) fn is_shared_by(&self, items: u32) -> bool {
        self.line() > 0 && items.is_multiple_of(self.line())
    }

    /// The terms of the template: element j of slot s is row or column near·s + far·j of the block, and a piece takes
    /// `loads` of `load_quad_*` where `quads`, else of `load_*`.
    pub(crate) fn terms(&self) -> Value {
        let (near, far) = if self.neighbours { (self.slot, 1) } else { (1, self.slots()) };
        let loads = if self.wide && self.along_side { 1 } else { self.slot };
        context! {
            matrix => self.matrix, along_side => self.along_side,
            slots => self.slots(), line => self.line(), pieces => self.pieces(), run => self.run,
            near, far, loads, quads => self.wide || self.run > 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONG_K: Block =
        Block { matrix: "a", along_side: false, wide: true, side: 128, depth: 16, slot: 4, neighbours: false, run: 4 };

    #[test]
    fn pieces_cover_a_block_once() {
        let across = Block { along_side: true, run: 1, neighbours: true, ..ALONG_K };
        let narrow = Block { wide: false, run: 1, ..ALONG_K };
        for block in [ALONG_K, across, narrow] {
            assert_eq!(block.pieces() * block.slot * block.run, block.side * block.depth, "{block:?}");
            assert!(block.pieces().is_multiple_of(block.line()), "{block:?}");
        }
        assert_eq!([ALONG_K, across, narrow].map(|block| block.line()), [4, 32, 16]);
    }

    #[test]
    fn fewer_work_items_than_a_line_has_pieces_share_none() {
        let across = Block { along_side: true, run: 1, ..ALONG_K };
        assert!(across.is_shared_by(256) && across.is_shared_by(32) && !across.is_shared_by(16));
    }
}
