//! Gathers the tables under `tuned/`, so that a table which lies there is built in.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=tuned");
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or_else(|| io::Error::other(name));
    let mut tables: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(variable("CARGO_MANIFEST_DIR")?.join("tuned"))? {
        tables.push(entry?.path());
    }
    tables.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    tables.sort();
    let texts: Vec<String> =
        tables.iter().map(|path| format!("include_str!({:?})", path.display().to_string())).collect();
    fs::write(variable("OUT_DIR")?.join("tables.rs"), format!("&[{}]", texts.join(", ")))
}
