//! How the host's functions share out their work: pieces of a whole, among threads, and each thread's memory.

use crate::Result;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// The pieces of a whole, of which the last may be smaller.
pub(super) fn pieces(all: Range<usize>, piece: usize) -> impl Iterator<Item = Range<usize>> {
    all.clone().step_by(piece).map(move |start| start..all.end.min(start + piece))
}

/// The size of a piece of a whole that is no less than one, in as few pieces as sizes of at most `most` allow, and as even.
pub(super) fn evenly(all: usize, most: usize) -> usize {
    all.div_ceil(all.div_ceil(most.max(1)))
}

/// Elements of a copy that are not worth another thread's start.
pub(super) const SMALL_COPY: usize = 1 << 17;

/// Does all of some work: by all threads, unless it is too small for that.
pub(super) fn each<I: IndexedParallelIterator>(
    small: bool,
    work: I,
    run: impl Fn(I::Item) -> Result<()> + Send + Sync,
) -> Result<()> {
    let pieces = if small { usize::MAX } else { 1 };
    work.with_min_len(pieces).with_max_len(pieces).try_for_each(run)
}

/// Scratch memory that is made once for each thread at work and kept from run to run.
pub(super) struct Pool<T>(Mutex<Vec<T>>);

impl<T> Pool<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Runs `work` with scratch that nobody else has meanwhile.
    pub(super) fn with<R>(&self, make: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut scratch = free.unwrap_or_else(make);
        let result = work(&mut scratch);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        result
    }
}
