//! Intel's MKL through its single dynamic library, which loads the others when it is first called: the interface, the
//! threading and the computing layer. It ends the process where one of them is missing, so they are looked for before.

use super::cblas::{Cblas, Width};
use crate::external::{Loaded, Wanted};
use libloading::Library;
use std::ffi::{CStr, c_char, c_int};
use std::path::Path;

pub(super) const WANTED: Wanted = Wanted {
    name: "mkl",
    files: if cfg!(windows) {
        &["mkl_rt.3.dll", "mkl_rt.2.dll"]
    } else {
        &["libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so"]
    },
    hint: "MKL (Debian's and Ubuntu's `intel-mkl`, the Python package `mkl`, or oneAPI)",
};

/// The interface layer with integers of 32 bits.
const LP64: c_int = 0;
const SEQUENTIAL: c_int = 1;

/// The threading layers: library, the run-time library that it needs, and code.
const THREADING: [(&str, &str, c_int); 3] =
    [("intel_thread", "libiomp5.so", 0), ("gnu_thread", "libgomp.so.1", 3), ("tbb_thread", "libtbb.so.12", 4)];

pub(super) fn open(library: Loaded, threads: usize) -> Result<Cblas, String> {
    let file = library.file("MKL_Set_Interface_Layer");
    let threading = match file.as_deref().and_then(|file| Some((file.parent()?, ending(file)?))) {
        Some((folder, ending)) => layers(folder, &ending, threads)?,
        None => 0,
    };
    // SAFETY: the signatures are those of MKL's `mkl_service.h`. The layers are set before anything else is called.
    let (layer, version, used) = unsafe {
        type Set = unsafe extern "C" fn(c_int) -> c_int;
        let set_interface = library.function::<Set>("MKL_Set_Interface_Layer")?;
        let set_threading = library.function::<Set>("MKL_Set_Threading_Layer")?;
        let version = library.function::<unsafe extern "C" fn(*mut c_char, c_int)>("MKL_Get_Version_String")?;
        let set_threads = library.function::<unsafe extern "C" fn(c_int)>("MKL_Set_Num_Threads")?;
        let get_threads = library.function::<unsafe extern "C" fn() -> c_int>("MKL_Get_Max_Threads")?;
        let layer = set_interface(LP64);
        set_threading(threading);
        set_threads(threads as c_int);
        let mut words = [0_u8; 200];
        version(words.as_mut_ptr().cast(), words.len() as c_int - 1);
        let words = CStr::from_bytes_until_nul(&words).map(|words| words.to_string_lossy().trim().to_owned());
        (layer, words.unwrap_or_default(), get_threads())
    };
    if layer != LP64 {
        return Err(format!("it does not take integers of 32 bits: asked for that, it took interface layer {layer}"));
    }
    if used == 1 && threads > 1 {
        return Err(format!("it uses one thread, and the device has {threads}"));
    }
    Cblas::new(library, ["", ""], Width::Bits32, format!("{version}, {used} threads"))
}

/// What follows the name of the library without version in its file's: `.so.2`.
fn ending(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    name.find(".so").map(|from| name[from..].to_owned())
}

/// The code of a threading layer that is whole, given where the layers lie.
///
/// # Errors
/// The layer that is missing.
fn layers(folder: &Path, ending: &str, threads: usize) -> Result<c_int, String> {
    let lies = |layer: &str| folder.join(format!("libmkl_{layer}{ending}")).exists();
    if let Some(missing) = ["core", "intel_lp64"].into_iter().find(|layer| !lies(layer)) {
        return Err(format!("its part libmkl_{missing}{ending} is not in {}", folder.display()));
    }
    if threads == 1 && lies("sequential") {
        return Ok(SEQUENTIAL);
    }
    let whole = |&&(layer, run_time, _): &&(&str, &str, c_int)| lies(layer) && loads(folder, run_time);
    THREADING.iter().find(whole).map(|&(.., code)| code).ok_or_else(|| {
        let names: Vec<_> = THREADING.iter().map(|(layer, run_time, _)| format!("{layer} with {run_time}")).collect();
        format!("none of its threading layers is whole: {}", names.join(", "))
    })
}

/// Whether a run-time library is there: beside MKL, or where the system looks. MKL then finds it loaded.
fn loads(folder: &Path, name: &str) -> bool {
    [folder.join(name).as_path(), Path::new(name)].into_iter().any(|path| {
        // SAFETY: loading runs the library's initialisers, as MKL itself would.
        unsafe { Library::new(path) }.map(std::mem::forget).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(parts: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for part in parts {
            std::fs::write(folder.path().join(format!("libmkl_{part}.so.2")), "").unwrap();
        }
        folder
    }

    #[test]
    fn a_part_that_is_missing_is_named_before_the_library_ends_the_process() {
        let missing = |parts: &[&str], threads| layers(folder(parts).path(), ".so.2", threads).unwrap_err();
        assert!(missing(&["intel_lp64"], 2).contains("libmkl_core.so.2"));
        assert!(missing(&["core"], 2).contains("libmkl_intel_lp64.so.2"));
        assert!(missing(&["core", "intel_lp64"], 2).contains("intel_thread with libiomp5.so"));
        assert!(missing(&["core", "intel_lp64", "sequential"], 2).contains("threading layers"));
        assert_eq!(layers(folder(&["core", "intel_lp64", "sequential"]).path(), ".so.2", 1), Ok(SEQUENTIAL));
    }

    #[test]
    fn the_parts_end_as_the_library_does() {
        assert_eq!(ending(Path::new("/opt/lib/libmkl_rt.so.2")).as_deref(), Some(".so.2"));
        assert_eq!(ending(Path::new("/opt/lib/libmkl_rt.so")).as_deref(), Some(".so"));
        assert_eq!(ending(Path::new("/opt/lib/mkl_rt.2.dll")), None);
    }
}
