//! Tells the program which commit it was built from. Without git or a repository it knows none, and says so.

use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn main() {
    // Whatever can make the sources differ from the commit. The result file of a run is no source.
    for path in ["../Cargo.toml", "../Cargo.lock", "../backends", "../kernels", "../reports", "src", "build.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }
    for name in ["HEAD", "index"] {
        if let Some(path) = git(&["rev-parse", "--path-format=absolute", "--git-path", name]) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let Some(commit) = git(&["rev-parse", "HEAD"]) else { return };
    println!("cargo::rustc-env=ACCELBENCH_GIT_COMMIT={commit}");
    if let Some(changes) = git(&["status", "--porcelain", "--untracked-files=no"]) {
        println!("cargo::rustc-env=ACCELBENCH_GIT_DIRTY={}", !changes.is_empty());
    }
}
