//! NVML.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What the library's first device draws.
pub(crate) const WATTS: f64 = 250.0;

/// Builds the library into a folder, in a variant: its source names the options.
pub(crate) fn built(folder: &Path, options: &[&str]) -> PathBuf {
    let library = folder.join("libnvidia-ml.so.1");
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"])
        .args(options)
        .arg(super::sources().join("nvml.c"))
        .arg("-o")
        .arg(&library)
        .output()
        .expect("the stand-in needs cc");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
}
