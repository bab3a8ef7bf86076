//! Libraries that are no part of this program and are looked for when it runs.
//!
//! A library is found under its usual file names, or by the variable `ACCELBENCH_NAME` with its name in capitals, which
//! holds the file's path; `ACCELBENCH_DISABLE` leaves it out. One that is missing, or lacks what is needed, is a reason in
//! words. One that was loaded stays loaded: its threads and its memory outlive every device.

use crate::registry;
use libloading::Library;
use std::ffi::{CStr, c_char};
use std::path::PathBuf;

/// A library that is looked for.
pub(crate) struct Wanted {
    /// Its name in plans, ids and variables: lower-case letters.
    pub(crate) name: &'static str,
    /// The names of its file, the most specific first.
    pub(crate) files: &'static [&'static str],
    /// What brings it.
    pub(crate) hint: &'static str,
}

/// A library that was loaded.
#[derive(Clone, Copy)]
pub(crate) struct Loaded {
    name: &'static str,
    library: &'static Library,
}

impl Wanted {
    /// The variable that names the library's file.
    fn variable(&self) -> String {
        format!("ACCELBENCH_{}", self.name.to_uppercase())
    }

    /// Loads the library and has `open` look at it.
    ///
    /// # Errors
    /// Why it can't be used, and what would help.
    pub(crate) fn open<T>(&self, open: impl FnOnce(Loaded) -> Result<T, String>) -> Result<T, String> {
        let (name, variable) = (self.name, self.variable());
        if registry::is_disabled(name) {
            return Err(format!("{name} is left out: {} names it", registry::DISABLE_VARIABLE));
        }
        let named = std::env::var_os(&variable);
        let loaded = named.as_ref().map_or_else(
            || self.load().map_err(|why| format!("{why}; install {} or name its file by {variable}", self.hint)),
            |path| self.load_file(path).map_err(|why| format!("{variable}: {why}")),
        );
        loaded.and_then(open).map_err(|why| format!("{name} is not used: {why}"))
    }

    /// The first of the usual files that loads, or what is wrong with the first one.
    fn load(&self) -> Result<Loaded, String> {
        let mut first = None;
        for file in self.files {
            match self.load_file(file) {
                Ok(loaded) => return Ok(loaded),
                Err(why) => first = first.or(Some(why)),
            }
        }
        Err(first.unwrap_or_default())
    }

    fn load_file(&self, file: impl AsRef<std::ffi::OsStr>) -> Result<Loaded, String> {
        // SAFETY: loading runs the library's initialisers, which is what it is looked for.
        let library = unsafe { Library::new(file.as_ref()) }.map_err(|error| message(&error))?;
        Ok(Loaded { name: self.name, library: Box::leak(Box::new(library)) })
    }
}

impl Loaded {
    /// The library's name.
    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    /// A function, which is not called here.
    ///
    /// # Errors
    /// That there is none of this name.
    ///
    /// # Safety
    /// `F` is a pointer to a function with the signature that the function of this name has.
    pub(crate) unsafe fn function<F: Copy>(self, symbol: &str) -> Result<F, String> {
        // SAFETY: passed on.
        unsafe { self.library.get::<F>(symbol) }.map(|function| *function).map_err(|_| format!("it has no {symbol}"))
    }

    /// Whether it has something of this name.
    pub(crate) fn has(self, symbol: &str) -> bool {
        // SAFETY: the address is only looked at.
        unsafe { self.library.get::<*const ()>(symbol) }.is_ok()
    }

    /// The file that holds `symbol`, by its real name, where the system tells.
    pub(crate) fn file(self, symbol: &str) -> Option<PathBuf> {
        // SAFETY: the address is only looked at.
        let address = unsafe { self.library.get::<*const ()>(symbol) }.ok()?.addr();
        let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
        maps.lines().find_map(|line| holder(line, address)).and_then(|path| std::fs::canonicalize(path).ok())
    }
}

/// The file of a line of Linux's `/proc/self/maps`, where it holds the address.
fn holder(line: &str, address: usize) -> Option<&str> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    let path = rest.find('/').map(|from| &rest[from..])?;
    (number(start)?..number(end)?).contains(&address).then_some(path)
}

/// Text that a library's function returned; empty where it is a null pointer.
///
/// # Safety
/// `text` is null or ends in a NUL.
pub(crate) unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: passed on.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().trim().to_owned()
}

/// An error with its causes: the dynamic linker's words are the last of them.
pub(crate) fn message(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Wanted =
        Wanted { name: "nothing", files: &["libthere-is-no-such-file.so.1"], hint: "a package that brings it" };

    #[test]
    fn a_missing_library_tells_the_file_the_package_and_the_variable() {
        let why = NOTHING.open(|_| Ok(())).unwrap_err();
        for part in ["nothing is not used", "libthere-is-no-such-file.so.1", "a package", "ACCELBENCH_NOTHING"] {
            assert!(why.contains(part), "{why}");
        }
    }

    #[test]
    fn the_file_of_an_address_is_found() {
        let line = "7f00-7fff r-xp 00000000 08:01 42 /usr/lib/libthing.so.1.2";
        assert_eq!(holder(line, 0x7f80), Some("/usr/lib/libthing.so.1.2"));
        assert_eq!(holder(line, 0x7fff), None);
        assert_eq!(holder("7f00-7fff rw-p 00000000 00:00 0 [stack]", 0x7f80), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn functions_of_a_library_are_found_and_others_are_not() {
        let system = Wanted { name: "system", files: &["libc.so.6"], hint: "" };
        let loaded = system.open(Ok).unwrap();
        assert!(loaded.has("strlen") && !loaded.has("no_such_function"));
        assert!(loaded.file("strlen").is_some_and(|file| file.to_string_lossy().contains("libc")));
        // SAFETY: C's own signature.
        let strlen = unsafe { loaded.function::<unsafe extern "C" fn(*const c_char) -> usize>("strlen") }.unwrap();
        // SAFETY: the text ends in a NUL.
        assert_eq!(unsafe { strlen(c"four".as_ptr()) }, 4);
    }
}
