//! What stands for a machine's meters in the tests of the meters and in those of the program: a library, makers' tools, a
//! management controller.

pub(crate) mod library;
pub(crate) mod server;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Where these sources lie. Every package is a folder beside that of the backends.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../backends/tests/fakes")
}

/// Puts a maker's tool into a folder. It prints the file `NAME.txt` beside it, whatever it is asked.
pub(crate) fn tool(folder: &Path, name: &str) {
    symlink(sources().join("tool"), folder.join(name)).unwrap();
}
