//! Memory that algorithms use beside their operands.

use crate::Result;
use crate::cuda::context::Context;
use crate::cuda::memory::CudaMemory;
use cudarc::driver::sys::CUdeviceptr;
use std::cell::RefCell;
use std::rc::Rc;

/// One for all functions of a device: they run one after the other in its stream.
pub(super) struct Workspace {
    context: Rc<Context>,
    /// With its size.
    memory: RefCell<Option<(u64, CudaMemory)>>,
}

impl Workspace {
    pub(super) fn new(context: &Rc<Context>) -> Self {
        Self { context: Rc::clone(context), memory: RefCell::new(None) }
    }

    /// Where there are at least so many bytes; 0 for none. It moves when more are asked for than ever before, which a
    /// function does when it is prepared.
    pub(super) fn of(&self, bytes: u64) -> Result<CUdeviceptr> {
        let mut memory = self.memory.borrow_mut();
        match &*memory {
            _ if bytes == 0 => return Ok(0),
            Some((size, memory)) if *size >= bytes => return Ok(memory.start),
            // What is there is given back first; that waits for those who use it.
            _ => *memory = None,
        }
        let (_, memory) = memory.insert((bytes, CudaMemory::device(&self.context, bytes)?));
        Ok(memory.start)
    }
}
