//! Which device a tuned plan belongs to, and which devices resemble it.

use crate::probe::Machine;
use accelbench_backends::{DeviceInfo, Presence};
use serde::{Deserialize, Serialize};

/// Facts that say what a device's arithmetic units are, where an API tells one of them.
const ARCHITECTURE: [&str; 5] =
    ["compute_capability", "isa", "native-vector-f64", "native-vector-f32", "native-vector-f16"];

/// A device as far as the speed of plans depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceKey {
    /// The backend's id.
    pub backend: String,
    /// The API's version, as it states it.
    pub api_version: String,
    /// The device's name.
    pub device: String,
    /// `cpu`, `gpu` or `accelerator`.
    pub kind: String,
    /// What is known of its units: `isa=…, subgroup=8`.
    pub architecture: String,
    /// Compute units, multiprocessors or cores.
    pub compute_units: Option<u32>,
    /// The driver and its version.
    pub driver: String,
}

/// Devices that have the same best plans for all that one can tell: another version of the driver, or more or fewer
/// compute units, is no other family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    backend: String,
    kind: String,
    architecture: String,
    /// The driver's name.
    driver: String,
}

impl DeviceKey {
    /// That of a device of this machine.
    pub fn of(machine: &Machine, device: &DeviceInfo) -> Self {
        let caps = &device.caps;
        let api_version = machine.backends.iter().find_map(|(id, presence)| match presence {
            Presence::Present { api_version, .. } if *id == device.id.backend => Some(api_version.clone()),
            _ => None,
        });
        let known = ARCHITECTURE.iter().filter_map(|name| Some(format!("{name}={}", caps.facts.get(*name)?)));
        let subgroup = caps.subgroup.map(|(smallest, largest)| {
            if smallest == largest { format!("subgroup={smallest}") } else { format!("subgroup={smallest}..{largest}") }
        });
        let kind = serde_json::to_value(caps.kind).ok();
        Self {
            backend: device.id.backend.clone(),
            api_version: api_version.unwrap_or_default(),
            device: device.name.clone(),
            kind: kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or_default().to_owned(),
            architecture: known.chain(subgroup).collect::<Vec<_>>().join(", "),
            compute_units: caps.compute_units,
            driver: device.driver.clone(),
        }
    }

    /// Its family.
    pub fn family(&self) -> Family {
        // A version starts with the first digit that starts a word.
        let words = self.driver.split_whitespace();
        let name: Vec<&str> = words.take_while(|word| !word.starts_with(|c: char| c.is_ascii_digit())).collect();
        Family {
            backend: self.backend.clone(),
            kind: self.kind.clone(),
            architecture: self.architecture.clone(),
            driver: name.join(" "),
        }
    }
}

impl Family {
    /// A name for files: lower-case words with dashes.
    pub fn slug(&self) -> String {
        let text = format!("{} {} {} {}", self.backend, self.kind, self.driver, self.architecture).to_lowercase();
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(driver: &str) -> DeviceKey {
        DeviceKey {
            backend: "opencl".to_owned(),
            api_version: "OpenCL".to_owned(),
            device: "A chip".to_owned(),
            kind: "cpu".to_owned(),
            architecture: "native-vector-f32=16".to_owned(),
            compute_units: Some(2),
            driver: driver.to_owned(),
        }
    }

    #[test]
    fn a_family_outlives_versions_and_not_drivers() {
        let family = key("Acme Computing 3.1 LLVM").family();
        assert_eq!(family, DeviceKey { compute_units: Some(64), ..key("Acme Computing 4.0") }.family());
        assert_ne!(family, key("Other Computing 3.1").family());
        assert_ne!(
            family,
            DeviceKey { architecture: "native-vector-f32=8".to_owned(), ..key("Acme Computing 3.1") }.family()
        );
        assert_eq!(family.slug(), "opencl-cpu-acme-computing-native-vector-f32-16");
    }
}
