//! GEMM by the BLAS libraries of this machine, through the interface that they share, CBLAS.
//!
//! Each is loaded once in a process and told to use as many threads as the device has. One that lacks a function, does not
//! tell how wide its integers are or computes a small product wrongly is left out, with the reason. Halves are left out:
//! none of them stores halves and keeps sums in f32.

mod blis;
mod cblas;
mod gemm;
mod mkl;
mod openblas;

pub(super) use cblas::Cblas;
pub(super) use gemm::BlasGemm;

use crate::LibraryForm;
use crate::external::{Loaded, Wanted};
use serde_json::{Map, json};
use std::sync::OnceLock;

/// The function of this name in plans.
const GEMM: &str = "gemm";

/// Looks at a library that was loaded, for a device of so many threads.
type Open = fn(Loaded, usize) -> Result<Cblas, String>;

const KNOWN: [(Wanted, Open); 3] =
    [(openblas::WANTED, openblas::open), (mkl::WANTED, mkl::open), (blis::WANTED, blis::open)];

/// Each known library, or why it is not used.
fn all() -> &'static [Result<Cblas, String>] {
    static ALL: OnceLock<Vec<Result<Cblas, String>>> = OnceLock::new();
    ALL.get_or_init(|| {
        let threads = rayon::current_num_threads();
        let open = |(wanted, open): (Wanted, Open)| {
            wanted.open(|loaded| {
                let cblas = open(loaded, threads)?;
                if cblas.is_right() { Ok(cblas) } else { Err("it computes a small product wrongly".to_owned()) }
            })
        };
        KNOWN.map(open).into()
    })
}

/// The libraries that can be used.
pub(super) fn found() -> impl Iterator<Item = &'static Cblas> {
    all().iter().filter_map(|known| known.as_ref().ok())
}

/// The library of this name.
pub(super) fn named(name: &str) -> Option<&'static Cblas> {
    found().find(|cblas| cblas.name == name)
}

/// What each library takes.
pub(super) fn forms() -> Vec<LibraryForm> {
    let form = |cblas: &Cblas, real: &str| LibraryForm {
        library: cblas.name.to_owned(),
        function: GEMM.to_owned(),
        arguments: Map::from_iter(["storage", "accumulate"].map(|name| (name.to_owned(), json!(real)))),
    };
    found().flat_map(|cblas| ["f64", "f32"].map(|real| form(cblas, real))).collect()
}

/// A line for each known library: what was found, or why it is not used.
pub(super) fn notes() -> Vec<String> {
    let note = |known: &Result<Cblas, String>| match known {
        Ok(cblas) => format!("{}: {}, from {}", cblas.name, cblas.version, cblas.file),
        Err(why) => why.clone(),
    };
    all().iter().map(note).collect()
}
