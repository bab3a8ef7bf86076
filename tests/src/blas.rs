//! A stand-in for a BLAS library of the machine.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the stand-in, with such options, as a file of this name.
///
/// # Panics
/// Where there is no C compiler, or it refuses the options.
pub fn built(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let library = folder.join(name);
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"])
        .args(options)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/libraries/blas.c"))
        .arg("-o")
        .arg(&library)
        .output()
        .expect("the stand-in needs cc");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
}
