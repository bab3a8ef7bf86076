//! Buffers as slices of elements, and whole buffers converted.

use super::element::Element;
use super::memory::HostMemory;
use crate::{Error, Result};
use bytemuck::Pod;
use rayon::prelude::*;

/// The first `elements` elements of the buffer of the operand `name`.
pub(super) fn view<'a, T: Pod>(name: &str, memory: &'a HostMemory, elements: usize) -> Result<&'a [T]> {
    let bytes = memory.bytes();
    let bytes = bytes.get(..elements * size_of::<T>()).ok_or_else(|| too_small(name, bytes.len(), elements))?;
    Ok(bytemuck::cast_slice(bytes))
}

/// The same, to write to.
#[allow(clippy::mut_from_ref)] // The queue checked that a written buffer is bound once.
pub(super) fn view_mut<'a, T: Pod>(name: &str, memory: &'a HostMemory, elements: usize) -> Result<&'a mut [T]> {
    let bytes = memory.bytes_mut();
    let length = bytes.len();
    let bytes = bytes.get_mut(..elements * size_of::<T>()).ok_or_else(|| too_small(name, length, elements))?;
    Ok(bytemuck::cast_slice_mut(bytes))
}

fn too_small(name: &str, bytes: usize, elements: usize) -> Error {
    Error::invalid(format!("a buffer of {bytes} bytes does not hold the {elements} elements of {name}"))
}

/// Elements that a thread converts at a time: enough to hide the hand-over, few enough to share out evenly.
const CHUNK: usize = 1 << 16;

/// Converts all elements, by all threads.
pub(super) fn widen<E: Element>(from: &[E], to: &mut [E::Real]) {
    to.par_chunks_mut(CHUNK).zip(from.par_chunks(CHUNK)).for_each(|(to, from)| E::widen(from, to));
}
