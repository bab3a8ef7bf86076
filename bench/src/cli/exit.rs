//! How commands end.

use std::fmt::Display;

/// A mistake in the command, the place for output, or a file: one line was printed.
pub(super) const USAGE: u8 = 2;
/// A case was wrong, failed, crashed or timed out.
pub(super) const FAULT: u8 = 6;
/// Ctrl-C, by the shells' convention of 128 and the signal's number.
pub(super) const INTERRUPTED: u8 = 130;

/// What a user did or has that stops a command: one line that says what, and what would be right.
#[derive(Debug)]
pub(super) struct UserError(pub(super) String);

impl UserError {
    pub(super) fn new(error: impl Display) -> Self {
        Self(error.to_string())
    }
}
