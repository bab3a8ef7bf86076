//! Copies of A and B in the order in which tiles read them.

use super::tile::{Order, ROWS, columns as tile_columns, steps};
use super::vectors::Lanes;
use crate::host::block::pieces;
use crate::host::element::{Element, Real};
use std::ops::Range;

/// Elements of a row of A or a column of B that are converted at a time.
const PIECE: usize = 256;

/// Copies rows of A, at most [`ROWS`] and fewer at the end, and a part of k, to a panel of whole blocks of steps. Rows
/// that are missing are zeros.
///
/// `a` begins with the first row, or column where it is transposed, and has `stride` elements from one to the next.
pub(in crate::host) fn pack_a<E: Element>(
    order: Order,
    a: &[E],
    stride: usize,
    rows: usize,
    depth: Range<usize>,
    to: &mut [E::Real],
) {
    let block = steps::<E::Real>();
    match order {
        Order::ByRow => {
            let mut wide = [E::Real::ZERO; PIECE];
            let all = (0..ROWS).flat_map(|r| pieces(depth.clone(), PIECE).map(move |piece| (r, piece)));
            for (r, Range { start, end }) in all {
                let len = end - start;
                let row: &[E::Real] =
                    if r < rows { E::widened(&a[r * stride + start..][..len], &mut wide) } else { &[] };
                let to = &mut to[(start - depth.start) * ROWS..];
                let blocks = to.chunks_exact_mut(ROWS * block).take(len.div_ceil(block));
                for (index, to) in blocks.enumerate() {
                    let to = &mut to[r * block..][..block];
                    if let Some(row) = row.get(index * block..(index + 1) * block) {
                        to.copy_from_slice(row);
                    } else {
                        let row = &row[row.len().min(index * block)..];
                        to[..row.len()].copy_from_slice(row);
                        to[row.len()..].fill(E::Real::ZERO);
                    }
                }
            }
        }
        Order::ByStep => {
            for (step, to) in depth.zip(to.chunks_exact_mut(ROWS)) {
                E::widen(&a[step * stride..][..rows], &mut to[..rows]);
                to[rows..].fill(E::Real::ZERO);
            }
        }
    }
}

/// The elements of a row of a panel of A that is stored by rows, `len` of them from step `first` on: in parts, for a block
/// of steps of each row follows the other.
pub(in crate::host) fn parts_of_row<T>(
    panel: &mut [T],
    row: usize,
    first: usize,
    len: usize,
) -> impl Iterator<Item = &mut [T]> {
    let block = steps::<T>();
    let blocks = panel.chunks_mut(ROWS * block).enumerate().skip(first / block);
    let count = if len == 0 { 0 } else { (first + len).div_ceil(block) - first / block };
    blocks.take(count).map(move |(index, panel)| {
        let start = first.max(index * block) - index * block;
        let end = (first + len).min((index + 1) * block) - index * block;
        &mut panel[row * block..][start..end]
    })
}

/// Elements of a panel of A, `k` steps long.
pub(in crate::host) fn panel_a<T>(k: usize) -> usize {
    ROWS * k.next_multiple_of(steps::<T>())
}

/// Copies columns of B, at most a tile's and fewer at the end, and a part of k, to a tile's width of elements a step.
/// Columns that are missing are zeros.
///
/// `b` begins with the first column of the first row, and has `stride` elements from a row, or from a column where it is
/// transposed, to the next.
pub(in crate::host) fn pack_b<E: Element<Real: Lanes>>(
    transposed: bool,
    b: &[E],
    stride: usize,
    columns: usize,
    depth: Range<usize>,
    to: &mut [E::Real],
) {
    let width = tile_columns::<E::Real>();
    if transposed {
        for piece in pieces(depth.clone(), PIECE) {
            let to = &mut to[(piece.start - depth.start) * width..];
            transpose(b, stride, columns, piece, width, to);
        }
    } else {
        for (step, to) in depth.zip(to.chunks_exact_mut(width)) {
            E::widen(&b[step * stride..][..columns], &mut to[..columns]);
            to[columns..].fill(E::Real::ZERO);
        }
    }
}

/// Columns that are transposed at a time: few, for each is a stream from memory.
const TOGETHER: usize = 8;

/// Copies a piece of each column.
fn transpose<E: Element>(
    b: &[E],
    stride: usize,
    columns: usize,
    depth: Range<usize>,
    width: usize,
    to: &mut [E::Real],
) {
    let mut wide = [[E::Real::ZERO; PIECE]; TOGETHER];
    for first in (0..width).step_by(TOGETHER) {
        let end = width.min(first + TOGETHER);
        for (column, wide) in (first..end).zip(&mut wide) {
            if column < columns {
                E::widen(&b[column * stride..][depth.clone()], &mut wide[..depth.len()]);
            } else {
                wide.fill(E::Real::ZERO);
            }
        }
        for (step, to) in (0..depth.len()).zip(to.chunks_exact_mut(width)) {
            let to = &mut to[first..end];
            // A length that the compiler knows.
            if let Ok(to) = <&mut [E::Real; TOGETHER]>::try_from(&mut *to) {
                *to = std::array::from_fn(|column| wide[column][step]);
            } else {
                for (to, wide) in to.iter_mut().zip(&wide) {
                    *to = wide[step];
                }
            }
        }
    }
}
