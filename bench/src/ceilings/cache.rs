//! Probings that are kept from run to run, one file a device.
//!
//! A device that was changed, a new driver, another processor or another program is another key, and probed anew.

use crate::{App, host};
use accelbench_backends::DeviceInfo;
use accelbench_kernels::{Precision, Profile, probe};
use accelbench_reports::{Ceilings, sha256_hex};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where probings are kept, instead of the user's cache folder.
pub const FOLDER_VARIABLE: &str = "ACCELBENCH_CACHE_DIR";

/// What a probing depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Key {
    program: String,
    /// Of the probes' sources.
    sources: String,
    backend: String,
    device: String,
    driver: String,
    compute_units: Option<u32>,
    memory_bytes: Option<u64>,
    computes: Vec<String>,
    facts: BTreeMap<String, String>,
    cpu: String,
    threads: usize,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    key: Key,
    ceilings: Ceilings,
}

/// A device's place in the cache.
pub struct Place {
    key: Key,
    /// None where the system has no folder for this user's caches.
    path: Option<PathBuf>,
}

impl Place {
    /// The place of a device.
    pub fn of(app: App, device: &DeviceInfo) -> Self {
        let host = host::host();
        let caps = &device.caps;
        let key = Key {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            sources: sources(app, device),
            backend: device.id.backend.clone(),
            device: device.name.clone(),
            driver: device.driver.clone(),
            compute_units: caps.compute_units,
            memory_bytes: caps.memory_bytes,
            computes: caps.compute.iter().map(ToString::to_string).collect(),
            facts: caps.facts.clone(),
            cpu: host.cpu,
            threads: host.threads,
        };
        let name = format!("{}-{:.16}.json", key.backend, sha256_hex(&serde_json::to_vec(&key).unwrap_or_default()));
        Self { path: cache_folder().map(|folder| folder.join("ceilings").join(name)), key }
    }

    /// The kept probing, if it had at least this profile's time. What can't be read is not there.
    pub fn load(&self, profile: Profile) -> Option<Ceilings> {
        let kept: Kept = serde_json::from_slice(&fs::read(self.path.as_ref()?).ok()?).ok()?;
        let enough = [Profile::Quick, Profile::Standard, Profile::Full]
            .into_iter()
            .any(|of| of >= profile && of.name() == kept.ceilings.profile);
        (kept.key == self.key && enough).then_some(kept.ceilings)
    }

    /// Keeps a probing.
    ///
    /// # Errors
    /// One line with the place and the system's reason.
    pub fn store(&self, ceilings: &Ceilings) -> Result<(), String> {
        let path = self.path.as_ref().ok_or_else(|| format!("no cache folder is known: set {FOLDER_VARIABLE}"))?;
        let kept = Kept { key: self.key.clone(), ceilings: ceilings.clone() };
        let written = serde_json::to_vec(&kept).map_err(io::Error::from).and_then(|text| write_whole(path, &text));
        written.map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// Writes a file in the cache folder, which is made where it is not there: whole or not at all, also beside another run
/// that does the same.
///
/// # Errors
/// The system's.
pub fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    let mine = folder.join(format!("{}.{}", path.file_name().unwrap_or_default().display(), std::process::id()));
    fs::write(&mine, text)?;
    fs::rename(&mine, path)
}

/// Where this program keeps what it can make again.
pub fn cache_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable(FOLDER_VARIABLE)
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("accelbench")))
        .or_else(|| Some(variable("HOME")?.join(".cache/accelbench")))
}

/// SHA-256 over the sources of all probes for this device.
fn sources(app: App, device: &DeviceInfo) -> String {
    let mut text = String::new();
    for operation in (app.probes)().iter() {
        for precision in Precision::ALL {
            for fields in probe::fields(operation.name(), precision, &device.caps) {
                let Ok(case) = operation.case(precision, &fields) else { continue };
                text.push_str(&case.shape_text());
                for plan in case.plans(&device.caps) {
                    text.push_str(&plan.program().source_sha256());
                }
            }
        }
    }
    sha256_hex(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(folder: &tempfile::TempDir, driver: &str) -> Place {
        let key = Key {
            program: "1".to_owned(),
            sources: "2".to_owned(),
            backend: "host".to_owned(),
            device: "CPU".to_owned(),
            driver: driver.to_owned(),
            compute_units: None,
            memory_bytes: None,
            computes: Vec::new(),
            facts: BTreeMap::new(),
            cpu: "CPU".to_owned(),
            threads: 2,
        };
        Place { key, path: Some(folder.path().join("ceilings/host.json")) }
    }

    fn quick() -> Ceilings {
        Ceilings { device: "host:0".to_owned(), profile: "quick".to_owned(), ..Ceilings::default() }
    }

    #[test]
    fn what_is_kept_is_found_again_by_the_same_device_only() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(place(&folder, "1").load(Profile::Quick), None);
        place(&folder, "1").store(&quick()).unwrap();
        assert_eq!(place(&folder, "1").load(Profile::Quick), Some(quick()));
        assert_eq!(place(&folder, "2").load(Profile::Quick), None);
    }

    #[test]
    fn a_hasty_probing_is_none_for_a_thorough_run() {
        let folder = tempfile::tempdir().unwrap();
        place(&folder, "1").store(&quick()).unwrap();
        assert_eq!(place(&folder, "1").load(Profile::Standard), None);
        let thorough = Ceilings { profile: "full".to_owned(), ..quick() };
        place(&folder, "1").store(&thorough).unwrap();
        assert_eq!(place(&folder, "1").load(Profile::Quick), Some(thorough));
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder, "1");
        place.store(&quick()).unwrap();
        let path = place.path.clone().unwrap();
        let whole = fs::read(&path).unwrap();
        for damaged in [&b""[..], b"{", b"[1, 2]", b"\xff\xfe", &whole[..whole.len() / 2]] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(place.load(Profile::Quick), None);
        }
        place.store(&quick()).unwrap();
        assert_eq!(place.load(Profile::Quick), Some(quick()));
    }

    #[test]
    fn a_place_that_can_t_be_written_to_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ceilings"), "a file").unwrap();
        let error = place(&folder, "1").store(&quick()).unwrap_err();
        assert!(error.contains("host.json: "), "{error}");
        let nowhere = Place { path: None, ..place(&folder, "1") };
        assert!(nowhere.store(&quick()).unwrap_err().contains(FOLDER_VARIABLE));
    }
}
