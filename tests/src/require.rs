//! `ACCELBENCH_REQUIRE`: what must be there. A missing driver is a failure, never a quiet pass.
//!
//! A list such as `host:openblas,opencl:pocl,webgpu:llvmpipe,nvrtc`: backends, each with a word that a device's name,
//! vendor, driver or facts must contain, or the name of a library that it must have found. Without the variable, tests use what they find and name what is left out.

use accelbench_backends::{DeviceInfo, Presence, Registry};

/// The requirements.
pub fn list() -> Vec<String> {
    let text = std::env::var("ACCELBENCH_REQUIRE").unwrap_or_default();
    text.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

/// Whether this word is required.
pub fn requires(word: &str) -> bool {
    list().iter().any(|required| required == word)
}

/// Whether a required device is there.
///
/// # Errors
/// What is missing, with the backend's own reason.
pub fn found(requirement: &str, registry: &Registry) -> Result<(), String> {
    let (backend, word) = requirement.split_once(':').unwrap_or((requirement, ""));
    match registry.probe(backend) {
        None => Err(format!("`{requirement}` is required and there is no backend `{backend}`")),
        Some(Presence::Absent(absence)) => {
            Err(format!("`{requirement}` is required: {}; {}", absence.detail, absence.hint))
        }
        Some(Presence::Present { devices, .. }) if devices.iter().any(|device| has_word(device, word)) => Ok(()),
        Some(Presence::Present { devices, notes, .. }) => {
            let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
            let (names, notes) = (names.join(", "), notes.join("; "));
            Err(format!("`{requirement}` is required and {backend} has only {names} ({notes})"))
        }
    }
}

fn has_word(device: &DeviceInfo, word: &str) -> bool {
    let facts = device.caps.facts.values();
    [&device.name, &device.vendor, &device.driver]
        .into_iter()
        .chain(facts)
        .any(|text| text.to_lowercase().contains(word))
        || device.caps.external.contains_key(word)
}
