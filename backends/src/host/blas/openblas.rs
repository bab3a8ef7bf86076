//! OpenBLAS, in every build that is common: with the names of CBLAS or with others that keep it apart, with integers of 32
//! bits or of 64.

use super::cblas::{Cblas, Width};
use crate::external::{Loaded, Wanted, text};
use std::ffi::{c_char, c_int};

pub(super) const WANTED: Wanted = Wanted {
    name: "openblas",
    files: if cfg!(windows) {
        &["libopenblas.dll", "openblas.dll"]
    } else if cfg!(target_os = "macos") {
        &["libopenblas.0.dylib", "libopenblas.dylib"]
    } else {
        &["libopenblas.so.0", "libopenblas.so", "libopenblas64.so.0", "libopenblas64_.so.0"]
    },
    hint: "OpenBLAS (Debian's and Ubuntu's `libopenblas0-pthread`, Fedora's `openblas-threads`)",
};

/// What stands before and behind its functions' names.
const AFFIXES: [[&str; 2]; 4] = [["", ""], ["", "64_"], ["scipy_", ""], ["scipy_", "64_"]];

pub(super) fn open(library: Loaded, threads: usize) -> Result<Cblas, String> {
    let name = |[before, behind]: [&str; 2], function: &str| format!("{before}openblas_{function}{behind}");
    let affixes = AFFIXES.into_iter().find(|affixes| library.has(&name(*affixes, "get_config")));
    let affixes = affixes.ok_or("it has no openblas_get_config, which tells how wide its integers are")?;
    // SAFETY: the signatures are those of OpenBLAS's `cblas.h`; the texts end in NUL.
    let (config, used) = unsafe {
        let config = library.function::<unsafe extern "C" fn() -> *const c_char>(&name(affixes, "get_config"))?;
        let set = library.function::<unsafe extern "C" fn(c_int)>(&name(affixes, "set_num_threads"))?;
        let get = library.function::<unsafe extern "C" fn() -> c_int>(&name(affixes, "get_num_threads"))?;
        set(threads as c_int);
        (text(config()), get())
    };
    let wide = config.split_whitespace().any(|word| word == "USE64BITINT");
    if !wide && affixes[1] == "64_" {
        return Err(format!("its functions end in 64_, and its integers are not of 64 bits: it says `{config}`"));
    }
    if used == 1 && threads > 1 {
        return Err(format!("this build uses one thread, and the device has {threads}"));
    }
    let width = if wide { Width::Bits64 } else { Width::Bits32 };
    Cblas::new(library, affixes, width, format!("{config}, {used} threads"))
}
