//! Which elements of a large output are computed and compared one by one.

use crate::fill;
use std::collections::BTreeSet;

/// Elements compared at random places, beside the edges.
const RANDOM: usize = 512;

/// Places of a matrix of `sides`: where edges of rows and columns meet, and random ones drawn from `seed`.
pub(crate) fn places(sides: [usize; 2], tiles: &[usize], seed: u64) -> BTreeSet<(usize, usize)> {
    let [rows, columns] = sides.map(|side| edges(side, tiles));
    let meet = rows.iter().flat_map(|&row| columns.iter().map(move |&column| (row, column)));
    let random = fill::indices(2 * RANDOM, usize::MAX, seed);
    meet.chain(random.chunks(2).map(|pair| (pair[0] % sides[0], pair[1] % sides[1]))).collect()
}

/// Places along a side where tilings go wrong: the ends, and the first of the last tile of each size and the one before.
fn edges(side: usize, tiles: &[usize]) -> BTreeSet<usize> {
    let last = side - 1;
    let starts = tiles.iter().map(|tile| last / tile * tile);
    starts.flat_map(|start| [start, start.saturating_sub(1)]).chain([0, last]).collect()
}
