//! BLIS, with its CBLAS interface built in, as AMD's builds and the distributions' have it.

use super::cblas::{Cblas, Width};
use crate::external::{Loaded, Wanted, text};
use std::ffi::{c_char, c_int};

pub(super) const WANTED: Wanted = Wanted {
    name: "blis",
    files: if cfg!(windows) {
        &["AOCL-LibBlis-Win-MT-dll.dll", "libblis.dll"]
    } else if cfg!(target_os = "macos") {
        &["libblis.4.dylib", "libblis.dylib"]
    } else {
        &["libblis-mt.so.5", "libblis-mt.so.4", "libblis-mt.so", "libblis.so.4", "libblis.so.5", "libblis.so"]
    },
    hint: "BLIS (Debian's and Ubuntu's `libblis4-pthread`, or AMD's AOCL)",
};

pub(super) fn open(library: Loaded, threads: usize) -> Result<Cblas, String> {
    // SAFETY: the signatures are those of BLIS's headers, where `gint_t` and `dim_t` are as wide as an address; of a
    // narrower one the lower half counts, in which these numbers lie. The text ends in NUL.
    let (version, bits, threaded, used) = unsafe {
        type Number = unsafe extern "C" fn() -> c_int;
        let version = library.function::<unsafe extern "C" fn() -> *const c_char>("bli_info_get_version_str")?;
        let bits = library.function::<Number>("bli_info_get_blas_int_type_size")?;
        let threaded = library.function::<Number>("bli_info_get_enable_threading");
        let set = library.function::<unsafe extern "C" fn(isize)>("bli_thread_set_num_threads")?;
        let get = library.function::<Number>("bli_thread_get_num_threads")?;
        set(threads as isize);
        (text(version()), bits(), threaded.map_or(true, |threaded| threaded() != 0), get())
    };
    if threads > 1 && (used == 1 || !threaded) {
        return Err(format!("this build uses one thread, and the device has {threads}"));
    }
    let width = match bits {
        32 => Width::Bits32,
        64 => Width::Bits64,
        bits => return Err(format!("it says that its integers are of {bits} bits")),
    };
    Cblas::new(library, ["", ""], width, format!("BLIS {version}, {used} threads"))
}
