//! Memory for panels.

use crate::host_block::HostBlock;
use crate::{Error, Result};
use bytemuck::Pod;

/// Memory for panels, kept from run to run.
#[derive(Default)]
pub(in crate::host) struct Scratch(Option<HostBlock>);

impl Scratch {
    /// So many elements, whatever they hold.
    pub(in crate::host) fn elements<T: Pod>(&mut self, len: usize) -> Result<&mut [T]> {
        if len == 0 {
            return Ok(&mut []);
        }
        let bytes = len * size_of::<T>();
        if self.0.as_ref().is_none_or(|block| block.len() < bytes) {
            self.0 = None;
            self.0 = HostBlock::new(bytes);
        }
        let block = self.0.as_ref().ok_or(Error::OutOfMemory { asked: bytes as u64, free: None })?;
        // SAFETY: the block has so many bytes, aligned for every vector and initialised, and is borrowed exclusively.
        Ok(unsafe { std::slice::from_raw_parts_mut(block.start().as_ptr().cast(), len) })
    }
}
