//! The terminal: colours only where one shows them, no panic where nobody reads, and Ctrl-C.

use super::exit::{self, UserError};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const FAINT: Style = Style::new().dimmed();
pub(super) const STRONG: Style = Style::new().bold();

/// Text in a style. The style is dropped when it is printed to what is no terminal, or with `NO_COLOR`.
pub(super) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints to standard output. A reader that has gone away, as `head` does, is no error.
pub(super) fn print(text: &str) -> Result<(), UserError> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| UserError(format!("standard output: {error}"))),
    }
}

/// Prints one line about an error to standard error, whatever the names in it hold.
pub(super) fn error(text: &str) {
    let line: String = text
        .chars()
        .map(|letter| if letter.is_control() { letter.escape_debug().to_string() } else { letter.to_string() })
        .collect();
    note(&format!("{} {line}", styled(BAD, "error:")));
}

/// Prints a line to standard error. There is nowhere to report to if that fails.
pub(super) fn note(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Takes note of Ctrl-C; what is returned says whether there was one.
pub(super) fn on_interrupt() -> impl Fn() -> bool {
    static STOPPED: AtomicBool = AtomicBool::new(false);
    // The second one does not wait for the first one's tidying up.
    let _ = ctrlc::set_handler(|| {
        if STOPPED.swap(true, Ordering::SeqCst) {
            std::process::exit(exit::INTERRUPTED.into());
        }
    });
    || STOPPED.load(Ordering::SeqCst)
}
