//! What is asked of memory ahead of its use.

/// Bytes of a cache line.
pub(super) const LINE: usize = 64;

/// Lines that are asked for evenly while others are multiplied: of rows that lie apart, first the first line of each, then
/// the second, and so on.
pub(in crate::host) struct Ahead {
    next: *const u8,
    /// Bytes from a row to the next.
    apart: usize,
    /// Rows, and those that still have a line like the next one.
    rows: usize,
    left: usize,
    /// So many lines are asked for in so many steps along k, and the part of one that is owed.
    lines: usize,
    steps: usize,
    owed: usize,
}

impl Ahead {
    /// Nothing.
    pub(in crate::host) fn nothing() -> Self {
        Self { next: std::ptr::null(), apart: 0, rows: 1, left: 1, lines: 0, steps: 1, owed: 0 }
    }

    /// `length` elements of each of `rows` that are `apart` elements from each other, within so many steps along k.
    pub(in crate::host) fn rows<T>(first: *const T, length: usize, apart: usize, rows: usize, steps: usize) -> Self {
        let apart = apart * size_of::<T>();
        // A row that doesn't begin with a line reaches into one more.
        let lines = (length * size_of::<T>()).div_ceil(LINE) + usize::from(!apart.is_multiple_of(LINE));
        Self { next: first.cast(), apart, rows, left: rows, lines: (lines * rows).min(steps), steps, owed: 0 }
    }

    /// Asks for what is due after so many more steps.
    #[inline(always)]
    pub(super) fn ask(&mut self, steps: usize) {
        self.owed += self.lines * steps;
        while self.owed >= self.steps {
            self.owed -= self.steps;
            prefetch(self.next);
            self.next = self.next.wrapping_add(self.apart);
            self.left -= 1;
            if self.left == 0 {
                self.left = self.rows;
                self.next = self.next.wrapping_add(LINE).wrapping_sub(self.rows * self.apart);
            }
        }
    }
}

/// Asks for the line at an address, which may be any.
#[inline(always)]
pub(super) fn prefetch<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: no address is wrong for it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that are asked for, as numbers from the first one on.
    fn lines(mut ahead: Ahead, steps: &[usize]) -> Vec<usize> {
        let (start, mut asked) = (ahead.next, Vec::new());
        for steps in steps {
            for _ in 0..*steps {
                let before = ahead.next;
                ahead.ask(1);
                if ahead.next != before {
                    asked.push((before.addr() - start.addr()) / LINE);
                }
            }
        }
        asked
    }

    #[test]
    fn every_line_of_every_row_is_asked_for_once_and_evenly() {
        let memory = [0_f32; 4];
        // Rows of two lines, three lines apart.
        let ahead = || Ahead::rows(memory.as_ptr(), 32, 48, 3, 60);
        assert_eq!(lines(ahead(), &[60]), [0, 3, 6, 1, 4, 7]);
        assert_eq!(lines(ahead(), &[10; 6]), [0, 3, 6, 1, 4, 7]);
        assert_eq!(lines(ahead(), &[30]), [0, 3, 6]);
        // More than there are steps.
        assert_eq!(lines(Ahead::rows(memory.as_ptr(), 32, 48, 3, 4), &[4]), [0, 3, 6, 1]);
        assert!(lines(Ahead::nothing(), &[100]).is_empty());
    }
}
